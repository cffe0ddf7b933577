"""The page: one HTML file that shows a graph's figure, formulas and code, and needs no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from graphc.calculus.names import printable
from graphc.emit.files import MARK
from graphc.emit.version import __version__
from graphc.errors import RenderError
from graphc.explore.facts import Facts, amount, facts_of
from graphc.explore.letters import letters_for
from graphc.language.graph import Graph
from graphc.render.draw import drawing_of
from graphc.render.drawing import Drawing
from graphc.render.palettes import DARK, find_palette
from graphc.render.svg import colour_rules, prefix_of, print_svg

HERE = Path(__file__).parent
MOST_OPENED = 60  # blocks of a model whose figure comes in a second form
# Nothing is loaded, from nowhere: what the page needs stands in it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def page_of(
    graph: Graph,
    palette: str = "light",
    data: Mapping[str, Any] | None = None,
    **options: Any,
) -> str:
    """Return the interactive page of a graph.

    Parameters
    ----------
    palette
        ``"light"`` follows the display, ``"dark"`` starts dark, ``"classic"`` draws the figure in
        the lecture's colours.
    data
        Arrays by the names of the graph's inputs, and of parameters if they are not to be the
        initial ones: the page then shows the numbers of one sample.
    options
        Those of the figure.
    """
    colours = find_palette(palette)
    drawing = drawing_of(graph, **options)
    facts = facts_of(graph)
    if data is not None:
        from graphc.explore.values import values_of

        facts["values"] = values_of(graph, data)
    # A copy of the palette: the page itself decides between light and dark.
    figure = print_svg(drawing, replace(colours))
    other = other_drawing(graph, drawing, options)
    drawings = [drawing] if other is None else [drawing, other]
    dark = [
        rule
        for each in drawings
        for rule in colour_rules(f':root[data-theme="dark"] #{prefix_of(each, colours)}', DARK)
    ]
    labels = [v["label"] for v in facts["variables"]]
    letters = letters_for([*(latex for latex, _ in facts["formulas"]), *labels])
    start = "dark" if colours.name == "dark" else "auto"
    page = Template((HERE / "page.html").read_text(encoding="utf-8"))
    return page.substitute(
        mark=f"{MARK} {__version__}",
        policy=POLICY,
        name=escape(printable(graph.name)),
        start=start,
        style="\n".join([*dark, (HERE / "page.css").read_text(encoding="utf-8")]),
        stats=statistics(facts),
        figure=figure,
        other="" if other is None else in_template(print_svg(other, replace(colours))),
        facts=in_script(facts),
        letters=in_script(letters),
        formulas=(HERE / "formulas.js").read_text(encoding="utf-8"),
        script=(HERE / "page.js").read_text(encoding="utf-8"),
    )


def other_drawing(graph: Graph, drawing: Drawing, options: Mapping[str, Any]) -> Drawing | None:
    """Return the figure with its composite blocks open, or closed if they are open.

    None where no block opens, or where the options ask for something else than the whole model.
    """
    if options.get("magnify") or options.get("positions"):
        return None
    if len(graph.uses) > MOST_OPENED:
        return None
    try:
        other = drawing_of(graph, **{**options, "expand": not options.get("expand")})
    except RenderError:
        return None
    same = {n.element.id for n in other.nodes} == {n.element.id for n in drawing.nodes}
    return None if same else other


def in_template(figure: str) -> str:
    """Return a figure as a part of the page that is not shown until the script asks for it."""
    return f'<template id="otherfigure">{figure}</template>'


def statistics(facts: Facts) -> str:
    """Return the line about the whole graph."""
    forward, backward = facts["total"]
    parts = [
        counted(amount(len(facts["blocks"])), "block"),
        counted(facts["parameters"], "parameter"),
        f"{forward['operations']} operations forward",
        f"{backward['operations']} backward",
    ]
    told = "".join(f"<span>{escape(part)}</span>" for part in parts)
    if "values" in facts:
        told += f'<span class="loaded">numbers of {chooser(facts["values"])}</span>'
    return told


def chooser(values: Mapping[str, Any]) -> str:
    """Return the name of the only sample, or a list of the samples to choose from."""
    names = [sample["name"] for sample in values["samples"]]
    if len(names) == 1:
        return escape(names[0])
    options = "".join(f"<option>{escape(name)}</option>" for name in names)
    note = escape(values["note"] or "n and p go to the next and the previous one")
    return f'<select id="sample" aria-label="Sample" title="{note}">{options}</select>'


def counted(number: str, thing: str) -> str:
    """Return a number of things in words."""
    return f"{number} {thing}{'' if number == '1' else 's'}"


def in_script(data: Any) -> str:
    """Print data for a script element: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode("utf-8", "replace").decode()
