r"""
Spiral classification
=====================

Three classes wind around each other. A linear network can do no better than three sectors, and
gets about half of the points right, however deep it is. With ReLU between its layers, the same
network bends its boundaries along the arms.
"""

# sphinx_gallery_thumbnail_number = 4
import numpy as np

import graphc as gc

rng = np.random.default_rng(0)
classes, each = 3, 300
t = np.tile(np.linspace(0, 1, each), classes)
Y = np.repeat(np.arange(classes), each)
angle = 2 * np.pi / classes * (2 * t + Y) + rng.normal(0, 0.2, t.size)
X = t[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)


def network(activation, name):
    x, y = gc.observed("x", shape=2), gc.observed("y", classes=classes)
    s1 = gc.Linear(100, name="first")(x, output="s1")
    z1 = activation(s1, output="z1") if activation else s1
    s2 = gc.Linear(classes, name="second")(z1, output="s2")
    return gc.Graph(gc.cross_entropy(s2, y, name="C"), name=name)


def learnt(net):
    """Train with Adam and a little weight decay; the program, its parameters, its accuracy."""
    trainer = gc.compile(net, step=gc.adam(lr=0.02, weight_decay=1e-5))
    start = trainer.init_params(seed=0)
    run = gc.train(trainer, start, {"x": X, "y": Y}, batch_size=100, epochs=80, seed=0)
    scores = trainer.forward(run.params, x=X)
    return trainer, run, np.mean(scores.argmax(axis=1) == Y)


# %%
# **The linear network.** Two linear layers without a nonlinearity are one linear layer.

linear = network(None, "linear")
trainer, run, accuracy = learnt(linear)
print(f"accuracy of the linear network: {accuracy:.1%}")
assert 0.45 < accuracy < 0.6
linear

# %%

square = ((-1.2, 1.2), (-1.2, 1.2))
gc.plot.regions(lambda points: trainer.forward(run.params, x=points), square, X, Y)

# %%
# **The ReLU network** differs in one block.

relu = network(gc.relu, "relu")
relu_trainer, relu_run, relu_accuracy = learnt(relu)
print(f"accuracy of the ReLU network: {relu_accuracy:.1%}")
assert relu_accuracy >= 0.94
relu

# %%

gc.plot.regions(lambda points: relu_trainer.forward(relu_run.params, x=points), square, X, Y)

# %%
# The losses: the linear network stops early on a high plateau, for it can do no more.

gc.plot.losses(run, relu_run, labels=["linear", "ReLU"])

# %%
# On both, the boundaries are made of straight lines; a ReLU network folds the plane along the
# zeros of its hidden units. The step backwards through the ReLU is the whole difference:

s1 = gc.observed("s1", shape=100)
gc.jacobian(gc.relu(s1, output="z1"), s1)
