"""What the numbers were taken on: versions, processor, cores, date."""

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

PACKAGES = ("numpy", "jax", "torch", "autograd")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "XLA_FLAGS")


def machine() -> dict[str, str]:
    """Return the facts, each with its name."""
    facts = {
        "date": datetime.datetime.now().astimezone().isoformat(" ", "minutes"),
        "processor": _processor(),
        "cores": f"{os.cpu_count()}, {usable_cores()} of them usable",
        "load": f"{load()} before",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        "graphc": _graphc_version(),
        **{name: _version(name) for name in PACKAGES},
        "NumPy's BLAS": _blas(),
    }
    chosen = [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
    return {**facts, "threads": ", ".join(chosen) or "not limited"}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load() -> str:
    """Return the load of the last minute; other programs' work spoils the numbers."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _graphc_version() -> str:
    from graphc.emit.version import __version__

    return __version__


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _blas() -> str:
    blas = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
