"""Compiling a graph: from its model to source code that is loaded and can be called.

graph ─▶ stages ─▶ source ─▶ program
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

import numpy as np

from graphc.emit.files import save_source
from graphc.emit.frame import Emitted, emit
from graphc.emit.model import Model
from graphc.emit.noise import noise_fields
from graphc.emit.runtime import load, paused_collector
from graphc.emit.tracing import Traced, trace
from graphc.errors import CompileError, UsageError
from graphc.flat import Objective, objective
from graphc.ir.program import Program
from graphc.language.graph import Graph, check_graph
from graphc.language.step import Rule
from graphc.language.variable import Variable
from graphc.ops.samples import SAMPLES
from graphc.passes.pipeline import Pass
from graphc.stages import checked_target, model_of, pipeline, unsaved_functions


@dataclass(frozen=True)
class Compiled:
    """A compiled graph: emitted source, loaded, with the functions that it defines.

    Attributes
    ----------
    graph : Graph
        What was compiled. A program that was pickled keeps its source alone.
    source : str
        The file's text; what runs here is this text.
    program : Program
        The finished program that the source was printed from.
    """

    _graph: Graph | None = field(repr=False)
    model: Model
    emitted: Emitted
    unsaved: Mapping[str, Any]
    cost: str | None = None
    _namespace: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def graph(self) -> Graph:
        """What was compiled."""
        if self._graph is None:
            raise CompileError(
                f"graph '{self.model.name}' is not in this process, for the program was pickled: "
                "it computes, but what needs the graph must be done where it was compiled"
            )
        return self._graph

    @property
    def source(self) -> str:
        """The emitted file's text."""
        return self.emitted.source

    @property
    def program(self) -> Program:
        """The program that the source was printed from."""
        _ = self.graph
        return self.model.program

    @property
    def origins(self) -> dict[int, Traced]:
        """The source map: block, use and rule of each line that computes, by number from 1."""
        return trace(self.emitted.lines, self.program.origins)

    @property
    def namespace(self) -> dict[str, Any]:
        """The names that the source defines; it is run at the first use."""
        if not self._namespace:
            name = f"{self.model.name}_{self.model.target.name}"
            self._namespace.update(load(self.emitted, name, self.unsaved))
        return self._namespace

    @property
    def inputs_per_sample(self) -> dict[str, bool]:
        """For each input that the loss needs, whether it has a sample axis."""
        return {
            f.name: self.model.batch and f.shape[:1] == (SAMPLES,) for f in self.model.loss_fields
        }

    @property
    def Params(self) -> Any:
        """The NamedTuple of the parameters."""
        return self.namespace[self.emitted.params]

    # Positional-only, so that a model's own `params`, `seed` or `self` can be given by name.

    def init_params(self, /, *args: int, **dims: int) -> Any:
        """Return the parameters to start from: ``init_params(seed=0, **dims)``.

        Named sizes are given by keyword.
        """
        return self._call("init_params", *args, **dims)

    def draw_noise(self, rng: Any, /, *args: int, **dims: int) -> dict[str, Any]:
        """Return the noise that was declared with :func:`graphc.noise`: ``draw_noise(rng, P)``.

        Parameters
        ----------
        rng
            A generator of NumPy's, or the seed of one.
        *args
            The number of samples, if the noise has a sample axis.
        **dims
            Named sizes of the noise.

        Returns
        -------
        dict
            Arrays by the names of the inputs, empty where nothing is drawn: as in
            ``program.loss(params, x=x, **program.draw_noise(rng, len(x)))``.
        """
        if not noise_fields(self.model):
            return {}
        drawn: dict[str, Any] = self._call("draw_noise", rng, *args, **dims)
        return drawn

    def forward(self, params: Any, /, *args: Any, **inputs: Any) -> Any:
        """Return what the graph was made of, or else what enters its costs.

        Raises
        ------
        CompileError
            If nothing is computed before the costs.
        """
        if not self.model.forward:
            raise CompileError(
                f"graph '{self.model.name}' computes nothing before its costs, so there is no "
                "forward; give gc.Graph what it is to return beside the costs"
            )
        return self._call("forward", params, *args, **inputs)

    def loss(self, params: Any, /, *args: Any, **inputs: Any) -> Any:
        """Return the average over the samples of the sum of the costs.

        Raises
        ------
        CompileError
            If the graph has no cost.
        """
        self._need_cost()
        return self._call("loss", params, *args, **inputs)

    def loss_and_grad(self, params: Any, /, *args: Any, **inputs: Any) -> Any:
        """Return the loss and its gradient.

        Raises
        ------
        CompileError
            If the graph has no cost.
        """
        self._need_cost()
        return self._call("loss_and_grad", params, *args, **inputs)

    def init_state(self, params: Any, /, seed: int = 0) -> Any:
        """Return what the update rule remembers before the first step.

        Raises
        ------
        CompileError
            If the graph was compiled without ``step=``.
        """
        self._need_step()
        return self.namespace["init_state"](params, seed)

    def train_step(self, params: Any, state: Any, /, *args: Any, **inputs: Any) -> Any:
        """Update `params` and `state` in place by one step, and return the loss before it.

        Raises
        ------
        CompileError
            If the graph was compiled without ``step=``.
        """
        self._need_step()
        return self._call("train_step", params, state, *args, **inputs)

    def as_scipy(self, params: Any, /, **inputs: Any) -> Objective:
        """Return the loss on the given data as a function of one flat vector.

        Its methods are what SciPy's optimisers take: ``fun`` (with ``jac=True``), ``hessp``,
        ``hess``; for least squares ``residuals`` and ``residuals_jacobian``.

        Raises
        ------
        CompileError
            If there is no cost, or an input is missing or unknown.
        """
        self._need_cost()
        return objective(
            self.graph, self.model, self.loss, self.loss_and_grad, params, inputs, self.cost
        )

    def save(self, path: Any, force: bool = False) -> None:
        """Write the source to a file, at once or not at all.

        What is written is what runs here: by default the fast style in float64. ``graphc build``
        writes a readable file and a fast one, in float32 unless told otherwise; they are those of
        ``compile(..., style="readable", dtype="float32")`` and of ``style="fast"``.

        Raises
        ------
        OutputError
            If the file cannot be written, or exists and was not written by graphc.
        CompileError
            If the source needs a function of the user's whose module it does not know.
        """
        unsaved = {*self.unsaved, *self.emitted.unsaved}
        if unsaved:
            names = ", ".join(sorted(unsaved))
            raise CompileError(
                f"graph '{self.model.name}' cannot be saved: the file would need the functions "
                f"behind {names}; give source='module:function' where they are declared"
            )
        save_source(path, self.emitted.source, self.emitted.arrays, force)

    def __copy__(self) -> Compiled:
        return self

    def __deepcopy__(self, memo: Any) -> Compiled:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self.unsaved or self.emitted.unsaved:
            names = ", ".join(sorted({*self.unsaved, *self.emitted.unsaved}))
            raise CompileError(
                f"graph '{self.model.name}' cannot be pickled: the other process would need the "
                f"functions behind {names}; give source='module:function' where they are declared"
            )
        return Compiled, (None, self.model.without_nodes(), self.emitted.alone(), {}, self.cost)

    def _call(self, name: str, /, *args: Any, **inputs: Any) -> Any:
        """Call a function of the source; where its arguments are others, say which it has."""
        function = self.namespace[name]
        try:
            return function(*args, **inputs)
        except TypeError as error:
            takes = signature(function)
            try:
                takes.bind(*args, **inputs)
            except TypeError:
                taken = ", ".join(takes.parameters)
                raise UsageError(f"{error}; it is called as {name}({taken})") from None
            raise

    def _need_cost(self) -> None:
        if not self.model.has_loss:
            raise CompileError(
                f"graph '{self.model.name}' has no cost, so there is no loss; "
                "gc.cost(expression) makes one"
            )

    def _need_step(self) -> None:
        if self.model.updates is None:
            raise CompileError(
                f"graph '{self.model.name}' was compiled without an update rule; give "
                "gc.compile(..., step=gc.sgd(lr=0.1))"
            )

    def __repr__(self) -> str:
        m = self.model
        return f"<compiled {m.name}: {m.target.name}, {m.dtype}, {m.style}>"


