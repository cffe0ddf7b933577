r"""
Two networks that play: a GAN
=============================

A generator makes samples of noise, a discriminator tells them from true ones. Each has a cost of
its own, over parameters of its own (Goodfellow et al., 2014). Where neither gets better any more,
the samples are distributed as the true ones are.
"""

# sphinx_gallery_thumbnail_number = 3

import tempfile
from pathlib import Path

import numpy as np

import graphc as gc

# %%
# Both networks are blocks. The discriminator is used twice, with the same parameters: on a true
# sample x and on a generated one.


@gc.block
def generate(z):
    hidden = gc.tanh(gc.Linear(32, name="first")(z))
    hidden = gc.tanh(gc.Linear(32, name="second")(hidden))
    return gc.Linear(2, name="out")(hidden)


@gc.block
def judge(x):
    hidden = gc.leaky_relu(gc.Linear(48, name="first")(x), 0.2)
    hidden = gc.leaky_relu(gc.Linear(48, name="second")(hidden), 0.2)
    return gc.Linear(1, name="out")(hidden)[0]


G, D = generate(name="G"), judge(name="D")
z, x = gc.observed("z", shape=2), gc.observed("x", shape=2)
fake = G(z, output="xbar")
true_score, fake_score = D(x, output="t"), D(fake, output="f")


@gc.cost
def tell(t, f):
    return gc.softplus(-t) + gc.softplus(f)


@gc.cost
def fool(f):
    return gc.softplus(-f)


net = gc.Graph(tell(true_score, fake_score, name="C_D"), fool(fake_score, name="C_G"), name="gan")
net

# %%
# The step of training is a game: each cost is lowered by the parameters of one block alone.

names = [net.name_of(p) for p in net.parameters]
rule = gc.adam(lr=0.002, betas=(0.5, 0.9))
play = gc.game(
    gc.Player("C_D", [name for name in names if name.startswith("D_")], rule),
    gc.Player("C_G", [name for name in names if name.startswith("G_")], rule),
    order="alternating",
)
program = gc.compile(net, step=play, dtype="float32")

# %%
# True samples: four normal distributions.

CENTRES = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
rng = np.random.default_rng(0)


def true(count):
    return CENTRES[rng.integers(4, size=count)] + 0.12 * rng.standard_normal((count, 2))


generator = gc.compile(gc.Graph(fake, name="generator"), dtype="float32")
scorer = gc.compile(gc.Graph(true_score, name="scorer"), dtype="float32")
params = program.init_params(seed=0)
state = program.init_state(params)
snapshots = []
for step in range(2401):
    if step % 200 == 0:
        snapshots.append((step, type(params)(*(p.copy() for p in params))))
    program.train_step(params, state, x=true(128), z=rng.standard_normal((128, 2)))


def part(program, params):
    """Return those of the parameters that a program has."""
    return program.Params(*(getattr(params, name) for name in program.Params._fields))


# %%
# All four are found, each with about its share, and most samples lie close to a centre.

samples = generator.forward(part(generator, params), z=rng.standard_normal((2000, 2)))
away = np.linalg.norm(samples[:, None] - CENTRES, axis=2)
shares = np.bincount(away.argmin(axis=1), minlength=4) / len(samples)
close = np.mean(away.min(axis=1) < 0.5)
print("shares:", shares.round(2), f" within 0.5 of a centre: {close:.0%}")
assert shares.min() > 0.1
assert close > 0.7

# %%
# The game as it goes on. Shaded is the discriminator's score: blue where it takes a sample for a
# true one.

latent = rng.standard_normal((300, 2))
points = true(300)
line = np.linspace(-2.2, 2.2, 33)
grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


def picture(axes, k):
    step, held = snapshots[k]
    score = scorer.forward(part(scorer, held), x=grid).reshape(33, 33)
    axes.contourf(line, line, np.tanh(score), np.linspace(-1, 1, 15), cmap="RdBu", alpha=0.45)
    axes.scatter(*points.T, s=5, color=gc.plot.COLOURS[0], label="true")
    made = generator.forward(part(generator, held), z=latent)
    axes.scatter(*made.T, s=5, color=gc.plot.COLOURS[1], label="generated")
    axes.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal", title=f"step {step}")


folder = Path(tempfile.mkdtemp())
gc.plot.animate(picture, len(snapshots), folder / "gan.gif", size=(4.4, 4.4), seconds=0.4)

# %%
# How it began and how it ended.

panels = gc.plot.panels(3, size=(3.4, 3.4))
for axes, k in zip(panels, (0, 2, len(snapshots) - 1), strict=True):
    picture(axes, k)
panels[0].legend()
panels[0]
