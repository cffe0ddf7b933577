"""The options of a figure: what each may be, and where it would have no effect.

An option is refused where the figure cannot show what it says; the file would look as if nobody had
asked. A default asks for nothing, so it is welcome everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from numbers import Real
from typing import Any

from graphc.errors import RenderError
from graphc.render.drawing import find_direction
from graphc.render.palettes import find_palette

PARAMETER_STYLES = ("implicit", "stub", "shared")
BACKWARD_STYLES = ("mirror", "overlay")
AVERAGE_STYLES = ("stack", "plate")
LOOP_STYLES = ("loop", "unrolled", "closed")
ENGINES = ("auto", "builtin", "dot")

DEFAULTS: Mapping[str, Any] = {
    "direction": None,
    "palette": "light",
    "params": "implicit",
    "backward": None,
    "average": None,
    "engine": "auto",
    "width": None,
    "spacing": 1.0,
    "positions": None,
    "expand": (),
    "loops": "loop",
    "magnify": None,
    "fold": False,
    "shapes": True,
    "data": None,
}
CHOICES: Mapping[str, Collection[str | None]] = {
    "params": PARAMETER_STYLES,
    "backward": (None, *BACKWARD_STYLES),
    "average": (None, *AVERAGE_STYLES),
    "engine": ENGINES,
    "loops": LOOP_STYLES,
}

# What has no effect in files of an ending: the option, and why.
PLACES = ("engine", "width", "spacing", "positions")
NO_PAGE = "numbers are shown by the interactive page; write .html"
UNUSED_IN: Mapping[str, Mapping[str, str]] = {
    ".dot": {**dict.fromkeys(PLACES, "Graphviz finds the places"), "data": NO_PAGE},
    ".mmd": {**dict.fromkeys(PLACES, "Mermaid finds the places"), "data": NO_PAGE},
    **{form: {"data": NO_PAGE} for form in (".svg", ".pdf", ".png", ".tex")},
    ".html": {},
}
# What has no effect beside another option.
ALONE = "it draws one block alone, closed"
UNUSED_BESIDE: Mapping[str, Mapping[str, str]] = {
    "magnify": {
        "params": "it draws each parameter as a circle",
        "backward": "it has its own gradients",
        "average": "it draws one block of one sample",
        "expand": ALONE,
        "loops": ALONE,
        "fold": ALONE,
    },
}


def is_asked(name: str, value: Any) -> bool:
    """Tell whether an option says anything but its default."""
    default = DEFAULTS[name]
    if name in ("expand", "positions"):  # an empty collection asks for nothing
        return value is True or bool(value)
    return value is not default and value != default


def check_format(form: str, target: str, options: Mapping[str, Any]) -> None:
    """Check what concerns the file, and refuse what one of this ending cannot show.

    Raises
    ------
    RenderError
        Naming the option, the reason and the way out.
    """
    find_palette(options.get("palette", "light"))
    check_mapping("data", options.get("data"))
    for name, why in UNUSED_IN[form].items():
        if is_asked(name, options.get(name, DEFAULTS[name])):
            raise RenderError(f"{name} has no effect in {target}: {why}, so leave {name} out")


def check_options(options: Mapping[str, Any]) -> None:
    """Check what concerns the figure, whatever it is drawn for.

    Values that an option does not have are refused, and options that would be ignored.

    Raises
    ------
    RenderError
        Naming the option, what is wrong with it, and what it may be.
    """
    for name, value in options.items():
        if name in CHOICES:
            check_choice(name, value, CHOICES[name])
    check_kinds(options)
    for chosen, unused in UNUSED_BESIDE.items():
        if not is_asked(chosen, options.get(chosen, DEFAULTS[chosen])):
            continue
        for name, why in unused.items():
            if is_asked(name, options.get(name, DEFAULTS[name])):
                raise RenderError(
                    f"{name} has no effect beside {chosen}: {why}, so leave one of them out"
                )


def check_choice(name: str, value: Any, known: Collection[str | None]) -> None:
    """Refuse a value that is none of those that an option has."""
    if not any(value is one or (isinstance(value, str) and value == one) for one in known):
        raise RenderError(f"unknown {name}={value!r}; it is one of {', '.join(map(str, known))}")


def check_kinds(options: Mapping[str, Any]) -> None:
    """Refuse values of another kind than an option takes."""
    if options.get("direction") is not None:
        find_direction(options["direction"])
    for name in ("width", "spacing"):
        value = options.get(name, DEFAULTS[name])
        if value is not DEFAULTS[name] and (isinstance(value, bool) or not isinstance(value, Real)):
            raise RenderError(f"{name}={value!r}: it is a number")
    for name in ("fold", "shapes"):
        if not isinstance(options.get(name, DEFAULTS[name]), bool):
            raise RenderError(f"{name}={options[name]!r}: it is True or False")
    expand = options.get("expand", ())
    names = [expand] if isinstance(expand, (bool, str)) else expand
    if not isinstance(names, Collection) or not all(isinstance(n, (bool, str)) for n in names):
        raise RenderError(f"expand={expand!r}: it is True, or a list of the names of blocks")
    if not isinstance(options.get("magnify") or "", str):
        raise RenderError(f"magnify={options['magnify']!r}: it is the name of a block")
    check_mapping("positions", options.get("positions"))
    for name, at in (options.get("positions") or {}).items():
        if not is_point(at):
            raise RenderError(f"positions: {name!r} needs two finite numbers (x, y), got {at!r}")


def check_mapping(name: str, value: Any) -> None:
    """Refuse what is no dictionary; nothing and None are one without entries."""
    if not isinstance(value or {}, Mapping):
        raise RenderError(f"{name}={value!r}: it is a dictionary by names")


def is_point(at: Any) -> bool:
    """Tell whether something is a pair of finite numbers."""
    try:
        x, y = at
        return math.isfinite(x) and math.isfinite(y)
    except (TypeError, ValueError):
        return False
