"""Blocks: pieces of NumPy code with a name, and with parameters of their own.

``@gc.function`` reads the signature. An argument without default, or with ``gc.Input(...)``, is an
input; one with ``gc.Parameter(...)`` a parameter; any other an option. Without parameters the
function is called directly; with parameters one makes the block first and calls that.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, SupportsIndex, TypeAlias

from numpy import ndarray

from graphc.errors import GraphcError, KindError, NamingError, ShapeError, UsageError
from graphc.language.declare import Init, check_init, parse_shape, sources
from graphc.language.names import located_name
from graphc.language.option_types import check_option
from graphc.language.sizes import names_of, sizes_of
from graphc.language.source import here
from graphc.language.variable import SCOPE, Call, Declaration, Variable, as_variable, declared_at
from graphc.ops.leaves import new_input
from graphc.types import Dim, Kind, TensorType, shape_text

CallKind: TypeAlias = Literal["function", "cost"]
TORCH = "torch"  # an init: each parameter starts as PyTorch's block starts it
OWN_OPTIONS = ("name", "label", "output", "init")


@dataclass(frozen=True, slots=True)
class Input:
    """What a block says of an input.

    Parameters
    ----------
    shape
        Dimensions by name or number, separated by spaces, ``...`` for any in between.
    kind
        ``"real"``, ``"integer"`` or ``"boolean"``; None: any.
    optional
        Whether the input may be left out; it is None then.
    """

    shape: str = "..."
    kind: Kind | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that a block owns.

    Parameters
    ----------
    shape
        Dimensions, separated by spaces: a name or a number; products and exact quotients of such
        (``4*hidden``, ``channels/groups``); an element of an option that is a tuple, or the
        option itself where it is a number (``kernel_size[0]``); all elements (``*shape``).
    init
        As in :func:`graphc.parameter`; a number fills the whole.
    when
        Names of options; where one is false, the parameter is ``None`` instead.
    torch
        How it starts with ``init="torch"``, from the options and sizes of the block by name; by
        default as it starts anyway.
    start
        How it starts otherwise, likewise; in place of `init`.
    """

    shape: str
    init: Init = None
    when: str | None = None
    torch: Callable[[Mapping[str, Any]], Any] | None = None
    start: Callable[[Mapping[str, Any]], Any] | None = None

    def starts(self, init: Init, sizes: Mapping[str, Any]) -> Init:
        """Return how the parameter starts, in a block of such options and sizes."""
        asked = isinstance(init, str) and init == TORCH
        if init is not None and not asked:
            return init
        make = (self.torch or self.start) if asked else self.start
        return self.init if make is None else make(sizes)


