"""The documentation site: Sphinx, with the gallery run as it is built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from gallery_display import FOLDERS  # noqa: E402

from graphc import __version__  # noqa: E402

project = "graphc"
author = "the graphc maintainers"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "math_svg",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery_display.py", "Thumbs.db"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
autosummary_generate = True
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

sphinx_gallery_conf: dict[str, Any] = {
    "examples_dirs": [str(ROOT / "examples" / folder) for folder in FOLDERS],
    "gallery_dirs": [f"gallery/{folder}" for folder in FOLDERS],
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"__init__\.py",
    "within_subsection_order": "gallery_display.InOrder",
    "image_scrapers": ("gallery_display",),
    "capture_repr": (),
    "reset_modules": (),
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_memory": False,
    "min_reported_time": 3600,
    "plot_gallery": True,
    "abort_on_example_error": True,
}
