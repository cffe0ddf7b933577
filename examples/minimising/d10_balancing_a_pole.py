r"""
A black-box cost: balancing a pole
==================================

Sometimes the cost is known only by trying: it returns a number and no gradient. A cart is pushed
left or right, and the pole on it should not fall. The world that tells how long it stayed up is a
simulation that the compiler does not see into; the network that acts is differentiable.
"""

# sphinx_gallery_thumbnail_number = 3

import tempfile
from pathlib import Path

import cart_pole
import numpy as np

import graphc as gc

# %%
# The policy gives a logit for each push, and the push is drawn with these probabilities. What comes
# of it is a cost that a Python function gives: here how far the pole leans after one push.

s = gc.observed("s", shape=4)
policy = gc.Linear(2, name="policy", init={"w": "zeros", "b": "zeros"})
logits = policy(s, output="logits")
noise = gc.noise("noise", 2, "gumbel")
push = gc.categorical_sample(logits, noise, output="a")


def lean(state, push):
    return np.abs(cart_pole.advance(state, push)[..., 2])


world = gc.blackbox(lean, s, push, name="world", vectorized=True)
gc.Graph(world, name="unknown")

# %%
# It has no derivative, and ``gc.estimators`` tells what can be used in its place.

report = gc.estimators(gc.Graph(world, name="unknown"))
assert [name for name, _ in report[0].estimators] == ["REINFORCE", "actor-critic", "zeroth order"]
report[0]

# %%
# **REINFORCE** needs the probability of what was done, and the number that came of it:
#
# .. math:: \nabla\, \mathbb{E}[c] = \mathbb{E}\left[ (c - b) \, \nabla \log \pi(a \mid s) \right]
#
# The baseline b, which does not depend on the action, changes nothing on average and makes the
# estimate less noisy. What is lowered is a graph like any other; the cost enters as a number.

a, c = gc.observed("a", classes=2), gc.observed("c")
surrogate = gc.cost(gc.reinforce(gc.categorical_log_prob(logits, a), c), name="C")
net = gc.Graph(surrogate, name="pole")
net

# %%

gc.grad(surrogate, policy.b)

# %%
# An action is blamed for what happens after it, not for what happened before: the cost of a step is
# the **reward to go**, the discounted number of steps that the pole stays up from then on, with a
# minus. The baseline is its mean over all poles that are still up at that time.

LIMIT, POLES = 200, 24
act = gc.compile(gc.Graph(logits, name="act"))
learner = gc.compile(net, step=gc.adam(lr=0.1))


def play(params, rng, poles=POLES, limit=LIMIT):
    """Balance many poles at once; return states, pushes, and which were up, time first."""
    states, pushes, up = [], [], []
    state, alive = cart_pole.start(poles, rng), np.ones(poles, bool)
    while alive.any() and len(states) < limit:
        scores = act.forward(params, s=state)
        right = scores[:, 1] - scores[:, 0] > rng.logistic(size=poles)
        states.append(state)
        pushes.append(right)
        up.append(alive)
        state = cart_pole.advance(state, right)
        alive = alive & ~cart_pole.over(state)
    return np.array(states), np.array(pushes), np.array(up)


def advantage(up):
    """Return the reward to go above its mean at that time, scaled; zero after a fall."""
    ahead = gc.reward_to_go(up, discount=0.98)
    mean = (ahead * up).sum(axis=1, keepdims=True) / np.maximum(up.sum(axis=1, keepdims=True), 1)
    return (ahead - mean) / ahead[up].std()


# %%
# Both make the estimate better: how far estimates from 24 poles are from each other, in parts of
# their mean.

rng = np.random.default_rng(0)
fresh = learner.init_params(seed=0)
ways = {
    "whole reward": lambda up: np.broadcast_to(up.sum(axis=0), up.shape),
    "reward to go": lambda up: gc.reward_to_go(up),
    "with baseline": advantage,
}
spreads = []
for name, credit in ways.items():
    estimates = []
    for _ in range(60):
        states, pushes, up = play(fresh, rng)
        given = {"s": states[up], "a": pushes[up].astype(int), "c": -credit(up)[up]}
        estimates.append(learner.loss_and_grad(fresh, **given)[1].policy_w.ravel())
    mean = np.mean(estimates, axis=0)
    spreads.append(np.linalg.norm(np.std(estimates, axis=0)) / np.linalg.norm(mean))
    print(f"{name:13} {spreads[-1]:.2f}")
assert spreads[0] > spreads[1] > spreads[2]

# %%
# From scratch: the first policy pushes at random.

rng = np.random.default_rng(0)
params = learner.init_params(seed=0)
state = learner.init_state(params)
lengths, snapshots = [], {}
for iteration in range(60):
    if iteration in (0, 12, 59):
        snapshots[iteration] = act.Params(*(p.copy() for p in params))
    states, pushes, up = play(params, rng)
    lengths.append(up.sum(axis=0))
    learner.train_step(params, state, s=states[up], a=pushes[up].astype(int), c=-advantage(up)[up])

lengths = np.array(lengths)
assert lengths[0].mean() < 40
assert lengths[-5:].mean() > 180
print(f"steps in balance: {lengths[0].mean():.0f} at first, {lengths[-5:].mean():.0f} at last")

# %%
# Each dot is a pole, the line their mean; 200 steps are four seconds.

(axes,) = gc.plot.panels(1, size=(6, 3.4))
at = np.repeat(np.arange(len(lengths)), POLES)
axes.scatter(at, lengths.ravel(), s=6, alpha=0.3, color=gc.plot.COLOURS[0], lw=0)
axes.plot(lengths.mean(axis=1), color=gc.plot.COLOURS[1], lw=2)
axes.set(xlabel="iteration", ylabel="steps in balance")
axes

# %%
# What it has learnt: to push where the pole leans and where it is turning to.

scores = params.policy_w[1] - params.policy_w[0]
for name, weight in zip(("position", "speed", "angle", "turning"), scores, strict=True):
    print(f"{name:9} {weight:+.2f}")
assert scores[2] > 0
assert scores[3] > 0

# %%
# The same pole under the first policy, one on the way, and the last one.

films = []
for iteration, held in snapshots.items():
    states, _, up = play(held, np.random.default_rng(5), poles=1)
    films += [(f"iteration {iteration + 1}, step {t}", states[t, 0]) for t in range(0, len(up), 8)]


def frame(axes, k):
    title, pole = films[k]
    cart_pole.draw(axes, pole, title)


folder = Path(tempfile.mkdtemp())
gc.plot.animate(frame, len(films), folder / "pole.gif", size=(5, 2.2), seconds=0.16)
