"""CuPy files, tested without a GPU.

Two things can be shown here. Under the real cupy package: importing the file needs no GPU, every
name of CuPy's that it uses exists there, with the keywords it uses, and every public function
says in one sentence that there is no GPU. With NumPy under the name of cupy: the statements
compute the numbers of the NumPy file (see also test_styles.py). Neither shows that the file runs
on a GPU: CuPy's own arithmetic, its restrictions and its speed are not tested here.
"""

import ast
import inspect
import subprocess
import sys

import numpy as np
import pytest

import graphc as gc
from tests.emit.models import (
    MODELS,
    POSITIVE,
    compiled,
    model_named,
    numpy_as_cupy,
    random_data,
    sizes_of,
)


@pytest.fixture(scope="module")
def cupy():
    return pytest.importorskip("cupy")


@pytest.fixture(scope="module")
def no_gpu(cupy):
    try:
        found = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        found = 0
    if found:
        pytest.skip("there is a GPU")


def source(name, dtype="float32"):
    return compiled(model_named(name), "cupy", dtype=dtype).source


def dotted(node):
    """`cp.add.at` as a list of names, if a node is an attribute of a plain name."""
    names = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id, *names] if isinstance(node, ast.Name) else None


@pytest.mark.parametrize("name", MODELS)
def test_every_name_exists_in_cupy(name, cupy):
    """Names, and keywords where the signature can be inspected."""
    tree = ast.parse(source(name))
    found = 0
    for node in ast.walk(tree):
        path = dotted(node)
        if isinstance(node, ast.Attribute) and path and path[0] == "cp":
            value = cupy
            for part in path[1:]:
                assert hasattr(value, part), ".".join(path)
                value = getattr(value, part)
            found += 1
    assert found
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        path = dotted(node.func)
        if path and path[0] == "cp":
            value = cupy
            for part in path[1:]:
                value = getattr(value, part)
            check_call(value, node)


def check_call(function, node):
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    named = {k.arg: None for k in node.keywords}
    signature.bind(*node.args, **named)


@pytest.mark.parametrize("name", MODELS)
def test_every_method_exists_on_cupys_arrays(name, cupy):
    tree = ast.parse(source(name))
    plain = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    modules = {"cp", "np", "rng"}
    called = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            path = dotted(node.func)
            if path is None or path[0] not in modules:
                called.add(node.func.attr)
    allowed_elsewhere = {"_replace", "_make", "with_suffix", "append", "items"}
    for method in called - plain - allowed_elsewhere:
        assert hasattr(cupy.ndarray, method), method


@pytest.mark.parametrize("name", ["two_layers", "large_constants", "gathers"])
def test_importing_needs_no_gpu_and_calling_says_so(name, tmp_path, cupy, no_gpu):
    """In a fresh interpreter with the real package; one sentence for every public function."""
    program = gc.compile(model_named(name), target="cupy", style="readable")
    program.save(tmp_path / "emitted.py")
    script = f"""
import inspect, sys
sys.path.insert(0, {str(tmp_path)!r})
import emitted
assert "graphc" not in sys.modules
public = [f for n, f in vars(emitted).items() if inspect.isfunction(f)
          and f.__module__ == "emitted" and not n.startswith("_")]
assert len(public) >= 3, public
for function in [*public, emitted._example]:
    try:
        function(*[None] * len([p for p in inspect.signature(function).parameters.values()
                                if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]))
    except RuntimeError as error:
        assert type(error) is RuntimeError, repr(error)
        assert str(error) == "this file computes on a CUDA GPU, and none was found", error
    else:
        raise AssertionError(function)
print(len(public), "functions")
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("functions\n")


def test_a_function_says_so_too(cupy, no_gpu):
    x = gc.observed("x", shape=3)
    f = gc.compile_function([x], [x * 2], target="cupy", style="readable")
    with pytest.raises(RuntimeError, match=r"^this file computes on a CUDA GPU, and none was"):
        f([1, 2, 3])


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_numbers_as_the_numpy_file(name, dtype):
    """With NumPy under the name of cupy."""
    graph = model_named(name)
    ours = compiled(graph, "readable", dtype=dtype)
    theirs = compiled(graph, "cupy", dtype=dtype)
    params, inputs = random_data(graph, positive=name in POSITIVE)
    given = {f.name: inputs[f.name] for f in ours.model.loss_fields}
    expected, slopes = ours.loss_and_grad(ours.Params(**params), **given)
    loss, grads = theirs.loss_and_grad(theirs.Params(**params), **given)
    assert loss.shape == ()  # a 0-d device array, not a float: no synchronisation
    assert not isinstance(loss, float) or isinstance(loss, np.floating)
    assert float(loss) == expected
    for got, wanted in zip(grads, slopes, strict=True):
        np.testing.assert_array_equal(got, wanted)
    sizes = sizes_of(graph)
    for got, wanted in zip(
        theirs.init_params(2, **sizes), ours.init_params(2, **sizes), strict=True
    ):
        np.testing.assert_array_equal(got, wanted)
        assert got.dtype == dtype


def test_the_gradient_check_runs_under_the_other_name(capsys):
    for name in ("linear", "embedding", "large_constants"):
        program = compiled(model_named(name), "cupy")
        scope = {"__name__": "__main__", "__file__": "none"}
        with numpy_as_cupy():
            if not program.emitted.arrays:
                exec(compile(program.source, name, "exec"), scope)
    assert "by formula" in capsys.readouterr().out


@pytest.mark.parametrize("at", [4, -5])
def test_an_index_out_of_range_is_an_error_in_the_file_itself(at):
    """CuPy would wrap around; a number of a class is checked with the arguments."""
    x, i = gc.observed("x", shape=4), gc.observed("i", kind="integer", per_sample=False)
    y, w = gc.observed("y", classes=4), gc.parameter("w", 4)
    graph = gc.Graph(gc.cost(x[i] * w[i] + w[y], name="C"))
    made = gc.compile(graph, target="cupy", style="readable")
    assert "w[_within(i, 4)]" in made.source and "_within(y" not in made.source
    with numpy_as_cupy():
        loss = made.loss(made.Params(np.ones(4)), np.ones((2, 4)), at - 1 if at > 0 else -4, [0, 1])
        assert float(loss) == 2
        with pytest.raises(IndexError, match="an index into 4 elements is out of range"):
            made.loss(made.Params(np.ones(4)), np.ones((2, 4)), at, [0, 1])


def test_the_file_differs_from_numpys_in_spelling_only():
    """One printer, another record: the statements are the same with `np` for `cp`."""
    graph = model_named("two_layers")
    theirs, ours = source("two_layers"), compiled(graph, "readable", dtype="float32").source
    body = theirs.split("def _forward(")[1].split("def _check_params(")[0]
    expected = ours.split("def _forward(")[1].split("def _check_params(")[0]
    assert body.replace("cp.", "np.") == expected
