"""Small models that together cover every node kind and every form of statement, and their data.

A model is a function that declares it anew; `MODELS` lists them by name.
"""

import sys
import types
from functools import cache

import numpy as np

import graphc as gc
from graphc.language.graph import Graph
from graphc.language.protocol.windows import windows
from graphc.ops.rules import evaluate
from graphc.types import evaluate as sized
from graphc.types import names_in

MODELS = {}
SIZES = {"n": 4, "m": 3, "k": 2}  # what named sizes are in the tests
POSITIVE = set()  # models whose real inputs and parameters must be positive


def model(declare):
    MODELS[declare.__name__] = declare
    return declare


def positive(declare):
    POSITIVE.add(declare.__name__)
    return model(declare)


def total(v, name="C"):
    """A cost in which every element counts, and differently."""
    weight = np.linspace(-1.0, 1.5, int(np.prod(v.shape, dtype=int))).reshape(v.shape)
    return gc.cost((v * weight).sum(), name=name)


@model
def linear():
    x, y = gc.observed("x", shape=6), gc.observed("y", classes=4)
    s = gc.Linear(4, name="head")(x, output="s")
    return Graph(gc.cross_entropy(s, y, name="C"), name="linear")


@model
def two_layers():
    x, y = gc.observed("x", shape=5), gc.observed("y", classes=3)
    z = gc.relu(gc.Linear(7, name="a")(x), output="z")
    return Graph(gc.cross_entropy(gc.Linear(3, name="b")(z), y, name="C"), name="two_layers")


@gc.function
def convolved(x=gc.Input("c h w"), *, w=gc.Parameter("o c k l"), dilation=1):
    return np.einsum("cijkl,ockl->oij", windows(x, w.shape[2:], (1, 2), 1, (dilation, 1)), w)


@gc.function
def pooled(x):
    return windows(x, (2, 2), (1, 2), (2, 1)).max(axis=(3, 4))


@model
def convolutions():
    """Overlapping windows, some with gaps; the second ones fold in the backward pass."""
    x = gc.observed("x", shape=(2, 9, 7))
    z = convolved(o=3, k=2, l=2, dilation=2, name="a")(x, output="z")
    s = convolved(o=2, k=3, l=2, name="b")(gc.tanh(z), output="s")
    return Graph(total(pooled(s)), name="convolutions")


@model
def updates():
    """Parts replaced and added to, at places that repeat, and what comes one after the other."""
    x, i = gc.observed("x", shape=(3, 4)), gc.observed("i", classes=3)
    w = gc.parameter("w", shape=(3, 4))
    z = gc.at_set(w * x, [2, 0, 2], x)
    s = gc.at_add(gc.at_set(z, (slice(None), slice(1, 3)), w[:, :2] ** 2), (i, [0, 1, 1]), w[0, 1:])
    joined = np.concatenate([s, gc.at_set(w, i, 2 * x[0]), w[::-1]])
    return Graph(total(joined, name="C"), name="updates")


@model
def activations():
    x, w = gc.observed("x", shape=(3, 4)), gc.parameter("w", shape=(4, 4))
    s = x @ w
    parts = [gc.tanh(s), gc.sigmoid(s), gc.softplus(s), gc.log_sigmoid(s), gc.relu(s)]
    t = parts[0] * parts[1] + parts[2] - parts[3] * parts[4]
    return Graph(gc.cost(np.square(t).mean(), name="C"), name="activations")


@model
def normalisers():
    x, w = gc.observed("x", shape=(3, 4)), gc.parameter("w", shape=(4, 5))
    s = x @ w
    p = gc.softmax(s, axis=0) * gc.log_softmax(s) + gc.softmax(s)
    top = gc.logsumexp(s, axis=1) + gc.logsumexp(s, axis=0)[:3] * gc.logsumexp(s)
    return Graph(gc.cost((p.sum(axis=1) * top).sum(), name="C"), name="normalisers")


