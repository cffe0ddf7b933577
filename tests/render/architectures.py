"""Published architectures as diagrams, written as sketches.

`sketch("name", "*x > [f] > h > {C}", "*y > {C}")`: names in brackets are functions, in braces
costs; `*` marks observed variables, `~` latent ones, `$` parameters; all other names are computed.
"""

from itertools import pairwise

from graphc.calculus.names import math_label
from graphc.render.diagram import Diagram, Edge, Element

MARKS = {"*": "observed", "~": "latent", "$": "parameter"}


def read_name(word):
    """Return kind and name of a word of a sketch."""
    if word[0] == "[":
        return "function", word[1:-1]
    if word[0] == "{":
        return "cost", word[1:-1]
    return (MARKS[word[0]], word[1:]) if word[0] in MARKS else ("", word)


def sketch(name, *paths):
    kinds, edges = {}, []
    for path in paths:
        words = [read_name(word) for word in path.split(" > ")]
        for kind, word in words:
            if kind or word not in kinds:
                kinds[word] = kind or kinds.get(word) or "computed"
        for (_, a), (_, b) in pairwise(words):
            kind = "parameter" if kinds[a] == "parameter" else "forward"
            into = sum(edge.target == b for edge in edges)
            out = sum(edge.source == a for edge in edges) if kinds[a] == "function" else 0
            edges.append(Edge(a, b, kind, source_port=out, target_port=into))
    elements = tuple(
        Element(word, kind, math_label(word.partition(".")[0])) for word, kind in kinds.items()
    )
    return Diagram(name, elements, tuple(edges))


def chain(names, start, unit):
    """Return a path through functions, with a numbered variable after each."""
    words = [start]
    for k, name in enumerate(names, 1):
        words += [f"[{name}.{unit}{k}]", f"{unit}{k}"]
    return " > ".join(words)


def lenet5():
    path = chain(["C1", "S2", "C3", "S4", "C5", "F6", "rbf"], "*x", "h")
    return sketch("lenet5", f"{path} > {{loss}}", "*y > {loss}")


def alexnet():
    names = [
        "conv",
        "pool",
        "conv",
        "pool",
        "conv",
        "conv",
        "conv",
        "pool",
        "fc",
        "fc",
        "fc",
        "softmax",
    ]
    return sketch("alexnet", f"{chain(names, '*x', 'h')} > {{loss}}", "*y > {loss}")


def vgg16():
    names = [
        "conv",
        "conv",
        "pool",
        "conv",
        "conv",
        "pool",
        "conv",
        "conv",
        "conv",
        "pool",
        "conv",
        "conv",
        "conv",
        "pool",
    ]
    path = chain([*names, *["conv", "conv", "conv", "pool", "fc", "fc", "fc"]], "*x", "h")
    return sketch("vgg16", f"{path} > {{loss}}", "*y > {loss}")


def resnet50():
    paths, last, k = [f"{chain(['conv', 'pool'], '*x', 's')}"], "s2", 0
    for blocks in (3, 4, 6, 3):
        for block in range(blocks):
            unit = f"b{k}_"
            paths.append(f"{chain(['conv'] * 3, last, unit)} > [add.{k}] > z{k}")
            shortcut = f"{last} > [conv.p{k}] > p{k} > " if block == 0 else f"{last} > "
            paths.append(f"{shortcut}[add.{k}]")
            last, k = f"z{k}", k + 1
    path = chain(["pool", "fc"], last, "o")
    return sketch("resnet50", *paths, f"{path} > {{loss}}", "*y > {loss}")


def inception():
    return sketch(
        "inception",
        "*x > [conv1.a] > a > [concat] > y",
        "*x > [conv1.b] > b1 > [conv3] > b > [concat]",
        "*x > [conv1.c] > c1 > [conv5] > c > [concat]",
        "*x > [pool] > d1 > [conv1.d] > d > [concat]",
    )


def densenet_block(count=4):
    paths, last = [], ["*x"]
    for k in range(1, count + 1):
        paths.append(f"{last[-1]} > [conv.{k}] > h{k}")
        paths += [f"{name} > [conv.{k}]" for name in last[:-1]]
        last.append(f"h{k}")
    return sketch("densenet_block", *paths)


