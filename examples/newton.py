"""Logistic regression with Newton's method: the Hessian and the system are in the emitted code.

    python examples/newton.py

tells the digits 3 and 8 apart; the accuracy is that on held-out images. One call of the emitted
function computes loss, gradient and Newton step; the loss has a single minimum, and a handful of
calls finds it to the last digits.
"""

from pathlib import Path

import numpy as np

import graphc as gc

HERE = Path(__file__).resolve().parent
PIXELS, BRIGHTEST, PENALTY = 64, 16, 1e-3
ONE, OTHER = 3, 8

x = gc.observed("x", shape=("samples", PIXELS + 1), per_sample=False)
y = gc.observed("y", shape="samples", per_sample=False)  # 1 or −1
w = gc.parameter("w", PIXELS + 1)
loss = np.mean(np.logaddexp(0, -y * (x @ w))) + PENALTY / 2 * (w @ w)
slope = gc.grad(loss, w)
step = np.linalg.solve(gc.hessian(loss, w), slope)


def load():
    """Return pixels with a column of ones and labels ±1; a fifth of the images is held out."""
    table = np.loadtxt(HERE / "data" / "digits.csv", delimiter=",", skiprows=1)
    table = table[np.isin(table[:, -1], (ONE, OTHER))]
    table = table[np.random.default_rng(0).permutation(len(table))]
    pixels = np.column_stack([table[:, :-1] / BRIGHTEST, np.ones(len(table))])
    labels = np.where(table[:, -1] == ONE, 1.0, -1.0)
    held_out = len(table) // 5
    return (pixels[held_out:], labels[held_out:]), (pixels[:held_out], labels[:held_out])


def minimise(newton, pixels, labels, *, most=50):
    """Return the weights where the gradient vanishes; steps are halved until the loss falls."""
    weights = np.zeros(PIXELS + 1)
    for count in range(most):
        value, gradient, direction = newton(pixels, labels, weights)
        size = np.linalg.norm(gradient)
        print(f"step {count:2}: loss {value:.12f}, norm of the gradient {size:.1e}")
        if size < 1e-12:
            break
        rate = 1.0
        while newton(pixels, labels, weights - rate * direction)[0] > value + 1e-14:
            rate /= 2
        weights = weights - rate * direction
    return weights


def main():
    """Minimise, and print the accuracy on the held-out fifth."""
    (pixels, labels), (test_pixels, test_labels) = load()
    newton = gc.compile_function([x, y, w], [loss, slope, step], name="newton")
    weights = minimise(newton, pixels, labels)
    right = np.mean(np.sign(test_pixels @ weights) == test_labels)
    print(f"test accuracy: {right:.1%} on {len(test_labels)} held-out images")


if __name__ == "__main__":
    main()
