"""Small geometric checks on drawings: what overlaps what."""

import itertools
from operator import mul


def overlap(one, other, slack=0.5):
    """Tell whether two boxes (left, top, right, bottom) overlap by more than `slack`."""
    return (
        one[0] < other[2] - slack
        and other[0] < one[2] - slack
        and one[1] < other[3] - slack
        and other[1] < one[3] - slack
    )


def holds(box, point, slack=0.5):
    """Tell whether a point lies inside a box, at least `slack` from its sides."""
    left, top, right, bottom = box
    x, y = point
    return left + slack < x < right - slack and top + slack < y < bottom - slack


def points_along(path, count=40):
    """Sample a path densely."""
    points, at = [], None
    for _, controls in path:
        if not controls:
            continue
        four = [at, *controls] if len(controls) == 3 else None
        for k in range(count + 1):
            t = k / count
            if at is None:
                points.append(controls[0])
                break
            if four is None:
                points.append(
                    tuple((1 - t) * p + t * q for p, q in zip(at, controls[0], strict=True))
                )
                continue
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            xs, ys = zip(*four, strict=True)
            points.append(tuple(sum(map(mul, weights, values)) for values in (xs, ys)))
        at = controls[-1]
    return points


def hull(path):
    """The box around all points of a path."""
    points = [point for _, controls in path for point in controls]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def side_labels(drawing):
    """The boxes of everything written beside the elements, each with whose it is."""
    found = []
    for node in drawing.nodes:
        found += [(node.element.id, label.box) for label in node.labels[1:]]
        if node.stub is not None:
            found.append((node.element.id, hull(node.stub.shaft)))
        if node.leaving is not None:
            found.append((node.element.id, hull(node.leaving.shaft)))
    for wire in drawing.wires:
        found += [(wire.edge, label.box) for label in wire.labels]
    return found


def node_overlaps(drawing):
    """Pairs of elements whose boxes overlap."""
    return [
        (a.element.id, b.element.id)
        for a, b in itertools.combinations(drawing.nodes, 2)
        if overlap(a.box, b.box)
    ]


def label_overlaps(drawing):
    """Side labels that cover an element, another label, or an edge."""
    labels = side_labels(drawing)
    found = [
        (owner, node.element.id)
        for owner, box in labels
        for node in drawing.nodes
        if overlap(box, node.box)
    ]
    found += [
        (one, other)
        for (one, box), (other, second) in itertools.combinations(labels, 2)
        if one != other and overlap(box, second)
    ]
    for wire in drawing.wires:
        points = points_along(wire.arrow.shaft) + points_along(wire.arrow.head)
        found += [
            (wire.edge, owner)
            for owner, box in labels
            if any(holds(box, point) for point in points)
        ]
    return found


def edges_through_nodes(drawing):
    """Edges that pass through an element that is not one of their ends."""
    found = []
    for wire in drawing.wires:
        points = points_along(wire.arrow.shaft) + points_along(wire.arrow.head)
        ends = {wire.edge.source, wire.edge.target}
        found += [
            (wire.edge, node.element.id)
            for node in drawing.nodes
            if node.element.id not in ends and any(holds(node.box, point) for point in points)
        ]
    return found
