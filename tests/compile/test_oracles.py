"""Compiled models against PyTorch and JAX, in float64 to 1e-12 relative."""

from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.language.graph import Graph
from graphc.modelfile import load_graphs
from tests.emit.models import compiled, random_data

jax = pytest.importorskip("jax")
jnp = jax.numpy
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STYLES = ["readable", "fast", "cupy"]


def close(got, expected, tolerance=1e-12):
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape
    scale = np.max(np.abs(expected), initial=1e-300)
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * scale)


def jax_gradient(loss, params, inputs):
    """The mean over the samples of a loss of one sample, and its gradient by the parameters."""

    def mean(p):
        return jnp.mean(jax.vmap(lambda one: loss(p, one))(inputs))

    return jax.value_and_grad(mean)(params)


def mynet_jax(p, one):
    z = jnp.ravel(one["image"])
    for k in range(3):
        z = p[f"m{k}_w"] @ z + p[f"m{k}_b"]
        z = jax.nn.relu(z) if k < 2 else z
    return jax.nn.logsumexp(z) - z[one["y"]]


@pytest.fixture(scope="module")
def mynet():
    return load_graphs(str(EXAMPLES / "mynet.py"))[0]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("samples", [1, 2, 7, 64])
def test_the_lecture_s_network_in_jax(mynet, style, samples):
    program = compiled(mynet, style)
    params, inputs = random_data(mynet, samples, seed=samples)
    params = {k: v / np.sqrt(np.prod(v.shape[1:])) for k, v in params.items()}
    expected, slopes = jax_gradient(mynet_jax, params, inputs)
    loss, grads = program.loss_and_grad(program.Params(**params), **inputs)
    close(loss, expected)
    for name, g in grads._asdict().items():
        close(g, slopes[name])


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("samples", [1, 5, 64])
def test_the_lecture_s_network_in_torch(mynet, torch, style, samples):
    program = compiled(mynet, style)
    start = program.init_params(seed=samples)
    _, inputs = random_data(mynet, samples, seed=samples)
    leaves = {k: torch.tensor(v, requires_grad=True) for k, v in start._asdict().items()}
    z = torch.tensor(inputs["image"]).flatten(1)
    for k in range(3):
        z = torch.nn.functional.linear(z, leaves[f"m{k}_w"], leaves[f"m{k}_b"])
        z = torch.relu(z) if k < 2 else z
    expected = torch.nn.functional.cross_entropy(z, torch.tensor(inputs["y"]))
    expected.backward()
    loss, grads = program.loss_and_grad(start, **inputs)
    close(loss, expected.detach())
    close(program.forward(start, image=inputs["image"]), z.detach())
    for name, g in grads._asdict().items():
        close(g, leaves[name].grad)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("samples", [1, 64])
def test_float32(mynet, style, samples):
    """Single precision to what its digits allow."""
    program = compiled(mynet, style, dtype="float32")
    params, inputs = random_data(mynet, samples)
    params = {k: v / np.sqrt(np.prod(v.shape[1:])) for k, v in params.items()}
    expected, slopes = jax_gradient(mynet_jax, params, inputs)
    loss, grads = program.loss_and_grad(program.Params(**params), **inputs)
    close(loss, expected, 1e-5)
    for name, g in grads._asdict().items():
        assert g.dtype == np.float32
        close(g, slopes[name], 1e-5)


