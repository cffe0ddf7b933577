"""What to write for a name that graphc lacks: of PyTorch's, JAX's, NumPy's, or misspelt."""

from __future__ import annotations

import sys
from collections.abc import Iterable

# Names of other libraries whose meaning goes under another name here; names that differ only in
# case, underscores or a suffix `Loss` are found without it.
_ELSEWHERE = {
    "bce": "gc.binary_cross_entropy",
    "mae": "gc.l1",
    "mean_squared_error": "gc.mse",
    "F": "the function itself, such as gc.relu",
    "nn": "the block itself, such as gc.Linear(10)",
    "functional": "the function itself, such as gc.relu",
    "optim": "the rule itself, such as gc.adam()",
    "Tensor": "gc.constant(array), gc.observed(name, shape) or gc.parameter(name, shape)",
    "tensor": "gc.constant(array), gc.observed(name, shape) or gc.parameter(name, shape)",
    "array": "gc.constant(array), or np.stack of variables",
    "placeholder": "gc.observed(name, shape)",
    "input": "gc.observed(name, shape)",
    "variable": "gc.observed(name, shape) or gc.parameter(name, shape)",
    "no_grad": "gc.stop_gradient(v)",
    "detach": "gc.stop_gradient(v)",
    "lax": "the function itself, such as gc.scan",
    "numpy": "import numpy as np, whose functions take variables",
    "jnp": "import numpy as np, whose functions take variables",
    "np": "import numpy as np, whose functions take variables",
    "jit": "gc.compile(graph) or gc.compile_function(inputs, outputs)",
    "value_and_grad": "gc.compile(graph), whose loss_and_grad gives both",
    "loss_and_grad": "gc.compile(graph), whose loss_and_grad gives both",
    "jacfwd": "gc.jacobian(y, x)",
    "jacrev": "gc.jacobian(y, x)",
    "jacobi": "gc.jacobian(y, x)",
    "checkpoint": "gc.compile: the pass that plans memory decides what is kept",
    "remat": "gc.compile: the pass that plans memory decides what is kept",
    "pure_callback": "gc.opaque(function, ...)",
    "custom_gradient": "gc.custom_vjp",
    "eval_shape": "v.shape",
    "map": "gc.vmap(f)",
    "associative_scan": "gc.scan, np.cumsum, np.cumprod or np.maximum.accumulate",
    "cummax": "np.maximum.accumulate(v, axis)",
    "cummin": "np.minimum.accumulate(v, axis)",
    "cumlogsumexp": "np.logaddexp.accumulate(v, axis)",
    "lgamma": "gc.gammaln",
    "igamma": "gc.opaque with SciPy's gammainc and its derivative",
    "bessel_i0e": "gc.i0e",
    "bessel_i1e": "gc.i1e",
    "logistic": "gc.sigmoid",
    "swish": "gc.silu",
    "rsqrt": "1 / np.sqrt(v)",
    "clamp": "np.clip(v, low, high)",
    "cat": "np.concatenate",
    "mm": "a @ b",
    "bmm": "a @ b",
    "pow": "v ** p",
    "asin": "np.arcsin",
    "acos": "np.arccos",
    "atan": "np.arctan",
    "atan2": "np.arctan2",
    "dot_product_attention": "gc.scaled_dot_product_attention",
    "attention": "gc.scaled_dot_product_attention or gc.MultiheadAttention",
    "SGD": "gc.sgd()",
    "Adam": "gc.adam()",
    "cho_solve": "gc.solve_triangular twice, with lower=True and then trans=1",
    "cho_factor": "np.linalg.cholesky",
    "logpdf": "gc.normal_log_prob, or the formula in NumPy's functions",
    "pdf": "np.exp(gc.normal_log_prob(...)), or the formula in NumPy's functions",
    "cdf": "gc.ndtr((x - mean) / deviation), or the formula in NumPy's functions",
    "logcdf": "gc.log_ndtr((x - mean) / deviation), or the formula in NumPy's functions",
    "multigammaln": "a sum of gc.gammaln",
    "spherical_jn": "gc.elementwise of SymPy's jn",
    "block_diag": "np.block",
    "fft": "products with np.cos and np.sin of constant angles: variables are real",
}

_OWN_MODULES = ("numpy", "numpy.linalg")


def _plain(name: str) -> str:
    low = name.replace("_", "").lower()
    return low.removesuffix("loss") or low


def instead_of(name: str, known: Iterable[str]) -> str | None:
    """Return what to write in place of a name, None where nothing comes near.

    Parameters
    ----------
    name
        What was written behind ``gc.``, or the name of a function of another library.
    known
        The names that users call.
    """
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    plain: dict[str, str] = {}
    for one in sorted(known, key=lambda one: one[:1].isupper() != name[:1].isupper()):
        plain.setdefault(_plain(one), one)
    if _plain(name) in plain:
        return f"gc.{plain[_plain(name)]}"
    for module in _OWN_MODULES:
        found = getattr(sys.modules.get(module), name, None)
        if callable(found) and not isinstance(found, type):
            return f"{module.replace('numpy', 'np', 1)}.{name}"
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), plain, 1, 0.75)
    return f"gc.{plain[near[0]]}" if near else None
