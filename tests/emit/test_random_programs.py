"""Random programs: both styles, the CuPy file, the reference evaluation and differences agree.

The first part draws models as users write them, with blocks, loops and branches. The second draws
every node kind and every row of the tables (`tests.emit.random_models`).
"""

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import graphc as gc
from graphc.ir.nodes import topological
from graphc.language.graph import Graph
from graphc.ops.rules import RULES
from graphc.ops.several import Bundle
from tests.emit.models import agree
from tests.emit.random_models import Models, check_function, check_model, whole_program

UNARY = [
    np.tanh,
    np.sin,
    lambda v: np.exp(0.3 * np.tanh(v)),
    lambda v: 1 / (1.5 + np.sin(v)),
    np.square,
    lambda v: -v,
    lambda v: v - 0.5,
    lambda v: 3 * v / 4,
    gc.sigmoid,
    gc.softplus,
    gc.relu,
    gc.softmax,
    gc.log_softmax,
]


def product_of(v, **options):
    """A product whose factors are not 0, where its gradient has its difficulties."""
    return np.prod(1.5 + np.sin(v), **options)


BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (b * b + 1),
    np.maximum,
    lambda a, b: np.where(a > b, a * b, b),
    lambda a, b: a * (b > 0.1),
]


class Builder:
    """Grows a model from draws: each takes one or two earlier results and adds one."""

    def __init__(self, draw):
        self.draw = draw
        shapes = [(2, 3), (3,), (3, 3), (2, 2, 3), (), (3, 1)]
        x, v = (gc.observed(n, shape=self.pick(shapes)) for n in ("x", "v"))
        w, u = (gc.parameter(n, shape=self.pick(shapes)) for n in ("w", "u"))
        self.index = gc.observed("i", classes=2)
        self.indices = gc.observed("js", classes=2, shape=(3,))
        self.shared = gc.observed("k", classes=2, shape=2, per_sample=False)
        self.pool = [w, x, u, v]

    def pick(self, choices):
        return choices[self.draw(st.integers(0, len(choices) - 1))]

    def take(self):
        return self.pool[-1 - self.draw(st.integers(0, len(self.pool) - 1))]

    def grow(self):
        kinds = [self.unary, self.binary, self.product, self.reduced, self.moved, self.reshaped,
                 self.sliced, self.gathered, self.diagonal, self.loop, self.branch]  # fmt: skip
        made = self.pick(kinds)()
        if made is not None and int(np.prod(made.shape, dtype=int)) <= 200:
            self.pool.append(made)

    def unary(self):
        v, f = self.take(), self.pick(UNARY)
        return v if not v.shape and f in (gc.softmax, gc.log_softmax) else f(v)

    def binary(self):
        a, b = self.take(), self.take()
        try:
            np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            return None
        return self.pick(BINARY)(a, b)

    def product(self):
        a, b = self.take(), self.take()
        if a.shape and b.shape and a.shape[-1] == b.shape[-2 if b.ndim > 1 else -1]:
            try:
                np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
            except ValueError:
                return np.dot(a, b) if a.ndim + b.ndim < 5 else None
            return a @ b
        return np.outer(a, b) if a.ndim == b.ndim == 1 else None

    def reduced(self):
        v = self.take()
        if not v.shape:
            return None
        axis = self.draw(st.integers(0, v.ndim - 1))
        f = self.pick([np.sum, np.mean, np.max, np.min, product_of, gc.logsumexp])
        return f(v, axis=axis, keepdims=self.draw(st.booleans()))

    def moved(self):
        v = self.take()
        return np.transpose(v, self.draw(st.permutations(range(v.ndim))))

    def reshaped(self):
        v = self.take()
        if not v.shape or self.draw(st.booleans()):
            return np.expand_dims(v, self.draw(st.integers(0, v.ndim)))
        return v.reshape(self.pick([(-1,), (v.shape[-1], -1), (*v.shape[1:], v.shape[0])]))

    def sliced(self):
        v = self.take()
        keys = [slice(None), slice(1, None), slice(None, None, -1), slice(0, 1), 0, -1, None]
        key, left = [], v.ndim
        while left and len(key) < 4:
            chosen = self.pick(keys)
            left -= chosen is not None
            key.append(chosen)
        made = v[tuple(key)]
        return made if 0 not in made.shape else None

    def gathered(self):
        v, index = self.take(), self.pick([self.index, self.indices, self.shared])
        axes = [a for a, dim in enumerate(v.shape) if dim >= 2]
        if not axes:
            return None
        return v[(slice(None),) * self.pick(axes) + (index,)]

    def diagonal(self):
        v = self.take()
        if v.ndim < 2 or v.shape[-1] != v.shape[-2]:
            return None
        letters = "abcd"[: v.ndim - 1]
        return np.einsum(f"{letters}{letters[-1]}->{letters}", v)

    def loop(self):
        """A loop over one result, from another on, with a third at hand."""
        start, rows, outer = self.take(), self.take(), self.take()
        if not rows.shape:
            return None
        f, g = self.pick(UNARY[:10]), self.pick(BINARY)
        size = int(np.prod(start.shape, dtype=int))
        inner = self.draw(st.booleans())

        def step(h, x):
            v = f(x + outer.sum()) if inner else f(x) * outer.mean()
            h = g(np.tanh(h), v.sum() / (1 + size)) * 0.5
            return h, (h if inner else x * h.sum())

        last, ys = gc.scan(step, start, rows, reverse=self.draw(st.booleans()))
        return self.pick([last, ys])

    def branch(self):
        v, other = self.take(), self.take()
        f, g = self.pick(UNARY[:10]), self.pick(UNARY[:10])
        level = self.pick([0.0, 0.5, -100.0, 100.0])
        return gc.cond(other.sum() > level, f, lambda a: g(a) * other.mean(), v)

    def graph(self, steps):
        for _ in range(steps):
            self.grow()
        ends = self.pool[-3:] + self.pool[:4]
        weights = np.random.default_rng(len(self.pool))
        total = sum(np.sum(v * weights.normal(size=v.shape)) for v in ends)
        return Graph(gc.cost(np.tanh(total / 30) + total / 100, name="C"), name="random")


