"""The command line: ``graphc build | render | explore | show | check``."""

from __future__ import annotations

import argparse
import os
import sys
import time
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from graphc.checking import check_file
from graphc.compile import compile
from graphc.document import document
from graphc.emit.files import save_text
from graphc.emit.targets import DTYPES, STYLES, TARGETS
from graphc.emit.version import __version__
from graphc.errors import CompileError, GraphcError, OutputError, UsageError
from graphc.language.blockwise import block_formulas
from graphc.language.graph import Graph
from graphc.modelfile import load_graphs
from graphc.render.drawing import DIRECTIONS
from graphc.render.files import FORMATS, PAGES, render
from graphc.render.options import (
    AVERAGE_STYLES,
    BACKWARD_STYLES,
    ENGINES,
    LOOP_STYLES,
    PARAMETER_STYLES,
)
from graphc.render.palettes import PALETTES
from graphc.training.parsing import parse_rule

EXIT_ERROR = 1  # what was asked for cannot be done
EXIT_USAGE = 2  # argparse's own
EXIT_FAILED = 3  # a check was made, and failed


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        code: int = options.run(options)
    except GraphcError as error:
        if options.debug:
            raise
        print(f"graphc: {type(error).__name__}: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("graphc: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever reads the output has seen enough; Python's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="graphc",
        description="Turn a model, declared as a block diagram in Python, into its figure, its "
        "formulas, and NumPy or CuPy source code for loss and gradients.",
        epilog="A model is a Python file that makes a gc.Graph: MODEL is file.py, or "
        "file.py:name if the file holds several. Exit codes: 0 done, 1 an error, 2 wrong usage, "
        "3 a gradient check failed.",
    )
    parser.add_argument("--version", action="version", version=f"graphc {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _build_parser(commands)
    _render_parser(commands)
    _explore_parser(commands)
    _show_parser(commands)
    _check_parser(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
    epilog: str,
) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=text, description=text, epilog=epilog)
    made.add_argument("--debug", action="store_true", help="show the traceback of an error")
    made.set_defaults(run=run)
    return made


def _build_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = _command(
        commands,
        "build",
        _build,
        "Write source code, figure and formulas of a model: <graph>_numpy.py to be read, "
        "<graph>_numpy_fast.py to be run, <graph>_cupy.py, <graph>.svg, <graph>.md.",
        "Example: graphc build examples/digits.py -o out/",
    )
    made.add_argument("model", metavar="MODEL", help="file.py or file.py:name")
    made.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        default=".",
        type=Path,
        help="the folder to write to, made if missing (default: this one)",
    )
    made.add_argument("--target", choices=list(TARGETS), help="only this target's source")
    made.add_argument("--style", choices=list(STYLES), help="only this style of source")
    made.add_argument(
        "--train",
        metavar="RULE",
        help="the source also trains, alone and with this update rule: 'adam(lr=0.001)'",
    )
    made.add_argument(
        "--dtype",
        choices=list(DTYPES),
        default="float32",
        help="of parameters and results (default: float32)",
    )
    made.add_argument(
        "--allow-unused",
        action="store_true",
        help="zeros for the gradient by parameters without influence",
    )
    made.add_argument(
        "--force", action="store_true", help="overwrite files that graphc did not write"
    )


def _render_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = _command(
        commands,
        "render",
        _render,
        "Draw the block diagram of a model; the file's ending chooses the format: "
        f"{', '.join(FORMATS)}.",
        "Example: graphc render examples/mynet.py -o mynet.svg --palette classic",
    )
    made.add_argument("model", metavar="MODEL", help="file.py or file.py:name")
    made.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="the file to write (default: <graph>.svg)"
    )
    _figure_options(made)


def _explore_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = _command(
        commands,
        "explore",
        _explore,
        "Write the interactive page of a model, with figure, formulas and emitted code side by "
        "side, and open it in the browser.",
        "Example: graphc explore examples/mynet.py --data sample.npz",
    )
    made.add_argument("model", metavar="MODEL", help="file.py or file.py:name")
    made.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="the page (default: <graph>.html)"
    )
    made.add_argument("--no-open", action="store_true", help="only write the page")
    _figure_options(made)


