r"""
Gradient descent on curves and contours
=======================================

Descent goes where the function falls, :math:`w \leftarrow w - \eta \, \nabla f(w)`, and stops where
it is flat. In one and in two variables every step can be drawn.
"""

# sphinx_gallery_thumbnail_number = -1

import numpy as np

import graphc as gc

# %%
# A function is written once, in NumPy. On numbers it gives numbers, on a variable it gives a graph.


def cubic(w):
    return w**3 / 3 - w


def quartic(w):
    return w**4 / 4 - w**2 + 0.3 * w


def descent(f, start, lr, **stop):
    """Return the positions of descent, from the start on."""
    w = gc.parameter("w", shape=np.shape(start), init=np.array(start))
    net = gc.Graph(gc.cost(f(w), name="f"), name="descent")
    program = gc.compile(net, batch=False, step=gc.sgd(lr=lr))
    trace = gc.plot.Trace(program.init_params())
    gc.train(program, program.init_params(), {}, callbacks=[trace], **stop)
    return trace.path


w = gc.parameter("w")
gc.Graph(gc.cost(cubic(w), name="f"), name="cubic")

# %%

gc.grad(cubic(w), w)

# %%
# **A cubic** has one valley. Started right of its hill, descent rolls into it: the steps shorten as
# the slope does, and it stops where the loss no longer changes.

path = descent(cubic, -0.8, lr=0.2, tolerance=1e-12)
np.testing.assert_allclose(path[-1], 1, atol=1e-5)
print(f"{len(path) - 1} steps, from {path[0, 0]} to {path[-1, 0]:.6f}")
gc.plot.curve(cubic, (-2.2, 2.2), path)

# %%
# Started left of the hill it falls for ever. That is a fact about the function, and training says
# so instead of returning a number.

try:
    descent(cubic, -1.2, lr=0.2, steps=100)
except gc.TrainingError as error:
    message = str(error)
assert "diverges" in message
print(message)

# %%
# **A quartic** has two valleys. Where descent ends depends on where it starts: from the right it
# gets stuck in the local minimum, and nothing in the gradient there tells of the deeper one.

starts = (1.9, 0.25, 0.1, -1.9)
paths = [descent(quartic, start, lr=0.08, steps=120) for start in starts]
ends = np.array([path[-1, 0] for path in paths])
low, local = np.sort(np.roots([1, 0, -2, 0.3]))[[0, 2]]
np.testing.assert_allclose(ends, [local, local, low, low], atol=1e-5)
assert quartic(low) < quartic(local)
gc.plot.curve(quartic, (-2.1, 2.1), *paths, labels=[f"from {start}" for start in starts])

# %%
# The step size decides too. Small ones creep, large ones jump across the valley and back, and
# larger ones leave it without finding another to stay in.

rates = (0.02, 0.35, 0.75)
paths = [descent(quartic, 1.9, lr=rate, steps=25) for rate in rates]
gc.plot.curve(quartic, (-2.1, 2.1), *paths, labels=[rf"$\eta$ = {rate}" for rate in rates])

# %%
# **Two variables**, :math:`z = f(w_1, w_2)`. The gradient is perpendicular to the contours. In a
# narrow valley it points across rather than along, so that the path goes to and fro.


def valley(w):
    return 0.5 * w[0] ** 2 + 5 * w[1] ** 2


start = np.array([-4.0, 1.0])
paths = [descent(valley, start, lr=rate, steps=60) for rate in (0.18, 0.05)]
np.testing.assert_allclose(paths[0][-1], 0, atol=1e-4)
gc.plot.contours(
    valley, ((-4.5, 1.5), (-1.6, 1.6)), *paths, labels=[r"$\eta$ = 0.18", r"$\eta$ = 0.05"]
)

# %%
# Himmelblau's function has four minima, all as deep, and each has its own region of starts.


def himmelblau(w):
    return (w[0] ** 2 + w[1] - 11) ** 2 + (w[0] + w[1] ** 2 - 7) ** 2


starts = [(0.3, 0.3), (-0.3, 0.6), (-0.5, -1.2), (0.5, -1.5)]
paths = [descent(himmelblau, start, lr=0.01, steps=200) for start in starts]
minima = [(3, 2), (-2.805118, 3.131313), (-3.779310, -3.283186), (3.584428, -1.848127)]
np.testing.assert_allclose([path[-1] for path in paths], minima, atol=1e-5)
gc.plot.contours(himmelblau, ((-5, 5), (-5, 5)), *paths, log=True)

# %%
# The step as it is emitted: gradient and update in one function, the parameters changed in place.

w = gc.parameter("w", shape=2)
net = gc.Graph(gc.cost(valley(w), name="f"), name="valley")
source = gc.compile(net, batch=False, step=gc.sgd(lr=0.18)).source
print(source[source.index("def train_step") :].split("\n\n\n")[0])
