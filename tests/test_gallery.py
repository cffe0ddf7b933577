"""The gallery: every script runs, and says so by its own assertions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEADERS = sorted((ROOT / "examples").glob("*/GALLERY_HEADER.rst"))
SCRIPTS = sorted(path for header in HEADERS for path in header.parent.glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_script_runs(script, tmp_path):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:graphc", script],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_every_folder_is_in_the_site():
    text = (ROOT / "docs" / "gallery_display.py").read_text()
    for header in HEADERS:
        assert f'"{header.parent.name}"' in text