def mobilenet_block():
    return sketch(
        "mobilenet_block",
        "*x > [expand] > e > [depthwise] > d > [project] > p > [add] > y",
        "*x > [add]",
    )


def squeeze_excite():
    return sketch(
        "squeeze_excite",
        "*x > [conv] > u > [pool] > q > [fc.1] > r > [fc.2] > s > [scale] > v > [add] > y",
        "u > [scale]",
        "*x > [add]",
    )


def feature_pyramid(levels=4):
    paths = [chain(["conv"] * levels, "*x", "c")]
    last = f"c{levels}"
    paths.append(f"{last} > [lateral.{levels}] > m{levels} > [head.{levels}] > p{levels}")
    for k in range(levels - 1, 0, -1):
        paths.append(f"m{k + 1} > [up.{k}] > u{k} > [add.{k}] > m{k} > [head.{k}] > p{k}")
        paths.append(f"c{k} > [lateral.{k}] > l{k} > [add.{k}]")
    return sketch("feature_pyramid", *paths)


def unet5(depth=4):
    paths, last = [], "*x"
    for k in range(depth):
        paths.append(f"{last} > [conv.{k}] > h{k} > [pool.{k}] > d{k}")
        last = f"d{k}"
    paths.append(f"{last} > [mid] > g{depth}")
    for k in reversed(range(depth)):
        paths.append(f"g{k + 1} > [up.{k}] > u{k} > [concat.{k}] > c{k} > [conv.u{k}] > g{k}")
        paths.append(f"h{k} > [concat.{k}]")
    return sketch("unet5", *paths, "g0 > [out] > ybar > {C}", "*y > {C}")


def lstm_cell():
    gates = [f"[cat] > v > [W{gate}] > {gate}" for gate in "figo"]
    return sketch(
        "lstm_cell",
        "*x > [cat] > v",
        "*h > [cat]",
        *[gate.removeprefix("[cat] > ") for gate in gates],
        "*c > [forget] > c1 > [add] > c2 > [tanh] > t > [output] > h2",
        "f > [forget]",
        "i > [input] > u > [add]",
        "g > [input]",
        "o > [output]",
    )


def gru_cell():
    return sketch(
        "gru_cell",
        "*x > [R] > r > [gate] > q > [H] > n > [mix] > h2",
        "*h > [R]",
        "*x > [Z] > z > [mix]",
        "*h > [Z]",
        "*h > [gate]",
        "*x > [H]",
        "*h > [mix]",
    )


def unrolled_lstm(steps=4):
    paths = ["*h0 > [cell.1]", "*c0 > [cell.1]"]
    for k in range(1, steps + 1):
        paths += [f"*x{k} > [cell.{k}] > h{k}", f"[cell.{k}] > c{k}"]
        if k < steps:
            paths += [f"h{k} > [cell.{k + 1}]", f"c{k} > [cell.{k + 1}]"]
    return sketch("unrolled_lstm", *paths)


def encoder_decoder(steps=3):
    paths, last = [], "*h0"
    for k in range(1, steps + 1):
        paths += [f"{last} > [enc.{k}] > h{k}", f"*x{k} > [enc.{k}]"]
        last = f"h{k}"
    for k in range(1, steps + 1):
        paths += [f"{last} > [dec.{k}] > s{k} > [out.{k}] > y{k}"]
        if k > 1:
            paths.append(f"y{k - 1} > [dec.{k}]")
        last = f"s{k}"
    return sketch("encoder_decoder", *paths)


def attention_paths(unit, query, source, result):
    return [
        f"{query} > [Q.{unit}] > q{unit} > [score.{unit}] > s{unit} > [softmax.{unit}] > a{unit}"
        f" > [mix.{unit}] > {result}",
        f"{source} > [K.{unit}] > k{unit} > [score.{unit}]",
        f"{source} > [V.{unit}] > v{unit} > [mix.{unit}]",
    ]


