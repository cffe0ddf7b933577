"""A Gaussian mixture on handwritten digits, fitted by gradient descent on its likelihood.

    python examples/gmm.py

The data are the images of 0, 1 and 6 in the plane of their first two principal components; the
labels are used only afterwards, to count the images that the components keep together.
"""

from pathlib import Path

import numpy as np

import graphc as gc

HERE = Path(__file__).resolve().parent
DIGITS, COMPONENTS, AXES = (0, 1, 6), 3, 2
LEAST = 1e-2  # added to the variances, so that no component shrinks to a point


@gc.function
def scores(
    x=gc.Input("d"),
    *,
    logits=gc.Parameter("k", init="zeros"),
    means=gc.Parameter("k d"),
    spread=gc.Parameter("k d d"),
    k=COMPONENTS,
):
    """Return the logarithm of weight times density of each component at x."""
    covariances = np.einsum("kij,klj->kil", spread, spread) + LEAST * np.eye(AXES)
    factors = np.linalg.cholesky(covariances)
    white = gc.solve_triangular(factors, (x - means)[:, :, None], lower=True)
    volume = np.log(np.einsum("kii->ki", factors)).sum(axis=1)
    distances = (white**2).sum(axis=(1, 2))
    return gc.log_softmax(logits) - volume - distances / 2 - AXES / 2 * np.log(2 * np.pi)


x = gc.observed("x", shape=AXES)
joint = scores(name="mixture")(x, output="joint")
net = gc.Graph(gc.cost(-gc.logsumexp(joint), name="surprise"), joint, name="gmm")


def load():
    """Return points in the plane, of variance 1 altogether, and their digits."""
    table = np.loadtxt(HERE / "data" / "digits.csv", delimiter=",", skiprows=1)
    table = table[np.isin(table[:, -1], DIGITS)]
    images, labels = table[:, :-1] - table[:, :-1].mean(axis=0), table[:, -1].astype(int)
    _, _, directions = np.linalg.svd(images, full_matrices=False)
    points = images @ directions[:AXES].T
    return points / points.std(), labels


def fit(program, points, *, steps=300, rate=0.1, momentum=0.9):
    """Return the parameters after gradient descent; it starts at points far from each other."""
    means = points[:1]
    for _ in range(COMPONENTS - 1):
        distances = ((points[:, None] - means) ** 2).sum(axis=2).min(axis=1)
        means = np.vstack([means, points[distances.argmax()]])
    spread = np.tile(0.5 * np.eye(AXES), (COMPONENTS, 1, 1))
    params = program.Params(np.zeros(COMPONENTS), means, spread)
    speed = [np.zeros_like(p) for p in params]
    for step in range(steps):
        loss, grads = program.loss_and_grad(params, x=points)
        speed = [momentum * v - rate * g for v, g in zip(speed, grads, strict=True)]
        params = program.Params(*(p + v for p, v in zip(params, speed, strict=True)))
        if step % 100 == 99:
            print(f"step {step + 1}: average surprise {loss:.6f}")
    return params


def main():
    """Fit, and print how many images share a component with most of their digit."""
    points, labels = load()
    program = gc.compile(net)
    params = fit(program, points)
    component = program.forward(params, x=points).argmax(axis=1)
    own = [np.bincount(component[labels == digit]).max() for digit in DIGITS]
    weights = np.exp(params[0]) / np.exp(params[0]).sum()
    print("weights of the components:", *(f"{weight:.3f}" for weight in weights))
    print(f"kept together: {sum(own) / len(labels):.1%} of {len(labels)} images")


if __name__ == "__main__":
    main()