@model
def shared_block():
    x, y = gc.observed("x", shape=4), gc.observed("y", shape=4)
    f = gc.Linear(4, name="f")
    z1 = gc.tanh(f(x, output="s1"), output="z1")
    z2 = gc.tanh(f(z1, output="s2"), output="z2")
    return Graph(gc.squared_error(z2, y, name="C"), name="shared_block")


@model
def several_costs():
    x, y = gc.observed("x", shape=4), gc.observed("y", shape=2)
    w, scale = gc.parameter("w", shape=(2, 4)), gc.observed("scale", per_sample=False)
    z = gc.tanh(w @ x, output="z")
    fit = gc.mse(z, y, name="fit")
    size = gc.cost(scale * (w * w).sum(), name="size")
    far = gc.squared_error(z, y * 2, name="far")
    return Graph(fit, size, far, name="several_costs")


@model
def named_sizes():
    x, y = gc.observed("x", shape=("n", 3)), gc.observed("y", shape="m")
    w, b = gc.parameter("w", shape=("m", "n"), init="he"), gc.parameter("b", shape="m", init="ones")
    z = np.tanh((w @ x).mean(axis=1) + b)
    return Graph(gc.squared_error(z, y, name="C"), name="named_sizes")


@model
def attention():
    x, y = gc.observed("x", shape=("n", 4)), gc.observed("y", shape=(2,))
    q, k, v = (gc.parameter(name, shape=(4, 2), init="normal") for name in "qkv")
    scores = (x @ q) @ (x @ k).T / np.sqrt(2.0)
    z = (gc.softmax(scores) @ (x @ v)).mean(axis=0)
    return Graph(gc.squared_error(z, y, name="C"), name="attention")


@model
def embedding():
    token, y = gc.observed("token", classes=7, shape=5), gc.observed("y", classes=3)
    table = gc.parameter("table", shape=(7, 4))
    z = table[token].sum(axis=0)
    return Graph(gc.cross_entropy(gc.Linear(3, name="head")(z), y, name="C"), name="embedding")


@model
def labels():
    """Labels of which the file checks the range: those that count, rows of a table, tokens."""
    x, y = gc.observed("x", shape=4), gc.observed("y", kind="integer")
    words = gc.observed("words", shape=5, kind="integer")
    z = gc.Embedding(7, 4, name="table")(words[1:], output="z")
    s = gc.Linear(5, name="head")(x + z.sum(axis=0), output="s")
    return Graph(gc.cross_entropy(s, y, name="C"), name="labels")


@model
def gathers():
    x = gc.observed("x", shape=(3, 5, 2))
    i, j = gc.observed("i", classes=5), gc.observed("j", classes=3, shape=4)
    fixed = gc.observed("fixed", classes=5, shape=2, per_sample=False)
    w = gc.parameter("w", shape=(5, 2), init="normal")
    t = x * w
    picked = t[:, i].sum() * t[0, i, 1] + (t[j] ** 2).sum() + (t[:, fixed] * w[fixed]).sum()
    return Graph(gc.cost(picked + (w[i] * w[0]).sum(), name="C"), name="gathers")


@model
def slices():
    x, w = gc.observed("x", shape=(6, 5)), gc.parameter("w", shape=(6, 5))
    t = x * w
    parts = (
        t[1:5:2].sum() * t[::-1, 0].sum() + (t[4:0:-2, 1:] * t[2, 1:]).sum() + t[-1, -1] * t[3, 2]
    )
    return Graph(gc.cost(parts + (w[:3] * w[3:]).sum(), name="C"), name="slices")


@model
def slices_of_results():
    x, w = gc.observed("x", shape=6), gc.parameter("w", shape=(6, 6))
    t = np.tanh(w @ x)
    u = np.exp(t[1:] - t[:-1]) * t[::-1][1:]
    return Graph(gc.cost(u[::2].sum() + (u[1] * t).sum(), name="C"), name="slices_of_results")


