"""The house: imports go only towards the top of the list, in no circle, and load nothing early.

The syntax trees are walked, so that imports inside functions and under TYPE_CHECKING count too.
"""

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A module may import from its own layer and from those before it.
HOUSE = (
    "errors",
    "suggestions",
    "types",
    "ir",
    "ops",
    "batching",
    "calculus",
    "control",
    "passes",
    "emit",
    "language",
    "blocks",
    "render",
    "commentary",
    "stages",
    "compile_function",
    "flat",
    "compile",
    "document",
    "modelfile",
    "checking",
    "training",
    "plot",
    "explore",
    "cli",
)
# These may import every layer; no layer may import them.
ROOF = ("graphc", "graphc.__main__")

# The only files that may import a package at all (patterns below graphc/) ...
ONLY_IN = {
    "networkx": ("language/graph.py", "render/layout.py"),
    "sympy": ("types.py", "calculus/formulas*", "language/elementwise*"),
}
# ... and the packages that are imported inside functions (or under TYPE_CHECKING) alone.
ONLY_IN_FUNCTIONS = ("sympy",)

# What `import graphc` must not load.
NOT_AT_IMPORT = ("sympy", "graphviz", "cupy", "matplotlib", "networkx", "ziamath", "scipy")


@dataclass(frozen=True)
class Import:
    """One imported module, where it is imported, and how."""

    module: str  # the importing module: "graphc.ops.rules"
    path: str
    line: int
    target: str  # the imported module: "graphc.ir.nodes", "numpy.linalg"
    text: str  # the statement
    at_start: bool  # executed when the importing module is

    def __str__(self):
        return f"{self.path}:{self.line}: `{self.text}`"


def module_name(path: str) -> str:
    """The module's name: `graphc/ops/__init__.py` is `graphc.ops`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def layer(module: str) -> str | None:
    """The layer that a module of graphc belongs to; None for the roof."""
    return None if module in ROOF else module.split(".")[1]


def imports(sources: dict[str, str]) -> Iterator[Import]:
    """All imports of the sources, which are given by path."""
    modules = {module_name(path) for path in sources}
    for path, source in sources.items():
        module = module_name(path)
        package = module if path.endswith("/__init__.py") else module.rpartition(".")[0]
        for node, at_start in import_nodes(ast.parse(source, path), at_start=True):
            for target in targets(node, package, modules):
                text = ast.unparse(node)
                yield Import(module, path, node.lineno, target, text, at_start)


def import_nodes(tree: ast.AST, *, at_start: bool) -> Iterator[tuple[ast.AST, bool]]:
    """The statements and calls that import, and whether the module's own execution does so."""
    if isinstance(tree, ast.Import | ast.ImportFrom) or is_import_call(tree):
        yield tree, at_start
    in_function = isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for field, value in ast.iter_fields(tree):
        for_types = isinstance(tree, ast.If) and field == "body" and is_type_checking(tree.test)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                start = at_start and not in_function and not for_types
                yield from import_nodes(child, at_start=start)


def is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test).split(".")[-1] == "TYPE_CHECKING"


def is_import_call(node: ast.AST) -> bool:
    """Whether this is `import_module("...")` or `__import__("...")` with the name spelled out."""
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__")
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    )


