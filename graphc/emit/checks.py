"""The checks that an emitted file makes of its arguments, in the file itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.emit.dialect import Dialect
from graphc.emit.limits import limits
from graphc.emit.model import Field, Model
from graphc.types import Dim, Dimension, evaluate, named, names_in, shape_text

KIND_CHECKS = {
    "real": '''def _real(name, value):
    """Return real numbers, integers or booleans as an array of the file's dtype."""
    value = _array(name, value)
    if value.dtype.kind not in "fiub":
        raise TypeError(f"{{name}} must hold real numbers, got {{value.dtype}}")
    return value.astype({dtype}, copy=False)
''',
    "integer": '''def _integer(name, value):
    """Return integers as an array of 64-bit ones."""
    value = _array(name, value)
    if value.dtype.kind not in "iu":
        raise TypeError(f"{{name}} must hold integers, got {{value.dtype}}")
    if value.dtype == {lib}.uint64 and value.size and value.max() >= 2**63:
        raise ValueError(f"{{name}} must hold integers below 2**63, got {{value.max()}}")
    return value.astype({lib}.int64, copy=False)
''',
    "boolean": '''def _boolean(name, value):
    """Return booleans as an array."""
    value = _array(name, value)
    if value.dtype.kind != "b":
        raise TypeError(f"{{name}} must hold booleans, got {{value.dtype}}")
    return value
''',
}

ARRAY = '''def _array(name, value):
    """Return an array of what was given; masks would be lost, and rows must be of one length."""
    if hasattr(value, "filled") and value.mask.any():
        raise TypeError(f"{{name}} is a masked array: fill it first, as in {{name}}.filled(0)")
    try:
        return {lib}.asarray(value)
    except ValueError as error:
        raise ValueError(f"{{name}} is no array: {{error}}") from None
'''

NEED_GPU = '''def _need_gpu():
    """Raise a RuntimeError of one sentence where there is no GPU to compute on."""
    try:
        found = {lib}.cuda.runtime.getDeviceCount() > 0
    except Exception:
        found = False
    if not found:
        raise RuntimeError("this file computes on a CUDA GPU, and none was found")