@model
def shapes():
    x, w = gc.observed("x", shape=(2, 3, 4)), gc.parameter("w", shape=(4, 6), init="normal")
    t = np.tanh(x.transpose(2, 0, 1).reshape(4, 6) * w)
    u = t.reshape(2, 2, 6).transpose(2, 0, 1) + np.expand_dims(w[:, 0].reshape(2, 2), 0)
    return Graph(gc.cost((u * u[:, ::-1]).sum(), name="C"), name="shapes")


@model
def reductions():
    x, w = gc.observed("x", shape=(3, 4)), gc.parameter("w", shape=(3, 4), init="normal")
    t = x * w
    centred = t - t.mean(axis=0, keepdims=True)
    spread = np.square(centred).sum(axis=1, keepdims=True)
    best = t.max(axis=1) * t.min(axis=1) + t.max() + np.prod(t, axis=0).sum()
    best = best.sum() + (np.cumprod(t, axis=1) * w).sum()
    return Graph(gc.cost((centred / (spread + 1)).sum() + best, name="C"), name="reductions")


@model
def broadcasts():
    x = gc.observed("x", shape=(3, 1))
    w, b, c = (
        gc.parameter(n, shape=s, init="normal") for n, s in (("w", 4), ("b", (3, 4)), ("c", ()))
    )
    t = x * w + b * c - c
    u = np.broadcast_to(w[:, None], (4, 4)) * c
    return Graph(
        gc.cost((t * t).sum() + (u * u.T).sum() / (c * c + 1), name="C"), name="broadcasts"
    )


@model
def diagonals():
    x, w = gc.observed("x", shape=(4, 4)), gc.parameter("w", shape=(4, 4), init="normal")
    d = np.einsum("ii->i", x @ w)
    t = np.trace(w @ w) * d.sum() + np.einsum("ij,ii->j", w, x).sum()
    return Graph(gc.cost(t + (np.einsum("ii->i", w) ** 2).sum(), name="C"), name="diagonals")


@model
def diagonals_of_samples():
    x, w = gc.observed("x", shape=(4, 4)), gc.parameter("w", shape=(4, 4), init="normal")
    d = np.einsum("ii->i", np.tanh(x * w))
    return Graph(gc.cost((d * w[0]).sum() + d[0] * d[3], name="C"), name="diagonals_of_samples")


@model
def diagonal_matrix():
    x, w = gc.observed("x", shape=4), gc.parameter("w", shape=(4, 4), init="normal")
    j = gc.jacobian(np.tanh(x * w[0]), x)
    whole = np.tanh(w + j) + np.exp(w + gc.jacobian(x, x))
    return Graph(gc.cost(((whole + j @ w) ** 2).sum(), name="C"), name="diagonal_matrix")


@model
def transposes():
    x, w = gc.observed("x", shape=(2, 3, 4)), gc.parameter("w", shape=(3, 4, 2), init="normal")
    t = np.transpose(w, (2, 0, 1)) * x
    u = np.exp(-np.square(np.transpose(t, (1, 0, 2)))) + np.transpose(w, (0, 2, 1))
    return Graph(gc.cost((u * np.transpose(t, (1, 0, 2))).sum(), name="C"), name="transposes")


@model
def products():
    x = gc.observed("x", shape=(2, 3, 4))
    a, b = (gc.parameter(n, shape=s, init="normal") for n, s in (("a", (4, 5)), ("b", (2, 5, 3))))
    t = np.einsum("bij,jk->bik", x, a)
    u = np.einsum("bik,bkl->bil", t, b) + np.matmul(t, b)
    outer = np.outer(a[0], b[0, :, 0])
    v = np.einsum("bil,ik,bki->l", u, outer[:3], b)
    return Graph(gc.cost((v**2).sum() + np.dot(a[1], outer[2]), name="C"), name="products")


@model
def masks():
    x, on = gc.observed("x", shape=4), gc.observed("on", shape=4, kind="boolean")
    w = gc.parameter("w", shape=4, init="normal")
    t = x * w
    u = np.where(on, t, -t * t) + np.where(t > 0.2, w, 0.0) * np.where(x <= w, 1.0, 2.0)
    v = np.where(np.logical_and(on, np.logical_not(t < 0)), u, t)
    return Graph(gc.cost((v * v * (t > 0)).sum(), name="C"), name="masks")


