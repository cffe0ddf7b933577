"""Labels that were not declared with their classes: out of range they raise, as in PyTorch."""

import subprocess
import sys

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ShapeError
from tests.numerics import close

SCORES = np.random.default_rng(0).normal(size=4)
IMAGE = np.random.default_rng(1).normal(size=(4, 3))
STYLES = ("readable", "fast")


def number(shape=()):
    return gc.observed("y", shape, kind="integer")


def scores(shape=(4,)):
    return gc.parameter("s", shape)


ONE = {
    "cross_entropy": lambda s, y: gc.cross_entropy(s, y),
    "nll": lambda s, y: gc.nll(s, y),
    "every target counts": lambda s, y: gc.cross_entropy(s, y, ignore_index=None),
    "smoothed": lambda s, y: gc.cross_entropy(s, y, label_smoothing=0.1),
    "weighted": lambda s, y: gc.cross_entropy(s, y, np.ones(4)),
    "multi_margin": lambda s, y: gc.multi_margin(s, y),
    "energy": lambda s, y: gc.energy(s, y),
    "energy_hinge": lambda s, y: gc.energy_hinge(s, y),
    "energy_mee": lambda s, y: gc.energy_mee(s, y),
    "one_hot": lambda s, y: gc.cost((gc.one_hot(y, 4) * s).sum()),
    "computed": lambda s, y: gc.cross_entropy(s, y + 0),
}
SEVERAL = {
    "cross_entropy": lambda s, y: gc.cross_entropy(s, y),
    "nll": lambda s, y: gc.nll(s, y),
    "one_hot": lambda s, y: gc.cost((gc.one_hot(y, 4) * s.T).sum()),
    "Embedding": lambda s, y: gc.cost((gc.Embedding(4, 2, name="e")(y)).sum() + s.sum()),
    "EmbeddingBag": lambda s, y: gc.cost((gc.EmbeddingBag(4, 2)(y)).sum() + s.sum()),
    "in a loop": lambda s, y: gc.cost(
        gc.scan(lambda c, k: (c + gc.nll(s[:, 0], k, ignore_index=None), ()), 0.0, y)[0]
    ),
}


def program_of(cost, style):
    program = gc.compile(gc.Graph(cost, name="g"), style=style)
    rng = np.random.default_rng(2)
    return program, program.Params(*(rng.normal(size=f.shape) for f in program.model.parameters))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("wrong", [-1, 4, 2**62])
@pytest.mark.parametrize("name", ONE)
def test_a_label_out_of_range(name, wrong, style):
    program, params = program_of(ONE[name](scores(), number()), style)
    assert np.isfinite(program.loss(params, y=np.array([0, 3])))
    with pytest.raises(ValueError, match=r"y must lie in 0\.\.3, got"):
        program.loss_and_grad(params, y=np.array([1, wrong]))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("wrong", [-1, 4])
@pytest.mark.parametrize("name", SEVERAL)
def test_several_labels_out_of_range(name, wrong, style):
    program, params = program_of(SEVERAL[name](scores((4, 3)), number(3)), style)
    assert np.isfinite(program.loss(params, y=np.array([[0, 3, 1]])))
    with pytest.raises(ValueError, match=r"must lie in 0\.\.3, got"):
        program.loss_and_grad(params, y=np.array([[0, wrong, 1]]))


@pytest.mark.parametrize("ignored", [-100, -1, 7, 2])
def test_what_is_ignored_may_lie_outside(ignored):
    """The weighted mean over what counts, and no gradient where nothing does."""
    cost = gc.cross_entropy(scores(), number(), ignore_index=ignored)
    program, params = program_of(cost, "fast")
    both = program.loss_and_grad(params, y=np.array([1, ignored]))
    alone = program.loss_and_grad(params, y=np.array([1]))
    close(both[0], alone[0], 1e-14, "loss")
    close(both[1].s, alone[1].s, 1e-14, "gradient")


def test_labels_as_in_torch():
    torch = pytest.importorskip("torch")
    program, params = program_of(gc.cross_entropy(scores((4, 3)), number(3)), "fast")
    y = np.array([[2, -100, 0]])
    given = torch.tensor(params.s[None])
    expected = torch.nn.functional.cross_entropy(given, torch.tensor(y))
    close(program.loss(params, y=y), expected.item(), 1e-13, "loss")
    with pytest.raises(IndexError, match="Target -1 is out of bounds"):
        torch.nn.functional.cross_entropy(given, torch.tensor([[2, -1, 0]]))


