"""The tables as text."""

from collections.abc import Iterable, Mapping, Sequence

from tests.benchmarks.peers import TUNED
from tests.benchmarks.timing import Measured

OURS = "graphc"
FAST = "graphc fast"
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with aligned columns: the first to the left, others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    text = [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    rule = "-" * max(map(len, text))
    return "\n".join([title, rule, text[0], rule, *text[1:], rule])


def spoken(seconds: float) -> str:
    """Return a time with three digits and its unit."""
    scale, unit = next((u for u in UNITS if seconds >= u[0]), UNITS[-1])
    number = seconds / scale
    return f"{number:.{max(0, 2 - len(str(int(number))) + 1)}f} {unit}"


def cell(measured: Measured | None) -> str:
    """Return the median and the quartiles, or the note why there is none."""
    if measured is None:
        return ""
    if not measured.seconds:
        return measured.note
    if len(measured.seconds) == 1:
        return spoken(measured.median)
    low, high = measured.quartiles
    return f"{spoken(measured.median)} ({spoken(low)} .. {spoken(high)})"


def advantages(results: Mapping[str, Measured]) -> dict[str, str]:
    """Return how many times faster graphc's fast style is than the best peer of each sort."""
    ours = results.get(FAST)
    others = _others(results)
    shipped = [m for m in others if m.peer not in TUNED]
    return {
        "fast against the best peer": advantage(ours, shipped),
        "fast against the best, tuned ones too": advantage(ours, others),
    }


def _others(results: Mapping[str, Measured]) -> list[Measured]:
    return [m for name, m in results.items() if not name.startswith(OURS) and m.seconds]


def advantage(ours: Measured | None, others: Sequence[Measured]) -> str:
    """Return how many times faster `ours` is than the fastest of the others, and which that is."""
    if ours is None or not ours.seconds or not others:
        return "–"
    best = min(others, key=lambda m: m.median)
    return f"{best.median / ours.median:.2f}x ({best.peer})"


def speed_table(dtype: str, columns: Mapping[int, Mapping[str, Measured]]) -> str:
    """Return the table of one dtype; a column per number of samples."""
    header = ["", *(f"{p} sample{'s' if p > 1 else ''}" for p in columns)]
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = [[name, *(cell(column.get(name)) for column in columns.values())] for name in names]
    ratios = [advantages(column) for column in columns.values()]
    rows += [[label, *(ratio[label] for ratio in ratios)] for label in ratios[0]]
    title = f"Loss and gradients, 600 → 60 → 40 → 10, {dtype}: median (quartiles) of a call"
    return table(title, header, rows)


def compile_table(rows: Mapping[int, Mapping[str, Measured]]) -> str:
    """Return the table of compile times; a row per number of blocks."""
    names = list(next(iter(rows.values())))
    header = ["", *names, "fast against it", *(f"{name}, per block" for name in names)]
    lines = []
    for blocks, found in rows.items():
        each = [found[n].median / blocks for n in names]
        cells = [*(cell(found[n]) for n in names), advantage(found.get(FAST), _others(found))]
        lines.append([f"{blocks} blocks", *cells, *("–" if s != s else spoken(s) for s in each)])
    return table("Compile time of a chain, declaration to first gradient", header, lines)


def import_table(found: Mapping[str, Measured]) -> str:
    """Return the table of import times."""
    rows = [[f"import {name}", cell(measured)] for name, measured in found.items()]
    return table("Import time in a fresh interpreter", ["", "median (quartiles)"], rows)


def memory_table(found: Mapping[str, Mapping[str, int] | str]) -> str:
    """Return the table of memory, in MiB above what is resident after import."""
    rows = []
    for name, peaks in found.items():
        if isinstance(peaks, str):
            rows.append([name, peaks, "", ""])
            continue
        above = [peaks[k] - peaks["imported"] for k in ("ready", "called")]
        cells = [peaks["imported"], *above]
        rows.append([name, *(f"{c / 2**20:.1f} MiB" for c in cells)])
    header = ["", "after import", "more before the call", "peak in the calls above import"]
    return table("Resident memory, 4096 samples, float32", header, rows)