@model
def integers():
    x, n = gc.observed("x", shape=3), gc.observed("n", shape=3, kind="integer")
    on = gc.observed("on", kind="boolean")
    w = gc.parameter("w", shape=3, init="normal")
    t = w * n + x * (n % 3) + (n // 2) * w * w
    return Graph(
        gc.cost((t * (n > 1)).sum() + np.where(on, w.sum(), n.sum() * 0.5), name="C"),
        name="integers",
    )


@model
def small_constants():
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3, init=[0.5, -1.0, 2.0])
    shift = gc.constant(np.array([1.5, -0.25, 1e-7]))
    pick, on = np.array([2, 0, 1]), gc.constant(np.array([True, False, True]))
    t = (x + shift) * w - 3 * w[gc.constant(pick)] / 7
    return Graph(gc.cost((np.where(on, t, w) ** 2).sum(), name="C"), name="small_constants")


@model
def large_constants():
    rng = np.random.default_rng(4)
    x, y = gc.observed("x", shape=20), gc.observed("y", shape=10)
    basis = gc.constant(rng.standard_normal((10, 20)))
    w = gc.parameter("w", shape=(10, 10), init=rng.standard_normal((10, 10)))
    places = gc.constant(rng.integers(0, 10, 70))
    z = w @ np.tanh(basis @ x) + np.exp(basis).sum(axis=1)
    return Graph(
        gc.squared_error(z, y, name="C"), gc.cost((w[places] ** 2).sum(), name="D"),
        name="large_constants",
    )  # fmt: skip


@model
def scalar_model():
    x, y = gc.observed("x"), gc.observed("y")
    a, b = gc.parameter("a", init="ones"), gc.parameter("b", init="normal")
    z = np.sin(a * x) * b + a**2 - np.sqrt(1 + b * b)
    return Graph(gc.squared_error(z, y, name="C"), name="scalar_model")


@positive
def functions():
    x, w = gc.observed("x", shape=4), gc.parameter("w", shape=4, init="ones")
    t = x * w + 0.5
    u = np.log(t) * np.sqrt(t) + np.expm1(-t) / np.log1p(t) + t**1.5 + t**x
    v = np.cos(u) + np.arctan(u) - np.sinh(t / 4) * np.cosh(t / 4) + np.tan(t / 10) + np.abs(u)
    m = np.maximum(u, v) - np.minimum(t, v) + np.clip(v, 0.2, 0.9) + np.reciprocal(t) + (t % 0.7)
    return Graph(gc.cost((m * np.sign(v) + np.floor(v)).sum(), name="C"), name="functions")


@model
def reused_buffers():
    """Long chains whose buffers are free at once, beside some that are read again later."""
    x, w = gc.observed("x", shape=(4, 4)), gc.parameter("w", shape=(4, 4), init="normal")
    a = x * w
    b = a + 1.0
    c = np.tanh(b)
    d = c - a.T
    e = np.exp(-d * d)
    f = 2.0 - e
    g = f / (1 + c * c)
    h = np.maximum(g, g.T) * (g - 0.5)
    return Graph(gc.cost((h * h + b.T * e).sum() / 3, name="C"), name="reused_buffers")


@model
def inner_gradient():
    x, w = gc.observed("x", shape=4), gc.parameter("w", shape=(3, 4), init="normal")
    energy = np.tanh(w @ x).sum()
    force = gc.grad(energy, x)
    return Graph(gc.cost((force**2).sum() + energy, name="C"), name="inner_gradient")


@model
def second_derivatives():
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=(3, 3), init="normal")
    f = gc.logsumexp(w @ x)
    return Graph(gc.cost(np.trace(gc.hessian(f, x) @ w), name="C"), name="second_derivatives")


