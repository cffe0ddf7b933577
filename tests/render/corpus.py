"""Diagrams that the tests of the figures draw."""

import random
from dataclasses import replace
from itertools import pairwise

from graphc.render.diagram import Diagram, Edge, Element

KINDS = {
    "o": "observed",
    "c": "computed",
    "l": "latent",
    "p": "parameter",
    "f": "function",
    "C": "cost",
}


def diagram(name, elements, *paths, extra=()):
    """Write a diagram down: elements as (kind letter, id, label, fields), edges as paths."""
    built = tuple(
        Element(id_, KINDS[kind], label, **(fields[0] if fields else {}))
        for kind, id_, label, *fields in elements
    )
    edges = []
    for path in paths:
        stops = path.split(" > ")
        edges += [Edge(a, b) for a, b in pairwise(stops)]
    return Diagram(name, built, (*edges, *extra))


def parameter_edges(source, *targets):
    return tuple(Edge(source, target, kind="parameter") for target in targets)


def basic():
    return diagram(
        "basic",
        [
            ("o", "x", "x", {"note": r"\mathbb{R}^{600}"}),
            ("f", "G", "G(x,w)", {"parameters": ("w",)}),
            ("c", "ybar", r"\bar{y}", {"note": r"\mathbb{R}^{10}"}),
            ("C", "C", r"C(y,\bar{y})"),
            ("o", "y", "y", {"note": r"\{0,\dots,9\}", "discrete": True}),
        ],
        "x > G > ybar > C",
        "y > C",
    )


def layers(count=3):
    elements = [("o", "z0", "x", {"note": r"\mathbb{R}^{784}"})]
    paths = []
    for k in range(1, count + 1):
        elements += [
            ("f", f"f{k}", f"f_{{{k}}}(z_{{{k - 1}}},w_{{{k}}})", {"parameters": (f"w_{{{k}}}",)}),
            ("c", f"z{k}", f"z_{{{k}}}", {"note": r"\mathbb{R}^{60}"}),
        ]
        paths.append(f"z{k - 1} > f{k} > z{k}")
    elements += [("C", "C", f"C(y,z_{{{count}}})"), ("o", "y", "y")]
    return diagram("layers", elements, *paths, f"z{count} > C", "y > C")


def siamese():
    return diagram(
        "siamese",
        [
            ("o", "x1", "x_1"),
            ("o", "x2", "x_2"),
            ("p", "w", "w", {"note": r"\mathbb{R}^{5}"}),
            ("f", "G1", "G(x_1,w)"),
            ("f", "G2", "G(x_2,w)"),
            ("c", "h1", "h_1"),
            ("c", "h2", "h_2"),
            ("C", "D", "D(h_1,h_2)"),
        ],
        "x1 > G1 > h1 > D",
        "x2 > G2 > h2 > D",
        extra=parameter_edges("w", "G1", "G2"),
    )


def residual(blocks=3):
    elements, paths = [("o", "h0", "x", {"note": r"\mathbb{R}^{3\times 224\times 224}"})], []
    for k in range(blocks):
        elements += [
            ("f", f"a{k}", r"\mathrm{conv}", {"parameters": ("w", "b")}),
            ("c", f"u{k}", f"u_{{{k}}}"),
            ("f", f"b{k}", r"\mathrm{relu}"),
            ("c", f"v{k}", f"v_{{{k}}}"),
            ("f", f"add{k}", "+"),
            ("c", f"h{k + 1}", f"h_{{{k + 1}}}", {"note": r"\mathbb{R}^{64\times 112}"}),
        ]
        paths += [f"h{k} > a{k} > u{k} > b{k} > v{k} > add{k} > h{k + 1}", f"h{k} > add{k}"]
    return diagram("residual", elements, *paths)


