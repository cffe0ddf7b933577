"""Parameters of PyTorch's modules as those of a program here, and back, by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.errors import NamingError, ShapeError
from graphc.types import shape_text

_RECURRENT = re.compile(r"(weight|bias)_(ih|hh|hr)(?:_(l\d+(?:_reverse)?))?")
_WHOLE = {
    "weight": ("w",),
    "bias": ("b",),
    "in_proj_weight": ("wq", "wk", "wv"),
    "in_proj_bias": ("bq", "bk", "bv"),
    "q_proj_weight": ("wq",),
    "k_proj_weight": ("wk",),
    "v_proj_weight": ("wv",),
}
# What is no parameter: running statistics are inputs here.
STATES = ("running_mean", "running_var", "num_batches_tracked")


def names_in(state: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the names here of each entry of a ``state_dict()``: several where it is split.

    Raises
    ------
    NamingError
        If two entries have the same name here.
    """
    found = {key: _names(key, state) for key in state}
    seen: dict[str, str] = {}
    for key, names in found.items():
        for name in names:
            if name in seen:
                raise NamingError(f"'{key}' and '{seen[name]}' are both called {name} here")
            seen[name] = key
    return found


def _names(key: str, state: Mapping[str, Any]) -> tuple[str, ...]:
    *front, leaf = key.split(".")
    own = _WHOLE.get(leaf, (leaf,))
    recurrent = _RECURRENT.fullmatch(leaf)
    if recurrent:
        kind, what, layer = recurrent.groups()
        own = (f"{layer}_{kind[0]}_{what}" if layer else f"{kind[0]}_{what}",)
    around = ".".join(front[:-1])
    beside = [
        f"{around}.{name}" if around else name for name in ("in_proj_weight", "q_proj_weight")
    ]
    if front and front[-1] == "out_proj" and any(name in state for name in beside):
        front, own = front[:-1], (f"{leaf[0]}o",)
    return tuple("_".join([*front, name]).replace(".", "_") for name in own)


def _array(value: Any) -> Any:
    """Return an array of what may be a tensor that is derived by, or on another device."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def from_torch(state: Mapping[str, Any], params: Any = None, *, strict: bool = True) -> Any:
    """Return the parameters of a PyTorch module under the names that they have here.

    Parameters
    ----------
    state
        ``module.state_dict()``, or arrays by the same names.
    params
        The parameters of a program, ``program.init_params()``: the result is of the same type,
        dtype and shapes. Without it the result is a dictionary of all entries.
    strict
        Whether an entry that the program has no use for is an error. Running statistics and counts
        never are: here they are inputs.

    Raises
    ------
    NamingError
        If a parameter has no entry, or an entry no parameter.
    ShapeError
        If the shapes of both differ by more than axes of length 1.

    Notes
    -----
    A block has the name of the module, with underscores for dots: ``layer1.0.conv1`` is
    ``gc.Conv2d(..., name="layer1_0_conv1")``. ``in_proj_weight`` of attention is split into `wq`,
    `wk` and `wv`; all other parameters have the same layout.

    Examples
    --------
    >>> import graphc as gc
    >>> import numpy as np
    >>> sorted(gc.from_torch({"head.weight": np.ones((2, 3)), "head.bias": np.zeros(2)}))
    ['head_b', 'head_w']
    """
    arrays: dict[str, Any] = {}
    for key, names in names_in(state).items():
        value = _array(state[key])
        arrays |= zip(
            names, np.split(value, len(names)) if len(names) > 1 else [value], strict=True
        )
    if params is None:
        return arrays
    wanted = params._asdict()
    for name in [n for n in wanted if n not in arrays and n.endswith("_slope")]:
        other = f"{name.removesuffix('slope')}w"
        if other in arrays:
            arrays[name] = arrays.pop(other)
    missing = [n for n in wanted if n not in arrays]
    unused = [n for n in arrays if n not in wanted and not n.endswith(STATES)]
    if missing or (unused and strict):
        parts = [
            f"{told}: {', '.join(names)}"
            for told, names in (("without a value", missing), ("without a parameter", unused))
            if names
        ]
        raise NamingError(
            f"the names do not fit ({'; '.join(parts)}); a block is called as the module is, with "
            "underscores for dots, and strict=False leaves out what has no use here"
        )
    return type(params)(**{n: _fitted(n, arrays[n], like) for n, like in wanted.items()})


def _fitted(name: str, value: Any, like: Any) -> Any:
    """Return a value in the shape and dtype of a parameter; axes of length 1 may differ."""
    if [n for n in value.shape if n != 1] != [n for n in like.shape if n != 1]:
        raise ShapeError(
            f"{name} has shape {shape_text(like.shape)}, and its value {shape_text(value.shape)}"
        )
    return np.array(value.reshape(like.shape), like.dtype)


def to_torch(params: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters of a program under the names, and in the shapes, of a ``state_dict()``.

    Parameters
    ----------
    params
        Of a program, or arrays by the names here.
    state
        ``module.state_dict()``: its entries that are no parameters here, such as running
        statistics, are handed on.

    Returns
    -------
    dict
        NumPy arrays: ``module.load_state_dict({k: torch.tensor(v) for k, v in ...})``.

    Examples
    --------
    >>> import graphc as gc
    >>> import numpy as np
    >>> gc.to_torch({"head_w": np.eye(2)}, {"head.weight": np.zeros((2, 2))})["head.weight"]
    array([[1., 0.],
           [0., 1.]])
    """
    arrays = params._asdict() if hasattr(params, "_asdict") else dict(params)
    result = {}
    for key, names in names_in(state).items():
        held = [_held(arrays, name) for name in names]
        like = _array(state[key])
        if any(value is None for value in held):
            result[key] = like
            continue
        whole = held[0] if len(held) == 1 else np.concatenate(held)
        result[key] = np.array(whole, like.dtype).reshape(like.shape)
    return result


def _held(arrays: Mapping[str, Any], name: str) -> Any:
    slope = f"{name.removesuffix('w')}slope" if name.endswith("_w") else name
    return arrays.get(name, arrays.get(slope))
