r"""
Train with an update rule of your own
=====================================

Update rules are written in the language of the models, and compiled with the gradient into one
function. Three lines make a rule.
"""

import numpy as np

import graphc as gc

# %%
# A rule takes a parameter and its gradient, and returns the new parameter, then what it remembers.
# Here are the signs of the gradient's running mean, as in Lion (Chen et al., 2023).


@gc.update_rule
def lion(w, g, *, m=gc.State("zeros"), lr=1e-3, beta1=0.9, beta2=0.99):
    step = np.sign(beta1 * m + (1 - beta1) * g)
    return w - lr * step, beta2 * m + (1 - beta2) * g


# %%
# Options are given when the rule is used, as numbers or as schedules.

x, y = gc.observed("x", shape=2), gc.observed("y", classes=2)
hidden = gc.tanh(gc.Linear(16, name="hidden")(x))
C = gc.cross_entropy(gc.Linear(2, name="head")(hidden), y, name="C")
net = gc.Graph(C, name="rings")
program = gc.compile(net, step=lion(lr=gc.cosine_decay(0.02, steps=300)))

# %%
# The emitted function: the gradient, and the rule after it.

source = gc.compile(net, step=lion(lr=0.01), style="readable").source
start = source.index("def train_step")
print(source[start : source.index("\n\n\n", start)])

# %%
# Training, beside Adam and plain descent. The data are two rings.

rng = np.random.default_rng(0)
Y = np.arange(400) % 2
angle = rng.uniform(0, 2 * np.pi, 400)
X = (0.6 + 0.8 * Y + rng.normal(0, 0.08, 400))[:, None] * np.stack(
    [np.cos(angle), np.sin(angle)], axis=1
)
rules = {
    "descent": gc.sgd(lr=0.1),
    "Adam": gc.adam(lr=0.02),
    "own": lion(lr=gc.cosine_decay(0.02, steps=300)),
}
runs = []
for rule in rules.values():
    trainer = gc.compile(net, step=rule)
    start = trainer.init_params(seed=0)
    runs.append(gc.train(trainer, start, {"x": X, "y": Y}, batch_size=100, epochs=75, seed=0))

gc.plot.losses(*runs, labels=list(rules), log=True)

# %%

accuracy = np.mean(program.forward(runs[2].params, x=X).argmax(axis=1) == Y)
print(f"{accuracy:.1%}")
assert accuracy > 0.98

# %%
# **What stands before a rule.** :func:`graphc.chain` joins transforms of gradients and a rule;
# ``@gc.gradient_transform`` makes a transform as ``@gc.update_rule`` makes a rule.


@gc.gradient_transform
def centred(w, g):
    return g - np.mean(g)


chained = gc.compile(
    net, step=gc.chain(gc.clip_by_norm(max_norm=1.0), centred(), gc.adamw(lr=0.01))
)
again = gc.train(chained, chained.init_params(seed=0), {"x": X, "y": Y}, steps=100)
print(f"loss {again.loss:.3f}")
assert again.loss < runs[0].history.losses[0]
