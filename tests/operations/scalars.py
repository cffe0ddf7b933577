"""Functions element by element."""

import numpy as np

from tests.operations.case import Case

X = np.array([-1.3, -0.4, 0.2, 0.9, 2.1])


def jnp(name):
    """A function of ``jax.numpy``, looked up when it is called."""

    def call(*arrays):
        import jax.numpy

        return getattr(jax.numpy, name)(*arrays)

    return call


CASES = [Case("np.tanh", "hyperbolic functions", np.tanh, jnp("tanh"), (X,), second=True)]
