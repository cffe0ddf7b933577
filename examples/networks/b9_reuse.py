"""
Reuse of derivatives
====================

The gradient by the parameters of an early stage is a product of the Jacobians of all later ones.
Going backwards, each product with a row is made once, and serves all stages before it. Going
forwards, one would carry a matrix for every stage.
"""

import numpy as np

import graphc as gc


def chain(stages, width=20):
    """Return a graph of so many equal stages."""
    z = gc.observed("x", shape=width)
    for k in range(stages):
        z = gc.tanh(gc.Linear(width, bias=False, name=f"f{k}")(z))
    return gc.Graph(gc.cost(np.sum(z**2), name="C"), name="chain")


# %%
# The emitted backward pass: one vector, ``d_...``, goes from stage to stage, and each stage takes
# its own gradient from it.

program = gc.compile(chain(3), style="readable", batch=False)
source = program.source
print(source[source.index("def loss_and_grad") : source.index("def _forward")])

# %%
# The number of operations: backwards it grows as the number of stages, for each stage costs two
# products of a matrix with a vector. Forwards, the derivative of each state by each earlier
# parameter would be carried along.


def multiplications(program):
    """Return how many multiplications the matrix products of a backward pass make."""
    count = 0
    for line in program.source[program.source.index("def loss_and_grad") :].splitlines():
        if line.startswith("def _"):
            break
        count += 20 * 20 * (line.count(" @ ") + line.count("[:, None] *"))
    return count


counts = [multiplications(gc.compile(chain(n), style="readable", batch=False)) for n in (2, 4, 8)]
print(counts)
assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])

# %%
# Common parts are found when the graph is built, for equal expressions are one: the derivative of
# a derivative reuses what the first one computed.

x = gc.observed("x", shape=5)
z = gc.tanh(x, output="z")
C = gc.cost(np.sum(z**3), name="C")
both = gc.compile_function([x], [C, gc.grad(C, x), gc.hessian(C, x)])
assert both.source.count("np.tanh(") == 1
print(both.source[both.source.index("    # ") if "    # " in both.source else 0 :][:600])
