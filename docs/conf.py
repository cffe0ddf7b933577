"""The documentation site: Sphinx, with the gallery run as it is built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import front  # noqa: E402
import reference_pages  # noqa: E402
from gallery_display import FOLDERS  # noqa: E402

from graphc import __version__  # noqa: E402

project = "graphc"
author = "the graphc maintainers"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "math_svg",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "**/sg_execution_times.rst"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
autodoc_typehints = "none"
autodoc_member_order = "bysource"
default_role = "literal"
numpydoc_show_class_members = False
nitpicky = False
add_module_names = False

html_math_renderer = "svg"
html_theme = "pydata_sphinx_theme"
html_title = f"graphc {version}"
html_static_path = ["_static"]
html_css_files = ["graphc.css"]
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 6,
}
html_show_sourcelink = False
# Pages that stand alone have no section to navigate.
ALONE = ("blocks", "calculus", "control", "conventions", "design", "from_torch", "operations")
html_sidebars: dict[str, list[str]] = {name: [] for name in ALONE}

sphinx_gallery_conf: dict[str, Any] = {
    "examples_dirs": [str(ROOT / "examples" / folder) for folder in FOLDERS],
    "gallery_dirs": [f"gallery/{folder}" for folder in FOLDERS],
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"(__init__|cart_pole)\.py",
    "within_subsection_order": "gallery_display.InOrder",
    "image_scrapers": ("gallery_display",),
    "capture_repr": (),
    "reset_modules": (),
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_memory": False,
    "default_thumb_file": str(ROOT / "docs" / "images" / "mynet.svg"),
    "write_computation_times": False,
    "plot_gallery": True,
    "abort_on_example_error": True,
}


def signature_of(
    app: Any, what: str, name: str, obj: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """Show blocks and update rules as they are called, not as they are declared."""
    told = reference_pages.signature(name, obj)
    return None if told is None else (told, "")


def setup(app: Any) -> None:
    """Write the pages that are made from graphc itself."""
    front.write(ROOT / "docs" / "generated")
    reference_pages.write(ROOT / "docs" / "reference")
    app.connect("autodoc-process-signature", signature_of)
