r"""
Advice: regularise, by L1, L2 and dropout
=========================================

A network with more parameters than samples can learn the noise by heart. Penalties on the weights
keep it simple; dropout, which sets random states to 0 while training, keeps it from leaning on any.
"""

import numpy as np

import graphc as gc

# %%
# **L1 and L2.** Forty inputs, of which three matter, and thirty samples. A penalty is a cost like
# any other: it enters the graph beside the loss, once and not once for each sample.

x, y = gc.observed("x", shape=40), gc.observed("y")
linear = gc.Linear(1, name="f", bias=False)
C = gc.squared_error(linear(x, output="ybar")[0], y, name="C")


def regression(penalty):
    costs = (C,) if penalty is None else (C, penalty)
    return gc.Graph(*costs, name="regression")


L1 = regression(gc.l1_penalty(linear.w, scale=0.2, name="R"))
L1

# %%

rng = np.random.default_rng(0)
truth = np.zeros(40)
truth[:3] = [2.0, -1.5, 1.0]
X, X_test = rng.normal(size=(30, 40)), rng.normal(size=(500, 40))
Y, Y_test = (v @ truth + rng.normal(0, 0.3, len(v)) for v in (X, X_test))
L2 = regression(gc.l2_penalty(linear.w, scale=0.2, name="R"))
found, errors = {}, {}
for name, net in {"none": regression(None), "L2": L2, "L1": L1}.items():
    trainer = gc.compile(net, step=gc.adam(lr=gc.cosine_decay(0.05, steps=1500)))
    run = gc.train(trainer, trainer.init_params(seed=0), {"x": X, "y": Y}, steps=1500)
    found[name] = run.params.f_w[0]
    errors[name] = np.mean((X_test @ found[name] - Y_test) ** 2)
    zeros = np.sum(np.abs(found[name]) < 1e-2)
    print(f"{name:5} error on new samples {errors[name]:.3f}, weights near 0: {zeros} of 40")
assert errors["L1"] < 0.5 * errors["L2"] < 0.5 * errors["none"] * 1.01
assert np.sum(np.abs(found["L1"]) < 1e-2) >= 20

# %%
# L2 makes all weights smaller, L1 makes most of them 0, and so finds the three.

gc.plot.histograms(found, bins=30)

# %%
# **Dropout** is a block whose randomness is an input, so that a run can be repeated: ``gc.train``
# draws it anew in every step, from its seed. Without it the network is the same.


def network(p):
    x, y = gc.observed("x", shape=40), gc.observed("y")
    noise = gc.noise("noise", 40, "uniform")
    z = gc.tanh(gc.Linear(40, name="first")(x), output="z")
    if p:
        z = gc.dropout(z, noise, p=p, name="dropout", output="d")
    prediction = gc.Linear(1, name="second")(z)[0]
    return gc.Graph(gc.squared_error(prediction, y, name="C"), name="dropping")


network(0.5)

# %%

plain = gc.compile(network(0))
dropped = {}
for p in (0, 0.5):
    trainer = gc.compile(network(p), step=gc.adam(lr=0.01))
    run = gc.train(trainer, trainer.init_params(), {"x": X, "y": Y}, epochs=400)
    dropped[p] = np.mean((plain.forward(plain.Params(*run.params), x=X_test) - Y_test) ** 2)
    print(f"dropout {p}: error on new samples {dropped[p]:.3f}")
assert dropped[0.5] < dropped[0]