@st.composite
def graphs(draw):
    return Builder(draw).graph(draw(st.integers(1, 9)))


@settings(max_examples=35, suppress_health_check=list(HealthCheck))
@given(graphs(), st.integers(1, 4))
def test_all_ways_agree(graph, samples):
    agree(graph, samples=samples)


DRAWN = settings(
    max_examples=40, derandomize=True, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
DTYPES = st.sampled_from(["float64", "float32"])


@st.composite
def models(draw, reaching=True):
    return Models(draw, reaching).model()


def test_every_kind_is_drawn():
    """A new kind needs a step that makes it, or a derivative that does."""
    found = set()

    @settings(DRAWN, max_examples=150)
    @given(models())
    def draw(drawn):
        found.update(type(node) for node in topological([c.node for c in drawn.costs]))
        whole, _, _ = whole_program(drawn.graph, True, None)
        found.update(type(node) for node in topological(whole.outputs))

    draw()
    assert found >= set(RULES) - {Bundle}  # a cotangent on its way


@DRAWN
@given(models(), DTYPES, st.booleans(), st.sampled_from(["parameters", "inputs", "all"]))
def test_models_of_every_kind(drawn, dtype, batch, wrt):
    assume(check_model(drawn, batch=batch, dtype=dtype, wrt=wrt))


@DRAWN
@given(models(reaching=False), DTYPES, st.sampled_from(["first", "hvp", "hessian"]))
def test_functions_of_every_kind(drawn, dtype, order):
    assume(check_function(drawn, dtype=dtype, order=order))
