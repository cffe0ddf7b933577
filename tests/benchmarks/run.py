"""The benchmark: graphc and its peers side by side in one run. See `--help`.

Each peer has a process of its own and is given the same numbers. Its results are compared with
those of the formulas by hand before anything is timed; who disagrees is reported and not timed.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.hessians import hessian_table, hessians
from tests.benchmarks.machine import load, machine
from tests.benchmarks.measures import QUICK, Plan, compile_time, import_time, memory, speed, tell
from tests.benchmarks.peers import PEERS
from tests.benchmarks.tables import compile_table, import_table, memory_table, speed_table
from tests.benchmarks.timing import Measured

AIM = """\
The aim, argument checks included: fast style at least 2.5x faster than the best peer at 1 sample,
1.5x at 64, no slower at 4096; 1000 blocks compiled in under 2 s, and time linear in the blocks;
`import graphc` under 0.25 s; peak resident memory above import no higher than torch's."""
SECTIONS: dict[str, tuple[Callable[[Plan], Any], Callable[[Any], str]]] = {
    "speed": (speed, lambda found: "\n\n".join(speed_table(*item) for item in found.items())),
    "compile": (compile_time, compile_table),
    "import": (import_time, import_table),
    "memory": (memory, memory_table),
    "hessians": (
        lambda plan: hessians(plan.skip, plan.rounds, plan.seconds, tell),
        hessian_table,
    ),
}

LONG = ("hessians",)  # left out of a quick run


def plain(found: Any) -> Any:
    """Return results as JSON can hold them."""
    if isinstance(found, Measured):
        if not found.seconds:
            return {"note": found.note}
        return {"median": found.median, "seconds": found.seconds}
    if isinstance(found, dict):
        return {str(key): plain(value) for key, value in found.items()}
    return found


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=SECTIONS, help="one part of the benchmark")
    parser.add_argument(
        "--skip",
        action="append",
        default=[],
        metavar="PEER",
        help=f"leave out a peer; may be repeated; one of {', '.join(PEERS)}",
    )
    parser.add_argument("--quick", action="store_true", help="few rounds, no chain of 1000")
    parser.add_argument("--rounds", type=int, help="rounds of every table")
    parser.add_argument("--samples", type=int, nargs="+", help="numbers of samples")
    parser.add_argument("--blocks", type=int, nargs="+", help="lengths of chains")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there, too")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.skip if name not in PEERS]
    if unknown:
        parser.error(f"no peer is called {unknown[0]!r}; there are {', '.join(PEERS)}")
    return options


def planned(options: argparse.Namespace) -> Plan:
    """Return how much is to be measured."""
    base = vars(QUICK if options.quick else Plan())
    chosen = {key: getattr(options, key) for key in ("rounds", "samples", "blocks")}
    chosen |= {"repeats": options.rounds, "imports": options.rounds}
    return Plan(**{**base, **{k: v for k, v in chosen.items() if v}, "skip": tuple(options.skip)})


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the tables, write the numbers."""
    options = parsed(arguments)
    plan = planned(options)
    facts = machine()
    print("\n".join(f"{name + ':':14}{value}" for name, value in facts.items()), flush=True)
    results: dict[str, Any] = {}
    for name, (measure, show) in SECTIONS.items():
        asked = options.only == name or (options.only is None and name not in LONG)
        if asked or (options.only is None and not options.quick):
            results[name] = measure(plan)
            print(f"\n{show(results[name])}", flush=True)
    facts["load"] += f", {load()} after"
    print(f"\nload: {facts['load']}\n{AIM}")
    if options.json:
        report = {"machine": facts, "rounds": plan.rounds, **plain(results)}
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