ACTIVATIONS = {
    "tanh": (gc.tanh, jnp.tanh),
    "sigmoid": (gc.sigmoid, jax.nn.sigmoid),
    "softmax": (gc.softmax, jax.nn.softmax),
    "log_softmax": (gc.log_softmax, jax.nn.log_softmax),
    "softplus": (gc.softplus, jax.nn.softplus),
    "log_sigmoid": (gc.log_sigmoid, jax.nn.log_sigmoid),
    "relu": (gc.relu, jax.nn.relu),
}
COSTS = {
    "mse": (gc.mse, lambda z, y: jnp.mean((z - y) ** 2)),
    "squared_error": (gc.squared_error, lambda z, y: jnp.sum((z - y) ** 2)),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_activations_and_costs(activation, cost, style):
    """A block that is called twice, so its parameters are shared, among two that are not."""
    (ours, theirs), (our_cost, their_cost) = ACTIVATIONS[activation], COSTS[cost]
    x, y = gc.observed("x", shape=5), gc.observed("y", shape=3)
    shared = gc.Linear(5, name="shared")
    z1 = ours(shared(x, output="s1"), output="z1")
    z2 = ours(shared(z1, output="s2"), output="z2")
    z3 = gc.Linear(3, name="head")(z2, output="z3")
    graph = Graph(our_cost(z3, y, name="C"), name="net")

    def loss(p, one):
        z = one["x"]
        for _ in range(2):
            z = theirs(p["shared_w"] @ z + p["shared_b"])
        return their_cost(p["head_w"] @ z + p["head_b"], one["y"])

    params, inputs = random_data(graph, 6)
    expected, slopes = jax_gradient(loss, params, inputs)
    program = gc.compile(graph, style=style)
    got, grads = program.loss_and_grad(program.Params(**params), **inputs)
    assert grads._fields == ("shared_w", "shared_b", "head_w", "head_b")
    close(got, expected)
    for name, g in grads._asdict().items():
        close(g, slopes[name])


def several():
    """Costs with and without samples, a free parameter, an input that all samples share."""
    x, y = gc.observed("x", shape=4), gc.observed("y", shape=2)
    a = gc.observed("a", shape=4, per_sample=False)
    w, v = gc.parameter("w", shape=(2, 4)), gc.parameter("v", shape=4)
    z = gc.tanh(w @ (x * a + v), output="z")
    fit = gc.squared_error(z, y, name="fit")
    size = gc.cost((w**2).sum() * a.sum(), name="size")
    small = gc.cost((v * v).sum() + 3, name="small")
    return Graph(fit, size, small, name="several"), (x, y, a, w, v)


def several_jax(costs):
    def loss(p, inputs):
        z = jnp.tanh((inputs["x"] * inputs["a"] + p["v"]) @ p["w"].T)
        terms = {
            "fit": jnp.mean(jnp.sum((z - inputs["y"]) ** 2, axis=1)),
            "size": jnp.sum(p["w"] ** 2) * jnp.sum(inputs["a"]),
            "small": jnp.sum(p["v"] ** 2) + 3,
        }
        return sum(terms[c] for c in costs)

    return loss


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("cost", [None, "fit", "size", "small"])
def test_several_costs_and_one_of_them(style, cost):
    """A cost without per-sample inputs is added once; `cost=` selects one."""
    graph, _ = several()
    params, inputs = random_data(graph, 5)
    loss = several_jax(["fit", "size", "small"] if cost is None else [cost])
    expected, slopes = jax.value_and_grad(loss)(params, inputs)
    program = compiled(graph, style, cost=cost, allow_unused=True)
    given = {f.name: inputs[f.name] for f in program.model.loss_fields}
    got, grads = program.loss_and_grad(program.Params(**params), **given)
    close(got, expected)
    for name, g in grads._asdict().items():
        close(g, slopes[name])
    if cost == "small":
        assert not np.any(grads.w)


@pytest.mark.parametrize("style", STYLES)
def test_gradients_by_what_is_asked_for(style):
    """By a per-sample input: shape (P, ...), and the 1/P is in it."""
    graph, (x, _, a, w, _) = several()
    params, inputs = random_data(graph, 5)
    every = {**params, **inputs}
    loss = several_jax(["fit", "size", "small"])
    _, slopes = jax.value_and_grad(lambda q: loss(q, q))(every)
    program = compiled(graph, style, wrt=(x, w, a))
    _, grads = program.loss_and_grad(program.Params(**params), **inputs)
    assert type(grads).__name__ == "Grads"
    assert grads._fields == ("x", "w", "a")
    for name, g in grads._asdict().items():
        close(g, slopes[name])
    assert grads.x.shape == (5, 4)
    single = compiled(graph, style, wrt=x)
    _, only = single.loss_and_grad(single.Params(**params), **inputs)
    assert only._fields == ("x",)
    np.testing.assert_allclose(only.x, grads.x, rtol=1e-13)


@pytest.mark.parametrize("style", STYLES)
def test_gradients_by_variables_of_which_one_depends_on_another(style):
    """Each is the whole derivative, with the paths that lead through the others."""
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=(3, 3))
    a = gc.tanh(w @ x, output="a")
    b = gc.tanh(w @ a, output="b")
    graph = Graph(gc.cost((b * a * x).sum(), name="C"), name="chained")
    params, inputs = random_data(graph, 4)

    def loss(q, da, db):
        a = jnp.tanh(q["x"] @ q["w"].T) + da
        b = jnp.tanh(a @ q["w"].T) + db
        return jnp.mean(jnp.sum(b * a * q["x"], axis=1))

    none = np.zeros((4, 3))
    every, da, db = jax.grad(loss, (0, 1, 2))({**params, **inputs}, none, none)
    for wrt in ((x, w, a, b), (b, a, w), (a, x), (w, b)):
        program = compiled(graph, style, wrt=wrt)
        _, grads = program.loss_and_grad(program.Params(**params), **inputs)
        for name, g in grads._asdict().items():
            close(g, {"a": da, "b": db, **every}[name])


