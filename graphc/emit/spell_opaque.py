"""Calls of the users' own functions."""

from __future__ import annotations

from graphc.emit.dialect import Dialect, Spelled, Speller, typed
from graphc.ops.opaque import Foreign, Opaque

CALLED = '''def {name}(function, arguments, lead, results):
    """Call a function, once or for every place along the axes in `lead`, and check its results."""
    arguments = [{read_only}(a) for a in arguments]
    places = {tuple}({np}.ndindex(*lead))
    found = [function(*(a[at] for a in arguments)) for at in places]
    found = [f if {type}(f) is {tuple} else (f,) for f in found]
    values = []
    for k, (shape, dtype) in {enumerate}(results):
        value = {lib}.empty(lead + shape, dtype)
        for at, one in {zip}(places, found):
            part = {lib}.asarray(one[k])
            if part.shape != shape:
                raise {ValueError}(f"{{function}} must return shape {{shape}}, got {{part.shape}}")
            value[at] = part
        values.append(value)
    return values
'''

AT_ONCE = '''def {name}(function, arguments, lead, results):
    """Call a function with all samples at once, and check its results."""
    found = function(*({read_only}(a) for a in arguments))
    found = found if {type}(found) is {tuple} else (found,)
    values = []
    for value, (shape, dtype) in {zip}(found, results):
        value = {lib}.array(value, dtype)
        if value.shape != lead + shape:
            raise {ValueError}(
                f"{{function}} must return shape {{lead + shape}}, got {{value.shape}}"
            )
        values.append(value)
    return values
'''

READ_ONLY = '''def _read_only(array):
    """Return a view that cannot be written to."""
    view = {np}.asarray(array).view()
    view.flags.writeable = False
    return view
'''


def spell_opaque(node: Opaque, of: Speller, dialect: Dialect) -> Spelled:
    """Spell a call, by a helper that checks the results; it gives a list of them."""
    own, lib = dialect.names.own, dialect.lib
    name, text = ("_at_once", AT_ONCE) if node.foreign.vectorized else ("_called", CALLED)
    device = dialect.target.needs_device
    dialect.helpers[name] = text.format(
        name=name,
        read_only=f"{lib}.asarray" if device else "_read_only",
        lib=lib,
        np=own("np"),
        **{k: own(k) for k in ("tuple", "type", "zip", "enumerate", "ValueError")},
    )
    if not device:
        dialect.helpers["_read_only"] = READ_ONLY.format(np=own("np"))
    dtypes = {"real": dialect.dtype, "integer": f"{lib}.int64", "boolean": f"{lib}.bool_"}
    arguments = [typed(arg, of, dialect).text for arg in node.args]
    results = [
        f"({_tuple([dialect.dim(d) for d in t.shape])}, {dtypes[t.kind]})" for t in node.each.items
    ]
    lead = _tuple([dialect.dim(d) for d in node.lead])
    function = _name(node.foreign, dialect)
    return Spelled(f"{name}({function}, {_tuple(arguments)}, {lead}, {_tuple(results)})")


def _tuple(parts: list[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _name(foreign: Foreign, dialect: Dialect) -> str:
    """Return the name under which a file knows a function of the user's."""
    for name, known in dialect.foreign.items():
        if known is foreign:
            return name
    name, number = f"_user_{foreign.name}", 1
    while name in dialect.foreign or name in dialect.helpers:
        number += 1
        name = f"_user_{foreign.name}_{number}"
    dialect.foreign[name] = foreign
    return name
