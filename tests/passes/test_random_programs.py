"""Random programs over all node kinds: both modes, differences, the sample axis, every pass."""

from typing import ClassVar

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import graphc as gc
from graphc.batching import batch_nodes
from graphc.calculus.derived import tangent
from graphc.calculus.reverse import gradient
from graphc.errors import ShapeError
from graphc.ir.nodes import topological
from graphc.ir.program import Origin, Program, verify
from graphc.language.variable import Variable
from graphc.ops.contraction import broadcast_to, contract, sum_axes
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.indexing import Gather, ScatterAdd
from graphc.ops.leaves import Iota, Size, constant, new_input
from graphc.ops.reduction import reduction
from graphc.ops.rules import RULES
from graphc.ops.samples import OVER, OverSamples, over_samples
from graphc.ops.several import Bundle
from graphc.ops.structural import Pad, Slice, reshape
from graphc.passes.dce import dce
from graphc.passes.expand import expand
from graphc.passes.fold import fold
from graphc.passes.lower import is_matmul, lower
from graphc.passes.order import order
from graphc.passes.pipeline import DEFAULT, run
from graphc.passes.simplify import simplify
from graphc.passes.sink import sink
from graphc.types import TensorType, broadcast, evaluate, named, size_of
from tests.numerics import close, scalar, value
from tests.passes.random_steps import Steps