def test_lengths_and_labels_of_ctc():
    log_p = gc.observed("log_p", (5, 4))
    y, t, n = number(3), gc.observed("t", kind="integer"), gc.observed("n", kind="integer")
    cost = gc.ctc(gc.log_softmax(log_p), y, t, n)
    program = gc.compile(gc.Graph(cost, name="g"), wrt=log_p)
    good = {"log_p": IMAGE.reshape(1, 4, 3).repeat(2, 1)[:, :5, [0, 1, 2, 0]]}
    good |= {"y": [[1, 2, 3]], "t": [5], "n": [3]}
    assert np.isfinite(program.loss((), **good))
    for name, wrong, top in (("y", [[1, -1, 2]], 3), ("t", [6], 5), ("t", [-1], 5), ("n", [4], 3)):
        with pytest.raises(ValueError, match=rf"{name} must lie in 0\.\.{top}, got"):
            program.loss((), **(good | {name: wrong}))


def test_targets_of_multilabel_margin_end_at_the_first_negative_one():
    s, y = scores(), number(4)
    program, params = program_of(gc.multilabel_margin(s, y), "fast")
    assert program.loss(params, y=np.array([[1, -1, 9, -7]])) == program.loss(
        params, y=np.array([[1, -1, -1, -1]])
    )
    with pytest.raises(ValueError, match="multilabel_margin: y must lie in 0..3, got 0..9"):
        program.loss(params, y=np.array([[1, 9, -1, 0]]))


def test_what_is_known_is_said_at_declaration():
    y = gc.observed("y", classes=5)
    with pytest.raises(ShapeError, match="'y' goes from 0 to 4, but 'y' must lie in 0..3"):
        gc.cross_entropy(scores(), y)
    with pytest.raises(ShapeError, match="nll: y must lie in 0..3, got -1"):
        gc.nll(scores(), gc.constant(-1))
    with pytest.raises(ShapeError, match="must lie in 0..2, got 3"):
        gc.one_hot(gc.constant([0, 3]), 3)


@pytest.mark.parametrize(
    "taken",
    [
        lambda v: v,
        lambda v: v[1:],
        lambda v: v[::-1].reshape(2, 2)[0],
        lambda v: np.where(v > 1, v, 0),
        lambda v: np.take(v, [0, 1]),
    ],
)
def test_labels_taken_from_declared_ones_need_no_check(taken):
    words = gc.observed("words", 4, classes=3)
    cost = gc.cost(gc.Embedding(3, 2, name="e")(taken(words)).sum())
    program, _ = program_of(cost, "fast")
    assert "_labels" not in program.source
    assert gc.one_hot(taken(words)).shape[-1] == 3


def test_indices_keep_the_meaning_of_numpy():
    """In brackets and in NumPy's functions -1 is the last, as it is there."""
    x, i = gc.observed("x", 4), gc.observed("i", 2, kind="integer")
    f = gc.compile_function([x, i], [x[i], np.take(x, i), np.take_along_axis(x, i, 0), x[-1]])
    for got in f(SCORES, [-1, -4])[:3]:
        np.testing.assert_array_equal(got, SCORES[[-1, -4]])


def test_a_function_checks_its_labels():
    s, y = gc.observed("s", 4), number()
    f = gc.compile_function([s, y], gc.cross_entropy(s, y, ignore_index=None))
    with pytest.raises(ValueError, match=r"y must lie in 0\.\.3"):
        f(SCORES, -1)


def test_a_named_number_of_classes():
    s, y = gc.observed("s", "k"), number()
    program = gc.compile(gc.Graph(gc.cross_entropy(s, y), name="g"), wrt=s)
    assert np.isfinite(program.loss((), s=SCORES[None], y=[3]))
    with pytest.raises(ValueError, match=r"y must lie in 0\.\.3, got -1"):
        program.loss((), s=SCORES[None], y=[-1])


def test_the_gradient_check_draws_labels_in_range(tmp_path):
    cost = gc.cross_entropy(gc.Linear(2, name="f")(gc.observed("x", 3)), number())
    path = tmp_path / "net.py"
    gc.compile(gc.Graph(cost, name="g")).save(path)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert "f_w: " in done.stdout
