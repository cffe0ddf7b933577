r"""
Use it where graphc is not installed
====================================

An emitted file is a module of NumPy code. Copy it to where it is needed: a course's exercise, a
cluster, a web service, a phone with Pyodide.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=4), gc.observed("y")
z = gc.tanh(gc.Linear(8, name="first")(x))
prediction = gc.Linear(1, name="second")(z)[0]
C = gc.squared_error(prediction, y, name="C")
net = gc.Graph(C, name="regressor")

# %%
# **A model and its gradient.** ``save`` writes the source that ``program`` runs. A file that
# graphc did not write is not overwritten, unless ``force=True``.

folder = Path(tempfile.mkdtemp())
gc.compile(net, dtype="float32").save(folder / "regressor.py")


def run_alone(script):
    """Run a script in the folder, where graphc cannot be imported."""
    guard = "import sys\nsys.modules['graphc'] = None\n"
    (folder / "script.py").write_text(guard + script)
    command = [sys.executable, "-I", "-c", "import sys; sys.path.insert(0, '.'); import script"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    print(done.stdout)


run_alone("""
import numpy as np
import regressor

params = regressor.init_params(seed=0)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(64, 4)), rng.normal(size=64)
for step in range(3):
    loss, grads = regressor.loss_and_grad(params, x, y)
    params = regressor.Params(*(p - 0.1 * g for p, g in zip(params, grads)))
    print(f"{loss:.4f}")
""")

# %%
# **A model that trains itself.** With ``step=`` the file has a ``train_step`` as well, and with
# ``loop=True`` a ``train``, which changes the parameters in place. On the command line this is
# ``graphc build model.py --train "adam(lr=0.01)"``.

gc.compile(net, step=gc.adam(lr=0.01), loop=True).save(folder / "learner.py")

run_alone("""
import numpy as np
import learner

rng = np.random.default_rng(0)
data = {"x": rng.normal(size=(64, 4))}
data["y"] = np.sin(data["x"][:, 0]) + data["x"][:, 1]
params = learner.init_params(seed=0)
state = learner.init_state(params)
losses = learner.train(params, state, **data, epochs=200, batch_size=16)
print(f"loss {losses[0]:.3f} in the first epoch, {losses[-1]:.4f} in the last")
""")

# %%
# **Any expressions as a function**, without samples and parameters:
# :func:`graphc.compile_function`.

a = gc.observed("a", shape=(3, 3))
log_determinant = np.linalg.slogdet(a)[1]
gc.compile_function([a], [log_determinant, gc.grad(log_determinant, a)], name="logdet").save(
    folder / "logdet.py"
)

run_alone("""
import numpy as np
import logdet

value, gradient = logdet.logdet(np.diag([1.0, 2.0, 4.0]))
print(round(value, 6), gradient.diagonal())
""")

# %%
# Constants of more than 64 elements are saved beside the file, as ``.npz``, and loaded without
# pickle: copy both. ``target="cupy"`` writes the same for a GPU; such a file needs CuPy.
