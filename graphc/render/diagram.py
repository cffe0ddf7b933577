"""What is drawn: elements and edges, as plain frozen data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from graphc.errors import RenderError

Kind = Literal["observed", "computed", "latent", "parameter", "function", "cost"]
EdgeKind = Literal["forward", "parameter"]

KINDS: tuple[str, ...] = get_args(Kind)
EDGE_KINDS: tuple[str, ...] = get_args(EdgeKind)


@dataclass(frozen=True, slots=True)
class Element:
    r"""A variable, a function or a cost.

    Parameters
    ----------
    id : str
        Unique in the diagram; any text.
    kind : Kind
        What the element is, and so its shape and its colour.
    label : str
        LaTeX mathematics without dollar signs.
    note : str
        LaTeX, drawn small and grey beside the element, such as ``\mathbb{R}^{600}``.
    discrete : bool
        Draw the variable with a double ring.
    parameters : tuple of str
        LaTeX labels of the implicit parameters of a function.
    hint : str
        Plain text, shown when the pointer rests on the element.
    """

    id: str
    kind: Kind
    label: str
    note: str = ""
    discrete: bool = False
    parameters: tuple[str, ...] = ()
    hint: str = ""

    def __post_init__(self) -> None:
        """Refuse a kind that has no shape."""
        if self.kind not in KINDS:
            raise RenderError(
                f"element {self.id!r} has the kind {self.kind!r}; the kinds are {', '.join(KINDS)}"
            )


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from one element to another.

    Parameters
    ----------
    source, target : str
        Ids of elements.
    kind : {"forward", "parameter"}
        Parameter edges take the colour of parameters.
    source_port, target_port : int
        Which output of the source, which input of the target.
    label : str
        LaTeX, drawn beside the edge.
    """

    source: str
    target: str
    kind: EdgeKind = "forward"
    source_port: int = 0
    target_port: int = 0
    label: str = ""

    def __post_init__(self) -> None:
        """Refuse a kind that has no colour."""
        if self.kind not in EDGE_KINDS:
            raise RenderError(
                f"the edge {self.source!r} -> {self.target!r} has the kind {self.kind!r}; "
                f"the kinds are {', '.join(EDGE_KINDS)}"
            )


@dataclass(frozen=True, slots=True)
class Diagram:
    """A computation graph as it is to be drawn.

    Parameters
    ----------
    name : str
        Title of the figure, plain text.
    elements : tuple of Element
        In the order in which ties of the layout are broken.
    edges : tuple of Edge
        Between the elements; together they close no cycle.
    description : str
        Plain text for readers who cannot see the figure.

    Raises
    ------
    RenderError
        If two elements share an id, or an edge starts or ends at an unknown one.
    """

    name: str
    elements: tuple[Element, ...]
    edges: tuple[Edge, ...]
    description: str = ""

    def __post_init__(self) -> None:
        """Check the ids."""
        known = {element.id for element in self.elements}
        if len(known) < len(self.elements):
            twice = first_repeated(element.id for element in self.elements)
            raise RenderError(f"diagram {self.name!r} has two elements with the id {twice!r}")
        for edge in self.edges:
            for end in (edge.source, edge.target):
                if end not in known:
                    raise RenderError(
                        f"diagram {self.name!r}: the edge {edge.source!r} -> {edge.target!r} "
                        f"needs an element {end!r}, which is not among its {len(known)} elements"
                    )


def first_repeated(names: Iterable[str]) -> str | None:
    """Return the first name that occurs a second time."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
