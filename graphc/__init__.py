"""graphc: block diagrams to symbolic Jacobians, figures, and standalone gradient code.

Declare a model with variables, functions and costs; see ``docs/`` for the guide.
"""

from graphc.blocks.activations import (
    log_sigmoid,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    softmax,
    softplus,
    tanh,
)
from graphc.blocks.costs import cross_entropy, mse, squared_error
from graphc.blocks.linear import Linear
from graphc.language.declare import computed, constant, latent, observed, parameter
from graphc.language.derive import grad, hessian, hvp, jacobian, jvp, vjp
from graphc.language.functions import Input, Parameter, cost, function
from graphc.language.graph import Graph
from graphc.compile import Compiled, CompiledFunction, compile, compile_function
from graphc.language.variable import Variable
from graphc.emit.version import __version__
