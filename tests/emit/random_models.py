"""Random models over all node kinds, compiled in every way that there is, and what they must give.

The steps are those of `tests.passes.test_random_programs`; here the leaves are declared variables.
The truth is the program before any pass, evaluated by the reference; how far emitted code may be
from it is found by evaluating it again with a rounding error put on every intermediate result.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import graphc as gc
from graphc.control.fixed_point import PRECISION, FixedPoint
from graphc.ir.nodes import topological
from graphc.ir.program import Program
from graphc.language.graph import Graph
from graphc.language.variable import Variable
from graphc.ops.elementwise import elementwise
from graphc.ops.rules import RULES
from graphc.ops.samples import OVER, over_samples
from graphc.stages import batched_program, chosen_costs, differentiated, stable_program
from graphc.stages import with_backward as backward_program
from tests.emit.models import numpy_as_cupy
from tests.numerics import scalar
from tests.passes.test_random_programs import SIZES, Builder, N

SAMPLES = 2
WAYS = (("numpy", "fast"), ("numpy", "readable"), ("cupy", "readable"))
ROLES = ("parameter", "observed", "observed", "shared", "latent")


class Models(Builder):
    """Grows a model: leaves are parameters, inputs of one sample, and inputs of all of them."""

    iterated: ClassVar = {}  # as exactly as the file's dtype allows

    def __init__(self, draw, reaching=True):
        self.variables = []
        super().__init__(draw)
        anchor = self.input((N,))  # some input has the named size, read or not
        self.feed[anchor] = self.rng.uniform(-1.5, 1.5, SIZES["n"])
        if reaching and not self.count(0, 3):
            self.reaching()

    def input(self, shape, kind="real"):
        name = f"x{len(self.variables)}"
        role = self.choose(ROLES) if kind == "real" else self.choose(["observed", "shared"])
        if role == "parameter":
            variable = gc.parameter(name, shape)
        elif role == "latent":
            variable = gc.latent(name, shape)
        else:
            shared = {"per_sample": role == "observed"}
            classes = {"classes": 2} if kind == "integer" else {}
            variable = gc.observed(name, shape, **classes, **shared)
        self.variables.append(variable)
        return variable.node

    def reaching(self):
        """What reaches across samples; of one sample, which the steps evaluate, it is itself."""
        made = over_samples(self.choose(OVER[:2]), elementwise("tanh", self.pick()))
        self.keep(elementwise("sin", made))

    def model(self):
        """A graph of one or two costs and a forward result, and the data of its variables."""
        ends = self.nodes[-2:]
        costs = [
            gc.cost(self.made(scalar(node, seed)), name=f"C{seed}")
            for seed, node in enumerate(ends)
        ]
        result = self.made(ends[0], "result")
        return Drawn(Graph(*costs, result, name="drawn"), costs, self.data())

    def made(self, node, name=None):
        return Variable(node, operands=tuple(self.variables), name=name)

    def data(self):
        return {v.name: self.feed[v.node] for v in self.variables}


@dataclass
class Drawn:
    """A model and its data: for each variable, the value in the first sample."""

    graph: Graph
    costs: list
    data: dict


def in_samples(value):
    """A value in every sample: other numbers, of the same signs."""
    if value.dtype.kind == "f":
        return np.stack([value * (1 - 0.1 * p) for p in range(SAMPLES)])
    return np.stack([value if p % 2 == 0 else 1 - value for p in range(SAMPLES)])


def whole_program(graph, batch, wrt):
    """The loss, what `forward` returns and the gradients, before any pass; and their leaves."""
    targets = differentiated(graph, wrt)
    costs = chosen_costs(graph, None)
    stable = stable_program(graph, costs, targets)
    batched, count = batched_program(graph, stable, len(costs), batch)
    whole, _, _ = backward_program(graph, batched, count, targets, costs, True, None)
    leaves = {v.name: batched.leaves.get(v.node, v.node) for v in graph.inputs + graph.parameters}
    return whole, count, leaves


def noisy(outputs, feed, sizes, eps, rng):
    """The values of `outputs`, a rounding error put on every result of real numbers."""

    def rounded(x):
        if isinstance(x, tuple):
            return tuple(map(rounded, x))
        x = np.asarray(x)
        if x.dtype.kind != "f":
            return x
        return x * (1 + eps * rng.uniform(-1, 1, x.shape))

    known = {node: rounded(x) for node, x in feed.items()}
    with np.errstate(all="ignore"):
        for node in topological(outputs, tuple(known)):
            if node not in known:
                found = RULES[type(node)].evaluate(node, [known[a] for a in node.args], sizes)
                if isinstance(node, FixedPoint):  # settles to fewer digits
                    found = tuple(x * (1 + 4 * eps**PRECISION) for x in found)
                known[node] = rounded(found) if node.args else found
    return [known[node] for node in outputs]


class Truth:
    """The exact values of nodes, and how far rounding may carry them."""

    def __init__(self, outputs, feed, sizes, dtype):
        eps = float(np.finfo(dtype).eps)
        rng = np.random.default_rng(5)
        feed = {
            node: x.astype(dtype).astype(float) if x.dtype.kind == "f" else x
            for node, x in feed.items()
        }
        self.values, self.allowed = [np.nan], [0.0]
        try:
            exact = noisy(outputs, feed, sizes, 0.0, rng)
            runs = [noisy(outputs, feed, sizes, 2 * eps, rng) for _ in range(4)]
        except ArithmeticError:  # a fixed point of what is not a number
            return
        self.values, self.allowed = exact, []
        for i, exact in enumerate(self.values):
            scale = max(1.0, float(np.max(np.abs(exact), initial=0)))
            apart = max(float(np.max(np.abs(run[i] - exact), initial=0)) for run in runs)
            self.allowed.append(64 * eps * scale + 30 * apart)

    @property
    def tells(self):
        """Whether all values are numbers, and rounding leaves them in sight."""
        return all(
            np.isfinite(v).all() and a <= 0.02 * max(1.0, float(np.max(np.abs(v), initial=0)))
            for v, a in zip(self.values, self.allowed, strict=True)
        )

    def check(self, i, got, where):
        expected = self.values[i]
        assert np.shape(got) == np.shape(expected), where
        np.testing.assert_allclose(got, expected, rtol=0, atol=self.allowed[i], err_msg=str(where))


def check_model(drawn, *, batch, dtype, wrt):
    """Compare `loss`, `loss_and_grad` and `forward` of all ways of emission with the truth.

    Returns whether there was something to compare.
    """
    graph = drawn.graph
    known = {v.name: v for v in graph.inputs + graph.parameters}
    targets = {"parameters": None, "inputs": graph.inputs, "all": tuple(known.values())}[wrt]
    if targets is not None:
        targets = tuple(v for v in targets if v.kind == "real")
    whole, count, leaves = whole_program(graph, batch, targets)
    per_sample = {v.name for v in graph.inputs if batch and v.declaration.per_sample}
    data = {
        name: in_samples(x) if name in per_sample else x
        for name, x in drawn.data.items() if name in leaves
    }  # fmt: skip
    feed = {leaves[name]: x for name, x in data.items()}
    truth = Truth(list(whole.outputs), feed, {**SIZES, "P": SAMPLES}, dtype)
    if not truth.tells:
        return False
    for target, style in WAYS:
        where = (target, style, dtype, "batch" if batch else "one", wrt)
        made = gc.compile(
            graph, target=target, style=style, dtype=dtype, batch=batch, wrt=targets,
            allow_unused=True,
        )  # fmt: skip
        if target == "cupy":
            with numpy_as_cupy():
                _ = made.namespace
        params = made.Params(**{v.name: data[v.name] for v in graph.parameters})
        fields = {f.name: data[f.name] for f in made.model.loss_fields}
        truth.check(count, made.loss(params, **fields), (*where, "loss"))
        loss, grads = made.loss_and_grad(params, **fields)
        truth.check(count, loss, (*where, "loss"))
        for i, g in enumerate(grads):
            truth.check(count + 1 + i, g, (*where, grads._fields[i]))
        fields = {f.name: data[f.name] for f in made.model.forward_fields}
        found = made.forward(params, **fields)
        for i, y in enumerate(found if count > 1 else [found]):
            truth.check(i, y, (*where, "forward", i))
    return True


def check_function(drawn, *, dtype, order):
    """Compare emitted functions of derivatives with the reference: up to the second order.

    Returns whether there was something to compare.
    """
    graph = drawn.graph
    wrt = [v for v in graph.inputs + graph.parameters if v.kind == "real"]
    cost = sum(drawn.costs[1:], drawn.costs[0])
    inputs = list(graph.inputs + graph.parameters)
    outputs = [cost, *gc.grad(cost, wrt, allow_unused=True)]
    feed = {v: drawn.data[v.name] for v in inputs}
    if order == "hvp":
        along = [gc.observed(f"t_{v.name}", v.shape) for v in wrt]
        outputs += gc.hvp(cost, wrt, along, allow_unused=True)
        rng = np.random.default_rng(3)
        inputs += along
        feed |= {t: rng.normal(size=feed[v].shape) for t, v in zip(along, wrt, strict=True)}
    elif order == "hessian":
        outputs += gc.hessian(cost, wrt[:1], allow_unused=True)[0]
    programs = [
        gc.compile_function(inputs, outputs, target=t, style=s, dtype=dtype) for t, s in WAYS
    ]
    nodes = unpassed(inputs, outputs)
    leaves = {leaf: feed[v] for leaf, v in zip(nodes.inputs, inputs, strict=True)}
    truth = Truth(list(nodes.outputs), leaves, SIZES, dtype)
    if not truth.tells:
        return False
    for program, way in zip(programs, WAYS, strict=True):
        if way[0] == "cupy":
            with numpy_as_cupy():
                found = program(*feed.values())
        else:
            found = program(*feed.values())
        for i, y in enumerate(found):
            truth.check(i, y, (*way, dtype, order, i))
    return True


def unpassed(inputs, outputs) -> Program:
    """The program that `compile_function` runs the passes on."""
    from graphc.compile_function import _function_program

    return _function_program(tuple(inputs), tuple(outputs))