@pytest.mark.parametrize("style", STYLES)
def test_latent_variables_are_given_like_inputs(style):
    h, y = gc.latent("h", shape=3), gc.observed("y", shape=5)
    mood = gc.latent("mood", shape=2, per_sample=False)
    w = gc.parameter("w", shape=(5, 5))
    z = w[:, :3] @ h + w[:, 3:] @ mood
    fit = gc.squared_error(z, y, name="fit")
    graph = Graph(fit, gc.cost((mood**2).sum(), name="prior"), name="latent")
    params, inputs = random_data(graph, 4)

    def loss(q):
        z = q["h"] @ q["w"][:, :3].T + q["w"][:, 3:] @ q["mood"]
        return jnp.mean(jnp.sum((z - q["y"]) ** 2, axis=1)) + jnp.sum(q["mood"] ** 2)

    expected, slopes = jax.value_and_grad(loss)({**params, **inputs})
    program = compiled(graph, style, wrt=(h, mood, w))
    got, grads = program.loss_and_grad(program.Params(**params), **inputs)
    close(got, expected)
    for name, g in grads._asdict().items():
        close(g, slopes[name])


@pytest.mark.parametrize("style", STYLES)
def test_named_sizes_are_learnt_from_the_arrays(style):
    x, y = gc.observed("x", shape=("n", "m")), gc.observed("y", shape="n")
    w = gc.parameter("w", shape="m", init="normal")
    graph = Graph(gc.mse(gc.tanh(x @ w), y, name="C"), name="sized")
    program = compiled(graph, style)
    for n, m in ((3, 2), (1, 1), (7, 4)):
        params, inputs = random_data(graph, 3, sizes={"n": n, "m": m})
        expected, slopes = jax_gradient(
            lambda p, one: jnp.mean((jnp.tanh(one["x"] @ p["w"]) - one["y"]) ** 2), params, inputs
        )
        got, grads = program.loss_and_grad(program.Params(**params), **inputs)
        close(got, expected)
        close(grads.w, slopes["w"])
        assert program.init_params(seed=1, m=m).w.shape == (m,)


@pytest.mark.parametrize("style", STYLES)
def test_forward_returns_what_was_asked_for(style):
    x, w = gc.observed("x", shape=4), gc.parameter("w", shape=(3, 4))
    s = affine(x, w, output="s")
    z = gc.softmax(s, output="z")
    one, both = Graph(z, name="one"), Graph(s, z, w, name="both")
    params, inputs = random_data(both, 5)
    expected = inputs["x"] @ params["w"].T
    for graph in (one, both):
        program = compiled(graph, style)
        point = program.Params(**params)
        got = program.forward(point, **inputs)
        if graph is one:
            close(got, jax.nn.softmax(expected, axis=1))
        else:
            assert type(got).__name__ == "Outputs"
            assert got._fields == ("s", "z", "w")
            close(got.s, expected)
            close(got.z, jax.nn.softmax(expected, axis=1))
            close(got.w, params["w"])
        for call in (program.loss, program.loss_and_grad):
            with pytest.raises(gc.CompileError, match="has no cost, so there is no loss"):
                call(point, **inputs)
        assert "def loss" not in program.source


@gc.function
def affine(x, w):
    return w @ x


def test_forward_and_backward_of_one_function_at_hard_points():
    """Scores so far apart that a naive softmax would overflow."""
    s, y = gc.observed("s", shape=3), gc.observed("y", classes=3)
    b = gc.parameter("b", shape=3)
    graph = Graph(gc.cross_entropy(s + b, y, name="C"), name="hard")
    inputs = {"s": [[1e4, 0.0, -1e4], [0.0, -800.0, 900.0]], "y": [2, 0]}
    for style in ("readable", "fast"):
        program = compiled(graph, style)
        loss, grads = program.loss_and_grad([np.zeros(3)], **inputs)
        assert loss == (2e4 + 900) / 2
        np.testing.assert_array_equal(grads.b, [0.0, 0.0, 0.0])


@pytest.mark.parametrize("style", STYLES)
def test_outputs_that_need_more_than_the_loss(style):
    """With one cost selected, `forward` may take inputs that the loss does not."""
    graph, _ = several()
    params, inputs = random_data(graph, 5)
    program = compiled(graph, style, cost="size", allow_unused=True)
    point = program.Params(**params)
    forward = {f.name: inputs[f.name] for f in program.model.forward_fields}
    assert sorted(forward) == ["a", "x"]
    expected = np.tanh((inputs["x"] * inputs["a"] + params["v"]) @ params["w"].T)
    close(program.forward(point, **forward), expected)
    close(program.loss(point, a=inputs["a"]), np.sum(params["w"] ** 2) * inputs["a"].sum())
    assert program.loss(list(params.values()), a=inputs["a"].tolist()) == program.loss(
        point, a=inputs["a"]
    )
    with pytest.raises(ValueError, match=r"a must have shape \(4,\), got \(3,\)"):
        program.loss_and_grad(point, a=np.ones(3))
