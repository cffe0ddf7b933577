"""
Block diagrams
==============

The notation of the lecture, element by element. A circle is a variable, shaded where it is
observed; a deterministic function has a rounded side, from which its outputs leave; a cost has
sharp corners and no output, for it is a number that is added to the others. Parameters are
implicit in a block unless they are drawn.
"""

import numpy as np

import graphc as gc

# %%
# **Variables** are tensors or scalars, continuous or discrete, observed, computed, or latent:
# neither observed nor computed, but found by minimising a cost.

x = gc.observed("x", shape=5)
k = gc.observed("k", classes=3)
z = gc.latent("z", shape=2)


@gc.function
def Dec(z=gc.Input("m"), *, w=gc.Parameter("n m")):
    return np.tanh(w @ z)


decoded = Dec(n=5, name="Dec")(z, output="xbar")
gc.Graph(gc.squared_error(decoded, x, name="D"), name="latent_variable")

# %%
# **Functions** have one or several inputs and outputs.


@gc.function
def split(x):
    return x[:2], x[2:]


first, rest = split(x, output=("a", "b"))


@gc.function
def join(a, b, k):
    return np.sum(a) * b[k]


joined = join(first, rest, k, output="s")
net = gc.Graph(joined, name="several")
net

# %%
# A graph knows its elements, and hands them to networkx.

print([v.name for v in net.variables])
print([use.function for use in net.functions])
print(net.nx)
assert net.nx.number_of_nodes() == len(net.variables) + len(net.functions)

# %%
# **Costs** take what they compare. Several costs are added.

target = gc.observed("y")
fit = gc.squared_error(joined, target, name="C")
penalty = gc.cost(0.1 * np.sum(rest**2), name="R")
gc.Graph(fit, penalty, name="two_costs")

# %%
# **Parameters** can be drawn as stubs on the blocks that own them, and a block that is used twice
# shares them.

encode = gc.Linear(2, name="Enc")
u, v = gc.observed("u", shape=3), gc.observed("v", shape=3)
distance = gc.squared_error(encode(u, output="h_u"), encode(v, output="h_v"), name="E")
siamese = gc.Graph(distance, name="siamese")
assert [siamese.name_of(p) for p in siamese.parameters] == ["Enc_w", "Enc_b"]
siamese
