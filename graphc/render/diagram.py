"""What is drawn: elements and edges, as plain frozen data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from graphc.errors import RenderError

Kind = Literal[
    "observed",
    "computed",
    "latent",
    "parameter",
    "function",
    "cost",
    # The backward pass: a gradient, and a block that multiplies one by a Jacobian.
    "cotangent",
    "vjp",
    # Labels without a shape: the scalar that leaves a cost, the 1 that enters the backward pass.
    "output",
    "seed",
    # What the layout puts in the place of others: a group as a whole, and, inside, the places
    # where edges cross its frame.
    "frame",
    "port",
]
EdgeKind = Literal["forward", "parameter", "backward", "carry"]
GroupKind = Literal["composite", "plate", "loop"]

KINDS: tuple[str, ...] = get_args(Kind)
EDGE_KINDS: tuple[str, ...] = get_args(EdgeKind)
GROUP_KINDS: tuple[str, ...] = get_args(GroupKind)


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
    gradient : str
        LaTeX in the colour of gradients beside the element: a cotangent or a Jacobian.
    leaving : str
        LaTeX at the end of a dashed arrow that leaves sideways: the gradient by a parameter.
    twin : str
        Of an element of the backward pass: the id of the element that it mirrors.
    symbol : str
        LaTeX of the name alone, as derivatives are written with it; by default the label.
    jacobian : str
        LaTeX of a block's derivative by its inputs, where it says more than ``∂f/∂x`` does.
    sizes : tuple of str
        LaTeX of the axes of a variable, where the figure is to show shapes.
    """

    id: str
    kind: Kind
    label: str
    note: str = ""
    discrete: bool = False
    parameters: tuple[str, ...] = ()
    hint: str = ""
    gradient: str = ""
    leaving: str = ""
    twin: str = ""
    symbol: str = ""
    jacobian: str = ""
    sizes: tuple[str, ...] | None = None

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
    kind : {"forward", "parameter", "backward", "carry"}
        Parameter edges take the colour of parameters. Backward edges are dashed, in the colour of
        gradients, and lead against the flow. Carry edges lead from the end of a loop's body back
        to its start.
    source_port, target_port : int
        Which output of the source, which input of the target; of a backward edge, those of the
        edge that it mirrors.
    label : str
        LaTeX, drawn beside the edge.
    returned : bool
        Draw a second, dashed arrow back along the edge: the gradient that it carries.
    stopped : bool
        No derivative passes the edge, so the backward pass leaves it out.
    carried : bool
        Of a backward edge: it mirrors a carry edge.
    entering : str
        LaTeX of the variable that enters, where the source is drawn for several.
    """

    source: str
    target: str
    kind: EdgeKind = "forward"
    source_port: int = 0
    target_port: int = 0
    label: str = ""
    returned: bool = False
    stopped: bool = False
    carried: bool = False
    entering: str = ""

    def __post_init__(self) -> None:
        """Refuse a kind that has no colour."""
        if self.kind not in EDGE_KINDS:
            raise RenderError(
                f"the edge {self.source!r} -> {self.target!r} has the kind {self.kind!r}; "
                f"the kinds are {', '.join(EDGE_KINDS)}"
            )


@dataclass(frozen=True, slots=True)
class Group:
    """A frame around elements: an open composite block, a plate, or the body of a loop.

    Parameters
    ----------
    id : str
        Unique among elements and groups.
    kind : {"composite", "plate", "loop"}
        A plate and a loop stand for several copies of what they hold.
    label : str
        LaTeX, in a band of its own within the frame.
    members : tuple of str
        Ids of elements and of groups.
    hint : str
        Plain text, shown when the pointer rests on the frame.
    twin : str
        Of a frame in the backward pass: the id of the group that it mirrors, which comes before.
    """

    id: str
    kind: GroupKind
    label: str
    members: tuple[str, ...]
    hint: str = ""
    twin: str = ""

    def __post_init__(self) -> None:
        """Refuse a kind that has no frame, and a frame around nothing."""
        if self.kind not in GROUP_KINDS:
            raise RenderError(
                f"group {self.id!r} has the kind {self.kind!r}; "
                f"the kinds are {', '.join(GROUP_KINDS)}"
            )
        if not self.members:
            raise RenderError(f"group {self.id!r} has no members")


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
    groups : tuple of Group
        Frames; each holds whole groups or none of them, inner ones come first.

    Raises
    ------
    RenderError
        If two elements share an id, an edge starts or ends at an unknown one, or groups overlap.
    """

    name: str
    elements: tuple[Element, ...]
    edges: tuple[Edge, ...]
    description: str = ""
    groups: tuple[Group, ...] = ()

    def __post_init__(self) -> None:
        """Check the ids."""
        known = {element.id for element in self.elements}
        ids = [*(element.id for element in self.elements), *(group.id for group in self.groups)]
        twice = first_repeated(ids)
        if twice is not None:
            raise RenderError(f"diagram {self.name!r} has two elements with the id {twice!r}")
        self._check_groups(set(known))
        for edge in self.edges:
            for end in (edge.source, edge.target):
                if end not in known:
                    raise RenderError(
                        f"diagram {self.name!r}: the edge {edge.source!r} -> {edge.target!r} "
                        f"needs an element {end!r}, which is not among its {len(known)} elements"
                    )

    def _check_groups(self, known: set[str]) -> None:
        """Refuse members that are unknown, not yet known, or in two groups."""
        held: set[str] = set()
        for group in self.groups:
            for member in group.members:
                if member not in known or member in held:
                    fault = "is in another group too" if member in held else "is not known there"
                    raise RenderError(
                        f"diagram {self.name!r}: {member!r}, a member of group {group.id!r}, "
                        f"{fault}; list inner groups first, and each member once"
                    )
            held.update(group.members)
            known.add(group.id)


def first_repeated(names: Iterable[str]) -> str | None:
    """Return the first name that occurs a second time."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
