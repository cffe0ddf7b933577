"""The likelihood of a linear Gaussian state-space model, by a Kalman filter inside a scan.

    python examples/kalman.py

A particle moves with noise and friction on a line, and its position is measured with noise. The
filter's predictions give the likelihood of the measurements; its gradient, through the loop and
the linear algebra in it, finds the parameters of the greatest likelihood. The data are simulated
(seed 0), so that these can be compared with the true ones, which are a little less likely.
"""

import numpy as np

import graphc as gc

STEPS, INTERVAL = 500, 0.1
TRUE = {"friction": 0.5, "push": 1.0, "error": 0.3}  # all positive: declared by logarithms

measured = gc.observed("measured", shape=("T", 1), per_sample=False)
friction, push, error = (np.exp(gc.parameter(f"log_{name}")) for name in TRUE)


def dynamics():
    """Return how the state (position, speed) moves in one interval, and the noise it takes up."""
    move = np.array([[1.0, INTERVAL], [0.0, 1.0]])
    slow = np.array([[0.0, 0.0], [0.0, INTERVAL]])
    noise = np.array([[INTERVAL**3 / 3, INTERVAL**2 / 2], [INTERVAL**2 / 2, INTERVAL]])
    return move - friction * slow, push**2 * noise


def surprise():
    """Return minus the logarithm of the measurements' likelihood."""
    transition, noise = dynamics()
    seen = np.array([[1.0, 0.0]])

    def step(carry, z):
        mean, covariance = carry
        mean = transition @ mean
        covariance = transition @ covariance @ transition.T + noise
        residual = z - seen @ mean
        spread = seen @ covariance @ seen.T + error**2 * np.eye(1)
        factor = np.linalg.cholesky(spread)
        white = gc.solve_triangular(factor, residual, lower=True)
        gain = np.linalg.solve(spread, seen @ covariance).T
        cost = np.log(np.linalg.det(spread)) / 2 + (white**2).sum() / 2 + np.log(2 * np.pi) / 2
        return (mean + gain @ residual, covariance - gain @ seen @ covariance), cost

    _, costs = gc.scan(step, (np.zeros(2), np.eye(2)), measured, name="filter")
    return costs.sum()


net = gc.Graph(gc.cost(surprise() / STEPS, name="surprise"), name="kalman")


def simulate(seed=0):
    """Return the measured positions of a particle that starts at rest at 0."""
    rng, state, found = np.random.default_rng(seed), np.zeros(2), []
    noise = np.array([[INTERVAL**3 / 3, INTERVAL**2 / 2], [INTERVAL**2 / 2, INTERVAL]])
    factor = TRUE["push"] * np.linalg.cholesky(noise)
    transition = np.array([[1.0, INTERVAL], [0.0, 1.0 - INTERVAL * TRUE["friction"]]])
    for _ in range(STEPS):
        state = transition @ state + factor @ rng.standard_normal(2)
        found.append([state[0] + TRUE["error"] * rng.standard_normal()])
    return np.array(found)


def fit(program, positions, *, steps=60, rate=1.0):
    """Return the parameters after gradient descent with momentum from e⁰ for each of them."""
    params = program.Params(*(np.zeros(()) for _ in TRUE))
    speed = [np.zeros(()) for _ in params]
    for step in range(steps):
        loss, grads = program.loss_and_grad(params, measured=positions)
        speed = [0.7 * v - rate * g for v, g in zip(speed, grads, strict=True)]
        params = program.Params(*(p + v for p, v in zip(params, speed, strict=True)))
        if step % 20 == 19:
            print(f"step {step + 1}: surprise a measurement {loss:.6f}")
    return params


def main():
    """Fit, and print what was found beside what the data were made with."""
    program = gc.compile(net)
    positions = simulate()
    params = fit(program, positions)
    true = program.Params(*(np.log(value) for value in TRUE.values()))
    print(f"surprise of the true parameters: {program.loss(true, measured=positions):.6f}")
    for name, value in zip(TRUE, params, strict=True):
        print(f"{name}: {np.exp(value):.3f}, simulated with {TRUE[name]}")


if __name__ == "__main__":
    main()