def block_paths(unit, start, end):
    """Return one block of a Transformer encoder (post-norm)."""
    return [
        *attention_paths(unit, start, start, f"o{unit}"),
        f"o{unit} > [add.a{unit}] > r{unit} > [norm.a{unit}] > n{unit} > [mlp.{unit}] > m{unit}"
        f" > [add.b{unit}] > t{unit} > [norm.b{unit}] > {end}",
        f"{start} > [add.a{unit}]",
        f"n{unit} > [add.b{unit}]",
    ]


def transformer_block():
    return sketch("transformer_block", *block_paths("1", "*x", "y"))


def transformer(blocks=2):
    paths, last = ["*x > [embed.x] > e0"], "e0"
    for k in range(1, blocks + 1):
        paths.append(f"{last} > [encoder.{k}] > e{k}")
        last = f"e{k}"
    paths.append("*y > [embed.y] > d0")
    for k in range(1, blocks + 1):
        paths += [
            f"d{k - 1} > [self.{k}] > s{k} > [cross.{k}] > c{k} > [mlp.{k}] > d{k}",
            f"{last} > [cross.{k}]",
        ]
    return sketch(
        "transformer", *paths, f"d{blocks} > [linear] > z > [softmax] > p > {{loss}}", "*t > {loss}"
    )


def bert(blocks=6):
    paths, last = ["*w > [token] > a > [add] > e0", "*p > [position] > b > [add]"], "e0"
    for k in range(1, blocks + 1):
        paths += [
            f"{last} > [attend.{k}] > a{k} > [add.a{k}] > r{k}",
            f"r{k} > [mlp.{k}] > m{k} > [add.b{k}] > e{k}",
            f"{last} > [add.a{k}]",
            f"r{k} > [add.b{k}]",
        ]
        last = f"e{k}"
    return sketch("bert", *paths, f"{last} > [head] > z > {{loss}}", "*t > {loss}")


def vision_transformer():
    return sketch(
        "vision_transformer",
        "*x > [patch] > p > [add] > z0 > [block.1] > z1 > [block.2] > z2 > [head] > s > {loss}",
        "$position > [add]",
        "*y > {loss}",
    )


def vae():
    return sketch(
        "vae",
        "*x > [Enc] > mu > [sample] > z > [Dec] > xbar > {rec}",
        "[Enc] > sigma > [sample]",
        "~epsilon > [sample]",
        "mu > {KL}",
        "sigma > {KL}",
        "*x > {rec}",
    )


def gan():
    return sketch(
        "gan",
        "~z > [G] > xtilde > [D.1] > d1 > {CG}",
        "*x > [D.2] > d2 > {CD}",
        "d1 > {CD}",
        "$w > [D.1]",
        "$w > [D.2]",
    )


def cyclegan():
    return sketch(
        "cyclegan",
        "*x > [F.1] > y1 > [G.1] > x2 > {rec.x}",
        "*x > {rec.x}",
        "*y > [G.2] > x1 > [F.2] > y2 > {rec.y}",
        "*y > {rec.y}",
        "y1 > [DY] > dy > {Cy}",
        "x1 > [DX] > dx > {Cx}",
    )


def siamese_net():
    return sketch(
        "siamese_net",
        "*x1 > [G.1] > h1 > {D}",
        "*x2 > [G.2] > h2 > {D}",
        "$w > [G.1]",
        "$w > [G.2]",
        "*y > {D}",
    )


def triplet():
    return sketch(
        "triplet",
        *[f"*{x} > [G.{x}] > h{x} > {{C}}" for x in "apn"],
        *[f"$w > [G.{x}]" for x in "apn"],
    )


def simclr():
    return sketch(
        "simclr",
        "*x > [t.1] > x1 > [f.1] > h1 > [g.1] > z1 > {NCE}",
        "*x > [t.2] > x2 > [f.2] > h2 > [g.2] > z2 > {NCE}",
        "$w > [f.1]",
        "$w > [f.2]",
    )


def jepa():
    return sketch(
        "jepa",
        "*x > [Enc.x] > sx > [Pred] > stilde > {D}",
        "*y > [Enc.y] > sy > {D}",
        "~z > [Pred]",
        "~z > {R}",
    )