def _figure_options(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--direction",
        choices=list(DIRECTIONS),
        help="where the flow leads (default: as the model suggests)",
    )
    made.add_argument("--palette", choices=list(PALETTES), default="light", help="(default: light)")
    made.add_argument(
        "--params",
        choices=list(PARAMETER_STYLES),
        default="implicit",
        help="leave parameters to the labels, draw an arrow for each, or a circle (default: "
        "implicit)",
    )
    made.add_argument(
        "--backward", choices=list(BACKWARD_STYLES), help="draw the backward pass too"
    )
    made.add_argument(
        "--average", choices=list(AVERAGE_STYLES), help="draw the average over samples too"
    )
    made.add_argument(
        "--expand",
        metavar="BLOCKS",
        help="open these blocks, separated by commas, or 'all'",
    )
    made.add_argument(
        "--loops", choices=list(LOOP_STYLES), default="loop", help="of a scan (default: loop)"
    )
    made.add_argument(
        "--magnify", metavar="BLOCK", help="draw this block alone, with its Jacobians"
    )
    made.add_argument(
        "--engine",
        choices=list(ENGINES),
        default="auto",
        help="who finds the places (default: auto)",
    )
    made.add_argument("--width", type=float, help="the length of a row, in points")
    made.add_argument(
        "--spacing", type=float, default=1.0, help="a factor for all gaps (default: 1)"
    )
    made.add_argument(
        "--fold", action="store_true", help="draw equal parts that follow one another once"
    )
    made.add_argument("--no-shapes", action="store_true", help="leave the shapes of variables out")
    made.add_argument(
        "--data",
        metavar="FILE.npz",
        type=Path,
        help="arrays by the names of the inputs, of one sample or with a leading axis of samples; "
        "parameters may be among them: the interactive page shows the numbers of each sample and "
        "of their average",
    )
    made.add_argument(
        "--force", action="store_true", help="overwrite a file that graphc did not write"
    )


def _show_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = _command(
        commands,
        "show",
        _show,
        "Print the formulas of a model: each block, its Jacobians, its step of back-propagation.",
        "Example: graphc show examples/mynet.py --notation index",
    )
    made.add_argument("model", metavar="MODEL", help="file.py or file.py:name")
    made.add_argument(
        "--notation",
        choices=["auto", "matrix", "index"],
        default="auto",
        help="(default: matrix where there is one, else index)",
    )
    made.add_argument("--latex", action="store_true", help="print LaTeX in place of text")


def _check_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = _command(
        commands,
        "check",
        _check,
        "Compare the gradient of an emitted file with central "
        "differences, in float64 on random data.",
        "Example: graphc check out/digits_numpy.py",
    )
    made.add_argument("file", metavar="FILE", type=Path, help="a file that graphc build wrote")
    made.add_argument("--seed", type=int, default=1, help="of the random data (default: 1)")
    made.add_argument(
        "--tolerance",
        type=float,
        default=1e-5,
        help="the largest relative difference allowed (default: 1e-5)",
    )


def _build(options: argparse.Namespace) -> int:
    folder: Path = options.output
    variants = _variants(options)
    graphs = _apart(load_graphs(options.model), options.model)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from None
    for graph in graphs:
        _build_graph(graph, folder, variants, options)
    return 0