def targets(node: ast.AST, package: str, modules: set[str]) -> list[str]:
    """The modules that an import names; of a `from` import the submodule where there is one."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.Call):
        name = node.args[0].value
        return [absolute(name.lstrip("."), len(name) - len(name.lstrip(".")), package)]
    base = absolute(node.module or "", node.level, package)
    names = [f"{base}.{alias.name}" for alias in node.names]
    return list(dict.fromkeys(name if name in modules else base for name in names))


def absolute(name: str, level: int, package: str) -> str:
    """The absolute name of a module that is named relatively, with `level` dots."""
    if level == 0:
        return name
    base = package.split(".")
    return ".".join([*base[: len(base) - level + 1], *([name] if name else [])])


def wrong_imports(sources: dict[str, str]) -> list[str]:
    """The imports that the house forbids, one message each."""
    return [message for found in imports(sources) if (message := fault(found))]


def fault(found: Import) -> str | None:
    """What is wrong with an import; None if nothing is."""
    top = found.target.split(".")[0]
    if top == "graphc":
        return direction_fault(found)
    patterns = ONLY_IN.get(top, ("*",))
    if not any(fnmatch(found.path.removeprefix("graphc/"), pattern) for pattern in patterns):
        return f"{found}: {top} is imported only in {', '.join(patterns)}"
    if found.at_start and top in ONLY_IN_FUNCTIONS:
        return f"{found}: {top} is imported only inside functions, or under TYPE_CHECKING"
    return None


def direction_fault(found: Import) -> str | None:
    """What is wrong with an import of a module of graphc; None if nothing is."""
    source, target = layer(found.module), layer(found.target)
    for one in (source, target):
        if one is not None and one not in HOUSE:
            return f"{found}: graphc.{one} is no layer of the house"
    if source is None:
        return None
    allowed = HOUSE[: HOUSE.index(source) + 1]
    if target in allowed:
        return None
    return f"{found} imports {found.target}; {source} may import only {', '.join(allowed)}"


def import_cycle(sources: dict[str, str]) -> list[str]:
    """The imports along one circle of modules; none if there is no circle."""
    found = {(one.module, one.target): one for one in imports(sources)}
    graph = {module_name(path): [] for path in sources}
    for module, target in found:
        if target in graph:
            graph[module].append(target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        circle = error.args[1][::-1]  # every module imports the next
        return [str(found[step]) for step in pairwise(circle)]
    return []


@pytest.fixture(scope="module")
def sources():
    """The sources of graphc, by path."""
    paths = sorted((ROOT / "graphc").rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


def test_imports_go_towards_the_top(sources):
    assert "graphc/__init__.py" in sources
    assert not (wrong := wrong_imports(sources)), "\n" + "\n".join(wrong)


def test_no_modules_import_each_other_in_a_circle(sources):
    assert not (circle := import_cycle(sources)), "\n" + "\n".join(circle)


def test_every_file_is_in_the_house(sources):
    layers = {layer(module_name(path)) for path in sources}
    assert layers <= {None, *HOUSE}


def test_import_graphc_loads_nothing_early():
    code = f"import sys, graphc; print(*[m for m in {NOT_AT_IMPORT!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


# The walker itself: wrong imports, planted.

PLANTED = {
    "graphc/__init__.py": "",
    "graphc/types.py": "",
    "graphc/ops/__init__.py": "",
    "graphc/ops/rules.py": "",
    "graphc/passes/__init__.py": "",
    "graphc/passes/fold.py": "",
    "graphc/emit/numpy.py": "",
    "graphc/language/graph.py": "",
    "graphc/calculus/formulas.py": "",
}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("graphc/ops/rules.py", "import graphc.passes.fold"),
        ("graphc/ops/rules.py", "import graphc.types, graphc.passes.fold as fold"),
        ("graphc/ops/rules.py", "from graphc.passes import fold"),
        ("graphc/ops/rules.py", "from graphc.passes.fold import fold"),
        ("graphc/ops/rules.py", "from graphc.passes import *"),
        ("graphc/ops/rules.py", "from graphc import passes"),
        ("graphc/ops/rules.py", "from ..passes import fold"),
        ("graphc/ops/rules.py", "from .. import passes"),
        ("graphc/ops/__init__.py", "from ..passes.fold import fold"),
        ("graphc/ops/rules.py", "def f():\n    from graphc.passes import fold"),
        ("graphc/ops/rules.py", "class A:\n    async def f(self):\n        import graphc.passes"),
        ("graphc/ops/rules.py", "if TYPE_CHECKING:\n    from graphc.passes import fold"),
        ("graphc/ops/rules.py", "try:\n    pass\nexcept E:\n    import graphc.passes"),
        ("graphc/ops/rules.py", "importlib.import_module('graphc.passes.fold')"),
        ("graphc/ops/rules.py", "f = lambda: __import__('graphc.passes')"),
        ("graphc/ops/rules.py", "import_module('..passes', __package__)"),
        ("graphc/ops/rules.py", "import graphc"),
        ("graphc/ops/rules.py", "from graphc import variable"),
        ("graphc/ops/rules.py", "from graphc.__main__ import main"),
        ("graphc/ops/rules.py", "from graphc.utilities import f"),
        ("graphc/ops/utilities.py", "from graphc.emit import numpy"),
        ("graphc/utilities.py", "from graphc import types"),
        ("graphc/types.py", "import graphc.ops"),
        ("graphc/ops/rules.py", "import networkx as nx"),
        ("graphc/ops/rules.py", "def f():\n    from networkx import DiGraph"),
        ("graphc/ops/rules.py", "def f():\n    import sympy"),
        ("graphc/language/graph.py", "def f():\n    import sympy.printing"),
        ("graphc/calculus/formulas.py", "import sympy as sp"),
        ("graphc/calculus/formulas.py", "class A:\n    from sympy import S"),
        ("graphc/types.py", "if TYPE_CHECKING:\n    pass\nelse:\n    import sympy"),
    ],
)
def test_a_wrong_import_is_found(path, source):
    (message,) = wrong_imports(PLANTED | {path: source})
    line = len(source.splitlines())  # each of them ends in the wrong import
    assert message.startswith(f"{path}:{line}: `")


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("graphc/passes/fold.py", "from graphc.ops.rules import define"),
        ("graphc/passes/fold.py", "from graphc import types, ops"),
        ("graphc/passes/fold.py", "from .. import types\nfrom . import other"),
        ("graphc/passes/fold.py", "from graphc.passes.other import f"),
        ("graphc/passes/fold.py", "import numpy as np\nimport cupy"),
        ("graphc/__init__.py", "from graphc.cli import main\nfrom . import explore"),
        ("graphc/__main__.py", "from graphc.cli import main\nmain()"),
        ("graphc/language/graph.py", "import networkx as nx"),
        ("graphc/calculus/formulas.py", "def f():\n    import sympy"),
        ("graphc/calculus/formulas_matrix.py", "def f():\n    import sympy"),
        ("graphc/calculus/formulas.py", "if TYPE_CHECKING:\n    import sympy"),
        ("graphc/calculus/formulas.py", "if typing.TYPE_CHECKING:\n    import sympy"),
        ("graphc/types.py", "def f():\n    from sympy import Symbol"),
        ("graphc/types.py", "'''import graphc.cli'''"),
    ],
)
def test_a_right_import_is_not_reported(path, source):
    assert wrong_imports(PLANTED | {path: source}) == []


def test_the_message_names_file_line_and_import():
    (message,) = wrong_imports(
        PLANTED | {"graphc/ops/rules.py": "import numpy\n\nfrom graphc.passes import fold\n"}
    )
    assert message == (
        "graphc/ops/rules.py:3: `from graphc.passes import fold` imports graphc.passes.fold; "
        "ops may import only errors, suggestions, types, ir, ops"
    )


@pytest.mark.parametrize(
    ("planted", "circle"),
    [
        (
            {
                "graphc/ops/a.py": "from graphc.ops.b import f",
                "graphc/ops/b.py": "def f():\n    from . import a",
            },
            {
                "graphc/ops/a.py:1: `from graphc.ops.b import f`",
                "graphc/ops/b.py:2: `from . import a`",
            },
        ),
        (
            {"graphc/ops/__init__.py": "from .a import f", "graphc/ops/a.py": "from . import g"},
            {
                "graphc/ops/__init__.py:1: `from .a import f`",
                "graphc/ops/a.py:1: `from . import g`",
            },
        ),
        (
            {
                "graphc/ops/a.py": "import graphc.ops.b",
                "graphc/ops/b.py": "import graphc.ops.c",
                "graphc/ops/c.py": "if TYPE_CHECKING:\n    import graphc.ops.a",
            },
            {
                "graphc/ops/a.py:1: `import graphc.ops.b`",
                "graphc/ops/b.py:1: `import graphc.ops.c`",
                "graphc/ops/c.py:2: `import graphc.ops.a`",
            },
        ),
        (
            {"graphc/ops/a.py": "from graphc.ops.a import f"},
            {"graphc/ops/a.py:1: `from graphc.ops.a import f`"},
        ),
    ],
)
def test_a_circle_is_found(planted, circle):
    assert set(import_cycle(PLANTED | planted)) == circle


def test_a_package_and_its_parts_are_no_circle():
    planted = {
        "graphc/ops/__init__.py": "from .a import f\nfrom . import b",
        "graphc/ops/a.py": "from graphc.ops.rules import define\nfrom graphc.ops import rules",
        "graphc/ops/b.py": "from .a import f",
    }
    assert import_cycle(PLANTED | planted) == []