def variational():
    return diagram(
        "variational",
        [
            ("o", "x1", "x_1"),
            ("o", "x2", "x_2"),
            ("f", "F", "F(x_1,x_2,w)"),
            ("c", "mu", r"\mu", {"note": r"\mathbb{R}^{8}"}),
            ("c", "sigma", r"\sigma", {"note": r"\mathbb{R}^{8}"}),
            ("l", "eps", r"\varepsilon"),
            ("f", "S", r"\mu+\sigma\odot\varepsilon"),
            ("c", "z", "z"),
            ("C", "C", r"C(z,\mu,\sigma)"),
        ],
        "x1 > F",
        "x2 > F > mu > S > z > C",
        "eps > S",
        "sigma > S",
        "mu > C",
        "sigma > C",
        extra=(Edge("F", "sigma", source_port=1),),
    )


def unet(depth=4):
    elements, paths, last = [("o", "x", "x")], [], "x"
    for k in range(depth):
        note = rf"\mathbb{{R}}^{{{256 >> k}\times {256 >> k}}}"
        elements += [("f", f"down{k}", r"\mathrm{down}"), ("c", f"h{k}", f"h_{k}", {"note": note})]
        paths.append(f"{last} > down{k} > h{k}")
        last = f"h{k}"
    elements += [("f", "mid", r"\mathrm{mid}"), ("c", "g", "g")]
    paths.append(f"{last} > mid > g")
    last = "g"
    for k in reversed(range(depth)):
        elements += [("f", f"up{k}", r"\mathrm{up}"), ("c", f"g{k}", f"g_{k}")]
        paths += [f"{last} > up{k} > g{k}", f"h{k} > up{k}"]
        last = f"g{k}"
    return diagram("unet", elements, *paths)


def energy():
    return diagram(
        "energy",
        [
            ("o", "x", "x"),
            ("f", "P", r"\mathrm{Pred}(x)"),
            ("c", "h", "h"),
            ("l", "z", "z", {"discrete": True}),
            ("f", "D", r"\mathrm{Dec}(z,h)"),
            ("c", "ybar", r"\bar{y}"),
            ("C", "C", r"C(y,\bar{y})"),
            ("o", "y", "y"),
        ],
        "x > P > h > D > ybar > C",
        "z > D",
        "y > C",
    )


def adversarial():
    return diagram(
        "adversarial",
        [
            ("l", "z", "z"),
            ("f", "G", "G(z,v)", {"parameters": ("v",)}),
            ("c", "fake", r"\tilde{x}"),
            ("o", "x", "x"),
            ("p", "w", "w"),
            ("f", "D1", r"D(\tilde{x},w)"),
            ("f", "D2", "D(x,w)"),
            ("c", "d1", "d_1"),
            ("c", "d2", "d_2"),
            ("C", "CG", "C_G(d_1)"),
            ("C", "CD", "C_D(d_1,d_2)"),
        ],
        "z > G > fake > D1 > d1 > CG",
        "x > D2 > d2 > CD",
        "d1 > CD",
        extra=parameter_edges("w", "D1", "D2"),
    )


def attention():
    return diagram(
        "attention",
        [
            ("o", "x", "x"),
            *[("f", f"F{k}", k.upper()) for k in "qkv"],
            *[("c", k, k) for k in "qkv"],
            ("f", "scores", r"q^\top k"),
            ("c", "s", "s"),
            ("f", "softmax", r"\mathrm{softmax}"),
            ("c", "a", "a"),
            ("f", "mix", "a v"),
            ("c", "o", "o"),
            ("f", "add", "+"),
            ("c", "h", "h"),
        ],
        *[f"x > F{k} > {k}" for k in "qkv"],
        "q > scores",
        "k > scores > s > softmax > a > mix > o > add > h",
        "v > mix",
        "x > add",
    )


def recurrent(steps=5):
    elements, paths = [("o", "h0", "h_0"), ("p", "w", "w")], []
    for k in range(1, steps + 1):
        elements += [("o", f"x{k}", f"x_{k}"), ("f", f"f{k}", "f"), ("c", f"h{k}", f"h_{k}")]
        paths += [f"h{k - 1} > f{k} > h{k}", f"x{k} > f{k}"]
    users = [f"f{k}" for k in range(1, steps + 1)]
    return diagram("recurrent", elements, *paths, extra=parameter_edges("w", *users))