PASSES = (fold, simplify, expand, sink, order, lower, dce)
N = named("n")
SIZES = {"n": 3}
LARGEST = 36  # elements
FIXED = settings(
    max_examples=180, derandomize=True, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip

UNARY = ("tanh", "sin", "sigmoid", "softplus", "log_sigmoid", "square", "negative", "arctan",
         "relu", "absolute", "cos", "floor", "sign")  # fmt: skip
POSITIVE = ("sqrt", "log", "reciprocal", "log1p")
BINARY = ("add", "subtract", "multiply", "maximum", "minimum", "remainder")
REDUCERS = ("max", "min", "logsumexp", "softmax", "log_softmax")


class Builder(Steps):
    """A program that grows by random steps; it keeps nodes of moderate size and values.

    Only seed and number of steps are drawn: drawn choices would be small ones, mostly.
    """

    iterated: ClassVar = {"tol": 1e-13}  # of fixed points

    def __init__(self, draw):
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32)))
        self.feed, self.nodes = {}, []
        for _ in range(2):
            self.leaf()
        self.index = self.input((2,), "integer")
        self.feed[self.index] = np.array([self.count(0, 1), self.count(0, 1)])
        for _ in range(draw(st.integers(3, 14))):
            getattr(self, self.choose(STEPS))()

    def choose(self, options):
        return options[self.rng.integers(len(options))]

    def count(self, low, high):
        return int(self.rng.integers(low, high + 1))

    @property
    def inputs(self):
        return [node for node in self.feed if node.kind == "real"]

    def keep(self, node):
        if node.type.rank > 3 or evaluate(size_of(node.shape), SIZES) > LARGEST:
            return
        held = value(node, self.feed, **SIZES)
        if held.size and np.isfinite(held).all() and np.abs(held).max() < 20:
            self.nodes.append(node)

    def pick(self):
        return self.nodes[-1 - self.count(0, min(3, len(self.nodes) - 1))]

    def shape(self):
        return tuple(self.choose([2, 3, N, 1]) for _ in range(self.count(0, 2)))

    def input(self, shape, kind="real"):
        return new_input(TensorType(shape, kind))

    def leaf(self):
        node = self.input(self.shape())
        self.feed[node] = self.rng.uniform(-1.5, 1.5, [evaluate(d, SIZES) for d in node.shape])
        self.nodes.append(node)

    def number(self):
        value_ = self.choose([0.0, 1.0, -1.0, 2.0, 0.5])
        self.keep(self.choose([
            constant(value_), constant(np.full((2, 3), value_)), constant(self.rng.normal(size=3)),
            Size((), N), as_real(Iota((), N)),
        ]))  # fmt: skip

    def unary(self):
        self.keep(elementwise(self.choose(UNARY), self.pick()))

    def positive(self):
        above = elementwise("add", elementwise("square", self.pick()), constant(0.5))
        self.keep(elementwise(self.choose(POSITIVE), above))

    def binary(self):
        self.join(lambda a, b: elementwise(self.choose(BINARY), a, b))

    def quotient(self):
        self.join(lambda a, b: elementwise(
            "divide", a, elementwise("add", elementwise("square", b), constant(0.5))
        ))  # fmt: skip

    def power(self):
        self.join(lambda a, b: elementwise(
            "power", elementwise("add", elementwise("square", a), constant(0.5)), b
        ))  # fmt: skip

    def whole_power(self):
        exponent = constant(self.choose([0.0, 1.0, 2.0, 3.0]))
        self.keep(elementwise("power", self.pick(), exponent))

    def choice(self):
        self.join(lambda a, b: elementwise("where", elementwise("greater", a, b), a, b))

    def join(self, make):
        a, b = self.pick(), self.pick()
        try:
            broadcast(a.shape, b.shape)
        except ShapeError:
            return
        self.keep(make(a, b))

    def contraction(self):
        args = [self.pick() for _ in range(self.count(1, 3))]
        # Two labels for each size, so that diagonals and shared axes come about.
        labels = {}
        inputs = [
            tuple(labels.setdefault((str(d), self.count(0, 1)), len(labels)) for d in arg.shape)
            for arg in args
        ]
        held = sorted({label for part in inputs for label in part})
        extra = {10: self.choose([1, 2, N])}
        output = [self.choose([*held, 10]) for _ in range(self.count(0, 3))]
        self.keep(contract(args, inputs, tuple(output), extra))

    def reduce(self):
        node = self.pick()
        axes = tuple(a for a in range(node.type.rank) if self.count(0, 1))
        self.keep(reduction(self.choose(REDUCERS), node, axes))

    def product(self):
        node = elementwise("exp", elementwise("tanh", self.pick()))
        axes = tuple(a for a in range(node.type.rank) if self.count(0, 1))
        self.keep(reduction("prod", node, axes))

    def reshape(self):
        node = self.pick()
        at = self.count(0, node.type.rank)
        shapes = [
            (size_of(node.shape),), (*node.shape[:at], 1, *node.shape[at:]), node.shape[::-1]
        ]  # fmt: skip
        self.keep(reshape(node, self.choose(shapes)))

    def broadcast(self):
        node = self.pick()
        front = self.choose([(2,), (N,), (1,)])
        grown = tuple(2 if dim == 1 and self.count(0, 1) else dim for dim in node.shape)
        self.keep(broadcast_to(node, (*front, *grown)))

    def slice(self):
        node = self.pick()
        spans = []
        for dim in node.shape:
            spans.append(self.choose(
                [(0, dim, 1), (dim - 1, dim, -1), (dim - 1, 1, 1)]
                + ([(1, dim - 1, 1)] if dim != 1 else [])
                + ([(0, 2, 2)] if dim == 3 else [])
            ))  # fmt: skip
        self.keep(Slice((node,), tuple(spans)))

    def pad(self):
        node = self.pick()
        steps = [self.choose([1, -1, 2]) for _ in node.shape]
        spans, target = [], []
        for dim, step in zip(node.shape, steps, strict=True):
            first = {1: self.count(0, 1), -1: dim - 1, 2: 1}[step]
            spans.append((first, dim, step))
            target.append(dim * 2 if step == 2 else dim + 1)
        self.keep(Pad((node,), tuple(spans), tuple(target)))

    def fitting(self):
        """A node and an axis of it of two elements or more, and axes that go along."""
        node = self.pick()
        axes = [a for a, dim in enumerate(node.shape) if evaluate(dim, SIZES) > 1]
        return (node, self.choose(axes)) if axes else (None, None)

    def batch_axes(self, node, axis):
        return 1 if axis > 0 and node.shape[0] == 2 and self.count(0, 1) else 0

    def gather(self):
        node, axis = self.fitting()
        if node is not None:
            self.keep(Gather((node, self.index), axis, self.batch_axes(node, axis)))

    def scatter(self):
        node, axis = self.fitting()
        if node is None:
            return
        batch = self.batch_axes(node, axis)
        read = Gather((node, self.index), axis, batch)
        update = elementwise("sin", read)
        base = self.choose([node, broadcast_to(constant(0.0), node.shape)])
        self.keep(ScatterAdd((base, self.index, update), axis, batch))

    def mixed(self, count):
        """A function of several variables, random and the same at every call."""
        recipe = [(self.count(0, 7), self.count(0, 9), self.count(0, 9)) for _ in range(count)]

        def f(*given):
            pool = list(given)
            for operation, i, j in recipe:
                pool.append(mix(operation, pool[i % len(pool)], pool[j % len(pool)]))
            return pool[-1]

        return f

    def loop(self):
        start, rows, outer = (Variable(self.pick()) for _ in range(3))
        if not rows.ndim:
            return
        f, g = self.mixed(self.count(1, 4)), self.mixed(self.count(1, 3))
        reads, nested = bool(self.count(0, 3)), bool(self.count(0, 1)) and rows.ndim > 1

        def step(h, x):
            v = f(h, x, outer) if reads else f(x, outer)
            if nested:
                v = gc.scan(lambda s, r: (np.sin(s + r.sum()), None), v, x)[0]
            after = np.sin(v) + 0.3 * h if v.shape == h.shape else np.tanh(h + 0.5 * v.sum())
            return after, (g(h, x, v), after)

        last, (ys, hs) = gc.scan(step, start, rows, reverse=bool(self.count(0, 1)))
        for found in (last, ys, hs):
            if self.count(0, 1):
                self.keep(found.node)

    def mapped(self):
        """A function for many at once, perhaps with a loop in it."""
        rows, outer = Variable(self.pick()), Variable(self.pick())
        if not rows.ndim:
            return
        f, looped = self.mixed(self.count(1, 4)), bool(self.count(0, 1))

        def one(x):
            made = f(x, outer)
            if looped and x.ndim:
                last, _ = gc.scan(lambda h, r: (np.sin(h + r.sum()), h), made, x)
                made = last * made
            return np.sin(made)

        self.keep(gc.vmap(one)(rows).node)

    def repeated(self):
        """A loop of unknown length, of what has no derivative: reverse mode does not go through."""
        a, rows = (np.floor(2 * np.sin(Variable(self.pick()))) for _ in range(2))

        def more(start):
            return gc.while_loop(
                lambda v: (np.abs(v[0]).sum() < 4) & (v[1] < 5),
                lambda v: (1.5 * v[0] + np.tanh(a).sum(), v[1] + 1), (start, 0),
            )  # fmt: skip

        made = gc.vmap(more)(rows) if rows.ndim and self.count(0, 1) else more(rows)
        self.keep(made[0].node)
        self.keep(as_real(made[1].node))

    def branch(self):
        a, b, c = (Variable(self.pick()) for _ in range(3))
        f, g = self.mixed(2), self.mixed(2)
        level = float(self.choose([-1.0, 0.0, 1.0]))
        if not self.count(0, 2):
            level = 50.0
        shape = f(a, b).shape
        made = gc.cond(
            a.sum() > level,
            lambda u, v: f(u, v),
            lambda u, v: g(u, v, c) if g(u, v, c).shape == shape else np.sin(f(u, v)),
            a, b,
        )  # fmt: skip
        self.keep(made.node)

    def equilibrium(self):
        a, b = Variable(self.pick()), Variable(self.pick())
        try:
            shape = broadcast(a.shape, b.shape)
        except ShapeError:
            return
        start = Variable(broadcast_to(constant(0.0), shape))
        z = gc.fixed_point(lambda z: 0.4 * np.sin(z * np.tanh(a)) + b, start, **self.iterated)
        self.keep(z.node)