@model
def latents():
    h, y = gc.latent("h", shape=3), gc.observed("y", shape=5)
    mood = gc.latent("mood", shape=2, per_sample=False)
    w, v = (gc.parameter(n, shape=s, init="normal") for n, s in (("w", (5, 3)), ("v", (5, 2))))
    z = np.tanh(w @ h + v @ mood)
    return Graph(
        gc.squared_error(z, y, name="fit"), gc.cost((h * h).sum(), name="prior"), name="latents"
    )


@model
def defined_later():
    x, y = gc.observed("x", shape=3), gc.observed("y", shape=2)
    z = gc.computed("z", shape=2)
    C = gc.squared_error(z, y, name="C")
    w = gc.parameter("w", shape=(2, 3))
    z.define(np.tanh(w @ x))
    return Graph(C, name="defined_later")


@model
def several_outputs():
    x, w = gc.observed("x", shape=4), gc.parameter("w", shape=(2, 4))

    @gc.function
    def split(t):
        return np.exp(t[:1]), t[1:].sum()

    a, b = split(w @ x, output=("a", "b"))
    return Graph(
        gc.cost((a * b).sum(), name="C"), gc.squared_error(a, a * 2 + w[0, :1], name="D"),
        name="several_outputs",
    )  # fmt: skip


@model
def loops():
    """Two layers of a recurrent net, one inside out, and a sum that a loop carries."""
    x, y = gc.observed("x", shape=("n", 3)), gc.observed("y", shape=4)
    w, u, v = (gc.parameter(k, shape=s) for k, s in (("w", (4, 4)), ("u", (4, 3)), ("v", (4, 4))))

    def step(h, row):
        h = np.tanh(w @ h + u @ row)
        return h, h

    def back(state, h):
        a, b = state
        a, b = np.sin(v * h[0]).sum(axis=1) * b, a + h
        return (a, b), a.sum()

    h, hs = gc.scan(step, np.zeros(4), x)
    (a, b), sums = gc.scan(back, (h, y), hs, reverse=True)
    return gc.Graph(gc.cost(((a - y) ** 2 + b).sum() + np.exp(-sums).mean(), name="C"))


@model
def long_memory():
    """Two carries, gates cut out of one product: matrices that no caller sees, inside a loop."""
    x, y = gc.observed("x", shape=(5, 3)), gc.observed("y", shape=(5, 2))
    w, u = gc.parameter("w", shape=(8, 2)), gc.parameter("u", shape=(8, 3))
    b = gc.parameter("b", shape=8)

    def step(state, row):
        h, c = state
        s = w @ h + u @ row + b
        c = gc.sigmoid(s[:2]) * c + gc.sigmoid(s[2:4]) * np.tanh(s[4:6])
        h = gc.sigmoid(s[6:]) * np.tanh(c)
        return (h, c), h

    _, hs = gc.scan(step, (np.zeros(2), np.zeros(2)), x)
    return gc.Graph(gc.cost(((hs - y) ** 2).mean(), name="C"))


@model
def equilibria():
    """A layer that is applied until nothing changes, and two unknowns."""
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=(3, 3))
    z = gc.fixed_point(lambda z: 0.3 * np.tanh(w @ z) + x, np.zeros(3))
    a, b = gc.fixed_point(lambda s: (0.2 * np.sin(s[1] * z), 0.1 * s[0] + x), (z, z))
    return gc.Graph(gc.cost((a * z + b).sum(), name="C"))


@model
def repetitions():
    """A loop of as many steps as a sample needs; no gradient passes it."""
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=(3, 3))
    start = (np.tanh(x), 1.0)
    v, n = gc.while_loop(lambda s: (s[0] ** 2).sum() < 9, lambda s: (1.5 * s[0], s[1] + 1), start)
    return gc.Graph(gc.cost(((w @ x) * v).sum() / n, name="C"))


@model
def opaque_calls():
    """A function that graphc does not see into, and one with a derivative of its own."""
    cube = gc.opaque(lambda x: x**3, shape=3, vjp=lambda x, y, g: 3 * x**2 * g, name="cube")
    clipped = gc.custom_vjp(np.tanh, lambda args, g: (g * (1 - np.tanh(args[0]) ** 2),))
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=(3, 3))
    return gc.Graph(gc.cost((cube(clipped(w @ x)) * x).sum(), name="C"))


