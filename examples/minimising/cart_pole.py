"""A cart with a pole on it, many at a time; drawn by matplotlib.

The equations of motion are those of Barto, Sutton and Anderson (1983), "Neuronlike adaptive
elements that can solve difficult learning control problems", without friction; time goes on by
semi-implicit Euler steps.
"""

import numpy as np

GRAVITY, CART, POLE, HALF_LENGTH, PUSH, STEP = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
FALLEN, WALL = np.radians(12), 2.4


def start(count, rng):
    """Return states near the upright one, shape (count, 4): x, its speed, angle, its speed."""
    return rng.uniform(-0.05, 0.05, (count, 4))


def advance(state, right):
    """Return the states after a push to the right where `right` is 1, else to the left."""
    x, dx, angle, spin = np.moveaxis(state, -1, 0)
    force = np.where(right, PUSH, -PUSH)
    sine, cosine, mass = np.sin(angle), np.cos(angle), CART + POLE
    drive = (force + POLE * HALF_LENGTH * spin**2 * sine) / mass
    lever = HALF_LENGTH * (4 / 3 - POLE * cosine**2 / mass)
    turn = (GRAVITY * sine - cosine * drive) / lever
    dx = dx + STEP * (drive - POLE * HALF_LENGTH * turn * cosine / mass)
    spin = spin + STEP * turn
    return np.stack([x + STEP * dx, dx, angle + STEP * spin, spin], axis=-1)


def over(state):
    """Return whether the pole has fallen or the cart has left the track."""
    return (np.abs(state[..., 2]) > FALLEN) | (np.abs(state[..., 0]) > WALL)


def draw(axes, state, title=""):
    """Draw a cart."""
    x, _, angle, _ = state
    tip = x + 2 * HALF_LENGTH * np.sin(angle), 0.2 + 2 * HALF_LENGTH * np.cos(angle)
    axes.axhline(0, color="#868e96", lw=1)
    axes.plot([x - 0.25, x + 0.25], [0.1, 0.1], color="#1f5fbf", lw=12, solid_capstyle="butt")
    axes.plot([x, tip[0]], [0.2, tip[1]], color="#d9480f", lw=4, solid_capstyle="round")
    axes.set(xlim=(-WALL, WALL), ylim=(-0.1, 1.5), aspect="equal", yticks=[], title=title)
    axes.spines["left"].set_visible(False)