'''


def plain_name(dim: Dim) -> str | None:
    """Return the name of a size that is just a name."""
    if isinstance(dim, Dimension):
        names = names_in(dim)
        if len(names) == 1 and str(dim) in names:
            return str(dim)
    return None


def size_source(name: str, fields: Sequence[Field], spelled: Mapping[str, str]) -> str | None:
    """Return where the size called `name` can be read: ``len(x)`` or ``x.shape[1]``."""
    for field in fields:
        for axis, dim in enumerate(field.shape):
            if plain_name(dim) == name:
                array = spelled[field.name]
                return f"{array}.shape[{axis}]"
    return None


FEW = 16  # parameters whose shapes are checked one by one


class Checks:
    """Prints the check functions of one file."""

    def __init__(self, model: Model, dialect: Dialect) -> None:
        self.model = model
        self.dialect = dialect
        self.kinds: set[str] = set()
        self.open: list[tuple[Field, int]] = []  # axes of parameters whose sizes come with inputs
        self._error = dialect.names.own("ValueError")

    def parameters(self) -> list[str]:
        """Print ``_check_params``."""
        fields = self.model.parameters
        params, Params = self.dialect.names.own("params"), self.dialect.names.own("Params")
        if fields:
            self.kinds.add("real")
        reals = [f'    _real("{f.name}", {f.name}),' for f in fields]
        names = ", ".join(f.name for f in fields) + ("," if len(fields) == 1 else "")
        lines = [f"def _check_params({params}):"]
        length, own = self.dialect.names.own("len"), self.dialect.names.own
        lines += [
            f"    if {own('isinstance')}({params}, {own('dict')}):",
            f"        raise {own('TypeError')}"
            f'("params is a dict, which has no order: write {Params}(**params)")',
            f'    if not {own("hasattr")}({params}, "__len__"):',
            f"        raise {own('TypeError')}"
            f'("params must hold {len(fields)} arrays, as {Params}(...) does")',
            f"    if {length}({params}) != {len(fields)}:",
            f'        raise {self._error}(f"params must hold {len(fields)} arrays, '
            f'got {{{length}({params})}}")',
        ]
        if not fields:
            return [*lines, f"    return {Params}()"]
        if self.tabled:
            return [*self._table(), *lines, *self._tabled_check()]
        lines += [f"    {names} = {params}", f"    {params} = {Params}("]
        lines += ["    " + line for line in reals]
        lines += ["    )"]
        known: dict[str, str] = {}
        lines += self._shapes(fields, {f.name: f"{params}.{f.name}" for f in fields}, known)
        return [*lines, f"    return {params}"]

    @property
    def tabled(self) -> bool:
        """Whether the parameters' shapes stand in a table, for a file would be mostly checks."""
        fields = self.model.parameters
        fixed = all(isinstance(dim, int) for f in fields for dim in f.shape)
        return len(fields) > FEW and fixed and self.model.function is None

    def _table(self) -> list[str]:
        rows = [f"    {shape_text(f.shape)}," for f in self.model.parameters]
        return ["_SHAPES = (  # of the parameters, in their order", *rows, ")", "", ""]

    def _tabled_check(self) -> list[str]:
        own = self.dialect.names.own
        params, Params, zip_ = own("params"), own("Params"), own("zip")
        return [
            f"    pairs = {zip_}({Params}._fields, {params})",
            f"    {params} = {Params}(*[_real(name, value) for name, value in pairs])",
            f"    for name, value, shape in {zip_}({Params}._fields, {params}, _SHAPES):",
            "        if value.shape != shape:",
            f"            raise {self._error}"
            '(f"{name} must have shape {shape}, got {value.shape}")',
            f"    return {params}",
        ]

    def arguments(self, name: str, fields: Sequence[Field], first: str | None) -> list[str]:
        """Print a function that checks the parameters and some inputs.

        `first` is the function that checks some of them already; its fields lead.
        """
        params = self.dialect.names.own("params")
        done = self.model.forward_fields if first == "_check_forward" else ()
        lead = [] if self.model.function is not None else [params]
        names = ", ".join([*lead, *(f.name for f in fields)])
        lines = [f"def {name}({names}):"]
        if self.model.function is not None:
            done = ()
        elif first == "_check_forward":
            early = ", ".join([params, *(f.name for f in done)])
            lines.append(f"    {early} = _check_forward({early})")
        else:
            lines.append(f"    {params} = _check_params({params})")
        fresh = [f for f in fields if f not in done]
        for f in fresh:
            self.kinds.add(f.kind)
            lines.append(f'    {f.name} = _{f.kind}("{f.name}", {f.name})')
        known: dict[str, str] = {}
        spelled = {f.name: f"{params}.{f.name}" for f in self.model.parameters}
        spelled |= {f.name: f.name for f in fields}
        still_open, self.open = self.open, []
        dims = [dim for f in fresh for dim in f.shape] + [f.shape[a] for f, a in still_open]
        wanted = {n for dim in dims for n in names_in(dim)}
        for size in sorted(wanted):
            source = size_source(size, (*self.model.parameters, *done), spelled)
            if source is not None:
                local = self.dialect.dim(self.dialect.sizes[size])
                known[size] = local
                lines.append(f"    {local} = {source}")
        lines += self._shapes(fresh, spelled, known, still_open)
        for f in fresh:
            lines += self._classes(f)
        lines += self._limits(name, first, known, (*self.model.parameters, *fields), spelled)
        single = "," if self.model.function is not None and len(fields) == 1 else ""
        return [*lines, f"    return {names}{single}"]

    def _limits(
        self,
        name: str,
        first: str | None,
        known: dict[str, str],
        fields: Sequence[Field],
        spelled: Mapping[str, str],
    ) -> list[str]:
        """Print what the slices ask of named sizes, beyond what the function `first` has asked."""
        least, others = self.limits(name)
        if first is not None:
            early, early_others = self.limits(first)
            least = {size: low for size, low in least.items() if low > early.get(size, 0)}
            others = tuple(dim for dim in others if dim not in early_others)
        lines: list[str] = []
        for size in sorted({*least, *(n for dim in others for n in names_in(dim))} - known.keys()):
            source = size_source(size, fields, spelled)
            assert source is not None  # the function's body takes it from there as well
            known[size] = self.dialect.dim(self.dialect.sizes[size])
            lines.append(f"    {known[size]} = {source}")
        for size, low in least.items():
            lines += [
                f"    if {known[size]} < {low}:",
                f'        raise {self._error}(f"the size {size} must be at least {low}, '
                f'got {{{known[size]}}}")',
            ]
        for dim in others:
            given = ", ".join(f"{n} = {{{known[n]}}}" for n in sorted(names_in(dim)))
            lines += [
                f"    if {self.dialect.dim(dim)} < 0:",
                f'        raise {self._error}(f"{dim} must not be negative, got {given}")',
            ]
        return lines

    def limits(self, check: str) -> tuple[dict[str, int], tuple[Dim, ...]]:
        """Return what is asked of named sizes where this check function is called."""
        model = self.model
        early, last = check_names(model)
        nodes = model.forward_nodes if check == early else ()
        if check == last and model.has_loss:
            nodes = (*nodes, model.loss_node, *model.gradients, *model.new_values)
        return limits(nodes)

    def _shapes(
        self,
        fields: Sequence[Field],
        spelled: Mapping[str, str],
        known: dict[str, str],
        still_open: Sequence[tuple[Field, int]] = (),
    ) -> list[str]:
        lines: list[str] = []
        later = list(still_open)
        for f in fields:
            lines += self._shape(f, spelled[f.name], known, later)
        for f, axis in later:
            dim = f.shape[axis]
            if not names_in(dim) <= known.keys():
                self.open.append((f, axis))
                continue
            x = spelled[f.name]
            wanted = self.dialect.dim(dim)
            lines += [
                f"    if {x}.shape[{axis}] != {wanted}:",
                f'        raise {self._error}(f"{f.name} must have shape {_braced(f)} with '
                f'{dim} = {{{wanted}}}, got {{{x}.shape}}")',
            ]
        return lines

    def _shape(
        self, f: Field, x: str, known: dict[str, str], later: list[tuple[Field, int]]
    ) -> list[str]:
        bound: list[str] = []
        conditions: list[str] = []
        told: list[str] = []
        fresh: dict[str, int] = {}  # sizes that this shape brings, and where
        for axis, dim in enumerate(f.shape):
            name = plain_name(dim)
            if isinstance(dim, int):
                conditions.append(f"{x}.shape[{axis}] != {dim}")
            elif name is None:
                later.append((f, axis))
            elif name in fresh:
                conditions.append(f"{x}.shape[{axis}] != {x}.shape[{fresh[name]}]")
            elif name in known:
                conditions.append(f"{x}.shape[{axis}] != {known[name]}")
                told.append(name)
            else:
                fresh[name] = axis
                known[name] = self.dialect.dim(self.dialect.sizes[name])
                bound.append(f"    {known[name]} = {x}.shape[{axis}]")
                if name == "P":
                    bound += [
                        "    if P == 0:",
                        f'        raise {self._error}("{f.name} holds no samples: '
                        'the batch is empty")',
                    ]
        if all(isinstance(dim, int) for dim in f.shape):
            test = f"{x}.shape != {shape_text(f.shape)}"
        else:
            test = " or ".join([f"{x}.ndim != {len(f.shape)}", *conditions])
        sizes = ", ".join(f"{n} = {{{known[n]}}}" for n in dict.fromkeys(told))
        given = f" with {sizes}" if sizes else ""
        return [
            f"    if {test}:",
            f'        raise {self._error}(f"{f.name} must have shape {_braced(f)}{given}, '
            f'got {{{x}.shape}}")',
            *bound,
        ]

    def _classes(self, f: Field) -> list[str]:
        if f.classes is None:
            return []
        top = f.classes - 1
        test = f"{f.name}.min() < 0 or {f.name}.max() > {top}"
        return [
            f"    if {f.name}.size and ({test}):" if _may_be_empty(f) else f"    if {test}:",
            f'        raise {self._error}(f"{f.name} must lie in 0..{top}, '
            f'got {{{f.name}.min()}}..{{{f.name}.max()}}")',
        ]

    def sections(self) -> list[list[str]]:
        """Print all check functions of the file."""
        model = self.model
        early, check = check_names(model)
        result = [self.parameters()] if model.function is None else []
        if early != check:
            result.append(self.arguments(early, model.forward_fields, None))
        fields = model.loss_fields if model.has_loss else model.forward_fields
        leads = early != check and model.shares_forward
        result.append(self.arguments(check, fields, early if leads else None))
        result += self.kind_checks()
        if model.target.needs_device:
            result.append(NEED_GPU.format(lib=self.dialect.lib).rstrip().split("\n"))
        return result

    def kind_checks(self) -> list[list[str]]:
        """Print the functions that check kinds and convert, those that are needed."""
        names = {"lib": self.dialect.lib, "dtype": self.dialect.dtype}
        needed = [KIND_CHECKS[kind] for kind in KIND_CHECKS if kind in self.kinds]
        forms = [*needed, ARRAY] if needed else []
        return [form.format(**names).rstrip().split("\n") for form in forms]

    def quick(self, check: str, fields: Sequence[Field], done: Sequence[Field] = ()) -> list[str]:
        """Return the conditions under which the full check would change nothing.

        The conditions of the fields in `done`, all parameters among them, hold already.
        """
        own, lib = self.dialect.names.own, self.dialect.lib
        conditions: list[str] = []
        later: list[tuple[Field, int]] = []
        known: dict[str, str] = {}
        params = own("params")
        held = {f.name: f"{params}.{f.name}" for f in self.model.parameters if done}
        if self.tabled and not done:
            right = f"{own('type')}(p) is {lib}.ndarray and p.dtype is _REAL"
            shapes = f"{own('tuple')}([p.shape for p in {params}]) == _SHAPES"
            conditions = [f"{own('all')}([{right} for p in {params}])", shapes]
            done = self.model.parameters
        for f in done:
            self._quick_shape(f, held.get(f.name, f.name), known, later)
        later = [(f, axis) for f, axis in later if not names_in(f.shape[axis]) <= known.keys()]
        for f in fields if done else (*self.model.parameters, *fields):
            if f in done:
                continue
            dtype = {"real": "_REAL", "integer": "_INTEGER", "boolean": "_BOOLEAN"}[f.kind]
            test = f"{own('type')}({f.name}) is {lib}.ndarray and {f.name}.dtype is {dtype}"
            test += f" and {self._quick_shape(f, f.name, known, later)}"
            if f.classes is not None:
                # Seen as unsigned, a negative number is a large one: one reduction checks both.
                unsigned = f"{f.name}.view({lib}.uint64)"
                start = ", initial=0" if _may_be_empty(f) else ""
                test += f" and {lib}.maximum.reduce({unsigned}, None{start}) < {f.classes}"
            conditions.append(test)
        for f, axis in later:
            if names_in(f.shape[axis]) <= known.keys():
                x = held.get(f.name, f.name)
                conditions.append(f"{x}.shape[{axis}] == {_over(f.shape[axis], known)}")
        least, others = self.limits(check)
        conditions += [f"{known[size]} >= {low}" for size, low in least.items()]
        conditions += [f"{_over(dim, known)} >= 0" for dim in others]
        return conditions

    def _quick_shape(
        self, f: Field, x: str, known: dict[str, str], later: list[tuple[Field, int]]
    ) -> str:
        parts: list[str] = []
        positive = ""
        for axis, dim in enumerate(f.shape):
            name = plain_name(dim)
            if isinstance(dim, int):
                parts.append(str(dim))
            elif name is not None and name not in known:
                known[name] = f"{x}.shape[{axis}]"
                # A rank that is too small would make this raise: compare ranks first.
                parts.append(known[name])
                positive += f" and {known[name]} > 0" if name == "P" else ""
            elif not names_in(dim) <= known.keys():
                parts.append(f"{x}.shape[{axis}]")
                later.append((f, axis))
            else:
                parts.append(_over(dim, known))
        text = f"({', '.join(parts)},)" if len(parts) == 1 else f"({', '.join(parts)})"
        rank = f"{x}.ndim == {len(f.shape)} and " if any(".shape[" in p for p in parts) else ""
        return f"{rank}{x}.shape == {text}{positive}"


def _over(dim: Dim, known: Mapping[str, str]) -> str:
    """Spell a size in sizes that are spelled themselves."""
    return str(evaluate(dim, {name: named(known[name]) for name in names_in(dim)}))


def _may_be_empty(f: Field) -> bool:
    """Return whether an array that passed the checks of its shape may hold nothing."""
    return not all(dim == named("P") or (isinstance(dim, int) and dim > 0) for dim in f.shape)


def _braced(f: Field) -> str:
    return shape_text(f.shape)


def check_names(model: Model) -> tuple[str, str]:
    """Return the check functions of `forward` and of the loss; one where they check the same."""
    if not model.has_loss or not model.forward or model.forward_fields == model.loss_fields:
        return "_check", "_check"
    return "_check_forward", "_check"
