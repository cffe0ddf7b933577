"""Pictures of descent: what is drawn is the data, and nothing global is touched."""

import subprocess
import sys

import numpy as np
import pytest

import graphc as gc

pytest.importorskip("matplotlib")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 2))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


def classifier():
    x, y = gc.observed("x", shape=2), gc.observed("y", classes=2)
    z = gc.tanh(gc.Linear(8, name="inner")(x))
    s = gc.Linear(2, name="outer")(z, output="scores")
    net = gc.Graph(gc.cross_entropy(s, y, name="C"), name="net")
    return gc.compile(net, step=gc.adam(lr=0.05))


def trained(**options):
    program = classifier()
    start = program.init_params(seed=1)
    return program, start, gc.train(program, start, {"x": X, "y": Y}, **options)


def lines(axes):
    return [np.transpose(line.get_data()) for line in axes.get_lines()]


def test_losses():
    _, _, run = trained(epochs=6, batch_size=10, validation={"x": X, "y": Y})
    axes = gc.plot.losses(run, labels=["adam"], log=True)
    steps, epochs, validation = lines(axes)
    np.testing.assert_allclose(steps[:, 1], run.history.losses)
    np.testing.assert_allclose(epochs, np.transpose([6 * np.arange(1, 7), run.history.epochs]))
    np.testing.assert_allclose(validation[:, 1], run.history.validation)
    assert axes.get_yscale() == "log"


def test_a_curve_with_a_path():
    axes = gc.plot.curve(lambda w: w**2, (-2, 2), [1.5, 0.75, 0.375], labels=["descent"])
    curve, path = lines(axes)
    np.testing.assert_allclose(curve[:, 1], curve[:, 0] ** 2)
    np.testing.assert_allclose(path, [[1.5, 2.25], [0.75, 0.5625], [0.375, 0.140625]])


def test_contours_with_paths(tmp_path):
    path = np.array([[1.5, 1.0], [0.5, 0.4], [0.1, 0.1]])
    axes = gc.plot.contours(
        lambda w: w[0] ** 2 + 3 * w[1] ** 2, ((-2, 2), (-2, 2)), path, 2 * path, log=True,
        labels=["a", "b"],
    )  # fmt: skip
    np.testing.assert_allclose(lines(axes)[0], path)
    np.testing.assert_allclose(lines(axes)[1], 2 * path)
    saved = gc.plot.save(axes, tmp_path / "c.png")
    assert saved.read_bytes().startswith(b"\x89PNG")


def test_a_trace_holds_every_point():
    program, start, _ = trained(steps=1)
    trace = gc.plot.Trace(start, names=["outer_b"])
    run = gc.train(program, start, {"x": X, "y": Y}, steps=5, callbacks=[trace])
    assert trace.path.shape == (6, 2)
    np.testing.assert_array_equal(trace.path[0], start.outer_b)
    np.testing.assert_array_equal(trace.path[-1], run.params.outer_b)


def test_regions():
    program, _, run = trained(steps=20)

    def predict(points):
        return program.forward(run.params, x=points)

    axes = gc.plot.regions(predict, ((-2, 2), (-2, 2)), X, Y)
    offsets = axes.collections[-1].get_offsets()
    np.testing.assert_allclose(offsets, X)


def test_gradient_norms_by_block():
    program, start, _ = trained(steps=1)
    record = gc.plot.GradientNorms(program, {"x": X, "y": Y}, every=2)
    run = gc.train(program, start, {"x": X, "y": Y}, steps=6, callbacks=[record])
    assert record.steps == [2, 4, 6]
    assert list(record.norms) == ["inner", "outer"]
    _, grads = program.loss_and_grad(run.params, x=X, y=Y)
    last = np.sqrt(np.sum(grads.outer_w**2) + np.sum(grads.outer_b**2))
    assert record.norms["outer"][-1] == pytest.approx(last)
    first, second = lines(gc.plot.norms(record))
    np.testing.assert_allclose(first[:, 1], record.norms["inner"])
    assert len(second) == 3


def test_histograms():
    axes = gc.plot.histograms({"before": RNG.standard_normal(500), "after": np.zeros(500)})
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["before", "after"]
    with pytest.raises(gc.UsageError, match="nothing to draw"):
        gc.plot.histograms({})


def test_animations(tmp_path):
    from PIL import Image

    def draw(axes, k):
        gc.plot.curve(lambda w: w**2, (-2, 2), [2.0 / (k + 1)], ax=axes)

    gif = gc.plot.animate(draw, 4, tmp_path / "a.gif", size=(2, 1.5))
    with Image.open(gif) as image:
        assert image.n_frames == 4
    page = gc.plot.animate(draw, 2, tmp_path / "a.html", size=(2, 1.5))
    assert "<input" in page.read_text()
    with pytest.raises(gc.OutputError, match=r"written as \.gif or \.html"):
        gc.plot.animate(draw, 2, tmp_path / "a.mp4")


def test_nothing_global_is_touched():
    script = (
        "import graphc as gc, sys; ax = gc.plot.curve(lambda w: w, (0, 1));"
        "assert 'matplotlib.pyplot' not in sys.modules; import matplotlib as m;"
        "assert m.rcParams['axes.spines.top']"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_panels_share_a_figure():
    axes = gc.plot.panels(2, rows=2, size=(2, 1))
    assert len(axes) == 4
    assert len({id(a.figure) for a in axes}) == 1
    assert tuple(axes[0].figure.get_size_inches()) == (4, 2)
