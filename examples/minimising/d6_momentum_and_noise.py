r"""
Momentum and noise
==================

Plain descent stops in the first minimum that it meets. Two things help it out: momentum, which
carries the path over small hills, and noise, which sooner or later lifts it over larger ones.
"""

import tempfile
from pathlib import Path

import numpy as np

import graphc as gc


def bumpy(w):
    return 0.1 * w**2 + 0.6 * np.cos(3 * w)


w = gc.parameter("w", init=4.0)
net = gc.Graph(gc.cost(bumpy(w), name="f"), name="bumpy")


def path(rule, steps, seed=0):
    program = gc.compile(net, batch=False, step=rule)
    trace = gc.plot.Trace(program.init_params())
    gc.train(program, program.init_params(), {}, steps=steps, seed=seed, callbacks=[trace])
    return trace.path[:, 0]


# %%
# The function has several minima, of which the two at about :math:`\pm 1` are the deepest.

grid = np.linspace(-5, 5, 20001)
deepest = grid[np.argmin(bumpy(grid))]
lowest = bumpy(deepest)
print(f"lowest: {lowest:.4f} at w = ±{abs(deepest):.4f}")

# %%
# **Momentum**: the step follows a velocity, to which each gradient adds.
#
# .. math:: v \leftarrow \mu v + \nabla f(w), \qquad w \leftarrow w - \eta v
#
# Plain descent stays in the valley where it starts. With momentum it rolls on, over the next
# hill and into a deepest valley.

plain = path(gc.sgd(lr=0.05), 150)
rolling = path(gc.sgd(lr=0.05, momentum=0.9), 150)
assert bumpy(plain[-1]) > lowest + 0.5
np.testing.assert_allclose(bumpy(rolling[-1]), lowest, atol=1e-3)
gc.plot.curve(bumpy, (-5, 5), plain, rolling, labels=["plain", r"momentum, $\mu$ = 0.9"])

# %%
# The rule in the language, as users write their own. In the emitted file the velocity is a state,
# which lasts from call to call.


@gc.update_rule
def heavy_ball(w, g, *, v=gc.State("zeros"), lr=0.05, momentum=0.9):
    v = momentum * v + g
    return w - lr * v, v


np.testing.assert_array_equal(path(heavy_ball(), 150), rolling)
source = gc.compile(net, batch=False, step=heavy_ball()).source
print(source[source.index("def train_step") :].split("\n\n\n")[0])

# %%
# In a long valley momentum also helps where there is no hill: what goes to and fro cancels, what
# goes along adds up.


def valley(w):
    return 0.5 * w[0] ** 2 + 15 * w[1] ** 2


u = gc.parameter("u", shape=2, init=np.array([-4.0, 1.0]))
long = gc.Graph(gc.cost(valley(u), name="f"), name="valley")
paths = []
for rule in (gc.sgd(lr=0.03), gc.sgd(lr=0.03, momentum=0.8)):
    program = gc.compile(long, batch=False, step=rule)
    trace = gc.plot.Trace(program.init_params())
    gc.train(program, program.init_params(), {}, steps=60, callbacks=[trace])
    paths.append(trace.path)
assert valley(paths[1][-1]) < 1e-3 * valley(paths[0][-1])
gc.plot.contours(
    valley, ((-4.4, 1), (-1.3, 1.3)), *paths, labels=["plain", r"momentum, $\mu$ = 0.8"]
)

# %%
# **Noise**: Langevin dynamics adds a random push to every step; the temperature T says how large.
#
# .. math:: w \leftarrow w - \eta \nabla f(w) + \sqrt{2 \eta T} \, \varepsilon
#
# At a temperature that falls from 1.5 to almost 0 it first goes everywhere, then only where the
# function is low, and in the end it rests: annealing. Most of ten runs find a deepest valley.

cooling = gc.langevin(lr=0.08, temperature=gc.exponential_decay(1.5, 0.995))
program = gc.compile(net, batch=False, step=cooling)
annealed = []
for seed in range(10):
    trace = gc.plot.Trace(program.init_params())
    gc.train(program, program.init_params(), {}, steps=1200, seed=seed, callbacks=[trace])
    annealed.append(trace.path[:, 0])
found = [bumpy(p[-1]) < lowest + 0.02 for p in annealed]
assert np.mean(found) >= 0.7
print(f"{sum(found)} of 10 runs end in a deepest valley")

left, right = gc.plot.panels(2)
for i, p in enumerate(annealed[:3]):
    left.plot(p, color=gc.plot.COLOURS[i], lw=0.7)
left.set(xlabel="step", ylabel="$w$", title="three runs")
gc.plot.curve(bumpy, (-5, 5), ax=right)
ends = np.array([p[-1] for p in annealed])
right.scatter(ends, bumpy(ends), color=gc.plot.COLOURS[1], zorder=3)
right.set(title="where ten runs end")
right

# %%
# One of the runs, as it cools.

one = annealed[0]


def frame(axes, k):
    at = one[: 1 + 40 * k]
    gc.plot.curve(bumpy, (-5, 5), ax=axes)
    axes.plot(at[-60:], bumpy(at[-60:]), color=gc.plot.COLOURS[0], lw=0.8, alpha=0.5)
    axes.scatter(at[-1:], bumpy(at[-1:]), s=70, color=gc.plot.COLOURS[1], zorder=4)
    axes.set(ylim=(-0.7, 3.3), title=f"step {len(at) - 1}, T = {1.5 * 0.995 ** (len(at) - 1):.3f}")


folder = Path(tempfile.mkdtemp())
gc.plot.animate(frame, 30, folder / "annealing.gif", size=(5, 3.2), seconds=0.2)
