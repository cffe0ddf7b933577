"""Checkpoints: everything that a run needs to go on bit for bit, in one file without pickle."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from graphc.emit.files import replace_file
from graphc.errors import TrainingError

FORMAT = 1


def save(path: Path, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    """Write a checkpoint, at once or not at all: a kill leaves the one before."""
    buffer = io.BytesIO()
    text = json.dumps({"format": FORMAT, **facts})
    np.savez(buffer, facts=np.array(text), **arrays)
    replace_file(path, buffer.getvalue())


def load(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays and the facts of a checkpoint.

    Raises
    ------
    TrainingError
        If the file is no checkpoint of this version.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files if name != "facts"}
            facts = json.loads(str(held["facts"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise TrainingError(f"{path} is no checkpoint: {error}") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise TrainingError(f"{path} is a checkpoint of another version of graphc")
    return arrays, facts