@model
def choices():
    """A branch for all samples, and a selection between samples."""
    x, k = gc.observed("x", shape=3), gc.observed("k", classes=3, per_sample=False)
    w = gc.parameter("w", shape=(3, 3))
    y = gc.cond(k > 1, lambda v: np.tanh(w @ v), lambda v: np.sin(v) * w[0], x)
    z = gc.cond(y.sum() > 0, lambda v: np.exp(w @ v), lambda v: v * v, y)
    return gc.Graph(gc.cost((y * z).sum(), name="C"))


@model
def matrices():
    """Systems, decompositions, and what the file carries; one matrix shared, one per sample."""
    x, y = gc.observed("x", shape=(3, 3)), gc.observed("y", shape=3)
    w = gc.parameter("w", (3, 3), init="normal")
    shared, own = w @ w.T + 2 * np.eye(3), x @ x.T + 2 * np.eye(3)
    factor = np.linalg.cholesky(own)
    white = gc.solve_triangular(factor, y, lower=True)
    back = gc.solve_triangular(np.linalg.cholesky(shared), y, lower=True, trans=1)
    values, vectors = np.linalg.eigh(shared)
    q, r = np.linalg.qr(own)
    u, s, vt = np.linalg.svd(own[:, :2], full_matrices=False)
    parts = [
        (white * back).sum(),
        (np.linalg.solve(shared, y) * np.linalg.solve(own, y)).sum(),
        np.linalg.slogdet(own).logabsdet + np.linalg.det(shared) / 50,
        (values * vectors[0] ** 2).sum() + (q * q[0]).sum() + np.log(r**2 + 1).sum(),
        (u**2 @ s).sum() + (vt**2).sum(),
        gc.expm(w / 4).sum() + np.linalg.pinv(own[:, :2]).sum() + np.linalg.inv(own)[0, 1],
    ]
    return Graph(gc.cost(sum(parts[1:], parts[0]), name="C"), name="matrices")


@cache
def model_named(name):
    """The model of a name, declared once."""
    return MODELS[name]()


@cache
def compiled(graph, style="fast", **options):
    """A program in a style, or the one for CuPy with NumPy in its place."""
    if style != "cupy":
        return gc.compile(graph, style=style, **options)
    made = gc.compile(graph, style="readable", target="cupy", **options)
    with numpy_as_cupy():
        _ = made.namespace
    return made


class numpy_as_cupy:
    """NumPy under the name of cupy, with the one thing more that emitted files look at.

    It shows that a file's statements compute the right numbers; it shows nothing about a GPU.
    """

    def __enter__(self):
        stand_in = types.ModuleType("cupy")
        stand_in.__dict__.update({k: v for k, v in vars(np).items() if not k.startswith("__")})
        runtime = types.SimpleNamespace(getDeviceCount=lambda: 1)
        stand_in.cuda = types.SimpleNamespace(runtime=runtime)
        self.before = sys.modules.get("cupy")
        sys.modules["cupy"] = stand_in
        return stand_in

    def __exit__(self, *_):
        if self.before is None:
            del sys.modules["cupy"]
        else:
            sys.modules["cupy"] = self.before


def random_data(graph, samples=5, seed=0, batch=True, sizes=SIZES, positive=False):
    """Parameters by name, and inputs by name, with a sample axis where one is expected."""
    rng = np.random.default_rng(seed)
    real = (lambda shape: rng.uniform(0.3, 1.6, shape)) if positive else rng.standard_normal
    params = {graph.name_of(v): real(concrete(v.shape, sizes)) for v in graph.parameters}
    inputs = {}
    for v in graph.inputs:
        shape = concrete(v.shape, sizes)
        if batch and v.declaration.per_sample:
            shape = (samples, *shape)
        if v.kind == "integer":
            held = rng.integers(0, v.declaration.classes or 5, shape)
        elif v.kind == "boolean":
            held = rng.random(shape) < 0.5
        else:
            held = real(shape)
        inputs[graph.name_of(v)] = np.asarray(held)
    return {name: np.asarray(p) for name, p in params.items()}, inputs


