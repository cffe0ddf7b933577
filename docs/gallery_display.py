"""What the gallery shows of a script: the last value of each part of it, as a notebook would."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst

import graphc as gc

# The folders of examples/ in the order of the lecture.
FOLDERS = ("guides", "models", "minimising", "networks", "modules")


class InOrder:
    """Sorts pages as a reader counts: ``b2_...`` before ``b10_...``."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, name: str) -> tuple[str, int, str]:
        """Return the key of a file's name."""
        letters, digits, rest = re.fullmatch(r"(\D*)(\d*)(.*)", name).groups()  # type: ignore[union-attr]
        return letters, int(digits or 0), rest


def scrape(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Return reStructuredText for the value of a part's last line, if there is one to show."""
    names = block_vars["example_globals"]
    value = names.get("___")
    names["___"] = None  # shown once, not again with the parts that follow
    if value is None:
        return ""
    return shown(value, block_vars["image_path_iterator"], gallery_conf["src_dir"])


def shown(value: Any, paths: Iterator[str], sources: str) -> str:
    """Return a value as reStructuredText; a picture of it goes to the next of `paths`."""
    if isinstance(value, Path) and value.suffix in (".svg", ".png", ".gif"):
        target = Path(next(paths)).with_suffix(value.suffix)
        shutil.copy(value, target)
        return figure_rst([str(target)], sources)
    if hasattr(value, "figure") and hasattr(value, "get_xlim"):
        picture = gc.plot.save(value, next(paths))
        return figure_rst([str(picture)], sources)
    bundle = value._repr_mimebundle_() if hasattr(value, "_repr_mimebundle_") else {}
    if "image/svg+xml" in bundle:
        target = Path(next(paths)).with_suffix(".svg")
        target.write_text(bundle["image/svg+xml"], encoding="utf-8")
        return figure_rst([str(target)], sources)
    if "text/latex" in bundle:
        return "\n.. math::\n\n   " + bundle["text/latex"].strip().strip("$").strip() + "\n"
    text = str(value)
    lines = "\n".join(f"   {line}" for line in text.splitlines())
    return f"\n.. code-block:: none\n\n{lines}\n" if text else ""


def _get_sg_image_scraper() -> Any:
    """Return the scraper, for Sphinx-Gallery to find it by the module's name."""
    return scrape