def vicreg():
    return sketch(
        "vicreg",
        "*x1 > [f.1] > h1 > [g.1] > z1 > {S}",
        "*x2 > [f.2] > h2 > [g.2] > z2 > {S}",
        "z1 > {V1}",
        "z2 > {V2}",
    )


def actor_critic():
    return sketch(
        "actor_critic",
        "*s > [actor] > a > [critic] > q > {CA}",
        "*s > [critic]",
        "q > {CQ}",
        "*r > {CQ}",
    )


def dqn():
    return sketch(
        "dqn",
        "*s > [Q.1] > q1 > [pick] > v > {C}",
        "*a > [pick]",
        "*s2 > [Q.2] > q2 > [max] > m > [target] > t > {C}",
        "*r > [target]",
    )


def word2vec():
    return sketch(
        "word2vec",
        "*c > [embed.c] > u > [dot] > s > {loss}",
        "*o > [embed.o] > v > [dot]",
        "*n > [embed.n] > k > [dot.n] > r > {loss}",
        "u > [dot.n]",
    )


def autoencoder():
    path = chain(["enc", "enc", "dec", "dec"], "*x", "h")
    return sketch("autoencoder", f"{path} > {{C}}", "*x > {C}")


def coupling_flow():
    return sketch(
        "coupling_flow",
        "*x > [split] > a > [scale] > s > [affine] > b2 > [merge] > z > {C}",
        "[split] > b > [affine]",
        "a > [shift] > t > [affine]",
        "a > [merge]",
        "s > {C}",
    )


def mixture_of_experts(count=3):
    paths = ["*x > [gate] > g > [mix] > y"]
    paths += [f"*x > [E{k}] > e{k} > [mix]" for k in range(1, count + 1)]
    return sketch("mixture_of_experts", *paths)


def deep_supervision(count=3):
    paths = [chain(["f"] * count, "*x", "h")]
    paths += [f"h{k} > [head.{k}] > y{k} > {{C{k}}}" for k in range(1, count + 1)]
    paths += [f"*y > {{C{k}}}" for k in range(1, count + 1)]
    return sketch("deep_supervision", *paths)


def multitask():
    return sketch(
        "multitask",
        "*x > [trunk] > h > [A] > a > {CA}",
        "h > [B] > b > {CB}",
        "h > [D] > d > {CD}",
        *[f"*y{k} > {{C{k}}}" for k in "ABD"],
    )


def highway(count=2):
    paths, last = [], "*x"
    for k in range(1, count + 1):
        paths += [
            f"{last} > [H.{k}] > h{k} > [mix.{k}] > y{k}",
            f"{last} > [T.{k}] > t{k} > [mix.{k}]",
            f"{last} > [mix.{k}]",
        ]
        last = f"y{k}"
    return sketch("highway", *paths)


def ladder(levels=3):
    paths, last = [], "*x"
    for k in range(1, levels + 1):
        paths.append(f"{last} > [f.{k}] > z{k}")
        last = f"z{k}"
    back = last
    for k in range(levels - 1, -1, -1):
        paths.append(f"{back} > [g.{k}] > v{k}")
        paths.append(f"{'*x' if k == 0 else f'z{k}'} > [g.{k}]")
        paths.append(f"v{k} > {{C{k}}}")
        back = f"v{k}"
    return sketch("ladder", *paths)


ARCHITECTURES = {
    build.__name__: build()
    for build in (
        lenet5,
        alexnet,
        vgg16,
        resnet50,
        inception,
        densenet_block,
        mobilenet_block,
        squeeze_excite,
        feature_pyramid,
        unet5,
        lstm_cell,
        gru_cell,
        unrolled_lstm,
        encoder_decoder,
        transformer_block,
        transformer,
        bert,
        vision_transformer,
        vae,
        gan,
        cyclegan,
        siamese_net,
        triplet,
        simclr,
        jepa,
        vicreg,
        actor_critic,
        dqn,
        word2vec,
        autoencoder,
        coupling_flow,
        mixture_of_experts,
        deep_supervision,
        multitask,
        highway,
        ladder,
    )
}
