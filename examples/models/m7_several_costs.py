r"""
Several costs
=============

Two functions may each be lowered over parameters of their own. Where neither can be lowered any
further on its own, the players are in a Nash equilibrium, which need not be a minimum of anything:
descent, which always finds its way down, may circle about it.
"""

# sphinx_gallery_thumbnail_number = -1

import numpy as np

import graphc as gc

# %%
# The simplest game: one player lowers :math:`A = a\,b` over a, the other :math:`B = -a\,b` over b.
# The equilibrium is at 0, and nowhere else.

a, b = gc.parameter("a", init=1.0), gc.parameter("b", init=0.5)
A, B = gc.cost(a * b, name="A"), gc.cost(-a * b, name="B")
net = gc.Graph(A, B, name="bilinear")
net

# %%
# Each player has a gradient of its own.

gc.grad(A, a)

# %%

gc.grad(B, b)

# %%
# At each point they point around the equilibrium, not towards it. If both step at once the path
# goes round and outwards: a step of size :math:`\eta` makes the distance
# :math:`\sqrt{1 + \eta^2}` times as long.


def path(order, steps=150, lr=0.15):
    rule = gc.sgd(lr=lr)
    play = gc.game(gc.Player("A", [a], rule), gc.Player("B", [b], rule), order=order)
    program = gc.compile(net, batch=False, step=play)
    trace = gc.plot.Trace(program.init_params())
    gc.train(program, program.init_params(), {}, steps=steps, callbacks=[trace])
    return trace.path


def distance(points):
    return np.linalg.norm(points, axis=1)


together = path("simultaneous", steps=60)
np.testing.assert_allclose(distance(together)[1:] / distance(together)[:-1], np.sqrt(1 + 0.15**2))

# %%
# If they take turns the path goes round for ever. With an **extra gradient** each player looks one
# step ahead and follows the gradient that it finds there (Korpelevich, 1976): then the path goes
# inwards.

turns, extra = path("alternating"), path("extragradient", steps=300)
assert distance(turns).min() / distance(turns).max() > 0.8
assert distance(extra)[-1] < 0.05
assert all(np.diff(distance(extra)) < 0)

panels = gc.plot.panels(3, size=(3.4, 3.4))
titles = ("both at once", "in turns", "with an extra gradient")
for i, (axes, points) in enumerate(zip(panels, (together, turns, extra), strict=True)):
    v, u = np.mgrid[-3:3:13j, -3:3:13j]
    axes.quiver(u, v, -v, u, color=gc.plot.GREY, alpha=0.4, width=0.004)
    axes.plot(*points.T, color=gc.plot.COLOURS[i], lw=1.2)
    axes.scatter(*points[0], s=40, color="white", edgecolors=gc.plot.COLOURS[i], zorder=4)
    axes.scatter(0, 0, marker="*", color="black", zorder=4)
    axes.set(
        xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xlabel="$a$", ylabel="$b$", title=titles[i]
    )
axes

# %%
# The game as it is emitted: each player's gradient is taken at the point where both would stand
# after a step.

rule = gc.sgd(lr=0.15)
players = gc.Player("A", [a], rule), gc.Player("B", [b], rule)
program = gc.compile(
    net, batch=False, step=gc.game(*players, order="extragradient"), style="readable"
)
source = program.source
print(source[source.index("    # a: step") :].split("\n\n\n")[0])
