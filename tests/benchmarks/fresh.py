"""What is measured in a fresh interpreter each time: ``python fresh.py WHAT ...`` prints JSON.

import MODULE       seconds to import it
chain PEER BLOCKS   seconds from the declaration of a chain to its first gradients, which agree
memory PEER         resident bytes after import and before the first call, and their peak in calls
"""

import contextlib
import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

MEMORY_SAMPLES = 4096
MEMORY_CALLS = 3


def import_seconds(module: str) -> dict[str, Any]:
    """Return the seconds that importing a module takes."""
    start = time.perf_counter()
    importlib.import_module(module)
    return {"seconds": time.perf_counter() - start}


def chain_seconds(peer: str, blocks: int) -> dict[str, Any]:
    """Return the seconds, and what is wrong with the gradients, if anything.

    A chain of two blocks goes first, so that what a library does once in a process is not timed.
    """
    from tests.benchmarks.chains import CHAINS, chain_data, chain_reference
    from tests.benchmarks.timing import disagreement

    CHAINS[peer](chain_data(2))
    data = chain_data(blocks)
    start = time.perf_counter()
    found = CHAINS[peer](data)
    seconds = time.perf_counter() - start
    wrong = disagreement(found, chain_reference(data), "float64")
    fault = f"disagrees: {wrong}" if wrong else ""
    return {"seconds": seconds, "fault": fault}


def memory_bytes(peer: str) -> dict[str, int]:
    """Return what is resident, and the peak; data and compilation come before the calls."""
    from tests.benchmarks.peers import MODULES, PEERS, network_data

    importlib.import_module(MODULES[peer])
    forget_peak()
    imported = peak_bytes()
    step = PEERS[peer](network_data(MEMORY_SAMPLES, "float32"))
    forget_peak()
    ready = peak_bytes()
    for _ in range(MEMORY_CALLS):
        step.run()
    return {"imported": imported, "ready": ready, "called": peak_bytes()}


def peak_bytes() -> int:
    """Return the peak of this process's resident memory.

    From the system's own account where there is one: what `getrusage` says starts, on Linux, with
    the peak of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def forget_peak() -> None:
    """Let the peak start anew from what is resident now, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def main(what: str, *arguments: str) -> None:
    """Measure and print."""
    try:
        if what == "import":
            result: dict[str, Any] = import_seconds(*arguments)
        elif what == "chain":
            result = chain_seconds(arguments[0], int(arguments[1]))
        else:
            result = memory_bytes(*arguments)
    except ModuleNotFoundError as error:
        result = {"fault": f"{error.name} is not installed"}
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
