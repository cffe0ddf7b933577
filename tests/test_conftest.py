"""The comparisons with torch: skipped without torch, a failure where torch is required."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")

BY_FIXTURE = "def test_compared(torch): assert torch.tensor(1.0) == 1.0"
BY_MARK = """
import pytest

@pytest.mark.usefixtures("torch")
def test_compared(): pass
"""
BY_MODULE = """
import pytest

torch = pytest.importorskip("torch")

def test_compared(): pass
"""
BY_CONDITION = """
import pytest

@pytest.mark.skipif(True, reason="needs torch")
def test_compared(): pass
"""
UNRELATED = """
import pytest

def test_compared(): pytest.skip("no GPU here")
"""


def outcome(tmp_path, source, *, required):
    """The last line that pytest prints for a file of this source, on a machine without torch."""
    (tmp_path / "conftest.py").write_text(
        f"import sys; sys.modules['torch'] = None\n{CONFTEST.read_text()}"
    )
    (tmp_path / "test_it.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.", "."],
        cwd=tmp_path,
        env=os.environ | {"GRAPHC_REQUIRE_TORCH": "1" if required else "0"},
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("source", [BY_FIXTURE, BY_MARK, BY_MODULE, BY_CONDITION])
def test_without_torch_a_comparison_is_skipped(tmp_path, source):
    assert "1 skipped" in outcome(tmp_path, source, required=False)


@pytest.mark.parametrize("source", [BY_FIXTURE, BY_MARK, BY_MODULE, BY_CONDITION])
def test_where_torch_is_required_a_skipped_comparison_fails(tmp_path, source):
    last = outcome(tmp_path, source, required=True)
    assert "1 error" in last or "1 failed" in last
    assert "skipped" not in last


def test_other_skips_stay_skips(tmp_path):
    assert "1 skipped" in outcome(tmp_path, UNRELATED, required=True)
