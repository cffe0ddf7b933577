"""What the page says: formulas once each, counts, lines, numbers; and that it is safe to open."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import graphc as gc
from graphc.errors import RenderError, UsageError
from graphc.explore.counting import costs_of
from graphc.explore.facts import amount, facts_of
from graphc.explore.letters import letters_for
from graphc.explore.matrix_costs import COSTS
from graphc.explore.page import page_of
from graphc.explore.summaries import coarse, folded, summary
from graphc.explore.values import MOST_SAMPLES, values_of
from graphc.ir.program import Origin
from graphc.language.graph import Graph
from graphc.ops.contraction import contract
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import new_input
from graphc.ops.linalg import MATRIX_FUNCTIONS, linalg
from graphc.types import TensorType, named
from tests.emit.models import MODELS
from tests.render.test_svg import HOSTILE


def network(hidden=3):
    x, y = gc.observed("x", shape=4), gc.observed("y", classes=3)
    h = gc.tanh(gc.Linear(hidden, name="first")(x, output="s"), output="h")
    return gc.Graph(gc.cross_entropy(gc.Linear(3, name="second")(h, output="t"), y, name="C"),
                    name="net")  # fmt: skip


def deep(count):
    z = gc.observed("z0", shape=4)
    for k in range(count):
        z = gc.tanh(gc.Linear(4, name=f"f{k}")(z, output=f"s{k}"), output=f"z{k + 1}")
    return gc.Graph(gc.mse(z, gc.observed("y", shape=4), name="C"), name="deep")


SOME = ("linear", "activations", "products", "gathers", "several_costs", "latents", "masks",
        "large_constants", "defined_later", "several_outputs")  # fmt: skip


@pytest.mark.parametrize("name", SOME)
def test_models_have_facts_and_a_figure_that_shows_its_blocks(name):
    graph = MODELS[name]()
    page = page_of(graph)
    facts = read(page, "facts")
    assert [b["name"] for b in facts["blocks"]] == [use.name for use in graph.uses]
    ids = set(ids_in_figure(page))
    assert {b["id"] for b in facts["blocks"]} <= ids
    letters = read(page, "letters")
    for latex, text in facts["formulas"]:
        assert text
        commands = set(re.findall(r"\\([A-Za-z]+)", latex))
        assert commands <= {*letters["commands"], *letters["words"], *letters["accents"], *READ}
        assert {c for c in re.sub(r"\\[A-Za-z]+|\\.", "", latex) if c.isdigit()} <= {
            *letters["glyphs"]
        }


# What the script of the page knows by itself.
READ = {"frac", "sqrt", "left", "right", "mathrm", "mathbf", "mathbb", "text", "operatorname",
        "begin", "end"}  # fmt: skip


def read(page, name):
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)
    return json.loads(found[1])


def ids_in_figure(page):
    from html import unescape

    figure = page[page.index("<svg") : page.index("</svg>")]
    return [unescape(found) for found in re.findall(r'data-id="([^"]*)"', figure)]


def test_facts_of_a_block():
    facts = facts_of(network())
    first, _, second, cost = facts["blocks"]
    assert first["inputs"] == ["x"]
    assert first["outputs"] == ["s"]
    assert first["parameters"] == ["first_w", "first_b"]
    assert first["count"] == "15"
    assert [p["shape"] for p in first["partials"]] == ["3 × 4", "3 × 3 × 4", "3 × 3"]
    assert [p["needed"] for p in first["partials"]] == [False, True, True]  # x is observed
    assert second["partials"][0]["sizes"] == "[1×3] = [1×3][3×3]"
    assert cost["kind"] == "cost"
    assert facts["parameters"] == "27"
    text = {text for _, text in facts["formulas"]}
    assert "s = first_w x + first_b" in text
    assert "∂L/∂h = ∂L/∂t second_w" in text


def test_lines_lead_to_blocks_and_back():
    facts = facts_of(network())
    for number, (defines, *origins) in facts["lines"].items():
        line = facts["source"][int(number) - 1]
        assert any(name in line for name in defines) or line.strip().startswith("#")
        for use, rule in origins:
            assert -1 <= use < len(facts["blocks"])
            assert rule
    uses = {origin[0] for _, *origins in facts["lines"].values() for origin in origins}
    assert uses >= set(range(4))


def test_operations_of_a_linear_block_are_those_of_the_textbook():
    facts = facts_of(network())
    forward, backward = facts["blocks"][0]["cost"]
    # A product of (P, 4) and (4, 3) takes 2·4·3·P operations, adding the offset 3·P.
    assert forward["operations"] == "27\u2009P"
    # The gradients of weights and offset: 2·4·3·P and 3·P; none by the observed input.
    assert backward["operations"] == "27\u2009P"
    assert facts["blocks"][2]["cost"][1]["operations"] == "39\u2009P"  # and 2·3·3·P... by h


def test_counting():
    p = named("P")
    a, b = new_input(TensorType((p, 5))), new_input(TensorType((5, 7)))
    product = contract((a, b), ((0, 1), (1, 2)), (0, 2))
    outer = contract((a, b), ((0, 1), (2, 3)), (0, 1, 2, 3))
    turned = contract((b,), ((0, 1),), (1, 0))
    summed = contract((b,), ((0, 1),), (0,))
    tanh = elementwise("tanh", product)
    nodes = (product, outer, turned, summed, tanh)
    costs = costs_of(nodes, {node: Origin("f", i) for i, node in enumerate(nodes)}, 4)
    operations = [str(costs[i, False].operations) for i in range(5)]
    assert operations == ["70*P", "175*P", "0", "35", "7*P"]
    assert str(costs[0, False].bytes) == "48*P + 140"
    assert costs[2, False].bytes == 0  # a view
    assert str(costs[4, False].bytes) == "56*P"


def test_a_loop_costs_what_its_body_does_in_every_step():
    def step(h, x):
        return np.tanh(h * x), h

    xs, h = gc.observed("xs", shape=(5, 3)), gc.parameter("h", shape=3)
    last, _ = gc.scan(step, h, xs)
    graph = gc.Graph(gc.cost(last.sum(), name="C"), name="loop")
    forward = [b["cost"][0]["operations"] for b in facts_of(graph)["blocks"]]
    assert "30\u2009P" in forward  # a product and a tanh of three numbers, five times
    backward = [b["cost"][1]["operations"] for b in facts_of(graph)["blocks"]]
    assert not any("≥" in operations for operations in (*forward, *backward))


def test_what_cannot_be_counted_is_a_lower_bound():
    w = gc.parameter("w", shape=3)
    black = gc.opaque(lambda v: v * v, shape=(3,), name="black")
    graph = gc.Graph(gc.cost(black(w).sum(), name="C"), name="net")
    assert any("≥" in b["cost"][0]["operations"] for b in facts_of(graph)["blocks"])


def counted(function, *shapes, options=()):
    """The operations of a matrix function of matrices of these shapes."""
    node = linalg(function, *(new_input(TensorType(s)) for s in shapes), options=options)
    return costs_of([node], {node: Origin("f", 0)}, 8)[0, False].operations


N, M, P = 30, 50, named("P")


@pytest.mark.parametrize(
    ("function", "shapes", "expected"),
    [
        ("solve", [(N, N), (N,)], 2 * N**3 // 3 + 2 * N**2),
        ("solve", [(N, N), (N, 7)], 2 * N**3 // 3 + 14 * N**2),
        ("solve_triangular", [(N, N), (N, 7)], 7 * N**2),
        ("inv", [(N, N)], 8 * N**3 // 3),
        ("det", [(N, N)], 2 * N**3 // 3),
        ("slogdet", [(5, N, N)], 5 * 2 * N**3 // 3),
        ("cholesky", [(P, N, N)], N**3 // 3 * P),
        ("qr", [(M, N)], 4 * M * N**2 - 4 * N**3 // 3),
        ("eigh", [(N, N)], 9 * N**3),
        ("eigvalsh", [(N, N)], 4 * N**3 // 3),
        ("svd", [(M, N)], 6 * M * N**2 + 20 * N**3),
        ("svd", [(N, M)], 6 * M * N**2 + 20 * N**3),
        ("svdvals", [(N, M)], 4 * M * N**2 - 4 * N**3 // 3),
        ("pinv", [(M, N)], 8 * M * N**2 + 20 * N**3),
        ("cofactors", [(N, N)], 26 * N**3 + 4 * N**3 // 3 + 2 * N**3),
        ("expm", [(N, N)], 12 * N**3 + 8 * N**3 // 3),
        ("expm_frechet", [(N, N), (N, N)], 8 * (12 * N**3 + 8 * N**3 // 3)),
    ],
)
def test_matrix_functions_count_in_leading_order(function, shapes, expected):
    options = {"solve_triangular": (True, False), "pinv": (None,)}.get(function, ())
    assert str(counted(function, *shapes, options=options)) == str(expected)


def test_every_matrix_function_is_counted():
    assert COSTS.keys() == MATRIX_FUNCTIONS.keys()


def test_leading_orders_are_marked_and_say_what_they_are():
    w = gc.parameter("w", shape=(3, 3), init=np.eye(3))
    graph = gc.Graph(gc.cost(np.linalg.det(w), name="C"), name="net")
    (cost,) = (b["cost"][0] for b in facts_of(graph)["blocks"])
    assert cost["operations"].startswith("≈")
    assert cost["notes"] == ["det: 2/3 n³ (GVL 3.2)"]
    graph = gc.Graph(gc.cost(gc.expm(w).sum(), name="C"), name="net")
    assert facts_of(graph)["total"][0]["operations"].startswith("≥")  # squarings come on top


def test_an_equation_costs_at_least_one_step():
    w = gc.parameter("w", shape=3)
    z = gc.fixed_point(lambda z: np.tanh(w * z + 1.0), np.zeros(3))
    graph = gc.Graph(gc.cost(z.sum(), name="C"), name="net")
    assert facts_of(graph)["total"][0]["operations"].startswith("≥\u20091")


def test_amounts():
    assert amount(1234567) == "1\u2009234\u2009567"
    assert amount(999) == "999"
    assert amount(named("P") * 12000 + 5) == "12\u2009000\u2009P + 5"
    n = named("n")
    assert amount(2 * n * n * n // 3 + n * n) == "n² + 2\u2009n³/3"


def test_formulas_of_equal_blocks_are_listed_once_each():
    facts = facts_of(deep(30))
    assert len(facts["formulas"]) == len(set(map(tuple, facts["formulas"])))
    assert len(facts["blocks"]) == 61


def test_a_page_of_300_blocks_is_small_and_quick_to_make():
    import time

    graph = deep(150)
    started = time.perf_counter()
    page = page_of(graph)
    assert time.perf_counter() - started < 30
    assert len(page) < 3_000_000
    assert len(read(page, "facts")["blocks"]) == 301


def test_letters_are_those_that_the_formulas_use():
    few = letters_for([r"x_{1} = \tanh\left(w\right)"])
    more = letters_for([r"\sum_{i} \delta_{ij} \frac{a}{b} \odot \mathbf{1}"])
    assert {"𝑥", "𝑤", "t", "1", "(", "="} <= few["glyphs"].keys()
    assert "∑" not in few["glyphs"]
    assert {"∑", "∑+", "𝛿", "⊙", "𝟏"} <= more["glyphs"].keys()
    assert len(few["larger"]["("]) > 3
    heights = [few["glyphs"][name][2] - few["glyphs"][name][1] for name in few["larger"]["("]]
    assert heights == sorted(heights)


# --- numbers ----------------------------------------------------------------------------------


def numbers(graph, data, p=0):
    """The numbers of one sample, or of the average, those that all share among them."""
    found = values_of(graph, data)
    chosen = found["samples"][p]
    return {**chosen, "values": {**found["shared"], **chosen["values"]}}


def test_the_numbers_of_a_sample_are_those_of_the_program():
    graph = network()
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=(5, 4)), "y": rng.integers(0, 3, 5)}
    found = numbers(graph, data)
    assert found["name"] == "sample 0"
    program = gc.compile(graph)
    params = program.init_params(0)
    loss, grads = program.loss_and_grad(params, x=data["x"][:1], y=data["y"][:1])
    assert found["values"]["C"]["values"] == [[pytest.approx(loss, rel=1e-5)]]
    for name, g in grads._asdict().items():
        np.testing.assert_allclose(
            np.ravel(found["gradients"][name]["values"]), g.ravel(), rtol=1e-4, atol=1e-6
        )
    assert found["gradients"]["C"]["values"] == [[1.0]]
    assert found["gradients"]["s"]["norm"] == pytest.approx(
        np.linalg.norm(program_gradient(graph, "s", params, data)), rel=1e-5
    )
    assert "x" not in found["gradients"]  # observed: no gradient is asked for
    given = {**data, **params._replace(first_w=np.zeros((3, 4)))._asdict()}
    assert numbers(graph, given)["values"]["s"]["values"] == [[0.0, 0.0, 0.0]]


def test_every_sample_has_its_numbers_and_the_average_those_of_the_loss():
    graph = network()
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=(3, 4)), "y": rng.integers(0, 3, 3)}
    found = values_of(graph, data)
    assert [sample["name"] for sample in found["samples"]] == [
        "sample 0", "sample 1", "sample 2", "average of 3 samples",
    ]  # fmt: skip
    assert found["note"] == ""
    program = gc.compile(graph, dtype="float64")
    params = program.init_params(0)
    for p, rows in enumerate((slice(0, 1), slice(1, 2), slice(2, 3), slice(None))):
        loss, grads = program.loss_and_grad(params, x=data["x"][rows], y=data["y"][rows])
        sample = found["samples"][p]
        assert sample["values"]["C"]["values"] == [[pytest.approx(loss, rel=1e-5)]]
        for name, g in grads._asdict().items():
            shown = np.reshape(sample["gradients"][name]["values"], g.shape)
            np.testing.assert_allclose(shown, g, rtol=1e-4, atol=1e-6)
    means = found["samples"][-1]["values"]
    np.testing.assert_allclose(means["x"]["values"][0], data["x"].mean(0), rtol=1e-5)
    assert "y" not in means  # there is no mean class


def test_samples_that_influence_each_other_are_computed_together():
    x = gc.observed("x", shape=2)
    z = gc.Linear(2, name="f")(x, output="z")
    centred = gc.tanh(z - gc.over_samples("mean", z), output="u")
    graph = gc.Graph(gc.cost((centred**2).sum(), name="C"), name="net")
    data = {"x": np.random.default_rng(0).normal(size=(4, 2))}
    found = values_of(graph, data)
    program = gc.compile(graph, dtype="float64", wrt=[*graph.parameters, z])
    loss, grads = program.loss_and_grad(program.init_params(0), **data)
    *samples, average = found["samples"]
    costs = [sample["values"]["C"]["values"][0][0] for sample in samples]
    assert np.mean(costs) == pytest.approx(loss, rel=1e-5)
    assert average["values"]["C"]["values"] == [[pytest.approx(loss, rel=1e-5)]]
    for sample, row in zip(samples, 4 * grads.z, strict=True):
        np.testing.assert_allclose(sample["gradients"]["z"]["values"][0], row, rtol=1e-4, atol=1e-6)
        assert "f_w" not in sample["gradients"]  # the samples make it together
    np.testing.assert_allclose(average["gradients"]["f_w"]["values"], grads.f_w, rtol=1e-4)
    assert "influence each other: the first 4 are" in found["note"]


def test_a_page_holds_as_many_samples_as_there_is_room_for():
    data = {"x": np.ones((100, 4)), "y": np.ones(100, int)}
    found = values_of(network(), data)
    assert len(found["samples"]) == MOST_SAMPLES + 1
    assert found["note"] == "The data holds 100 samples, of which the first 64 are on this page."
    x = gc.observed("x", shape=(300, 300))
    wide = gc.Graph(gc.cost(sum(gc.tanh(x * k).sum() for k in range(40)), name="C"), name="wide")
    assert len(values_of(wide, {"x": np.ones((100, 300, 300))})["samples"]) == 1


def program_gradient(graph, name, params, data):
    """The gradient by one variable, taken alone."""
    v = next(v for v in graph.variables if graph.name_of(v) == name)
    inputs = [*graph.inputs, *graph.parameters]
    alone = gc.compile_function(inputs, gc.grad(graph.costs[0].outputs[0], v))
    return alone(*(data[graph.name_of(i)][0] for i in graph.inputs), *params)


def test_the_gradients_of_a_deep_model_come_from_one_sweep(monkeypatch):
    from graphc.calculus import reverse

    seen, sweep = [], reverse.sweep
    monkeypatch.setattr(reverse, "sweep", lambda *a, **k: seen.append(1) or sweep(*a, **k))
    found = numbers(deep(12), {"z0": np.ones(4), "y": np.zeros(4)})
    assert len(found["gradients"]) == 12 * 4 + 1
    assert len(seen) <= 2


def test_gradients_pass_the_named_softmax_that_underflows():
    w = gc.parameter("w", shape=3, init=np.array([0.0, 900.0, -900.0]))
    t = gc.function(double)(w, output="t")
    p = gc.softmax(t, output="p")
    graph = gc.Graph(gc.cost(-np.log(p)[0], name="C"), name="net")
    found = numbers(graph, {})
    assert found["gradients"]["t"]["values"] == [[-1.0, 1.0, 0.0]]


def double(w):
    return 2.0 * w


def test_one_sample_without_an_axis_of_samples():
    found = numbers(network(), {"x": np.ones(4), "y": 2})
    assert found["name"] == "the sample"
    assert found["values"]["x"]["shape"] == "4"
    assert found["values"]["y"]["values"] == [[2.0]]


def test_named_sizes_come_from_the_data():
    x = gc.observed("x", shape="n")
    w = gc.parameter("w", shape="n")
    graph = gc.Graph(gc.cost((w * x).sum(), name="C"), name="named")
    found = numbers(graph, {"x": np.ones(3)})
    assert found["gradients"]["w"]["values"] == [[1.0, 1.0, 1.0]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"x": np.ones(4)}, r"the data lacks 'y' \(\); it holds x"),
        ({}, r"the data lacks 'x' \(4,\), 'y' \(\); it holds nothing"),
        (
            {"x": np.ones(4), "y": 1, "first_W": np.ones((3, 4))},
            r"no parameter 'first_W', which the data holds; its inputs are 'x' \(4,\), 'y' \(\). "
            "Did you mean 'first_w'",
        ),
        ({"x": np.ones(5), "y": 1}, r"'x' must have shape \(4,\), with or without .*\(5,\)"),
        ({"x": np.ones((2, 3, 4)), "y": 1}, r"'x' must have shape .*; got \(2, 3, 4\)"),
        ({"x": np.ones((0, 4)), "y": np.ones(0, int)}, "'x' holds no samples"),
        (
            {"x": np.ones(4), "y": 1, "first_w": np.ones((1, 3, 4))},
            r"'first_w' must have shape \(3, 4\); got \(1, 3, 4\)",
        ),
        ({"x": np.ones(4) * 1j, "y": 1}, "'x' must hold real numbers, got complex128"),
        ({"x": np.array(list("abcd")), "y": 1}, "'x' must hold real numbers, got <U1"),
        ({"x": np.ones(4), "y": 1.0}, "'y' must hold integers, got float64"),
        ({"x": np.ones(4), "y": 3}, "'y' must hold classes from 0 to 2, got 3"),
        ({"x": np.ones(4), "y": -1}, "'y' must hold classes from 0 to 2, got -1"),
        ({"x": np.ones((5, 4)), "y": np.ones(7, int)}, "'x' holds 5 samples, 'y' holds 7; give"),
        ({"x": np.ones((5, 4)), "y": 1}, "'y' has no axis of samples, 'x' holds 5; give all"),
    ],
)
def test_data_that_does_not_fit(data, message):
    with pytest.raises(UsageError, match=message):
        values_of(network(), data)


def test_a_named_size_is_one_size():
    x, y = gc.observed("x", shape="n"), gc.observed("y", shape="n")
    graph = gc.Graph(gc.mse(x, y, name="C"), name="net")
    with pytest.raises(UsageError, match=r"'y' must have shape \(n,\), where n is 3, with or"):
        values_of(graph, {"x": np.ones(3), "y": np.ones(4)})


def test_what_all_samples_share_has_no_axis_of_them():
    x, t = gc.observed("x", shape=2), gc.observed("t", shape=2, per_sample=False)
    graph = gc.Graph(gc.mse(x, t, name="C"), name="net")
    found = values_of(graph, {"x": np.ones((5, 2)), "t": np.zeros(2)})
    assert found["shared"].keys() == {"t"}
    assert "t" not in found["samples"][0]["values"]
    with pytest.raises(UsageError, match=r"'t' must have shape \(2,\); got \(5, 2\)"):
        values_of(graph, {"x": np.ones((5, 2)), "t": np.zeros((5, 2))})


def test_data_is_for_the_page_alone(tmp_path):
    with pytest.raises(RenderError, match="shown by the interactive page"):
        gc.render(network(), tmp_path / "net.svg", data={})


def test_large_arrays_become_pictures_of_means():
    array = np.arange(300.0 * 260).reshape(300, 260)
    cells, block = coarse(array)
    assert block == (3, 3)
    assert cells.shape == (100, 87)
    assert cells[0, 0] == pytest.approx(array[:3, :3].mean())
    assert cells[-1, -1] == pytest.approx(array[297:, 258:].mean())
    assert np.nansum(folded(np.ones((1, 1000)))) == 1000
    made = summary(np.full((20, 30), np.nan))
    assert (made["odd"], made["count"], made["least"]) == (600, 600, 0.0)
    json.dumps(made, allow_nan=False)
    assert summary(np.zeros((0, 3)))["norm"] == 0.0
    assert summary(3.0)["values"] == [[3.0]]


# --- the file ---------------------------------------------------------------------------------


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        assert not any(name in ("src", "href") and not (value or "").startswith(("#", "data:"))
                       for name, value in attrs)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_labels_stay_text(text):
    x = gc.observed("x", shape=3, label=text)
    w = gc.parameter("w", shape=3, label=text)

    cost = gc.cost(((w - x) ** 2).sum(), name="C", label=text)
    page = page_of(gc.Graph(cost, name="net"))
    page.encode("utf-8")
    outline = Outline()
    outline.feed(page)
    assert outline.tags.count("script") == 3
    assert not any(name.startswith("on") for name in outline.attributes)
    assert read(page, "facts")["name"] == "net"


def test_the_page_is_the_same_bytes_each_time(tmp_path):
    path = gc.render(network(), tmp_path / "net.html")
    first = path.read_bytes()
    gc.render(network(), path)
    assert path.read_bytes() == first
    assert b"generated by graphc" in first[:200]


def test_a_block_without_a_derivative_leaves_the_forward_pass():
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3, init="ones")
    black = gc.opaque(lambda v: v * v, shape=(3,), name="black")
    graph = gc.Graph(gc.cost((black(w * x)).sum(), name="C"), name="net")
    page = page_of(graph, data={"x": np.arange(3.0)})
    facts = read(page, "facts")
    (sample,) = facts["values"]["samples"]
    assert sample["values"]["C"]["values"] == [[5.0]]
    assert sample["gradients"] == {}
    assert not any(rule != "forward" for _, *o in facts["lines"].values() for _, rule in o)


def test_a_graph_without_a_cost_has_a_page():
    x = gc.observed("x", shape=3)
    page = page_of(Graph(gc.tanh(x, output="z"), name="plain"))
    assert read(page, "facts")["costs"] == []


def test_a_folded_figure_opens_as_well():
    @gc.block
    def unit(z):
        return gc.tanh(gc.Linear(3)(z))

    z = gc.observed("x", shape=3)
    for k in range(5):
        z = unit(name=f"b{k}")(z, output=f"z{k}")
    graph = gc.Graph(gc.cost((z**2).sum(), name="C"), name="net")
    page = page_of(graph, fold=True)
    closed, opened = page.split('<template id="otherfigure">')
    assert closed.count('class="gc-group gc-plate"') == 1
    assert opened.count('class="gc-group gc-plate"') == 1
    assert closed.count("gc-composite") == 0 < opened.count('class="gc-group gc-composite"')
