r"""
Read an emitted file
====================

The file is meant to be read from top to bottom, beside the formulas. Here is a whole one, for
logistic regression, with a word on each part.
"""

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=3), gc.observed("y", classes=2)
w = gc.parameter("w", shape=3, init="normal")
b = gc.parameter("b")


@gc.function
def score(x, w, b):
    return w @ x + b


@gc.cost
def logistic(s, y):
    return np.log(1 + np.exp(s)) - y * s


s = score(x, w, b, output="s")
net = gc.Graph(logistic(s, y, name="C"), name="logistic")
net

# %%
# **The head** draws the model as text and says what the loss is: the average over P samples, which
# stand along the first axis of every input. ``Params`` lists the parameters with their shapes;
# gradients are of the same type.

program = gc.compile(net, style="readable")
parts = program.source.split("\n\n\n")


def part(beginning):
    """The part of the file that begins so, decorators aside."""
    return next(text for text in parts if beginning in text)


print(parts[0], part("class Params"), sep="\n\n\n")

# %%
# **forward, loss, loss_and_grad** are what one calls. They check their arguments first, and then
# do what the comments say. Over each statement of the backward pass stands its formula: read it
# against the chain rule, from the cost down.

print(part("def forward"), part("def loss_and_grad"), sep="\n\n\n")

# %%
# P is the number of samples, and 1/P enters once, where the backward pass begins. ``d_s`` is the
# derivative of the loss by ``s``, for all samples, shape (P,).
#
# **The forward pass** is shared by the three. What the backward pass needs again, it returns.

print(part("def _forward"))

# %%
# The cost was written as ``log(1 + exp(s)) - y * s``, which overflows where s is large. graphc
# recognises the softplus in it: the file calls a helper that does not overflow.

params = program.Params(w=np.array([1.0, 0.0, 0.0]), b=np.array(0.0))
large = program.loss(params, x=np.array([[1000.0, 0.0, 0.0]]), y=np.array([0]))
print(large)
assert large == 1000.0

# %%
# **The checks** raise errors that name the argument.

try:
    program.loss(params, x=np.ones((5, 4)), y=np.zeros(5, int))
except ValueError as error:
    print(error)

# %%
# **The end** runs when the file is started as a script: the gradient against central differences.

print(part("__main__"))

# %%
# ``style="fast"``, the default, writes the same file with buffers and in-place operations; both
# give the same numbers. So ``program.save`` writes the fast style unless the program was compiled
# in the other, while ``graphc build`` writes both, the readable one as ``<graph>_numpy.py``.
# :attr:`graphc.Compiled.origins` tells of each line which block and which
# rule it came from.

fast = gc.compile(net)
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(10, 3)), rng.integers(0, 2, 10)
for one, other in zip(
    program.loss_and_grad(params, x=X, y=Y)[1], fast.loss_and_grad(params, x=X, y=Y)[1]
):
    np.testing.assert_allclose(one, other, rtol=1e-12)
