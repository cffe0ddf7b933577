"""The documentation: complete, up to date, and built without warnings or dead links."""

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import graphc as gc

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def module(name):
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made  # dataclasses look their module up
    spec.loader.exec_module(made)
    return made


def test_the_table_of_operations_is_up_to_date():
    made = module("operations_table").page()
    written = (DOCS / "operations.md").read_text(encoding="utf-8")
    told = "operations were added; run: PYTHONPATH=. python docs/operations_table.py"
    assert made == written, told


def test_every_public_name_is_in_the_reference_once():
    names = [name for page in module("reference_pages").by_page().values() for name in page]
    assert sorted(set(names)) == sorted(names)
    assert {*gc.__all__} - {"__version__", "plot"} <= {*names}
    assert any(name.startswith("plot.") for name in names)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", "(z)"),
        ("Linear", "(out_features, bias=True, *, in_features=None)"),
        ("clip_by_norm", "(*, max_norm=1.0)"),
        ("render", None),
    ],
)
def test_the_reference_shows_how_a_thing_is_called(name, expected):
    assert module("reference_pages").signature(name, getattr(gc, name)) == expected


def test_the_front_page_s_model_compiles_to_the_lines_it_shows(tmp_path):
    module("front").write(tmp_path)
    lines = (tmp_path / "backward.txt").read_text(encoding="utf-8").splitlines()
    assert "d_head_w = d_s.T @ z" in lines
    assert "softmax" in (tmp_path / "formulas.txt").read_text(encoding="utf-8")
    assert "<svg" in (tmp_path / "front.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md"])
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert blocks
    (tmp_path / "page.py").write_text("\n".join(blocks))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "page.py"], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr


class Page(HTMLParser):
    """The links of a page, and the places that can be linked to."""

    def __init__(self):
        super().__init__()
        self.links, self.ids, self.loads = [], set(), []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids |= {given[k] for k in ("id", "name") if given.get(k)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        for key in ("src", "srcset") if tag != "link" else ("href",):
            if given.get(key) and given.get("rel") not in ("canonical", "icon"):
                self.loads.append(given[key])


@pytest.mark.slow
def test_the_site_builds_without_warnings_and_its_links_lead_somewhere(tmp_path):
    pytest.importorskip("sphinx")
    pytest.importorskip("sphinx_gallery")
    pytest.importorskip("pydata_sphinx_theme")
    site = tmp_path / "html"
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*command, "-d", tmp_path / "doctrees", DOCS, site],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    pages = {}
    for path in site.rglob("*.html"):
        pages[path] = Page()
        pages[path].feed(path.read_text(encoding="utf-8"))
    assert len(pages) > 40
    wrong = [fault for path in pages for fault in faults(path, pages)]
    assert not wrong, "\n".join(wrong[:20])


def faults(path, pages):
    """What is wrong with the links of a page, and what it loads from elsewhere."""
    for load in pages[path].loads:
        if urlsplit(load).netloc:
            yield f"{path.name} loads {load}"
    for link in pages[path].links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.exists():
            yield f"{path.name} links to {link}, which is missing"
        elif (
            parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids
        ):
            yield f"{path.name} links to {link}, which is no place there"