def parameters():
    return diagram(
        "parameters",
        [
            ("o", "x", "x"),
            *[("p", k, k, {"note": r"\mathbb{R}^{7}"}) for k in "Wbc"],
            ("f", "f", "Wx+b+c", {"parameters": ("d", "e")}),
            ("c", "L", r"\mathcal{L}(S,w)"),
        ],
        "x > f > L",
        extra=tuple(edge for k in "Wbc" for edge in parameter_edges(k, "f")),
    )


def labelled():
    return diagram(
        "labelled",
        [
            ("o", "x", "x"),
            ("f", "f", "f"),
            ("c", "z", "z"),
            ("C", "C", "C(y,z)"),
            ("o", "y", "y"),
            ("f", "g", "g"),
        ],
        "x > f",
        extra=(
            Edge("f", "z", label=r"\frac{\partial f}{\partial x}"),
            Edge("z", "C", label="g_z"),
            Edge("y", "C", label="g_y"),
            Edge("x", "g", label="x[0]"),
            Edge("g", "C", label=r"\mathbb{R}^{10}"),
        ),
    )


def dense(blocks=7):
    elements, paths = [("o", "x0", "x_0")], []
    for k in range(1, blocks):
        elements += [("f", f"f{k}", f"f_{k}"), ("c", f"x{k}", f"x_{k}")]
        paths += [f"f{k} > x{k}", *[f"x{j} > f{k}" for j in range(k)]]
    return diagram("dense", elements, *paths)


def twice():
    """An input used twice by one function, an unused one, and two parts without a connection."""
    return diagram(
        "twice",
        [
            ("o", "x", "x"),
            ("f", "f", r"x \odot x"),
            ("c", "z", "z"),
            ("o", "unused", "u"),
            ("o", "a", "a"),
            ("f", "g", "g"),
            ("c", "b", "b"),
        ],
        "x > f > z",
        "a > g > b",
        extra=(Edge("x", "f", target_port=1),),
    )


def random_diagram(seed):
    """A tangled model: several inputs, shared parameters, skips, notes, labels, two outputs."""
    choose = random.Random(seed)
    elements, edges, variables = [], [], {}
    for k in range(choose.randint(4, 22)):
        if k < 2 or choose.random() < 0.2:
            kind = choose.choice(["observed", "latent", "parameter"])
            note = choose.choice(["", r"\mathbb{R}^{60}", r"\mathbb{R}^{3\times 200\times 200}"])
            elements.append(Element(f"v{k}", kind, "v" * choose.randint(1, 4), note=note))
            variables[f"v{k}"] = "parameter" if kind == "parameter" else "forward"
            continue
        kind = choose.choice(["function"] * 5 + ["cost"])
        names = choose.choice([(), ("w",), ("w", "b")]) if kind == "function" else ()
        label = choose.choice(["f", "f(x,w)", "f(x_1,x_2,w_{12},z)"])
        elements.append(Element(f"f{k}", kind, label, parameters=names))
        for name in choose.sample(sorted(variables), min(len(variables), choose.randint(1, 3))):
            text = choose.choice([""] * 12 + ["g_z"])
            edges.append(Edge(name, f"f{k}", kind=variables[name], label=text))
        for port in range(choose.choice([1, 1, 1, 2]) if kind == "function" else 0):
            name = f"z{k}_{port}"
            note = choose.choice(["", "", r"\mathbb{R}^{60}"])
            elements.append(Element(name, "computed", "z", note=note))
            edges.append(Edge(f"f{k}", name, source_port=port))
            variables[name] = "forward"
    return Diagram(f"random {seed}", tuple(elements), tuple(edges))


def deep():
    return replace(layers(20), name="deep")


def deep_residual():
    return replace(residual(8), name="deep_residual")


CORPUS = {
    build.__name__: build()
    for build in (
        basic,
        layers,
        siamese,
        residual,
        variational,
        unet,
        energy,
        adversarial,
        attention,
        recurrent,
        parameters,
        labelled,
        dense,
        twice,
        deep,
        deep_residual,
    )
}