def concrete(shape, sizes=SIZES):
    return tuple(sized(dim, sizes) for dim in shape)


def sizes_of(graph, sizes=SIZES):
    """The named sizes of the parameters: what `init_params` asks for."""
    return {n: sizes[n] for v in graph.parameters for d in v.shape for n in names_in(d)}


def reference(graph, params, inputs, batch=True, sizes=SIZES, costs=None):
    """The loss and the outputs, sample by sample, from the reference evaluation of one sample."""
    program = graph.program()
    chosen = [i for i, use in enumerate(graph.costs) if costs is None or use.name in costs]
    count = len(graph.costs)
    leaves = {v.node: params[graph.name_of(v)] for v in graph.parameters}
    varying = {id(v): v for v in graph.inputs if batch and v.declaration.per_sample}
    fixed = {v.node: inputs[graph.name_of(v)] for v in graph.inputs if id(v) not in varying}
    varying = list(varying.values())
    samples = len(inputs[graph.name_of(varying[0])]) if varying else 1
    losses, outputs = [], []
    for p in range(samples):
        own = {v.node: inputs[graph.name_of(v)][p] for v in varying}
        found = evaluate(program.outputs, {**leaves, **fixed, **own}, sizes)
        losses.append(sum(found[i] for i in chosen))
        outputs.append(found[count:])
    stacked = [np.stack(each) for each in zip(*outputs, strict=True)]
    return float(np.mean(losses)), stacked if varying else [o[0] for o in stacked]


def slope(f, params, direction, h=1e-4):
    """The derivative of `f` along a direction, by central differences of fourth order."""

    def at(step):
        return f({k: v + step * direction.get(k, 0) for k, v in params.items()})

    near = (at(h) - at(-h)) / (2 * h)
    far = (at(2 * h) - at(-2 * h)) / (4 * h)
    return (4 * near - far) / 3


def agree(graph, samples=5, *, positive=False, differences=True, **options):
    """Compare every style with the reference, gradients with differences, styles with each other.

    Returns the programs by style.
    """
    params, inputs = random_data(graph, samples, positive=positive)
    expected, _ = reference(graph, params, inputs)
    scale = max(1.0, abs(expected))
    programs, results = {}, {}
    for style in ("readable", "fast", "cupy"):
        made = programs[style] = compiled(graph, style, allow_unused=True, **options)
        point = made.Params(**params)
        given = {f.name: inputs[f.name] for f in made.model.loss_fields}
        loss, grads = results[style] = made.loss_and_grad(point, **given)
        assert abs(loss - expected) <= 1e-12 * scale, style
        assert abs(made.loss(point, **given) - loss) <= 1e-14 * scale, style
        for name, g in grads._asdict().items():
            assert np.shape(g) == params[name].shape, (style, name)
            first = getattr(results["readable"][1], name)
            most = max(1.0, np.max(np.abs(first)))
            np.testing.assert_allclose(g, first, rtol=0, atol=2e-14 * most, err_msg=style)
    rng = np.random.default_rng(9)
    for name, g in results["readable"][1]._asdict().items() if differences else ():
        u = rng.standard_normal(params[name].shape)
        symbolic = float(np.sum(g * u))

        def loss_at(p):
            return reference(graph, p, inputs)[0]

        # Shorter steps, less exact, are for points beside a kink or a jump.
        for h, tolerance in ((1e-4, 5e-7), (1e-5, 5e-6), (1e-6, 5e-5)):
            numeric = slope(loss_at, params, {name: u}, h)
            if abs(numeric - symbolic) <= tolerance * max(1.0, abs(numeric)):
                break
        else:
            raise AssertionError((name, numeric, symbolic))
    return programs