def mix(operation, a, b):
    """A variable of two, whatever their shapes."""
    if operation == 0:
        return np.tanh(a)
    if operation == 1:
        return a.sum() * np.cos(b)
    if operation == 2 and a.ndim == 2 and b.ndim and a.shape[1] == b.shape[0]:
        return a @ b if b.ndim < 3 else np.sin(b)
    if operation == 3:
        return np.where(a > 0.2, a, 0.5 * a)
    if operation > 5 and a.ndim in (1, 2) and isinstance(a.shape[-1], int) and a.shape[-1] > 1:
        v = np.tanh(a)
        m = v[..., :, None] * v[..., None, :] + np.diag(1.5 + np.arange(a.shape[-1]))
        if operation == 6:
            return np.linalg.solve(m, v[..., None])[..., 0]
        return np.linalg.eigh(m)[0] + np.linalg.cholesky(m).sum(-1)
    try:
        broadcast(a.shape, b.shape)
    except ShapeError:
        return np.sin(a) * b.sum()
    return a * b if operation == 4 else a + 0.5 * b


STEPS = ("leaf", "number", "unary", "unary", "positive", "binary", "binary", "quotient", "power",
         "whole_power", "choice", "contraction", "contraction", "contraction", "reduce", "product",
         "reshape", "broadcast", "slice", "pad", "gather", "scatter",
         "loop", "loop", "mapped", "repeated", "branch", "equilibrium", "row",
         "row", "row", "reducer", "reducer",
         "joined", "scatter_set", "window", "window", "folded", "matrix", "matrix", "matrix",
         "opaque", "overridden", "running")  # fmt: skip