def _apart(graphs: Sequence[Graph], model: str) -> list[Graph]:
    """Return the graphs, whose files are named after them: no two of one name."""
    names = [graph.name for graph in graphs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise OutputError(
            f"{model} holds several graphs called '{twice}', whose files would have the same "
            "names; name them apart, gc.Graph(..., name=...), or choose one with :name"
        )
    return list(graphs)


def _variants(options: argparse.Namespace) -> list[tuple[str, str, str]]:
    """Return what of VARIANTS the options leave."""
    chosen = [
        (target, style, ending)
        for target, style, ending in VARIANTS
        if options.target in (None, target) and options.style in (None, style)
    ]
    if not chosen:
        styles = " or ".join(map(repr, TARGETS[options.target].styles))
        raise CompileError(f"target '{options.target}' is emitted in style {styles}")
    return chosen


def _build_graph(
    graph: Graph,
    folder: Path,
    variants: Sequence[tuple[str, str, str]],
    options: argparse.Namespace,
) -> None:
    restricted = options.target is not None or options.style is not None
    for target, style, ending in variants:
        path = folder / f"{graph.name}_{ending}.py"
        started = time.perf_counter()
        program = compile(
            graph,
            target=target,
            dtype=options.dtype,
            style=style,
            allow_unused=options.allow_unused,
            step=None if options.train is None else parse_rule(options.train),
            loop=options.train is not None,
        )
        program.save(path, force=options.force)
        _progress(path, started)
    if restricted:
        return
    started = time.perf_counter()
    figure = render(graph, folder / f"{graph.name}.svg", force=options.force)
    _progress(figure, started)
    started = time.perf_counter()
    page = folder / f"{graph.name}.md"
    save_text(page, document(graph, figure.name), force=options.force)
    _progress(page, started)


# What build writes: target, style, ending of the file's name.
VARIANTS = (
    ("numpy", "readable", "numpy"),
    ("numpy", "fast", "numpy_fast"),
    ("cupy", "readable", "cupy"),
)


def _progress(path: Path, started: float) -> None:
    print(f"wrote {path} ({time.perf_counter() - started:.2f} s)", file=sys.stderr)


def _render(options: argparse.Namespace) -> int:
    for graph in _drawn_graphs(options):
        _draw(graph, options.output or Path(f"{graph.name}.svg"), options)
    return 0


def _explore(options: argparse.Namespace) -> int:
    if options.output is not None and options.output.suffix.lower() not in PAGES:
        raise UsageError(
            f"explore writes an interactive page; name it {options.output.stem}.html, or draw "
            f"{options.output.name} with: graphc render"
        )
    for graph in _drawn_graphs(options):
        path = _draw(graph, options.output or Path(f"{graph.name}.html"), options)
        if not options.no_open and not webbrowser.open(path.resolve().as_uri()):
            print(f"graphc: no browser was found; open {path} in one", file=sys.stderr)
    return 0


def _drawn_graphs(options: argparse.Namespace) -> list[Graph]:
    graphs = load_graphs(options.model)
    if options.output is not None and len(graphs) > 1:
        names = ", ".join(g.name for g in graphs)
        raise OutputError(f"{options.model} holds several graphs ({names}); choose one with :name")
    return _apart(graphs, options.model)


def _draw(graph: Graph, path: Path, options: argparse.Namespace) -> Path:
    started = time.perf_counter()
    render(
        graph,
        path,
        direction=options.direction,
        palette=options.palette,
        params=options.params,
        backward=options.backward,
        average=options.average,
        engine=options.engine,
        expand=_opened(options.expand),
        loops=options.loops,
        magnify=options.magnify,
        width=options.width,
        spacing=options.spacing,
        fold=options.fold,
        shapes=not options.no_shapes,
        data=None if options.data is None else _arrays(options.data),
        force=options.force,
    )
    _progress(path, started)
    return path


def _opened(blocks: str | None) -> bool | list[str]:
    """Return which blocks to open: all, or those listed."""
    return True if blocks == "all" else [name for name in (blocks or "").split(",") if name]


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Load named arrays, without pickle."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, TypeError, EOFError, BadZipFile) as error:
        told = "it is no .npz of named arrays, as np.savez writes it"
        if isinstance(error, OSError) and error.strerror:
            told = error.strerror
        elif "Object arrays" in str(error):
            told = "it holds an array of Python objects; save arrays of numbers"
        raise UsageError(f"cannot read the arrays in {path}: {told}") from None


def _show(options: argparse.Namespace) -> int:
    for graph in load_graphs(options.model):
        print(graph.name)
        for block in block_formulas(graph, options.notation):
            print(f"\n{block.use.name} ({block.use.function})")
            found = [*block.forward]
            for p in block.partials:
                found += [p.jacobian] if p.jacobian is p.backward else [p.jacobian, p.backward]
            for f in found:
                if f is not None:
                    print("   ", f.latex_equation if options.latex else f.equation)
                elif options.notation != "auto":
                    print(f"    (none in {options.notation} notation)")
    return 0


def _check(options: argparse.Namespace) -> int:
    rows = check_file(options.file, options.seed)
    width = max((len(name) for name, *_ in rows), default=9)
    print(f"{'parameter':{max(width, 9)}}  {'by formula':>16}  {'by differences':>16}  difference")
    worst = 0.0
    for name, symbolic, numeric in rows:
        difference = abs(symbolic - numeric) / max(1.0, abs(numeric))
        # A value that is not a number is no agreement.
        worst = max(worst, difference) if difference == difference else float("inf")
        print(f"{name:{max(width, 9)}}  {symbolic:16.9f}  {numeric:16.9f}  {difference:.1e}")
    passed = worst <= options.tolerance
    print(
        f"{'passed' if passed else 'FAILED'}: largest relative difference {worst:.1e}, "
        f"tolerance {options.tolerance:.1e}"
    )
    return 0 if passed else EXIT_FAILED
