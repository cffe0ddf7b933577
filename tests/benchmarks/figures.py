"""How long a figure takes, beside Graphviz and torchview. See `--help`.

graphc lays a diagram out and prints SVG; `dot` is given the same boxes and edges, without labels,
and prints SVG, too; torchview traces a torch model with as many layers, and has `dot` draw it.
A peer that is not installed is left out, and the table says so.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.machine import load, machine

SIZES = (10, 30, 100, 300, 1000)
AIM = (
    "The aim: 100 blocks in under 0.5 s, 1000 in under 5 s, and time close to linear in the blocks."
)
LONGEST = 60.0  # seconds after which a peer is not asked for more blocks


def chain(blocks: int) -> Any:
    """Return a chain of blocks with a cost at its end."""
    from tests.render.corpus import layers

    return layers(blocks)


def residual(blocks: int) -> Any:
    """Return residual blocks: three functions each, one of them a sum with a shortcut."""
    from tests.render.corpus import residual as build

    return build(max(1, blocks // 3))


def encoder(blocks: int) -> Any:
    """Return blocks of a Transformer's encoder: ten functions each, with branches and shortcuts."""
    from tests.render.architectures import block_paths, sketch

    paths, last = [], "*x"
    for k in range(max(1, blocks // 10)):
        paths += block_paths(str(k), last, f"y{k}")
        last = f"y{k}"
    return sketch("encoder", *paths)


FAMILIES: dict[str, Callable[[int], Any]] = {
    "chain": chain,
    "residual": residual,
    "encoder": encoder,
}


def by_graphc(diagram: Any, engine: str = "auto") -> str:
    """Return the figure of graphc."""
    from graphc.render.layout import lay_out
    from graphc.render.palettes import LIGHT
    from graphc.render.svg import print_svg

    return print_svg(lay_out(diagram, engine=engine), LIGHT)


def by_dot(diagram: Any) -> str:
    """Return the figure of Graphviz: boxes and edges."""
    import graphviz

    number = {element.id: i for i, element in enumerate(diagram.elements)}
    lines = [f"n{i} [shape=box, label={i}];" for i in number.values()]
    lines += [f"n{number[edge.source]} -> n{number[edge.target]};" for edge in diagram.edges]
    source = "digraph {rankdir=LR;" + "".join(lines) + "}"
    return graphviz.Source(source).pipe(format="svg", encoding="utf-8")


def by_torchview(blocks: int) -> str:
    """Return the figure of torchview: a torch model of as many linear layers, traced and drawn."""
    import torch
    import torchview

    model = torch.nn.Sequential(*(torch.nn.Linear(4, 4) for _ in range(blocks)))
    drawn = torchview.draw_graph(model, input_size=(1, 4), device="meta")
    return drawn.visual_graph.pipe(format="svg", encoding="utf-8")


def timed(draw: Callable[[], str], rounds: int) -> float:
    """Return the median of the seconds that a figure takes."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        draw()
        taken.append(time.perf_counter() - start)
        if sum(taken) > LONGEST:
            break
    return float(np.median(taken))


def peers(family: str) -> dict[str, Callable[[int], Callable[[], str]]]:
    """Return for each peer what draws a figure of so many blocks; the model is made before."""
    build = FAMILIES[family]
    found: dict[str, Callable[[int], Callable[[], str]]] = {
        "graphc": lambda n: partial(by_graphc, build(n)),
        "graphc, built-in": lambda n: partial(by_graphc, build(n), "builtin"),
        "dot": lambda n: partial(by_dot, build(n)),
    }
    if family == "chain":
        found["torchview"] = lambda n: partial(by_torchview, n)
    return found


def measured(family: str, sizes: list[int], rounds: int) -> dict[str, list[str]]:
    """Return a row of the table for each peer."""
    rows: dict[str, list[str]] = {}
    for name, prepare in peers(family).items():
        row: list[str] = []
        for size in sizes:
            draw = prepare(size)
            try:
                draw()  # fonts are loaded, labels are not yet typeset for the next size
                row.append(f"{timed(draw, rounds):.3f} s")
            except Exception as error:  # a peer that is not there, or that gives up
                row.append(type(error).__name__)
                break
        rows[name] = row
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="figures.py", description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), metavar="BLOCKS")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is taken")
    parser.add_argument("--only", choices=FAMILIES, help="one family of graphs")
    options = parser.parse_args(arguments)
    print("\n".join(f"{name + ':':14}{value}" for name, value in machine().items()), flush=True)
    for family in FAMILIES if options.only is None else [options.only]:
        print(f"\n{family:18}" + "".join(f"{n:>12}" for n in options.sizes) + " blocks")
        for name, row in measured(family, options.sizes, options.rounds).items():
            print(f"{name:18}" + "".join(f"{cell:>12}" for cell in row), flush=True)
    print(f"\nload: {load()}\n{AIM}")


if __name__ == "__main__":
    main()