@st.composite
def programs(draw):
    """A scalar, the nodes that it is derived by, and their values."""
    builder = Builder(draw)
    parts = [scalar(node, seed) for seed, node in enumerate(builder.nodes[-2:])]
    c = elementwise("add", *parts) if len(parts) > 1 else parts[0]
    return c, builder.inputs, builder.feed


def directions(inputs, feed, seed=1):
    rng = np.random.default_rng(seed)
    return {x: rng.normal(size=feed[x].shape) for x in inputs}


def slope(node, feed, along, h=1e-5, **sizes):
    """The derivative of `node` along a direction, by central differences; None at a kink."""

    def moved(step):
        return value(
            node, feed | {x: feed[x] + step * t for x, t in along.items()}, **SIZES | sizes
        )

    near = (moved(h) - moved(-h)) / (2 * h)
    far = (moved(2 * h) - moved(-2 * h)) / (4 * h)
    forward = (moved(h) - moved(0)) / h
    smooth = np.abs(near - far) < 1e-5 * (1 + np.abs(near))
    return (4 * near - far) / 3 if np.all(smooth & (np.abs(forward - near) < 1e-1)) else None


def derivatives(c, inputs):
    """First derivatives in both modes and a second one, by inputs for the tangents."""
    tangents = [new_input(x.type) for x in inputs]
    grads = gradient([c], [constant(1.0)], inputs)
    along = tangent(c, inputs, tangents)
    pairs = [elementwise("multiply", g, t) for g, t in zip(grads, tangents, strict=True)]
    curved = [sum_axes(pair, range(pair.type.rank)) for pair in pairs]
    total = curved[0]
    for part in curved[1:]:
        total = elementwise("add", total, part)
    seconds = gradient([total], [constant(1.0)], inputs)
    return tangents, grads, along, total, seconds


def test_every_kind_is_drawn():
    """A new kind needs a step that makes it, or a derivative that does."""
    found = set()

    @settings(FIXED, max_examples=150)
    @given(programs())
    def draw(case):
        c, inputs, _ = case
        first = gradient([c], [constant(1.0)], inputs)
        found.update(type(node) for node in topological([c, *first]))

    draw()
    # Bundles are cotangents on their way; what reaches across samples has a test of its own.
    assert found >= set(RULES) - {Bundle, OverSamples}


@FIXED
@given(programs())
def test_both_modes_and_differences_agree(case):
    c, inputs, feed = case
    tangents, _, along, total, seconds = derivatives(c, inputs)
    moves = directions(inputs, feed)
    fed = feed | dict(zip(tangents, moves.values(), strict=True))
    forward, reverse = value([along, total], fed, **SIZES)
    close(forward, reverse, 1e-9, "forward against reverse")
    numeric = slope(c, feed, moves)
    if numeric is None:  # a kink within the step
        return
    close(reverse, numeric, 1e-5, "reverse against differences")
    other = directions(inputs, feed, seed=2)
    numeric = slope(total, fed, other)
    if numeric is not None:
        found = value(seconds, fed, **SIZES)
        got = sum(np.sum(s * t) for s, t in zip(found, other.values(), strict=True))
        close(got, numeric, 1e-4, "second order against differences")


def whole(case):
    """A program with the derivatives among its outputs, and the values of all its inputs."""
    c, inputs, feed = case
    tangents, grads, along, _, seconds = derivatives(c, inputs)
    fed = feed | dict(zip(tangents, directions(inputs, feed).values(), strict=True))
    outputs = (c, *grads, along, *seconds)
    names = {node: f"x{i}" for i, node in enumerate(fed)} | {c: "C"}
    return verify(Program(tuple(fed), outputs, names, {c: Origin("C")})), fed


@FIXED
@given(programs())
def test_every_pass_preserves_values(case):
    program, feed = whole(case)
    expected = value(list(program.outputs), feed, **SIZES)
    for step in (*PASSES, run):
        done = verify(step(program))
        assert [node.type for node in done.outputs] == [node.type for node in program.outputs]
        assert done.inputs == program.inputs
        for got, want in zip(value(list(done.outputs), feed, **SIZES), expected, strict=True):
            close(got, want, 1e-9, step.__name__)


