r"""
Tutorial: ten minutes
=====================

From a model on paper to a file that trains it: declare, look, derive, compile, train, save, and
run the result where graphc is not installed. You need NumPy and a little linear algebra.
"""

# %%
# 1. Declare
# ----------
#
# A model is declared for **one sample**: what is given from outside is observed, what a block
# learns is a parameter, and what is minimised is a cost. Blocks are ordinary NumPy code.

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import graphc as gc

x = gc.observed("x", shape=2)  # a point of the plane
y = gc.observed("y", classes=3)  # its class: 0, 1 or 2


@gc.function
def layer(
    z=gc.Input("n"),
    *,
    w=gc.Parameter("m n", init="glorot"),
    b=gc.Parameter("m", init="zeros"),
):
    return np.tanh(w @ z + b)


# %%
# ``layer`` is a kind of block, in which m and n may be anything. ``layer(m=16)`` is one block,
# with parameters of its own; n follows from what it is called with. ``gc.Linear`` is ready-made.

hidden = layer(m=16, name="hidden")
z = hidden(x, output="z")
head = gc.Linear(3, name="head")
s = head(z, output="s")
C = gc.cross_entropy(s, y, name="C")

# %%
# 2. Look
# -------
#
# The graph is found by walking back from the cost. Circles are variables, shaded if observed;
# shapes with a rounded side are functions, with their parameters inside; the square is a cost.

net = gc.Graph(C, name="classifier")
net

# %%
# ``gc.render(net, "classifier.svg")`` writes the figure to a file.
#
# 3. Derive
# ---------
#
# Derivatives are formulas. The Jacobian of the hidden layer by its input:

gc.jacobian(z, x)

# %%
# By its weights it has three axes, so it is written with indices.

gc.jacobian(z, hidden.w)

# %%
# The gradient of the cost by the scores is the well-known difference.

gc.grad(C, s)

# %%
# And the way there, step by step, as one would do it on paper.

print(gc.derive(C, hidden.w))

# %%
# 4. Compile
# ----------
#
# The program is NumPy source code. Its functions take whole batches, shape (P, 2), and give the
# average over the P samples; the backward pass reads like the formulas.

program = gc.compile(net, style="readable")
source = program.source
print(source[source.index("    # C: ∂L/∂s") : source.index("\n\ndef _forward")])

# %%
# The data: three spirals, which no straight lines separate. A blind guess among three classes
# costs log 3 ≈ 1.10.

rng = np.random.default_rng(0)
Y = np.arange(600) % 3
radius = rng.uniform(0.1, 1, 600)
angle = 4 * radius + 2 * np.pi / 3 * Y + rng.normal(0, 0.1, 600)
X = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)

params = program.init_params(seed=0)
loss, grads = program.loss_and_grad(params, x=X, y=Y)
print(f"loss {loss:.3f}")
print({name: g.shape for name, g in zip(grads._fields, grads)})

# %%
# 5. Train
# --------
#
# An update rule is part of the program, so that it is compiled too, in one function with the
# gradient.

trainer = gc.compile(net, step=gc.adam(lr=0.02))
run = gc.train(trainer, params, {"x": X, "y": Y}, batch_size=50, epochs=60, seed=0)
scores = trainer.forward(run.params, x=X)
accuracy = np.mean(scores.argmax(axis=1) == Y)
print(f"loss {run.history.epochs[-1]:.3f}, accuracy {accuracy:.1%}")
assert accuracy > 0.94

gc.plot.regions(
    lambda points: trainer.forward(run.params, x=points), ((-1.1, 1.1), (-1.1, 1.1)), X, Y
)

# %%
# 6. Save, and run without graphc
# -------------------------------
#
# What has just run is a file. It imports NumPy and nothing else.

folder = Path(tempfile.mkdtemp())
program.save(folder / "classifier.py")
np.savez(folder / "learnt.npz", **run.params._asdict(), points=X[:5])

script = """
import sys
import numpy as np
import classifier

data = np.load("learnt.npz")
params = classifier.Params(*(data[name] for name in classifier.Params._fields))
print("classes:", classifier.forward(params, data["points"]).argmax(axis=1))
print("graphc imported:", "graphc" in sys.modules)
"""
(folder / "use.py").write_text(script)
done = subprocess.run([sys.executable, "use.py"], cwd=folder, capture_output=True, text=True)
print(done.stdout)
assert "graphc imported: False" in done.stdout, done.stderr

# %%
# The file also checks itself: started as a script, it compares its gradient with central
# differences.

done = subprocess.run([sys.executable, "classifier.py"], cwd=folder, capture_output=True, text=True)
print(done.stdout)
assert done.returncode == 0, done.stderr

# %%
# Where to go on: :doc:`write a block of your own </gallery/guides/g1_add_a_block>`,
# :doc:`read an emitted file line by line </gallery/guides/g3_read_a_file>`, or walk through
# :doc:`the lecture </gallery>`.
