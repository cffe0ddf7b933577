"""Any expressions as one emitted function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphc.emit.files import save_source
from graphc.emit.frame import Emitted, emit
from graphc.emit.model import Comments, Field, Model
from graphc.emit.naming import Namer
from graphc.emit.runtime import load
from graphc.emit.targets import Target
from graphc.emit.version import __version__
from graphc.errors import CompileError, UsageError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Program, rewrite_nodes
from graphc.language.graph import resolved, walk
from graphc.language.names import check_name
from graphc.language.variable import Variable
from graphc.ops.leaves import Input, new_input
from graphc.ops.samples import one_sample
from graphc.ops.stable import STABLE
from graphc.passes.pipeline import Pass, run
from graphc.stages import checked_target, lift_labels, pipeline


@dataclass(frozen=True)
class CompiledFunction:
    """Expressions compiled to one function; call it with arrays.

    Attributes
    ----------
    source : str
        The file's text; what runs here is this text.
    """

    model: Model
    emitted: Emitted
    _namespace: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> str:
        """The emitted file's text."""
        return self.emitted.source

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """Return the outputs for arrays in the order of the inputs.

        Raises
        ------
        UsageError
            If there are not as many arrays as inputs, or one is given by name.
        """
        inputs = self.model.inputs
        if named or len(arrays) != len(inputs):
            order = ", ".join(f.name for f in inputs)
            given = f"{', '.join(named)} by name" if named else f"{len(arrays)} arrays"
            raise UsageError(
                f"{self.model.name} takes {len(inputs)} arrays in their order, "
                f"{self.model.name}({order}); got {given}"
            )
        if not self._namespace:
            self._namespace.update(load(self.emitted, self.model.name, {}))
        return self._namespace[self.model.function](*arrays)  # type: ignore[index]

    def __copy__(self) -> CompiledFunction:
        return self

    def __deepcopy__(self, memo: Any) -> CompiledFunction:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self.emitted.unsaved:
            names = ", ".join(sorted(self.emitted.unsaved))
            raise CompileError(
                f"function '{self.model.name}' cannot be pickled: the other process would need the "
                f"functions behind {names}; give source='module:function' where they are declared"
            )
        return CompiledFunction, (self.model.without_nodes(), self.emitted.alone())

    def __repr__(self) -> str:
        order = ", ".join(f.name for f in self.model.inputs)
        target, style = self.model.target.name, self.model.style
        return f"<compiled {self.model.name}({order}): {target}, {self.model.dtype}, {style}>"

    def save(self, path: Any, force: bool = False) -> None:
        """Write the source to a file, at once or not at all.

        Raises
        ------
        OutputError
            If the file cannot be written, or exists and was not written by graphc.
        CompileError
            If the source needs a function of the user's whose module it does not know.
        """
        if self.emitted.unsaved:
            names = ", ".join(sorted(self.emitted.unsaved))
            raise CompileError(
                f"function '{self.model.name}' cannot be saved: the file would need the functions "
                f"behind {names}; give source='module:function' where they are declared"
            )
        save_source(path, self.emitted.source, self.emitted.arrays, force)


