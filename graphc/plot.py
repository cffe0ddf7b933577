"""Pictures of descent: curves, contours with paths, decision regions, norms, animations.

Needs matplotlib (``pip install graphc[plot]``). Every function draws into the axes that it is
given, or into a figure of its own that belongs to nobody else, and returns the axes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.compile import Compiled
from graphc.errors import OutputError, UsageError
from graphc.training.loop import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#1f5fbf", "#d9480f", "#2b8a3e", "#7048a8", "#c2255c", "#0b7285")
GREY = "#868e96"
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": "#343a40",
    "xtick.color": GREY,
    "ytick.color": GREY,
    "axes.titlesize": "medium",
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 150,
}


@dataclass
class Trace:
    """A callback of :func:`graphc.train` that keeps the parameters before and after each step.

    Attributes
    ----------
    points : list of ndarray, shape (n,)
        All parameters in one vector, or those named.

    Examples
    --------
    ``trace = gc.plot.Trace(start)``, then ``gc.train(..., callbacks=[trace])``.
    """

    start: Any
    names: Sequence[str] | None = None
    points: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keep(self.start)

    def __call__(self, run: Run) -> None:
        """Note where the run is."""
        self._keep(run.params)

    def _keep(self, params: Any) -> None:
        names = params._fields if self.names is None else self.names
        self.points.append(np.concatenate([np.ravel(getattr(params, n)) for n in names]))

    @property
    def path(self) -> Any:
        """The points as one array, shape (steps + 1, n)."""
        return np.array(self.points)


@dataclass
class GradientNorms:
    """A callback of :func:`graphc.train` that takes the norm of the gradient of each block.

    Parameters
    ----------
    program, data
        Of what, and for which samples, the gradient is taken.
    every
        In every how many steps.
    """

    program: Compiled
    data: Mapping[str, Any]
    every: int = 1
    steps: list[int] = field(default_factory=list)
    norms: dict[str, list[float]] = field(default_factory=dict)

    def __call__(self, run: Run) -> None:
        """Take the norms in a step."""
        if run.step % self.every:
            return
        _, grads = self.program.loss_and_grad(run.params, **self.data)
        squares: dict[str, float] = {}
        for name, g in zip(grads._fields, grads, strict=True):
            block = _block_of(self.program, name)
            squares[block] = squares.get(block, 0.0) + float(np.sum(np.square(g)))
        self.steps.append(run.step)
        for block, square in squares.items():
            self.norms.setdefault(block, []).append(square**0.5)


def _block_of(program: Compiled, parameter: str) -> str:
    """Return the name of the block that owns a parameter; of a free one its own."""
    graph = program.graph
    for use in graph.uses:
        if any(graph.name_of(v) == parameter for v in use.parameters.values()):
            return use.name
    return parameter


def panels(columns: int, rows: int = 1, size: tuple[float, float] = (4.4, 3.6)) -> list[Axes]:
    """Return empty axes in one figure, row by row, to draw beside each other into.

    Parameters
    ----------
    size
        Of each, in inches.
    """
    with _style():
        figure, axes = _figure((columns * size[0], rows * size[1]), rows, columns)
        figure.set_layout_engine("constrained")
    return list(np.ravel(axes))


def losses(*runs: Run, labels: Sequence[str] = (), log: bool = False, ax: Any = None) -> Axes:
    """Draw the loss of each step of one or more runs, and the validation loss of each epoch.

    Parameters
    ----------
    labels
        One for each run.
    log
        Whether the axis of the loss is logarithmic.
    """
    with _axes(ax) as axes:
        for i, run in enumerate(runs):
            colour = COLOURS[i % len(COLOURS)]
            label = labels[i] if i < len(labels) else "loss"
            steps = np.arange(1, len(run.history.losses) + 1)
            faint = len(run.history.epochs) > 1 and len(steps) > 2 * len(run.history.epochs)
            axes.plot(
                steps,
                run.history.losses,
                color=colour,
                lw=0.8 if faint else 1.5,
                alpha=0.4 if faint else 1,
                label=None if faint else label,
            )
            ends = np.linspace(0, len(steps), len(run.history.epochs) + 1)[1:]
            if faint:
                axes.plot(ends, run.history.epochs, color=colour, lw=1.8, label=label)
            if run.history.validation:
                axes.plot(
                    ends,
                    run.history.validation,
                    color=colour,
                    lw=1.5,
                    ls="--",
                    label=f"{label}, validation",
                )
        axes.set(xlabel="step", ylabel="loss")
        if log:
            axes.set_yscale("log")
        if labels or any(run.history.validation for run in runs):
            axes.legend()
    return axes  # type: ignore[no-any-return]


def curve(
    f: Callable[[Any], Any],
    bounds: tuple[float, float],
    *paths: Any,
    labels: Sequence[str] = (),
    ax: Any = None,
) -> Axes:
    """Draw a function of one variable, and paths of descent along it.

    Parameters
    ----------
    f
        From a number to a number.
    bounds
        Where the curve begins and ends.
    *paths
        Positions, shape (steps,) or (steps, 1).
    """
    with _axes(ax) as axes:
        grid = np.linspace(*bounds, 400)
        axes.plot(grid, [float(f(x)) for x in grid], color=GREY, lw=1.2, zorder=1)
        for i, path in enumerate(paths):
            xs = np.ravel(path)
            ys = [float(f(x)) for x in xs]
            _path(axes, xs, ys, i, labels)
        axes.set(xlabel="$w$", ylabel="loss", xlim=bounds)
        if labels:
            axes.legend()
    return axes  # type: ignore[no-any-return]


def contours(
    f: Callable[[Any], Any],
    bounds: tuple[tuple[float, float], tuple[float, float]],
    *paths: Any,
    labels: Sequence[str] = (),
    levels: int = 24,
    log: bool = False,
    ax: Any = None,
) -> Axes:
    """Draw the contours of a function of two variables, and paths of descent over them.

    Parameters
    ----------
    f
        From a vector of shape (2,) to a number.
    bounds
        ``((left, right), (bottom, top))``.
    *paths
        Positions, shape (steps, 2).
    log
        Whether the levels lie closer together near the minimum, as powers do.
    """
    with _axes(ax) as axes:
        (left, right), (bottom, top) = bounds
        u, v = np.meshgrid(np.linspace(left, right, 121), np.linspace(bottom, top, 121))
        points = np.stack([u.ravel(), v.ravel()], axis=1)
        z = np.array([float(f(p)) for p in points]).reshape(u.shape)
        at: Any = levels
        if log:
            low = np.min(z)
            at = low + np.geomspace(max(np.ptp(z) * 1e-4, 1e-300), np.ptp(z), levels)
        axes.contourf(u, v, z, at, cmap="Blues_r", alpha=0.35, extend="both")
        axes.contour(u, v, z, at, colors=GREY, linewidths=0.5, alpha=0.7)
        for i, path in enumerate(paths):
            across, up = np.transpose(path)
            _path(axes, across, up, i, labels)
        axes.set(xlabel="$w_1$", ylabel="$w_2$", xlim=(left, right), ylim=(bottom, top))
        if labels:
            axes.legend()
    return axes  # type: ignore[no-any-return]


def _path(axes: Any, xs: Any, ys: Any, i: int, labels: Sequence[str]) -> None:
    colour = COLOURS[i % len(COLOURS)]
    label = labels[i] if i < len(labels) else None
    size = 14 if len(xs) < 60 else 4
    axes.plot(xs, ys, color=colour, lw=1.2, alpha=0.85, zorder=2)
    axes.scatter(xs, ys, s=size, color=colour, zorder=3, label=label)
    axes.scatter(xs[:1], ys[:1], s=42, color="white", edgecolors=colour, linewidths=1.6, zorder=4)
    axes.scatter(xs[-1:], ys[-1:], s=90, color=colour, marker="*", zorder=4)


def regions(
    predict: Callable[[Any], Any],
    bounds: tuple[tuple[float, float], tuple[float, float]],
    points: Any = None,
    labels: Any = None,
    *,
    ax: Any = None,
) -> Axes:
    """Draw which class a model gives to each point of the plane, and the data on it.

    Parameters
    ----------
    predict
        From points, shape (n, 2), to classes, shape (n,), or to scores, shape (n, classes).
    points, labels
        The data, shapes (n, 2) and (n,).
    """
    with _axes(ax) as axes:
        (left, right), (bottom, top) = bounds
        u, v = np.meshgrid(np.linspace(left, right, 301), np.linspace(bottom, top, 301))
        given = np.asarray(predict(np.stack([u.ravel(), v.ravel()], axis=1)))
        classes = given if given.ndim == 1 else given.argmax(axis=1)
        count = int(max(classes.max(), -1 if labels is None else np.max(labels))) + 1
        colours = [COLOURS[k % len(COLOURS)] for k in range(count)]
        axes.contourf(
            u,
            v,
            classes.reshape(u.shape),
            np.arange(count + 1) - 0.5,
            colors=colours,
            alpha=0.25,
        )
        if points is not None:
            shown = [COLOURS[int(k) % len(COLOURS)] for k in labels]
            axes.scatter(*np.transpose(points), s=12, c=shown, edgecolors="white", linewidths=0.4)
        axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    return axes  # type: ignore[no-any-return]


def norms(record: GradientNorms, *, ax: Any = None) -> Axes:
    """Draw the norm of the gradient of each block over the steps."""
    with _axes(ax) as axes:
        for i, (block, values) in enumerate(record.norms.items()):
            axes.plot(record.steps, values, color=COLOURS[i % len(COLOURS)], lw=1.3, label=block)
        axes.set(xlabel="step", ylabel="norm of the gradient", yscale="log")
        axes.legend()
    return axes  # type: ignore[no-any-return]


def histograms(values: Mapping[str, Any], *, bins: int = 40, ax: Any = None) -> Axes:
    """Draw how the elements of some arrays are distributed, one outline for each."""
    if not values:
        raise UsageError("there is nothing to draw; give arrays by their names")
    with _axes(ax) as axes:
        every = np.concatenate([np.ravel(v) for v in values.values()])
        edges = np.histogram_bin_edges(every, bins)
        for i, (name, array) in enumerate(values.items()):
            colour = COLOURS[i % len(COLOURS)]
            axes.hist(
                np.ravel(array),
                edges,
                density=True,
                histtype="stepfilled",
                facecolor=colour + "40",
                edgecolor=colour,
                lw=1.3,
                label=name,
            )
        axes.set(xlabel="value", ylabel="density")
        axes.legend()
    return axes  # type: ignore[no-any-return]


def animate(
    draw: Callable[[Any, int], None],
    frames: int,
    path: Any,
    *,
    size: tuple[float, float] = (5, 4),
    seconds: float = 0.1,
) -> FilePath:
    """Draw frames and write them as one file.

    Parameters
    ----------
    draw
        ``draw(axes, k)`` draws frame k on empty axes.
    path
        Ends in ``.gif``, or in ``.html`` for a page with the buttons of a player.
    size
        In inches, at 100 pixels each.
    seconds
        How long a frame lasts.

    Raises
    ------
    OutputError
        If the file has another ending or cannot be written.
    """
    target = FilePath(path)
    if target.suffix not in (".gif", ".html"):
        raise OutputError(f"an animation is written as .gif or .html, not {target.name}")
    with _style():
        from matplotlib.animation import FuncAnimation, PillowWriter

        figure, axes = _figure(size)

        def frame(k: int) -> list[Any]:
            axes.clear()
            draw(axes, k)
            return []

        made = FuncAnimation(figure, frame, frames, interval=1000 * seconds)
        try:
            if target.suffix == ".gif":
                made.save(str(target), PillowWriter(fps=round(1 / seconds)), dpi=100)
            else:
                target.write_text(made.to_jshtml(fps=round(1 / seconds)), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror}") from None
    return target


def save(axes: Any, path: Any) -> FilePath:
    """Write the figure that some axes are in to a file; its ending chooses the format."""
    with _style():
        try:
            axes.figure.savefig(path)
        except (OSError, ValueError) as error:
            raise OutputError(f"cannot write {path}: {error}") from None
    return FilePath(path)


@contextlib.contextmanager
def _axes(ax: Any) -> Iterator[Any]:
    """Yield the axes given, or those of a new figure."""
    with _style():
        yield _figure((5, 3.6))[1] if ax is None else ax


@contextlib.contextmanager
def _style() -> Iterator[None]:
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise UsageError("pictures of descent need matplotlib; pip install graphc[plot]") from error
    with mpl.rc_context(STYLE):
        yield


def _figure(size: tuple[float, float], rows: int = 1, columns: int = 1) -> tuple[Any, Any]:
    """Return a figure that no global state knows of, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns)
