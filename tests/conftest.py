"""What all tests share: the surroundings of the oracles, and torch, which may be missing.

A test that compares with torch takes the fixture `torch` (or, where torch runs in a subprocess,
is marked `@pytest.mark.usefixtures("torch")`). Without torch it is skipped, and the suite says
so; with the environment variable GRAPHC_REQUIRE_TORCH set it fails, as does any other skip whose
reason names torch, so that no run can pass for one that made the comparisons.
"""

import os
import re

# Read when the libraries are first imported, hence before any of them. The suite's products are
# small: more threads than two only make them slower, and timings worse.
if "PYTEST_XDIST_WORKER" in os.environ:  # each of several processes has a core to itself
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import hypothesis
import pytest

# Imported by the tests that run them (as programs), not collected.
collect_ignore_glob = ["golden/*", "benchmarks/*"]

# A shared machine pauses at times: slow examples are no failures.
hypothesis.settings.register_profile("graphc", deadline=None)
if not os.environ.get("CI"):  # there hypothesis loads a profile of its own: derandomised
    hypothesis.settings.load_profile("graphc")


def pytest_make_parametrize_id(config, val, argname):
    """Leave addresses out of the names of tests: every process must call them the same."""
    text = repr(val)
    return re.sub(r" at 0x[0-9a-f]+", "", text) if " at 0x" in text else None


def torch_is_required():
    return os.environ.get("GRAPHC_REQUIRE_TORCH", "0") not in ("", "0")


@pytest.fixture(scope="session")
def torch():
    """PyTorch on the CPU, as an oracle."""
    try:
        import torch
    except ImportError as error:
        pytest.skip(f"torch is not installed ({error}): nothing was compared with it")
    return torch


def refuse_skip(report):
    """Turn a skip for want of torch into a failure, where torch is required."""
    if not (torch_is_required() and report.skipped) or hasattr(report, "wasxfail"):
        return report
    reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if "torch" in reason.lower():
        report.outcome = "failed"
        report.longrepr = f"GRAPHC_REQUIRE_TORCH is set, but this was skipped: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return refuse_skip((yield))
