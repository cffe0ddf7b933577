r"""
Log-softmax, not the log of softmax
===================================

:math:`\log \frac{e^{s_i}}{\sum_j e^{s_j}} = s_i - \log \sum_j e^{s_j}`. On paper the two sides are
the same. In floating point the left one fails where a score is far from the largest: its softmax is
rounded to 0, and the logarithm of that is minus infinity.
"""

import numpy as np

import graphc as gc

scores = np.array([0.0, 800.0, -3.0])
with np.errstate(all="ignore"):
    softmax = np.exp(scores) / np.exp(scores).sum()
    print("exp / sum, then log:", np.log(softmax))
    shifted = np.exp(scores - scores.max())
    print("shifted, then log:  ", np.log(shifted / shifted.sum()))  # shifting alone does not help

# %%
# graphc's softmax and log-softmax are stable.

s = gc.observed("s", shape=3)
z = gc.log_softmax(s, output="z")
f = gc.compile_function([s], z)
print("log_softmax:        ", f(scores))
np.testing.assert_array_equal(f(scores), [-800.0, 0.0, -803.0])

# %%
# **The naive spelling is recognised**, before any derivative is taken: these give the same code.

naive = np.log(np.exp(s) / np.sum(np.exp(s)))
half = np.log(gc.softmax(s))
for spelled in (naive, half):
    np.testing.assert_array_equal(gc.compile_function([s], spelled)(scores), f(scores))
print(gc.compile_function([s], naive, style="readable").source.split("\n\n\n")[1])

# %%
# **The gradient** :math:`g - \mathrm{softmax}(s) \sum_i g_i` has no logarithm and no quotient of
# small numbers left.

gc.jacobian(z, s)

# %%
# Where does it matter? Take a confident, wrong network: class 0 is right, class 1 has 800 points
# more. The loss of the naive code is infinite and its gradient is not a number. The stable ones are
# 800 and :math:`(-1, 1, 0)`: a clear direction out.

y = gc.observed("y", classes=3)
C = gc.cross_entropy(s, y, name="C")
loss_and_gradient = gc.compile_function([s, y], [C, gc.grad(C, s)])
gc.Graph(C, name="surprise")

# %%

value, gradient = loss_and_gradient(scores, np.array(0))
print(value, gradient)
assert value == 800.0
np.testing.assert_allclose(gradient, [-1, 1, 0], atol=1e-12)

with np.errstate(all="ignore"):
    p = np.exp(scores) / np.exp(scores).sum()
    by_p = np.array([-1 / p[0], 0, 0])
    naive_gradient = (np.diag(p) - np.outer(p, p)) @ by_p
    print(-np.log(p[0]), naive_gradient)
assert np.isnan(naive_gradient).any()
