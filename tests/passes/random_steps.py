"""Steps of random programs that take a row of a table, or more than one kind of node."""

import numpy as np

import graphc as gc
from graphc.language.custom import custom_vjp, opaque
from graphc.language.variable import Variable
from graphc.ops.contraction import broadcast_to, contract
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.indexing import Gather, ScatterSet
from graphc.ops.joining import concatenate
from graphc.ops.leaves import Iota, constant
from graphc.ops.ranges import InRange
from graphc.ops.recurrence import recurrence
from graphc.ops.reduction import ONE_AXIS, REDUCERS, reduction
from graphc.ops.scalars import SCALARS
from graphc.ops.structural import Slice
from graphc.ops.windows import Fold, Frame, windowed_shape, windows

ROWS = sorted(set(SCALARS) - {"pi", "stop_gradient"})
INTEGERS = {"gcd", "lcm", "left_shift", "right_shift", "invert", "ldexp",
            "bitwise_and", "bitwise_or", "bitwise_xor"}  # fmt: skip
MATRICES = ("inv", "solve", "det", "slogdet", "cholesky", "qr", "eigh", "eigvalsh", "svd",
            "svdvals", "pinv", "expm", "triangular", "rank")  # fmt: skip


class Steps:
    """Mixed into the builder, which picks nodes and keeps what is made of them."""

    def whole(self, node):
        """Integers of 0 to 2 made of a real node."""
        bits = [elementwise("where", elementwise("greater", node, constant(at)), constant(1),
                            constant(0)) for at in (-0.4, 0.6)]  # fmt: skip
        return elementwise("add", *bits)

    def row(self):
        """Any scalar function, of arguments that are brought into its domain."""
        name = self.choose(ROWS)
        row, args = SCALARS[name], []
        for place in range(row.arity):
            node = self.pick()
            if place in row.discrete and name == "where":
                args.append(elementwise("greater", node, constant(0.1)))
            elif place in row.discrete and name != "ldexp":
                args.append(constant(self.count(0, 2)))
            elif name in INTEGERS and (name != "ldexp" or place == 1):
                args.append(self.whole(node))
            else:
                args.append(self.inside(node, row.domain[place] if row.domain else None))
        try:
            made = elementwise(name, *args)
            _ = made.shape
        except gc.errors.ShapeError:
            return
        self.keep(as_real(made))

    def inside(self, node, bounds):
        if bounds is None:
            return node
        low, high = bounds
        share = elementwise("sigmoid", node)
        return elementwise(
            "add", constant(low), elementwise("multiply", share, constant(high - low))
        )

    def reducer(self):
        """Any reduction; of the ranks that some give, the elements there."""
        name, node = self.choose(sorted(REDUCERS)), self.pick()
        axes = tuple(a for a in range(node.type.rank) if self.count(0, 1))
        if name in ONE_AXIS:
            if not node.type.rank:
                return
            axes = (self.count(0, node.type.rank - 1),)
        if name in ("any", "all"):
            node = elementwise("greater", node, constant(0.3))
        made = reduction(name, node, axes)
        if name == "argsort" and node.type.rank == 1:
            made = Gather((node, made), 0, 0)
        self.keep(as_real(made))

    def running(self):
        """A linear recurrence, or a running product."""
        node = self.pick()
        if node.type.rank:
            axis = self.count(0, node.type.rank - 1)
            if self.count(0, 1):
                self.keep(recurrence(elementwise("cos", node), elementwise("sin", node), axis))
            else:
                self.keep(reduction("cumprod", node, (axis,)))

    def joined(self):
        node, axis = self.pick(), None
        if node.type.rank:
            axis = self.count(0, node.type.rank - 1)
            spans = tuple((0, d if a != axis else 1, 1) for a, d in enumerate(node.shape))
            parts = [node, Slice((elementwise("sin", node),), spans), node]
            self.keep(concatenate(parts[: self.count(2, 3)], axis))

    def scatter_set(self):
        node, axis = self.fitting()
        if node is None:
            return
        batch = self.batch_axes(node, axis)
        index = self.labels() if self.count(0, 1) else self.index
        update = elementwise("sin", Gather((node, index), axis, batch))
        self.keep(ScatterSet((elementwise("cos", node), index, update), axis, batch))

    def labels(self):
        """The index, as labels that are checked when they are computed."""
        chosen = elementwise("where", elementwise("equal", self.index, constant(1)), self.index,
                             constant(0))  # fmt: skip
        return InRange((chosen,), 2, "labels")

    def frames(self, node):
        found = []
        for axis, dim in enumerate(node.shape):
            if dim != 1 and self.count(0, 2):
                long = isinstance(dim, int) and dim > 2
                size = 2
                stride = self.choose([1, 2]) if isinstance(dim, int) else 1
                found.append(Frame(axis, size, stride, 2 if long and self.count(0, 2) == 0 else 1))
        return found

    def window(self):
        """Windows, and windows of a padded image times a kernel."""
        node = self.pick()
        frames = self.frames(node)
        if not frames:
            return
        made = windows(node, frames)
        if self.count(0, 1):
            labels = tuple(range(made.type.rank))
            last = labels[node.type.rank :]
            dims = [frame.size for frame in frames]
            kernel = constant(self.rng.normal(size=(*dims, 2)))
            own = (*last, 99)
            made = contract((made, kernel), (labels, own), (99, *labels[: node.type.rank]))
        self.keep(made)

    def folded(self):
        node = self.pick()
        frames = self.frames(node)
        if not frames:
            return
        wide = broadcast_to(constant(1.0), windowed_shape(node.shape, frames))
        made = elementwise("multiply", wide, elementwise("sin", windows(node, frames)))
        self.keep(Fold((made,), tuple(frames), node.shape))

    def matrix(self):
        """A positive definite matrix with distinct eigenvalues, and a function of it."""
        node = self.pick()
        if not node.type.rank or node.type.rank > 2 or node.shape[-1] == 1:
            return
        v, size = Variable(elementwise("tanh", node)), node.shape[-1]
        steps = as_real(Iota((), size))
        run = elementwise("add", steps, constant(1.5))
        apart = Variable(contract((run,), ((0,),), (0, 0)))
        m = v[..., :, None] * v[..., None, :] + apart
        for made in matrix_function(self.choose(MATRICES), m, v):
            if self.count(0, 1):
                self.keep(as_real(made.node))

    def opaque(self):
        """A call without a derivative, of what has none either."""
        node = Variable(self.pick())
        if all(isinstance(d, int) for d in node.shape):
            self.keep(opaque(np.cos, shape=node.shape)(np.floor(node)).node)

    def overridden(self):
        """A derivative of the user's own, which is the true one."""

        def backward(given, g):
            return (g * (np.cos(given[0]) * given[0] + np.sin(given[0])),)

        f = custom_vjp(lambda a: np.sin(a) * a, backward)
        self.keep(f(Variable(self.pick())).node)


def matrix_function(name, m, v):
    """The results of a function of the positive definite `m`; `v` are vectors beside it."""
    if name == "solve":
        return [np.linalg.solve(m, v[..., None])]
    if name == "triangular":
        return [gc.solve_triangular(np.linalg.cholesky(m), v[..., None], lower=True)]
    if name == "slogdet":
        return list(np.linalg.slogdet(m))
    if name in ("qr", "eigh"):
        return list(getattr(np.linalg, name)(m))
    if name == "svd":
        return list(np.linalg.svd(m, full_matrices=False))
    if name == "svdvals":
        return [np.linalg.svd(m, compute_uv=False)]
    if name == "rank":
        return [np.linalg.matrix_rank(m)]
    if name == "expm":
        return [gc.expm(m / 5)]
    return [getattr(np.linalg, name)(m)]