@FIXED
@given(programs())
def test_what_the_pipeline_leaves(case):
    program, _ = whole(case)
    done = run(program)
    for node in topological(done.outputs):
        name = type(node).__name__
        if name == "Contraction":
            assert len(node.args) == 1 or is_matmul(node)
        if name == "Reduction":
            assert node.function not in ("softmax", "log_softmax", "logsumexp")
        if name in ("Gather", "ScatterAdd"):
            assert node.batch in (0, node.axis)
    assert done.names.keys() <= set(done.nodes()) | set(done.inputs)
    assert set(done.origins) <= set(done.nodes())


@FIXED
@given(programs(), st.randoms(use_true_random=False))
def test_the_sample_axis_before_and_after_the_passes(case, random):
    c, inputs, feed = case
    chosen = [x for x in feed if random.random() < 0.6] or inputs[:1]
    samples = named("P")
    leaves = {x: new_input(TensorType((samples, *x.shape), x.kind)) for x in chosen}
    new, varying, _ = batch_nodes([c], leaves, samples)
    if c not in varying:  # the cost does not depend on what was chosen
        return
    stacked = dict(feed)
    for x, leaf in leaves.items():
        kind = feed[x].dtype.kind
        rows = [feed[x], feed[x] * 0.9] if kind == "f" else [feed[x], 1 - feed[x]]
        stacked[leaf] = np.stack(rows)
    sizes = SIZES | {"P": 2}
    batched = new[c]
    got = value(batched, stacked, **sizes)
    for p in range(2):
        one = feed | {x: stacked[leaf][p] for x, leaf in leaves.items()}
        close(got[p], value(c, one, **sizes), 1e-9, f"sample {p}")
    summed = sum_axes(batched, (0,))
    wrt = [leaves.get(x, x) for x in inputs]
    grads = gradient([summed], [constant(1.0)], wrt)
    given_ = (*wrt, *(x for x in stacked if x not in wrt))
    done = run(Program(given_, (batched, *grads)), DEFAULT)
    expected = value([batched, *grads], stacked, **sizes)
    for a, b in zip(value(list(done.outputs), stacked, **sizes), expected, strict=True):
        close(a, b, 1e-9, "the pipeline over samples")
    # Gradients of what all samples share are the sums of the samples' own.
    for x, g in zip(inputs, expected[1:], strict=True):
        alone = gradient([c], [constant(1.0)], [x])[0]
        parts = [
            value(alone, feed | {y: stacked[leaf][p] for y, leaf in leaves.items()}, **sizes)
            for p in range(2)
        ]
        close(g, np.stack(parts) if x in leaves else sum(parts), 1e-9, "gradient over samples")


@settings(FIXED, max_examples=60)
@given(programs(), st.sampled_from(OVER))
def test_what_reaches_across_samples(case, function):
    """A mean, a sum or a stack over the samples, and its gradient, against differences."""
    c, inputs, feed = case
    reach = over_samples(function, elementwise("tanh", c))
    d = elementwise("multiply", c, sum_axes(elementwise("square", reach), range(reach.type.rank)))
    leaves = {x: new_input(TensorType((named("P"), *x.shape), x.kind)) for x in inputs[:1]}
    new, varying, _ = batch_nodes([d], leaves, named("P"))
    if d not in varying:
        return
    (x,), (leaf,) = leaves, leaves.values()
    sizes = SIZES | {"P": 3}
    fed = feed | {leaf: np.stack([feed[x], 0.9 * feed[x], -0.4 * feed[x]])}
    each = np.array([value(c, feed | {x: row}, **SIZES) for row in fed[leaf]])
    tanh = np.tanh(each)
    over = {"mean": tanh.mean() ** 2, "sum": tanh.sum() ** 2, "all": (tanh**2).sum()}[function]
    close(value(new[d], fed, **sizes), each * over, 1e-9, function)
    summed = sum_axes(new[d], (0,))
    wrt = [leaf, *inputs[1:]]
    grads = gradient([summed], [constant(1.0)], wrt)
    moves = directions(wrt, fed)
    numeric = slope(summed, fed, moves, **sizes)
    if numeric is not None:
        found = value(grads, fed, **sizes)
        got = sum(np.sum(g * t) for g, t in zip(found, moves.values(), strict=True))
        close(got, numeric, 1e-5, "gradient across samples")