def compile_function(
    inputs: Sequence[Variable],
    outputs: Variable | Sequence[Variable],
    *,
    name: str = "f",
    target: str = "numpy",
    dtype: str = "float64",
    style: str = "fast",
    passes: tuple[Pass, ...] | None = None,
) -> CompiledFunction:
    """Compile expressions to one function; no sample axis is added.

    Parameters
    ----------
    inputs
        The variables that the function takes, in this order.
    outputs
        A variable: the function returns an array. A list: it returns a tuple, also of one.
    name
        The function's name in the file.
    target
        ``"numpy"`` or ``"cupy"``.
    dtype
        ``"float32"`` or ``"float64"``.
    style
        ``"fast"``, or ``"readable"``.
    passes
        The passes to run instead of the default ones.

    Raises
    ------
    CompileError
        If an output depends on a variable that is not among `inputs`, or as for :func:`compile`.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> x = gc.observed("x", shape="n")
    >>> square = gc.compile_function([x], gc.grad((x * x).sum(), x))
    >>> square(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    chosen = checked_target(target, dtype, style)
    checked = check_name(name, "a function")
    single = isinstance(outputs, Variable)
    if isinstance(inputs, Variable):
        raise CompileError("inputs are a list of variables, also of one: write [x]")
    given = _variables(inputs, "inputs")
    wanted = _variables((outputs,) if isinstance(outputs, Variable) else outputs, "outputs")
    if not wanted:
        raise CompileError("a function without outputs computes nothing; name at least one")
    program, lifted = lift_labels(_function_program(given, wanted))
    classes = [
        min((n for n in (v.declaration.classes, lifted.get(node)) if n is not None), default=None)
        for v, node in zip(given, program.inputs, strict=True)
    ]
    return function_of(
        run(program, pipeline(style, passes)),
        classes,
        name=checked,
        single=single,
        target=chosen,
        dtype=dtype,
        style=style,
    )


def _variables(listed: Any, told: str) -> tuple[Variable, ...]:
    found = tuple(listed) if isinstance(listed, Iterable) else (listed,)
    for v in found:
        if not isinstance(v, Variable):
            raise CompileError(
                f"{told} are variables, got {v!r}; gc.constant(...) makes one of a fixed array"
            )
    return found


def function_of(
    program: Program,
    classes: Sequence[int | None],
    *,
    name: str,
    single: bool,
    target: Target,
    dtype: str,
    style: str,
) -> CompiledFunction:
    """Return a finished program, whose inputs all have names, as one function."""
    fields = tuple(
        Field(program.names[node], node, node.shape, node.kind, known)
        for node, known in zip(program.inputs, classes, strict=True)
    )
    model = Model(
        name=name,
        target=target,
        dtype=dtype,
        style=style,
        version=__version__,
        batch=False,
        parameters=(),
        inputs=fields,
        program=program,
        forward=tuple(f"output{i}" for i in range(len(program.outputs))),
        has_loss=False,
        wrt=None,
        diagram=(),
        loss_formula="",
        comments=Comments(),
        cost_count=0,
        function=name,
        single=single,
    )
    return CompiledFunction(model, emit(model))


def _function_program(inputs: tuple[Variable, ...], outputs: tuple[Variable, ...]) -> Program:
    """Return the program from `inputs`, which may be computed variables, to `outputs`."""
    given = [v.node for v in inputs]
    if len(set(given)) < len(given):
        raise CompileError("a variable occurs twice among the inputs")
    behind = [v for v in walk((*outputs, *inputs)) if v.node not in given]
    values = resolved([v.node for v in outputs], behind)
    wanted = [values.get(v.node, v.node) for v in outputs]
    leaves = [node if isinstance(node, Input) else new_input(node.type) for node in given]
    # First cut at the inputs, then recognise: an input stays one, whatever it is computed from.
    replaced = {node: leaf for node, leaf in zip(given, leaves, strict=True) if node is not leaf}
    cut, _ = rewrite_nodes(wanted, (replaced.get,))
    new, _ = rewrite_nodes([cut[node] for node in wanted], STABLE)
    single, _ = one_sample([new[cut[node]] for node in wanted])
    results = tuple(single[new[cut[node]]] for node in wanted)
    names: dict[Node, str] = {}
    namer = Namer(())
    for v, leaf in zip(inputs, leaves, strict=True):
        names[leaf] = namer.fresh(v.name or "x")
    told = ", ".join(v.describe() for v in inputs) or "there are none"
    for node in topological(results, leaves):
        if isinstance(node, Input) and node not in names:
            raise CompileError(
                f"the outputs depend on {_who(node, outputs)}, which is not among the inputs "
                f"({told}): list it too, as in gc.compile_function([...], ...); what the function "
                "is not to take becomes a number with gc.constant"
            )
    return Program(tuple(leaves), results, names)


def _who(node: Node, outputs: Sequence[Variable]) -> str:
    """Return the name of the variable of a free node."""
    for v in walk(outputs):
        if v.node is node:
            return v.describe()
    return "an input"