class Function:
    """What ``@gc.function`` and ``@gc.cost`` make of a Python function."""

    def __init__(
        self, body: Callable[..., Any], kind: CallKind = "function", *, owns_blocks: bool = False
    ) -> None:
        try:
            found = None if isinstance(body, type) else inspect.signature(body)
        except (TypeError, ValueError):  # no function, or one in C that does not tell
            found = None
        if found is None or not hasattr(body, "__qualname__"):
            raise UsageError(f"{here()}: a block is made of a function, got {body!r}")
        self.body = body
        self.kind: CallKind = kind
        self.name = located_name(body.__name__, "a function")
        self.__doc__, self.__name__ = body.__doc__, body.__name__
        self.__module__, self.__qualname__ = body.__module__, body.__qualname__
        self.__wrapped__ = body
        self.signature = found
        self.inputs: dict[str, Input] = {}
        self.parameters: dict[str, Parameter] = {}
        self.options: dict[str, Any] = {}
        # Options that users of another library look for in vain, and what to do instead.
        self.refused: Mapping[str, str] = {}
        # How many options may be given without their names; None: all.
        self.positional: int | None = None
        for argument in self.signature.parameters.values():
            self._sort(argument)
        self.is_made_first = owns_blocks or bool(self.parameters)
        named_dims = [d for p in self.parameters.values() for d in names_of(p.shape)]
        self.dims = tuple(dict.fromkeys(named_dims))
        self.__signature__ = self._call_signature()

    def _call_signature(self) -> inspect.Signature:
        """Return how the function is called, as ``help`` and editors show it."""
        make = inspect.Parameter
        found: list[inspect.Parameter] = []
        own = ["name", "label"]
        if self.is_made_first:
            own.append("init")
            order = [*dict.fromkeys((*self.options, *self._open_dims())), *self.dims]
            for name in dict.fromkeys(order):
                inferred = name in self._known() and name not in self.options
                default = None if inferred else self.options.get(name, make.empty)
                kind = make.KEYWORD_ONLY if inferred else make.POSITIONAL_OR_KEYWORD
                found.append(make(name, kind, default=default))
        else:
            own += ["output"] if self.kind == "function" else []
            for argument in self.signature.parameters.values():
                spec = argument.default
                if isinstance(spec, Input):
                    spec = None if spec.optional else make.empty
                found.append(make(argument.name, argument.kind, default=spec))
        found += [make(name, make.KEYWORD_ONLY, default=None) for name in own]
        return inspect.Signature(_in_order(found))

    def _known(self) -> set[str]:
        """Return the dimensions that the inputs' shapes name."""
        return {d for i in self.inputs.values() for d in i.shape.split()}

    def _sort(self, argument: inspect.Parameter) -> None:
        name, default = argument.name, argument.default
        if name in OWN_OPTIONS:
            raise NamingError(f"{self.name}: '{name}' is an argument that every block has")
        if isinstance(default, Parameter):
            if argument.kind is not inspect.Parameter.KEYWORD_ONLY:
                raise UsageError(f"{self.name}: write parameter '{name}' after a * (keyword-only)")
            self.parameters[located_name(name, "a parameter")] = default
        elif argument.kind is inspect.Parameter.VAR_KEYWORD:
            raise UsageError(f"{self.name}: a block lists its options; **{name} hides them")
        elif isinstance(default, Input):
            self.inputs[name] = default
        elif default is inspect.Parameter.empty and (
            argument.kind is not inspect.Parameter.KEYWORD_ONLY
        ):
            self.inputs[name] = Input()
        else:
            self.options[name] = default

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Apply the function; if it has parameters, make a block of it."""
        name = options.pop("name", None)
        label = options.pop("label", None)
        if not self.is_made_first:
            output = options.pop("output", None)
            block = Block(self, {}, name, label)
            block.kind = self.kind_with(options)
            return block(*args, output=output, **options)
        if "output" in options or any(isinstance(a, Variable) for a in args):
            wanted = ", ".join(self.parameters) or "of the blocks inside"
            raise UsageError(
                f"{here()}: {self.name} has parameters ({wanted}), so make the block first: "
                f"{self.name}({', '.join(f'{d}=...' for d in self._open_dims())})(x)"
            )
        init = options.pop("init", None)
        block = Block(self, self._block_options(args, options), name, label, init)
        outer = SCOPE.current
        if outer is not None and isinstance(outer.block, Block):
            block.starts_like(outer.block, init)
            return outer.block.inner(block, outer)
        return block

    def __copy__(self) -> Function:
        return self

    def __deepcopy__(self, memo: Any) -> Function:
        return self

    def __reduce__(self) -> str:
        return self.__qualname__  # found again by its name, as functions are

    def refuse(self, options: Iterable[str]) -> None:
        """Raise a UsageError for an option that another library has and this one has not."""
        for name in options:
            if name in self.refused:
                raise UsageError(
                    f"{here()}: {self.name} has no option '{name}': {self.refused[name]}"
                )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raise a UsageError where an option of the library is no such thing as it should be."""
        if not self.__module__.startswith("graphc."):
            return  # annotations of users' own code are theirs
        for name, value in options.items():
            argument = self.signature.parameters.get(name)
            if name in self.options and name not in self.dims and argument is not None:
                check_option(self.name, name, value, argument.annotation)

    def kind_with(self, options: Mapping[str, Any]) -> CallKind:
        """Return what this makes: a cost that is not reduced is a function."""
        return "function" if options.get("reduction") == "none" else self.kind

    def _open_dims(self) -> list[str]:
        known = self._known()
        return [d for d in self.dims if d not in known]

    def _block_options(self, args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
        """Return options and dimensions by name; positional ones in order of declaration."""
        self.refuse(options)
        order = list(dict.fromkeys((*self.options, *self._open_dims())))
        if self.positional is not None and len(args) > self.positional:
            alone = ", ".join(order[: self.positional])
            before = max(1, len(self.dims) - len(set(self.dims) & {*self.options}))
            meant = ", ".join(map(repr, args[before : before + self.positional]))
            raise UsageError(
                f"{here()}: {self.name} takes {alone} by position and all else by name, got "
                f"{len(args)} values; the sizes of inputs follow from the inputs. Did you mean "
                f"{self.name}({meant})?"
            )
        if len(args) > len(order):
            raise UsageError(f"{here()}: {self.name} takes {len(order)} options, got {len(args)}")
        given = dict(zip(order, args, strict=False))
        for name, value in options.items():
            if name in given:
                meant = ""
                if self.positional is not None:
                    own = args[len(args) - order.index(name) :]
                    told = [*map(repr, own), *(f"{k}={v!r}" for k, v in options.items())]
                    meant = "; the sizes of inputs follow from the inputs. Did you mean "
                    meant += f"{self.name}({', '.join(told)})?"
                raise UsageError(f"{here()}: {self.name} got '{name}' twice{meant}")
            if name not in self.options and name not in self.dims:
                known = ", ".join(dict.fromkeys((*order, *self.dims)))
                raise UsageError(f"{here()}: {self.name} has no option '{name}'; it has {known}")
            given[name] = value
        for name, default in self.options.items():
            if name not in given and default is inspect.Parameter.empty:
                raise UsageError(f"{here()}: {self.name} needs the option '{name}'")
        return given

    def __repr__(self) -> str:
        return f"<graphc {self.kind} {self.name}{self.__signature__}>"


class Block:
    """A function with its options chosen and its parameters owned; call it twice to share them.

    Once the sizes are known, at the latest from the first call on, each parameter is an attribute.
    """

    def __init__(
        self,
        function: Function,
        options: Mapping[str, Any],
        name: Any,
        label: str | None,
        init: Any = None,
    ) -> None:
        self._definition = function
        function.check_options(options)
        if label is not None and not isinstance(label, str):
            raise UsageError(f"{here()}: {function.name}: label is LaTeX as text, got {label!r}")
        self._options = dict(options)
        for option, value in options.items():
            known = function.options.get(option)
            if isinstance(known, bool) and not type(value).__name__.startswith("bool"):
                raise UsageError(
                    f"{here()}: {function.name} takes True or False for '{option}', got {value!r}"
                )
        self.name = None if name is None else located_name(name, "a block")
        self.label = label
        self.function = function.name
        self.kind: CallKind = function.kind_with(options)
        self._given_init = init
        self._inits = self._chosen_inits(init)
        sizes = {**function.options, **options}
        self._dims: dict[str, Any] = {
            d: self._size(d, sizes[d]) for d in function.dims if sizes.get(d) is not None
        }
        self._made: dict[str, Variable] = {}
        self._inner: list[Block] = []
        if SCOPE.current is None:  # a block in a body waits for its call, for the order of the two
            self._make_parameters()

    def inner(self, block: Block, call: Call) -> Block:
        """Return the block that stands for one made in this one's body: the same in every call.

        Raises
        ------
        UsageError
            If the body makes other blocks than in its first call.
        """
        at, call.blocks_made = call.blocks_made, call.blocks_made + 1
        if at == len(self._inner):
            self._inner.append(block)
        found = self._inner[at]
        if (found._definition, found._options) != (block._definition, block._options):
            raise UsageError(
                f"{here()}: {self._described()} is called again, but its body makes other blocks "
                f"now: {block.function} with {block._options} in place of {found.function} with "
                f"{found._options}"
            )
        return found

    def like(self, name: str) -> Block:
        """Return a block with the options of this one and parameters of its own."""
        made: Block = self._definition(**self._options, name=name, init=self._given_init)
        return made

    def __copy__(self) -> NoReturn:
        raise UsageError(
            f"{self._described()} is not copied: call it again to share its parameters, "
            f"or make another {self.function} for parameters of its own"
        )

    def __deepcopy__(self, memo: Any) -> NoReturn:
        self.__copy__()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise UsageError(
            f"{self._described()} cannot be pickled: declare the model in the other process, or "
            "pickle what gc.compile returns"
        )

    def starts_like(self, outer: Block, init: Any) -> None:
        """Take over ``init="torch"`` from the block around, unless told otherwise."""
        if init is None and "" in outer._inits:
            self._inits = self._chosen_inits(TORCH)

    def __getattr__(self, name: str) -> Any:
        """Return the parameter called `name`; None where an option does without it."""
        made = self.__dict__.get("_made", {})
        if name in made:
            return made[name]
        for block in self.__dict__.get("_inner", []):
            if block.name == name:
                return block
        definition = self.__dict__.get("_definition")
        if definition is not None and name in definition.parameters:
            if self._lacks(definition.parameters[name]):
                return None
            raise UsageError(
                f"{here()}: {self._described()} does not know the shape of '{name}' "
                f"({definition.parameters[name].shape}) yet; call the block first"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __call__(self, *args: Any, output: str | tuple[str, ...] | None = None, **rest: Any) -> Any:
        """Apply the block.

        Parameters
        ----------
        *args
            The inputs: variables, or what a constant can be made of.
        output
            The name of the result; a tuple of names for several.

        Raises
        ------
        ShapeError, KindError, UsageError
        """
        if self.kind == "cost" and output is not None:
            raise UsageError(f"{here()}: the output of a cost is implicit; name the cost instead")
        self._need_variables(args)
        inputs, options = self._bind(args, rest)
        self._match(inputs)
        self._make_parameters()
        self._need_parameters()
        given = tuple(v for v in _flat(inputs.values()) if isinstance(v, Variable))
        call = Call(self, given, dict(self._made), SCOPE.current, here())
        result = self._run(call, inputs, options)
        returned = result if isinstance(result, tuple) else (result,)
        if any(value is None for value in returned):
            raise UsageError(f"{here()}: {self._described()} returns None; return a variable")
        results = tuple(as_variable(value) for value in returned)
        self._adopt(call, results)
        call.outputs = self._named(call, results, output)
        return call.outputs if isinstance(result, tuple) else call.outputs[0]

    def _need_variables(self, args: tuple[Any, ...]) -> None:
        """Refuse arrays alone for a block with parameters: they make no model of samples."""
        if self._definition.is_made_first and args and all(isinstance(a, ndarray) for a in args):
            raise UsageError(
                f"{here()}: {self._described()} was called with numbers alone, which computes "
                "nothing: call it with gc.observed(name, shape), and gc.compile(...) with the "
                "numbers; or with gc.constant(array), if a constant is meant"
            )

    def _bind(
        self, args: tuple[Any, ...], rest: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        function = self._definition
        placeholders: dict[str, Any] = dict.fromkeys(function.parameters)
        options = {k: v for k, v in self._options.items() if k in function.options}
        function.refuse(rest)
        try:
            bound = function.signature.bind(*args, **{**placeholders, **options, **rest})
        except TypeError as error:
            raise UsageError(f"{here()}: {self._described()}: {error}") from None
        values = bound.arguments
        inputs: dict[str, Any] = {}
        for name, spec in function.inputs.items():
            value = values.get(name)
            if value is None and spec.optional:
                inputs[name] = None
            elif isinstance(value, tuple):
                inputs[name] = tuple(as_variable(v) for v in value)
            elif value is None:
                raise UsageError(f"{here()}: {self._described()} needs the input '{name}'")
            else:
                inputs[name] = as_variable(value)
        chosen = {n: values.get(n, default) for n, default in function.options.items()}
        function.check_options({n: v for n, v in chosen.items() if n in values})
        # A dimension that is declared as an option too is one thing.
        chosen |= {n: d for n, d in self._dims.items() if n in chosen}
        return inputs, chosen

    def _run(self, call: Call, inputs: dict[str, Any], options: dict[str, Any]) -> Any:
        function = self._definition
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for argument in function.signature.parameters.values():
            name = argument.name
            if name in inputs:
                value = inputs[name]
            elif name in function.parameters:
                value = self._made.get(name)
            else:
                value = options[name]
            if argument.kind is inspect.Parameter.VAR_POSITIONAL:
                positional.extend(value or ())
            elif argument.kind is inspect.Parameter.KEYWORD_ONLY:
                keywords[name] = value
            else:
                positional.append(value)
        outer, SCOPE.current = SCOPE.current, call
        try:
            return function.body(*positional, **keywords)
        finally:
            SCOPE.current = outer

    def _match(self, inputs: Mapping[str, Any]) -> None:
        """Check the inputs' shapes and kinds; learn the sizes that they bring, if all fit."""
        learnt = dict(self._dims)
        for name, value in inputs.items():
            spec = self._definition.inputs[name]
            for variable in _flat([value]):
                if variable is None:
                    continue
                if spec.kind is not None and variable.kind != spec.kind:
                    raise KindError(
                        f"{here()}: {self._described()} expects {spec.kind} values for '{name}', "
                        f"got {variable.kind} ones from {_told(variable)}"
                    )
                self._match_shape(spec, variable, learnt)
        # What shapes no parameter may differ from call to call.
        self._dims = {d: v for d, v in learnt.items() if d in self._definition.dims}

    def _match_shape(self, spec: Input, variable: Variable, learnt: dict[str, Dim]) -> None:
        words, shape = spec.shape.split(), variable.shape
        pairs = _aligned(words, shape)
        before = dict(learnt)
        fits = pairs is not None
        for word, dim in pairs or ():
            known = int(word) if word.isdecimal() else learnt.setdefault(word, dim)
            fits = fits and known == dim
        if fits:
            return
        text = ", ".join(str(before.get(w, w)) for w in words)
        text = f"({text},)" if len(words) == 1 and words != ["..."] else f"({text})"
        raise ShapeError(
            f"{here()}: {self._described()} expects an input of shape {text}, "
            f"got {shape_text(shape)} from {_told(variable)}{self._hint(pairs or ())}"
        )

    def _hint(self, pairs: Iterable[tuple[str, Dim]]) -> str:
        for word, dim in pairs:
            if word in self._dims and self._dims[word] != dim:
                if word in self._options:
                    return f". Did you mean {self.function}(..., {word}={dim})?"
                return f". Its {word} = {self._dims[word]} since its first call"
        return ""

    def _make_parameters(self) -> None:
        """Make the parameters once all their sizes are known: they stay together, in order."""
        if self._made:
            return
        wanted = {n: p for n, p in self._definition.parameters.items() if not self._lacks(p)}
        if not all(d in self._dims for p in wanted.values() for d in names_of(p.shape)):
            return
        for name, spec in wanted.items():
            try:
                shape = sizes_of(spec.shape, self._dims)
            except ShapeError as error:
                raise error.within(f"{here()}: {self._described()}, '{name}'") from None
            sizes = {**self._definition.options, **self._options, **self._dims}
            init = spec.starts(self._inits.get(name), sizes)
            check_init(init, shape, f"{self._described()}, parameter '{name}'")
            declaration = Declaration("parameter", init=init)
            node = new_input(TensorType(shape))
            self._made[name] = Variable(node, name=name, declaration=declaration)

    def _need_parameters(self) -> None:
        """Raise an error where a size of a parameter is known neither by option nor by input."""
        for name, spec in self._definition.parameters.items():
            unknown = [d for d in names_of(spec.shape) if d not in self._dims]
            if unknown and not self._lacks(spec):
                told = ", ".join(f"{d}=..." for d in unknown)
                raise UsageError(
                    f"{here()}: {self._described()} does not know the size "
                    f"'{unknown[0]}' of its parameter '{name}'; make it with "
                    f"{self._definition.name}({told})"
                )

    def _lacks(self, spec: Parameter) -> bool:
        """Return whether an option of the block says that it does without a parameter."""
        if spec.when is None:
            return False
        options = {**self._definition.options, **self._options}
        return not all(options[name] for name in spec.when.split())

    def _size(self, dim: str, size: Any) -> Any:
        several = isinstance(size, tuple | list)
        try:
            found = parse_shape(size if several else (size,))
        except GraphcError as error:
            raise error.within(f"{here()}: {self._described()}, {dim}") from None
        return found if several else found[0]

    def _chosen_inits(self, init: Any) -> dict[str, Any]:
        """Return how parameters start that do not start as the block says, by name."""
        names = self._definition.parameters
        if isinstance(init, str) and init == TORCH:
            return dict.fromkeys((*names, ""), TORCH)
        chosen = {} if init is None else init
        known = ", ".join(self._definition.parameters)
        if (
            not isinstance(chosen, Mapping)
            or not chosen.keys() <= self._definition.parameters.keys()
        ):
            raise UsageError(
                f"{here()}: {self._described()} takes init={{name: how it starts}} for its "
                f"parameters ({known}), or init='torch', got {init!r}"
            )
        return dict(chosen)

    def _adopt(self, call: Call, results: tuple[Variable, ...]) -> None:
        """Enter what the body took from around it: variables as inputs, inner parameters."""
        known = {id(v) for v in (*call.inputs, *call.parameters.values())}
        own = set(known)
        captured: list[Variable] = []
        calls: dict[int, Call] = {}
        pending = list(results)
        while pending:
            variable = pending.pop()
            if id(variable) in known:
                continue
            known.add(id(variable))
            inner = variable.call
            if inner is not None and inner.parent is call:
                calls.setdefault(id(inner.block), inner)
                known.update(id(v) for v in inner.parameters.values())
                pending.extend(sources(variable))
            elif variable.scope is call and variable.role == "expression":
                pending.extend(sources(variable))
            elif variable.role != "constant":
                captured.append(variable)
        self._adopt_parameters(call, calls.values(), own)
        call.inputs += tuple(sorted(captured, key=lambda v: (v.where.line, v.name or "")))

    def _adopt_parameters(self, call: Call, inside: Iterable[Call], known: set[int]) -> None:
        """Enter the parameters of the blocks inside, which are counted in order of their making."""
        owning = [inner for inner in inside if inner.parameters]
        owning.sort(key=lambda inner: min(declared_at(v) for v in inner.parameters.values()))
        counts: dict[str, int] = {}
        for inner in owning:
            base = inner.block.name or inner.block.function
            counts[base] = counts.get(base, 0) + 1
            block = inner.block.name or f"{base}{counts[base]}"
            for short, value in inner.parameters.items():
                if id(value) in known:
                    continue
                known.add(id(value))
                call.parameters[f"{block}_{short}"] = value
                call.owners[f"{block}_{short}"] = inner.owners.get(short, (block, short))

    def _named(
        self, call: Call, results: tuple[Variable, ...], output: Any
    ) -> tuple[Variable, ...]:
        if self.kind == "cost" and (len(results) != 1 or results[0].shape):
            shapes = " and ".join(shape_text(v.shape) for v in results)
            raise ShapeError(
                f"{call.where}: a cost is a scalar, but {self._described()} gives shape {shapes}; "
                "reduce it, for instance with np.sum or np.mean"
            )
        if self.kind == "cost" and results[0].kind == "boolean":
            raise KindError(
                f"{call.where}: a cost is a number, but {self._described()} gives a truth value; "
                "write np.where(condition, 1.0, 0.0)"
            )
        names = output if isinstance(output, tuple | list) else (output,)
        if output is not None and len(names) != len(results):
            raise UsageError(
                f"{call.where}: {self._described()} has {len(results)} outputs, "
                f"but output= names {len(names)}"
            )
        if output is None:
            names = (None,) * len(results)
        made = []
        for name, variable in zip(names, results, strict=True):
            checked = None if name is None else located_name(name, "a variable")
            made.append(Variable(variable.node, name=checked, call=call, operands=(variable,)))
        return tuple(made)

    def _described(self) -> str:
        return f"block '{self.name or self.function}'"

    def __repr__(self) -> str:
        return f"<graphc block {self.name or self.function}>"


def _in_order(parameters: Sequence[inspect.Parameter]) -> list[inspect.Parameter]:
    """Return parameters by kind; once one has a default, those after it are keywords."""
    found: list[inspect.Parameter] = []
    optional = False
    for p in parameters:
        if p.kind is p.POSITIONAL_OR_KEYWORD:
            if optional and p.default is p.empty:
                p = p.replace(kind=p.KEYWORD_ONLY)
            optional = optional or p.default is not p.empty
        found.append(p)
    return sorted(found, key=lambda p: p.kind)


def _flat(values: Any) -> list[Any]:
    return [v for value in values for v in (value if isinstance(value, tuple) else (value,))]


def _aligned(words: list[str], shape: tuple[Dim, ...]) -> list[tuple[str, Dim]] | None:
    """Return the sizes that words stand for, ``...`` left out; None where the ranks differ."""
    at = words.index("...") if "..." in words else len(words)
    front, back = words[:at], words[at + 1 :]
    if len(shape) < len(front) + len(back) or ("..." not in words and len(shape) > len(front)):
        return None
    ends = shape[len(shape) - len(back) :] if back else ()
    return [*zip(front, shape, strict=False), *zip(back, ends, strict=True)]


def _told(variable: Variable) -> str:
    return f"{variable.describe()} (declared at {variable.where})"


def function(body: Callable[..., Any]) -> Function:
    """Make a block of a piece of NumPy code.

    Parameters
    ----------
    body
        A function of variables; its signature says what is an input, a parameter, an option.

    Raises
    ------
    NamingError, UsageError
        If the signature cannot be a block's.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> @gc.function
    ... def layer(z=gc.Input("n"), *, w=gc.Parameter("m n"), b=gc.Parameter("m")):
    ...     return np.tanh(w @ z + b)
    >>> layer(m=60, name="f1")(gc.observed("x", shape=600), output="z1")
    <expression z1: real (60,)>
    """
    return Function(body)


def block(body: Callable[..., Any]) -> Function:
    """Make a block of a piece of code that makes blocks itself.

    As :func:`function`, but the block is made first and then called, and the blocks that its
    body makes are made once: calling it twice shares their parameters. Those that have a name are
    its attributes.

    Examples
    --------
    >>> import graphc as gc
    >>> @gc.block
    ... def two_layers(z, *, hidden, out):
    ...     return gc.Linear(out, name="second")(gc.relu(gc.Linear(hidden, name="first")(z)))
    >>> net = two_layers(hidden=5, out=2, name="net")
    >>> z = net(gc.observed("x", shape=3))
    >>> z.shape, net.first.w.shape
    ((2,), (5, 3))
    """
    return Function(body, owns_blocks=True)


def cost(body: Any, *, name: str | None = None, label: str | None = None) -> Any:
    """Make a cost: of a function (as a decorator), or of a scalar expression.

    Parameters
    ----------
    body
        A function that returns a scalar, or a scalar variable.
    name
        The name of the cost that a variable becomes.
    label
        LaTeX for diagrams.

    Raises
    ------
    ShapeError
        If the variable is not a scalar.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> y, z = gc.observed("y", shape=3), gc.observed("z", shape=3)
    >>> gc.cost(np.sum((y - z) ** 2), name="C")
    <expression C: real ()>
    """
    if not isinstance(body, Variable) and not callable(body):
        raise UsageError(
            f"{here()}: a cost is made of a scalar variable or a function, got {body!r}"
        )
    if not isinstance(body, Variable):
        if name is not None:
            raise UsageError(f"{here()}: @gc.cost takes no name; give one where the cost is used")
        return Function(body, "cost")
    block = Block(_IDENTITY_COST, {}, name, label)
    inputs = tuple(_visible_sources(body))
    call = Call(block, inputs, {}, SCOPE.current, here())
    call.outputs = block._named(call, (body,), None)
    return call.outputs[0]


def _visible_sources(variable: Variable) -> list[Variable]:
    """Return the declared variables and block outputs that a raw expression is made of."""
    found: dict[int, Variable] = {}
    seen: set[int] = set()
    pending = [variable]
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        raw = current.role == "expression" and current.call is None
        if raw and current.operands:
            pending.extend(reversed(current.operands))
        elif current.role != "constant":
            found[id(current)] = current
    return list(found.values())


def _cost(value: Any) -> Any:
    return value


_cost.__name__ = "cost"
_IDENTITY_COST = Function(_cost, "cost")
