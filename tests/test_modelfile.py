"""Model files: what they may import, and what to do where they hold no graph."""

import sys

import pytest

from graphc.errors import ModelError
from graphc.modelfile import load_graphs

NET = """
x = gc.observed("x", SIZE)
net = gc.Graph(gc.cost((gc.parameter("w", SIZE) * x).sum(), name="C"), name="net")
"""

HEAD = "import graphc as gc\nSIZE = 3\n"


def written(folder, **files):
    """Write files, whose names have `__` for the slash, and return the last one's path."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path


def package(folder, name, text):
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("")
    (folder / name / "sizes.py").write_text("SIZE = 3\n")
    path = folder / name / "model.py"
    path.write_text("import graphc as gc\n" + text)
    return path


def test_a_neighbour(tmp_path):
    path = written(
        tmp_path,
        sizes_beside="SIZE = 3",
        model=f"import graphc as gc\nfrom sizes_beside import *\n{NET}",
    )
    assert load_graphs(str(path))[0].variables[0].shape == (3,)
    assert str(tmp_path) not in sys.path


@pytest.mark.parametrize(
    "line", ["from .sizes import SIZE", "from . import sizes\nSIZE = sizes.SIZE", None]
)
def test_a_file_in_a_package(tmp_path, line):
    name = f"pkg_of_{'dots' if line is None else len(line)}"
    path = package(tmp_path, name, (line or f"from {name}.sizes import SIZE") + NET)
    before = list(sys.path)
    assert load_graphs(f"{path}:net")[0].name == "net"
    assert sys.path == before


def test_a_package_in_a_package(tmp_path):
    path = package(tmp_path / "outer_pkg", "inner", "from ..inner.sizes import SIZE" + NET)
    (tmp_path / "outer_pkg" / "__init__.py").write_text("")
    assert load_graphs(str(path))[0].name == "net"


def test_a_package_whose_name_is_taken(tmp_path):
    """Another package is not run in its place."""
    path = package(tmp_path, "numpy", "SIZE = 3" + NET)
    assert load_graphs(str(path))[0].name == "net"


def test_the_command_line_is_not_the_files(tmp_path):
    path = written(
        tmp_path,
        model=f"from argparse import ArgumentParser\n{HEAD}ArgumentParser().parse_args()\n{NET}",
    )
    before = sys.argv
    assert load_graphs(str(path))[0].name == "net"
    assert sys.argv is before


NONE = {
    "a relative import without a package": (
        "from .sizes import SIZE",
        r"model\.py:1 raises ImportError: .* is no package, for it has no __init__\.py",
    ),
    "only when it is run": (
        "import graphc as gc\nif __name__ == '__main__':\n    net = gc.Graph(gc.observed('x'))",
        'outside of `if __name__ == "__main__":`, which is not run',
    ),
    "in a list": (
        f"{HEAD}{NET}nets = [x, net]\ndel net",
        r"give the graphs in nets names of their own: net = nets\[1\]",
    ),
    "in a dictionary": (f"{HEAD}{NET}nets = {{'a': net}}\ndel net", r"net = nets\['a'\]"),
    "compiled": (f"{HEAD}{NET}prog = gc.compile(net)\ndel net", r"net = prog\.graph"),
    "a cost": (f"{HEAD}{NET}C = net.roots[0]\ndel net", r"make one with net = gc\.Graph\(C, name"),
    "a function": (f"{HEAD}def build(n=3): ...", r"or call what does: net = build\(\)"),
    "nothing": ("", r"it is empty; make one with gc\.Graph"),
}


@pytest.mark.parametrize("name", NONE)
def test_no_graph(name, tmp_path):
    text, told = NONE[name]
    with pytest.raises(ModelError, match=told):
        load_graphs(str(written(tmp_path, model=text)))


def test_what_is_no_file(tmp_path, monkeypatch):
    package(tmp_path, "some_pkg", "")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="some_pkg; it is a folder: name a file in it"):
        load_graphs("some_pkg")
    with pytest.raises(ModelError, match="did you mean some_pkg/model.py?"):
        load_graphs("some_pkg.model")


def test_the_line_of_an_error_in_a_package(tmp_path):
    path = package(tmp_path, "faulty_pkg", "\n1 / 0")
    with pytest.raises(ModelError, match=r"model\.py:3 raises ZeroDivisionError"):
        load_graphs(str(path))