def compile(
    graph: Graph,
    *,
    target: str = "numpy",
    dtype: str = "float64",
    style: str = "fast",
    batch: bool = True,
    wrt: Sequence[Variable] | Variable | None = None,
    cost: str | None = None,
    allow_unused: bool = False,
    step: Rule | None = None,
    loop: bool = False,
    passes: tuple[Pass, ...] | None = None,
) -> Compiled:
    """Compile a graph to source code and load it.

    Parameters
    ----------
    graph
        The model, declared for one sample.
    target
        ``"numpy"`` or ``"cupy"``.
    dtype
        ``"float32"`` or ``"float64"``: of parameters, inputs and results.
    style
        ``"fast"``, or ``"readable"`` with a formula over each block.
    batch
        Whether inputs carry a leading sample axis P, and the loss is the mean over it.
    wrt
        The variables to differentiate by; by default all parameters.
    cost
        The name of the one cost to take, of several.
    allow_unused
        Zeros, instead of an error, for the gradient by what has no influence on the loss.
    step
        An update rule, such as ``gc.sgd(lr=0.1)``: the program then has ``init_state`` and
        ``train_step``.
    loop
        Whether the file carries a training loop too, ``train``, and trains when it is run with
        ``--train data.npz``.
    passes
        The passes to run instead of the default ones.

    Raises
    ------
    CompileError
        For an unknown target, dtype, style or cost; for a step without a cost, or one that would
        update what is no parameter.
    DerivativeError
        If the loss does not depend on a variable that it is to be differentiated by.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3)
    >>> net = gc.Graph(gc.cost((w @ x - 1.0) ** 2, name="C"), name="fit")
    >>> program = gc.compile(net)
    >>> loss, grads = program.loss_and_grad(program.init_params(), x=np.ones((5, 3)))
    >>> loss, grads.w.shape
    (1.0, (3,))
    """
    check_graph(graph, "compile")
    for name, flag in (("batch", batch), ("allow_unused", allow_unused), ("loop", loop)):
        if not isinstance(flag, bool | np.bool_):
            raise CompileError(f"{name} is True or False, got {flag!r}")
    chosen = checked_target(target, dtype, style)
    with paused_collector():
        model = model_of(
            graph,
            chosen,
            dtype,
            style,
            batch,
            wrt,
            cost,
            allow_unused,
            step,
            loop,
            pipeline(style, passes),
        )
        return Compiled(graph, model, emit(model), unsaved_functions(graph), cost)
