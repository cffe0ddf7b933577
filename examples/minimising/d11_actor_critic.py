r"""
Actor and critic
================

A second module learns to tell the unknown cost. It is differentiable, so the module that acts is
trained through it: :math:`\partial Q / \partial w = \partial Q / \partial a \cdot \partial a /
\partial w`, where the critic Q stands for the cost.
"""

# sphinx_gallery_thumbnail_number = 4

import tempfile
from pathlib import Path

import numpy as np

import graphc as gc

# %%
# The unknown cost: a ball is thrown at a target in the distance x, at an angle a, and what comes
# back is the square of the miss. The world is a simulation with drag and wind, all balls at a time.


def miss(x, a):
    angle = np.radians(5 + 50 * np.asarray(a))
    vx, vy = 3.6 * np.cos(angle), 3.6 * np.sin(angle)
    px, py = np.zeros_like(vx), np.zeros_like(vy)
    for _ in range(36):
        flying = py >= 0
        drag = 0.35 * np.hypot(vx - 0.3, vy)
        vx, vy = vx - 0.02 * drag * (vx - 0.3), vy - 0.02 * (9.8 + drag * vy)
        px, py = px + 0.02 * vx * flying, py + 0.02 * vy * flying
    return (px - np.asarray(x)) ** 2


x = gc.observed("x")


@gc.block
def act(x):
    hidden = gc.tanh(gc.Linear(12, name="hidden")(3 * np.stack([x, 1.0]) - 2))
    return gc.sigmoid(gc.Linear(1, name="out")(hidden)[0])


actor = act(name="actor")
action = actor(x, output="a")
unknown = gc.Graph(gc.blackbox(miss, x, action, name="miss", vectorized=True), name="unknown")
unknown

# %%
# No gradient reaches the actor.

names = [name for name, _ in gc.estimators(unknown)[0].estimators]
assert "actor-critic" in names
gc.estimators(unknown)[0]

# %%
# **The critic** is called twice, with the same parameters: on what was tried, b, where it learns
# the cost c that came back; and on what the actor would do, where it stands for the cost.


@gc.block
def judge(x, a):
    hidden = gc.tanh(gc.Linear(32, name="hidden")(4 * np.stack([x, a]) - 2))
    return gc.Linear(1, name="out")(hidden)[0]


critic = judge(name="critic")
b, c = gc.observed("b"), gc.observed("c")
judged = critic(x, b, output="q")
learn = gc.cost((judged - c) ** 2, name="learn")
lower = gc.cost(critic(x, action, output="Q"), name="lower")
net = gc.Graph(learn, lower, name="actor_critic")
net

# %%
# Two costs, each lowered by its own parameters: the critic must not change its judgement to please
# the actor. That is a game of two players, and one compiled step.

parts = {
    who: [name for name in map(net.name_of, net.parameters) if name.startswith(who)]
    for who in ("actor", "critic")
}
rule = gc.game(
    gc.Player("learn", parts["critic"], gc.adam(lr=gc.cosine_decay(0.03, 2500, 0.001))),
    gc.Player("lower", parts["actor"], gc.adam(lr=gc.cosine_decay(0.01, 2500, 0.001))),
)
program = gc.compile(net, step=rule)
print({who: len(names) for who, names in parts.items()})

# %%
# The loop: look, act with some noise, be told the cost, take a step.

acting = gc.compile(gc.Graph(action, name="acting"))
judging = gc.compile(gc.Graph(judged, name="judging"))
rng = np.random.default_rng(0)
params = program.init_params(seed=1)
state = program.init_state(params)
told, snapshots = [], []


def part(program, params):
    """Return those of the parameters that a program has."""
    return program.Params(*(getattr(params, name) for name in program.Params._fields))


def chosen(params, at):
    """Return the actor's actions."""
    return acting.forward(part(acting, params), x=at)


for step in range(2500):
    if step % 200 == 0:
        snapshots.append((step, type(params)(*(p.copy() for p in params))))
    at = rng.uniform(0.4, 1.0, 48)
    tried = np.clip(chosen(params, at) + 0.2 * rng.standard_normal(48), 0, 1)
    program.train_step(params, state, x=at, b=tried, c=miss(at, tried))
    if step % 10 == 0:
        told.append(np.mean(miss(at, chosen(params, at))))
snapshots.append((2500, params))

# %%
# The miss, without the noise: from some 30 centimetres to a few.

first, last = np.sqrt(np.mean(told[:3])), np.sqrt(np.mean(told[-20:]))
assert last < 0.05 < first
print(f"{100 * first:.0f} cm at first, {100 * last:.1f} cm at last")
(axes,) = gc.plot.panels(1, size=(6, 3))
axes.plot(np.arange(0, 2500, 10), 100 * np.sqrt(told), color=gc.plot.COLOURS[0], lw=1)
axes.set(xlabel="step", ylabel="miss in cm", yscale="log")
axes

# %%
# The cost as it is, which nobody was told, and the critic's picture of it, with the actor's choice
# as a line. The critic is good where it was needed: near what the actor does.

targets, angles = np.linspace(0.4, 1.0, 40), np.linspace(0, 1, 40)
across, up = np.meshgrid(targets, angles)
true = miss(across, up)


def guess(params):
    """Return the critic's picture of the cost."""
    flat = judging.forward(part(judging, params), x=across.ravel(), b=up.ravel())
    return flat.reshape(across.shape)


def picture(axes, cost, params, title):
    axes.contourf(targets, angles, np.clip(cost, 0, 0.4), np.linspace(0, 0.4, 17), cmap="Blues_r",
                  alpha=0.6)  # fmt: skip
    axes.plot(targets, chosen(params, targets), color=gc.plot.COLOURS[1], lw=2)
    axes.set(xlabel="distance of the target $x$", ylabel="action $a$", ylim=(0, 1), title=title)


left, right = gc.plot.panels(2)
picture(left, true, params, "the cost")
picture(right, guess(params), params, "the critic")
right

# %%
# How both learn.


def frame(axes, k):
    step, held = snapshots[k]
    picture(axes, guess(held), held, f"step {step}")


folder = Path(tempfile.mkdtemp())
gc.plot.animate(frame, len(snapshots), folder / "critic.gif", size=(4.6, 3.6), seconds=0.4)
