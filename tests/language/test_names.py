"""The names that users call: listed, documented, and found when they are misspelt or another's."""

import inspect

import numpy as np
import pytest

import graphc as gc
from graphc.blocks.torch_names import told
from graphc.errors import GraphcError, OutputError, ShapeError, UsageError
from graphc.suggestions import _ELSEWHERE

X = gc.observed("x", shape=(3, 3))
CALLABLE = sorted(
    n for n in gc.__all__ if callable(getattr(gc, n)) and not n.endswith("Error")
)  # fmt: skip
SECTIONS = ("Parameters", "Returns", "Raises", "Examples", "Attributes", "Notes", "Yields",
            "See Also", "References")  # fmt: skip


def test_dir_lists_what_users_call():
    assert dir(gc) == sorted(gc.__all__)
    assert len(set(gc.__all__)) == len(gc.__all__)
    assert not [n for n in dir(gc) if not hasattr(gc, n)]


@pytest.mark.parametrize("name", CALLABLE)
def test_every_name_says_what_it_does_and_how_it_is_called(name):
    thing = getattr(gc, name)
    shown = inspect.signature(thing)
    text = inspect.getdoc(thing)
    assert text.splitlines()[0].rstrip().endswith((".", ";", ":", ",")), text
    lines = text.splitlines()
    heads = [lines[i - 1] for i, line in enumerate(lines) if line and not line.strip("-")]
    assert all(head in SECTIONS for head in heads), heads
    if isinstance(thing, gc.Function):
        assert str(shown) in repr(thing)  # what `help` shows
        assert not any(isinstance(p.default, gc.Input | gc.Parameter)
                       for p in shown.parameters.values())  # fmt: skip


def test_signatures_of_blocks():
    assert str(inspect.signature(gc.Linear)) == (
        "(out_features, bias=True, *, in_features=None, name=None, label=None, init=None)"
    )
    assert (
        str(inspect.signature(gc.mse))
        == "(z, y, weight=None, *, reduction='mean', name=None, label=None)"
    )


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("ReLU", "gc.relu"),
        ("nll_loss", "gc.nll"),
        ("CrossEntropyLoss", "gc.cross_entropy"),
        ("MaxPool2d", "gc.max_pool2d"),
        ("BCEWithLogitsLoss", "gc.binary_cross_entropy_with_logits"),
        ("layer_norm", "gc.LayerNorm"),
        ("F", "gc.relu"),
        ("exp", "np.exp"),
        ("cholesky", "np.linalg.cholesky"),
        ("jit", "gc.compile"),
        ("obsrved", "gc.observed"),
        ("paramter", "gc.parameter"),
        ("nonsense", "dir(graphc)"),
    ],
)
def test_a_name_that_is_not_there(name, instead):
    with pytest.raises(AttributeError, match=f"'{name}'; .*") as caught:
        getattr(gc, name)
    assert instead in str(caught.value)


def test_what_is_suggested_exists():
    for name, text in _ELSEWHERE.items():
        assert name not in gc.__all__, f"{name} is there by now"
        assert told(name) is None, f"{name} stands in the table of PyTorch's names"
        for module, prefix in ((gc, "gc."), (np, "np.")):
            for word in text.split(prefix)[1:]:
                first = word.split("(")[0].split()[0].rstrip(",:;'").split(".")
                found = module
                for part in first:
                    found = getattr(found, part)


@pytest.mark.parametrize(
    ("call", "instead"),
    [
        (lambda s: s.special.logsumexp(X), "gc.logsumexp"),
        (lambda s: s.special.softmax(X, axis=1), "gc.softmax"),
        (lambda s: s.linalg.expm(X), "gc.expm"),
        (lambda s: s.linalg.solve_triangular(X, X), "gc.solve_triangular"),
        (lambda s: s.stats.norm.logpdf(X), "gc.normal_log_prob"),
        (lambda s: s.linalg.cho_factor(X), "np.linalg"),
    ],
)
def test_functions_of_scipy_name_those_of_graphc(call, instead):
    scipy = pytest.importorskip("scipy")
    for part in ("special", "linalg", "stats"):
        pytest.importorskip(f"scipy.{part}")
    with pytest.raises(UsageError) as caught:
        call(scipy)
    assert instead in str(caught.value)
    assert str(caught.value).startswith("test_names.py:")


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("detach", "gc.stop_gradient"),
        ("dtype", "gc.compile"),
        ("unsqueeze", "np.expand_dims"),
        ("at", "gc.at_set"),
        ("exp", "np.exp(v)"),
        ("sqeeze", "'squeeze'"),
        ("tolist", "gc.compile"),
    ],
)
def test_an_attribute_that_variables_lack(name, instead):
    with pytest.raises(AttributeError) as caught:
        getattr(X, name)
    assert instead in str(caught.value)
    assert "squeeze" in dir(X)


class TestFirstSteps:
    """What newcomers do first."""

    def program(self):
        x, y = gc.observed("x", shape=3), gc.observed("y", shape=1)
        cost = gc.mse(gc.Linear(1, name="f")(x), y)
        return gc.compile(gc.Graph(cost, name="net"))

    def test_parameters_in_a_dictionary(self):
        program = self.program()
        params = program.init_params()
        with pytest.raises(TypeError, match=r"a dict.*Params\(\*\*params\)"):
            program.loss(params._asdict(), x=np.ones((2, 3)), y=np.ones((2, 1)))

    def test_inputs_of_other_names(self):
        program = self.program()
        params = program.init_params()
        with pytest.raises(UsageError, match=r"'z'; .* loss_and_grad\(params, x, y\)"):
            program.loss_and_grad(params, x=np.ones((2, 3)), y=np.ones((2, 1)), z=1)
        with pytest.raises(UsageError, match=r"'y'; .* loss\(params, x, y\)"):
            program.loss(params, x=np.ones((2, 3)))

    def test_a_file_of_another_kind(self, tmp_path):
        with pytest.raises(OutputError, match=r"end in \.py"):
            self.program().save(tmp_path / "net.txt")

    @pytest.mark.parametrize("cost", [gc.mse, gc.l1, gc.squared_error, gc.huber, gc.smooth_l1])
    def test_a_target_of_another_shape(self, cost):
        z, y = gc.observed("z", shape=16), gc.observed("y", shape=1)
        with pytest.raises(ShapeError, match=r"\(1,\).*\(16,\).*np.broadcast_to\(y, z.shape\)"):
            cost(z, y)
        if cost in (gc.mse, gc.l1, gc.squared_error):
            assert cost(z, 0.0).shape == ()

    def test_a_block_of_numbers(self):
        with pytest.raises(UsageError, match=r"gc.observed.*gc.constant"):
            gc.Linear(3)(np.ones(4))
        assert gc.Linear(3)(gc.constant(np.ones(4))).shape == (3,)

    def test_a_free_variable(self):
        x, z = gc.observed("x"), gc.observed("z")
        with pytest.raises(GraphcError, match=r"'z'.*\('x'\).*gc.compile_function"):
            gc.compile_function([x], x * z)
