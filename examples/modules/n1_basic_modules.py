r"""
The basic modules and their gradients
=====================================

Networks are made of a few modules. Each is drawn, and its step backwards derived: given the
gradient :math:`g` of the cost by a module's output, what is the gradient by its inputs?
"""

import numpy as np

import graphc as gc

x = gc.observed("x", shape=3)

# %%
# **Linear**, :math:`z = w x`. Backward it is the transposed matrix; by the weights, an outer
# product.

w = gc.parameter("w", shape=(2, 3))


@gc.function
def linear(x, w):
    return w @ x


z = linear(x, w, output="z")
gc.Graph(z, name="linear_module")

# %%

g = gc.observed("g", shape=2)
gc.vjp(z, x, g)

# %%

gc.vjp(z, w, g)

# %%
# **ReLU**, :math:`z = \max(x, 0)`: the gradient passes where x is positive.

g = gc.observed("g", shape=3)
gc.vjp(gc.relu(x, output="z"), x, g)

# %%
# **Duplicate**: the gradients of the copies add up. A variable that two blocks use is duplicated
# without a word.

a, b = gc.duplicate(x, output=("a", "b"))
gc.Graph(a, b, name="duplicate_module")

# %%

ga, gb = gc.observed("ga", shape=3), gc.observed("gb", shape=3)
together = gc.vjp(a, x, ga) + gc.vjp(b, x, gb)
f = gc.compile_function([ga, gb], together)
np.testing.assert_array_equal(f(np.ones(3), 2 * np.ones(3)), [3.0, 3.0, 3.0])
together

# %%
# **Add**: each input gets the gradient of the sum.

y = gc.observed("y", shape=3)
total = gc.add(x, y, output="z")
gc.vjp(total, y, g)

# %%
# **Max**: the larger input gets the gradient, **switch**: the chosen one.

larger = gc.maximum(x, y, output="z")
k = gc.observed("k", classes=2)
chosen = gc.switch(k, x, y, output="z_k")
gc.Graph(larger, chosen, name="max_and_switch")

# %%

point, other, ones = np.array([1.0, 5.0, 2.0]), np.array([3.0, 4.0, 2.0]), np.ones(3)
by_max = gc.compile_function([x, y, g], gc.vjp(larger, [x, y], g))
by_switch = gc.compile_function([k, g], gc.vjp(chosen, [x, y], g))
for name, (by_x, by_y) in {
    "max": by_max(point, other, ones),
    "switch, k = 0": by_switch(np.array(0), ones),
    "switch, k = 1": by_switch(np.array(1), ones),
}.items():
    print(f"{name:13} by x {by_x}, by y {by_y}")

# %%
# **Softmax**, **LogSoftMax** and **softplus**.

z = gc.softmax(x, output="z")
gc.jacobian(z, x)

# %%

gc.jacobian(gc.log_softmax(x, output="z"), x)

# %%

gc.jacobian(gc.softplus(x, output="z"), x)

# %%
# **Where a derivative is a convention.** ReLU has none at 0, max none at a tie. graphc takes 0 for
# ReLU, as JAX and PyTorch do, and shares ties; the lecture passes the gradient of ReLU at 0, and
# gives a tie of max to the second input. Training notices neither. But one should know:

relu_at_0 = gc.compile_function([x], gc.vjp(gc.relu(x), x, np.ones(3)))(np.zeros(3))
tie_x, tie_y = (v[2] for v in by_max(point, other, ones))
print("                   graphc      lecture")
print(f"relu at 0          {relu_at_0[0]:.1f}         1.0")
print(f"max(x, y), x = y   {tie_x:.1f}, {tie_y:.1f}    0.0, 1.0")
assert (relu_at_0[0], tie_x, tie_y) == (0.0, 0.5, 0.5)

# %%
# The lecture's convention is one line: a comparison that includes the kink.


@gc.function
def lecture_relu(x):
    return np.where(x >= 0, x, 0.0)


@gc.function
def lecture_max(x, y):
    return np.where(x > y, x, y)


at_0 = gc.compile_function([x], gc.vjp(lecture_relu(x), x, np.ones(3)))(np.zeros(3))
ties = gc.compile_function([x, y], gc.vjp(lecture_max(x, y), [x, y], np.ones(3)))(point, point)
np.testing.assert_array_equal(at_0, [1, 1, 1])
np.testing.assert_array_equal(ties, [[0, 0, 0], [1, 1, 1]])

# %%
# :doc:`All conventions </conventions>`, beside those of JAX and PyTorch.
