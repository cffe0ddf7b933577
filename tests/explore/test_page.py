"""The page in a real browser: drawn, selected, searched, stepped through, without a complaint."""

import numpy as np
import pytest

import graphc as gc
from tests.browser import Browser
from tests.emit.models import MODELS
from tests.explore.test_facts import deep, network
from tests.render.test_svg import HOSTILE


@pytest.fixture(scope="module")
def browser():
    running = Browser()
    yield running
    running.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open the page of a graph; at the end, see that it neither complained nor asked around."""
    pages = []

    def open_page(graph, data=None, figure=None, **options):
        path = tmp_path / f"{graph.name}{len(pages)}.html"
        gc.render(graph, path, data=data, **(figure or {}))
        pages.append((browser.open(path.as_uri(), **options), path))
        return pages[-1][0]

    yield open_page
    for page, path in pages:
        page.evaluate("new Promise((done) => setTimeout(done, 50))")
        assert page.complaints() == []
        asked = [url.split("#")[0] for url in page.requests()]
        assert set(asked) <= {path.as_uri(), "data:,"}
        page.close()


def node(name, kind="function", number=None):
    return f'[data-id="{kind} {name}{"" if number is None else f" {number}"}"]'


def selected(page):
    return page.evaluate(
        "[...document.querySelectorAll('#canvas .selected')].map(g => g.dataset.id)"
    )


def marked(page):
    rows = "[...document.querySelectorAll('#code .mine code')]"
    return page.evaluate(f"{rows}.map(row => row.textContent.trim())")


def headings(page):
    return page.evaluate("[...document.querySelectorAll('#details h2, #details h3')]"
                         ".map(h => h.firstChild.textContent)")  # fmt: skip


def test_the_page_shows_the_figure_the_source_and_an_overview(opened):
    page = opened(network())
    assert page.evaluate("document.title") == "net: figure, formulas, code"
    assert page.evaluate("document.querySelectorAll('#canvas .gc-node').length") == 9
    source = page.evaluate("[...document.querySelectorAll('#code .row code')]"
                           ".map(row => row.textContent).join('\\n')")  # fmt: skip
    assert source == gc.compile(network(), style="readable", dtype="float32").source.rstrip("\n")
    assert headings(page) == [
        "net", "What to do here", "Blocks", "Variables", "Parameters", "Signs of the figure",
    ]  # fmt: skip


def test_a_click_on_a_block_shows_its_formulas_and_marks_its_lines(opened):
    page = opened(network())
    page.click(node("second", number=2))
    assert selected(page) == ["function second 2"]
    assert headings(page) == [
        "second", "Forward", "Jacobian by state", "Jacobian by parameters", "Emitted forward",
        "Backward, cotangents as rows", "Emitted backward", "Connected to",
    ]  # fmt: skip
    formulas = page.evaluate("[...document.querySelectorAll('#details .formula')]"
                             ".map(f => f.getAttribute('aria-label'))")  # fmt: skip
    assert "t = second_w h + second_b" in formulas
    assert "∂t/∂h = second_w" in formulas
    lines = marked(page)
    assert "t = h @ params.second_w.T + params.second_b" in lines
    assert "d_h = d_t @ params.second_w" in lines
    chips = page.evaluate("document.querySelector('.chips').textContent")
    assert "parameters 12" in chips


def test_a_click_on_a_line_selects_its_block_and_one_on_a_variable_shows_it(opened):
    page = opened(network())
    page.evaluate("[...document.querySelectorAll('#code .row')].find(row => "
                  "row.textContent.includes('h = np.tanh(s)')).scrollIntoView()")  # fmt: skip
    number = page.evaluate("[...document.querySelectorAll('#code .row')].find(row => "
                           "row.textContent.includes('h = np.tanh(s)')).dataset.line")  # fmt: skip
    page.click(f'.row[data-line="{number}"]')
    assert selected(page) == ["function tanh1 1"]
    page.click(node("s", "variable"))
    assert selected(page) == ["variable s"]
    assert headings(page)[:3] == ["s", "Made by", "Read by"]
    assert any(line.startswith("d_s = ") for line in marked(page))


def test_pointing_at_a_line_points_at_the_block_and_the_other_way_round(opened):
    page = opened(network())
    over = "dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))"
    page.evaluate("[...document.querySelectorAll('#code .row')].find(row => "
                  f"row.textContent.includes('h = np.tanh(s)')).{over}")  # fmt: skip
    assert page.evaluate("document.querySelector('.hint').dataset.id") == "function tanh1 1"
    page.evaluate(f"document.querySelector('{node('first', number=0)}').{over}")
    hinted = page.evaluate("[...document.querySelectorAll('#code .hint')].map(r => r.textContent)")
    assert any("s = x @ params.first_w.T" in line for line in hinted)


def caption(page):
    return page.evaluate("document.querySelector('#caption').textContent")


def test_stepping_forward_and_backward(opened):
    rng = np.random.default_rng(0)
    page = opened(network(), data={"x": rng.normal(size=4), "y": 1})
    seen = []
    for _ in range(7):
        page.click("#forth")
        seen.append((caption(page), selected(page)[0].split()[1]))
    assert seen == [
        ("Forward 1 of 4first", "first"),
        ("Forward 2 of 4tanh1", "tanh1"),
        ("Forward 3 of 4second", "second"),
        ("Forward 4 of 4C", "C"),
        ("Backward 1 of 4C", "C"),
        ("Backward 2 of 4second", "second"),
        ("Backward 3 of 4tanh1", "tanh1"),
    ]
    numbers = page.evaluate("document.querySelector('.numbers').textContent")
    assert "∂L/∂s" in numbers
    assert page.evaluate("document.querySelector('#canvas').classList.contains('backward')")
    back = page.evaluate("[...document.querySelectorAll('#canvas .active')].map(g => g.dataset.id)")
    assert {"function tanh1 1", "variable s", "variable h"} <= set(back)
    page.click("#first")
    assert not page.evaluate("document.querySelector('#canvas').classList.contains('stepping')")
    assert selected(page) == []


def active(page):
    found = "[...document.querySelectorAll('#canvas .gc-node.active')]"
    return set(page.evaluate(f"{found}.map(g => g.dataset.twin || g.dataset.id)"))


def test_the_backward_pass_goes_through_the_mirrored_network_where_it_is_drawn(opened):
    page = opened(network(), figure={"backward": "mirror"})
    page.key("End")
    page.key("ArrowLeft")
    assert caption(page) == "Backward 3 of 4tanh1"
    assert {"function tanh1 1", "variable h", "variable s"} <= active(page)
    assert page.evaluate("[...document.querySelectorAll('#canvas .gc-node.active')]"
                         ".every(g => g.dataset.twin)")  # fmt: skip
    page.click('[data-twin="function second 2"] .gc-shape')
    assert set(selected(page)) >= {"function second 2"}
    assert len(selected(page)) == 2


def test_the_parts_of_an_open_block_stand_for_the_block(opened):
    @gc.function
    def body(x):
        return gc.softmax(gc.tanh(x))

    x = gc.observed("x", shape=3)
    o = body(x, name="body", output="o")
    cost = gc.cost((o * gc.parameter("v", shape=3)).sum(), name="C")
    page = opened(gc.Graph(cost, name="open"), figure={"expand": True})
    page.key("ArrowRight")
    assert caption(page).startswith("Forward 1 of 2body")
    inside = page.evaluate("[...document.querySelectorAll('#canvas .gc-function.active')].length")
    assert inside == 2
    page.key("Escape")
    page.click("#canvas .gc-function")
    assert "body" in headings(page)


def test_the_keyboard_reaches_everything(opened):
    page = opened(network())
    page.key("ArrowRight")
    assert caption(page) == "Forward 1 of 4first"
    page.key("PageDown")
    assert caption(page) == "Forward 2 of 4tanh1"
    page.key("End")
    assert caption(page) == "Backward 4 of 4first"
    page.key("ArrowLeft")
    assert caption(page) == "Backward 3 of 4tanh1"
    page.key("Escape")
    assert selected(page) == []
    page.evaluate(f"document.querySelector('{node('first', number=0)}').focus()")
    page.key("Enter")
    assert selected(page) == ["function first 0"]
    (x, y), (x2, y2) = page.middle(node("x", "variable")), page.middle(node("first", number=0))
    page.key("ArrowRight" if x2 - x > y - y2 else "ArrowUp")
    assert selected(page) == ["variable s"]
    page.key("/")
    page.type("tan")
    found = page.evaluate("[...document.querySelectorAll('#results li')].map(li => li.dataset.id)")
    assert found == ["function tanh1 1"]
    page.key("Enter")
    assert selected(page) == ["function tanh1 1"]
    page.key("?")
    assert page.evaluate("document.querySelector('#help').open")
    page.key("Escape")
    assert not page.evaluate("document.querySelector('#help').open")


def test_zooming_and_panning(opened):
    page = opened(network())
    view = "document.querySelector('#canvas svg').getAttribute('viewBox').split(' ').map(Number)"
    before = page.evaluate(view)
    page.click("#closer")
    closer = page.evaluate(view)
    assert closer[2] == pytest.approx(before[2] / 1.3, rel=1e-3)
    x, y = page.middle("#canvas")
    page.wheel(x, y, -200)
    page.wait(f"{view}[2] < {closer[2] - 1}")
    wheeled = page.evaluate(view)
    page.drag((x, y + 40), (x + 60, y + 70))
    page.wait(f"{view}[0] < {wheeled[0] - 1}")
    page.key("f")
    assert page.evaluate(view) == pytest.approx(before, abs=0.1)


def test_dark_mode_follows_the_display_until_it_is_told_otherwise(opened):
    page = opened(network(), dark=True)
    ground = "getComputedStyle(document.body).backgroundColor"
    stroke = "getComputedStyle(document.querySelector('.gc-function .gc-shape')).stroke"
    assert page.evaluate(ground) == "rgb(16, 18, 22)"
    assert page.evaluate(stroke) == "rgb(138, 162, 255)"
    page.key("t")  # light
    assert page.evaluate(ground) == "rgb(244, 245, 248)"
    assert page.evaluate(stroke) == "rgb(47, 75, 196)"
    page.key("t")  # dark
    page.key("t")  # as the display
    page.prefer("light")
    page.wait(f"{ground} === 'rgb(244, 245, 248)'")


def test_a_screen_reader_is_told_of_elements_steps_and_formulas(opened):
    page = opened(network())
    page.click(node("tanh1", number=1))
    told = page.accessible()
    assert any(
        role == "button" and name.startswith("tanh1: tanh(s) gives h") for role, name in told
    )
    assert ("search", "") in told or ("searchbox", "Search blocks and variables") in told or (
        "combobox", "Search blocks and variables") in told  # fmt: skip
    assert any(role in ("img", "image") and name == "h = tanh(s)" for role, name in told)
    assert any(role == "heading" and name == "tanh1" for role, name in told)
    page.key("PageDown")
    page.wait("document.querySelector('#status').textContent.startsWith('Forward 1 of 4: first')")
    for role, name in page.accessible():
        if role in ("button", "slider", "combobox", "dialog"):
            assert name, role


@pytest.mark.parametrize("name", ["activations", "masks", "products", "several_outputs"])
def test_every_formula_is_set_in_letters_of_the_font(opened, name):
    page = opened(MODELS[name]())
    page.evaluate("window.told = JSON.parse(document.querySelector('#facts').textContent)")
    page.evaluate("window.setter = Formulas(JSON.parse("
                  "document.querySelector('#letters').textContent)).typeset")  # fmt: skip
    found = page.evaluate(
        "told.formulas.map(([latex, text]) => { const svg = setter(latex, text, 16, 300);"
        "return [latex, svg.querySelectorAll('path').length, svg.querySelectorAll('text').length,"
        "Number(svg.getAttribute('width')), Number(svg.getAttribute('height'))]; })"
    )
    assert found
    for latex, letters, fallbacks, width, height in found:
        assert letters > 2, latex
        assert fallbacks == 0, latex
        assert 10 < width < 2000, latex
        assert 10 < height < 600, latex


def test_copying(opened):
    page = opened(network())
    page.evaluate("navigator.clipboard.writeText = (text) => { window.copied = text; "
                  "return Promise.resolve(); }")  # fmt: skip
    page.click(node("tanh1", number=1))
    page.click("#details .entry .copy")
    assert page.evaluate("window.copied") == r"h = \tanh\left(s\right)"
    page.evaluate("document.querySelector('#copysource').click()")
    assert page.evaluate("window.copied").startswith('"""net: loss and gradients')


def test_printing_shows_every_block(opened):
    page = opened(network())
    assert page.pdf().startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    shown = page.evaluate("[...document.querySelectorAll('#print h2')].map(h => h.textContent)")
    assert shown == ["first", "tanh1", "second", "C"]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelector('#print').children.length") == 0


def test_narrow_windows_scroll_in_one_column(opened):
    page = opened(network(), width=420, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    page.evaluate(f"document.querySelector('{node('first', number=0)}').focus()")
    page.key("Enter")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


def test_300_blocks(opened):
    page = opened(deep(150))
    loaded = page.busy()
    assert loaded < 6  # a second where nothing else runs
    for _ in range(5):
        page.key("End")
        page.key("ArrowLeft")
    assert page.busy() - loaded < 8
    assert caption(page).startswith("Backward 300 of 301")
    page.key("/")
    page.type("f77")
    page.key("Enter")
    assert selected(page) == ["function f77 154"]
    box = page.evaluate("(() => { const a = document.querySelector('.selected .gc-shape')"
                        ".getBoundingClientRect(), b = document.querySelector('#canvas')"
                        ".getBoundingClientRect(); return [a.left - b.left, b.right - a.right,"
                        " a.top - b.top, b.bottom - a.bottom, a.height]; })()")  # fmt: skip
    assert min(box) > 5  # in view, and large enough to read


def test_hostile_labels_are_shown_as_they_stand(opened):
    inputs = [gc.observed(f"x{i}", label=text) for i, text in enumerate(HOSTILE)]
    weight = gc.parameter("w", label=HOSTILE[0])
    cost = gc.cost(sum(inputs, 0.0) * weight, name="C", label=HOSTILE[1])
    page = opened(gc.Graph(cost, name="net"))
    for i in range(len(HOSTILE)):
        page.evaluate(f"document.querySelector('{node(f'x{i}', 'variable')}').focus()")
        page.key("Enter")
        assert selected(page) == [f"variable x{i}"]
        assert page.evaluate("document.querySelectorAll('#details .title .formula').length") == 1
    assert page.evaluate("document.querySelectorAll('script').length") == 3
    page.click(".gc-cost")
    assert headings(page)[0] == "C"


# --- what a class and a long model need -------------------------------------------------------


def test_the_page_says_what_to_do_and_that_numbers_are_loaded(opened):
    page = opened(network())
    text = "document.querySelector('#details').innerText"
    assert "Select a block" in page.evaluate(text)
    assert "--data sample.npz" in page.evaluate(text)
    assert page.evaluate("document.querySelector('.loaded') === null")
    page.click(".start")
    assert caption(page).startswith("Forward 1 of 4")
    loaded = opened(network(), data={"x": np.ones((5, 4)), "y": np.ones(5, int)})
    assert "numbers of" in loaded.evaluate("document.querySelector('.loaded').innerText")
    assert "--data" not in loaded.evaluate(text)
    assert "Numbers of sample 0" in headings(loaded)


def test_samples_and_their_average_are_chosen_by_hand_and_by_key(opened):
    data = {"x": np.arange(12.0).reshape(3, 4), "y": np.arange(3)}
    page = opened(network(), data=data)
    names = page.evaluate("[...document.querySelector('#sample').options].map(o => o.text)")
    assert names == ["sample 0", "sample 1", "sample 2", "average of 3 samples"]
    shown = "document.querySelector('.numbers .vector').innerText.split(/\\s+/).join(' ')"
    page.click(node("x", "variable"))
    assert page.evaluate(shown) == "0 1 2 3"
    page.key("n")
    assert page.evaluate(shown) == "4 5 6 7"
    assert page.evaluate("document.querySelector('#status').textContent") == "Numbers of sample 1."
    page.key("p")
    page.key("p")  # from the first to the last, which is the average
    assert "Averages of 3 samples" in headings(page)
    assert page.evaluate("document.querySelector('#sample').selectedIndex") == 3
    page.evaluate("document.querySelector('#sample').focus()")
    page.key("ArrowUp")  # moves within the list, not through the passes
    assert page.evaluate(shown) == "8 9 10 11"
    assert page.evaluate("document.activeElement.id") == "sample"
    page.evaluate("document.activeElement.blur()")
    page.key("End")
    assert "Numbers of sample 2" in headings(page)
    page.key("n")
    assert "Averages of 3 samples" in headings(page)
    assert caption(page).startswith("Backward 4 of 4")


def test_the_overview_lists_blocks_with_costs_and_the_signs_of_this_figure(opened):
    page = opened(network())
    row = page.evaluate("[...document.querySelectorAll('.blocks tbody tr')[2].children]"
                        ".map(c => c.textContent)")  # fmt: skip
    assert row == ["second", "Linear", "ℝ³", "12", "21\u2009P", "39\u2009P"]
    signs = page.evaluate("[...document.querySelectorAll('.legend b')].map(b => b.textContent)")
    assert signs == ["observed", "computed", "discrete", "parameter", "function", "cost"]


def test_leading_orders_show_their_source(opened):
    w = gc.parameter("w", shape=(3, 3), init=np.eye(3))
    page = opened(gc.Graph(gc.cost(np.linalg.det(w), name="C"), name="net"))
    page.click(".gc-cost")
    assert "≈" in page.evaluate("document.querySelector('.chips').innerText")
    assert "det: 2/3 n³ (GVL 3.2)" in page.evaluate("document.querySelector('.notes').innerText")


def test_the_source_of_a_deep_model_is_drawn_where_it_is_looked_at(opened):
    graph = deep(60)
    page = opened(graph)
    lines = page.evaluate("JSON.parse(document.querySelector('#facts').textContent).source")
    drawn = "document.querySelectorAll('#code .row').length"
    assert len(lines) > 600
    assert page.evaluate(drawn) < 450
    text = page.evaluate("[...document.querySelectorAll('#code .row code, #code .plain')]"
                         ".map(e => e.textContent).join('\\n')")  # fmt: skip
    assert text == "\n".join(lines)
    height = "document.querySelector('#code').scrollHeight"
    before = page.evaluate(height)
    page.evaluate("document.querySelector('#code').scrollTo({top: 1e6, behavior: 'instant'})")
    last = f'.row[data-line="{len(lines)}"]'
    page.wait(f"document.querySelector('{last}') !== null")
    page.key("End")
    assert any(line.startswith("d_f0_w = ") for line in marked(page))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(drawn) == len(lines)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(height) == before  # drawing moves nothing
    rows = "[...document.querySelectorAll('#code .row code')]"
    whole = page.evaluate(f"{rows}.filter(c => c.firstChild?.className === 's')"
                          ".map(c => c.textContent)")  # fmt: skip
    assert len(whole) > 20
    assert not any("np.tanh(" in line for line in whole)  # no docstring leaks over a border


def width_of(page, selector):
    return page.evaluate(f"document.querySelector('{selector}').getBoundingClientRect().width")


def upward():
    z = gc.observed("x", shape=4)
    for k in range(3):
        z = gc.tanh(gc.Linear(4, name=f"f{k}")(z, output=f"s{k}"), output=f"z{k}")
    return gc.Graph(gc.mse(z, gc.observed("y", shape=4), name="C"), name="up")


@pytest.mark.parametrize(("width", "least"), [(1440, 500), (1200, 700), (1000, 560)])
def test_beside_a_figure_that_stands_the_source_is_wide(opened, width, least):
    page = opened(upward(), width=width, height=900, figure={"direction": "BT"})
    assert page.evaluate("document.querySelector('main').classList.contains('tall')")
    assert width_of(page, "#source") >= least
    assert width_of(page, "#figure") >= 240
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_panes_are_sized_by_drag_and_by_keys(opened):
    page = opened(network())
    source = width_of(page, "#source")
    x, y = page.middle("#colsplit")
    page.drag((x, y), (x - 80, y))
    assert width_of(page, "#source") == pytest.approx(source + 80, abs=1)
    page.evaluate("document.querySelector('#colsplit').focus()")
    page.key("ArrowRight")
    assert width_of(page, "#source") == pytest.approx(source + 56, abs=1)
    page.drag(page.middle("#colsplit"), (5, y))
    assert width_of(page, "#details") > 100  # neither pane goes away
    now = page.evaluate("document.querySelector('#colsplit').getAttribute('aria-valuenow')")
    assert 50 < int(now) < 100
    page.evaluate("document.querySelector('#colsplit').dispatchEvent(new MouseEvent('dblclick'))")
    assert width_of(page, "#source") == pytest.approx(source, abs=1)


def test_lines_wrap_on_demand(opened):
    page = opened(network(), width=1000)
    assert page.evaluate("(c => c.scrollWidth > c.clientWidth)(document.querySelector('#code'))")
    page.click("#wrap")
    assert page.evaluate("document.querySelector('#wrap').getAttribute('aria-pressed')") == "true"
    assert page.evaluate("(c => c.scrollWidth <= c.clientWidth)(document.querySelector('#code'))")


def test_the_source_is_walked_through_by_keys(opened):
    page = opened(network())
    page.evaluate("document.querySelector('#code').focus()")
    for _ in range(30):
        page.key("ArrowDown")
        if "h = np.tanh(s)" in page.evaluate("document.querySelector('.row.cursor').textContent"):
            break
    assert page.evaluate("document.querySelector('.hint').dataset.id") == "function tanh1 1"
    assert ", block tanh1: h = np.tanh(s)" in page.evaluate(
        "document.querySelector('#status').textContent"
    )
    page.key("Enter")
    assert selected(page) == ["function tanh1 1"]


def test_a_map_shows_where_one_is_in_a_figure_larger_than_its_pane(opened):
    page = opened(deep(60))
    shown = "document.querySelector('#map').classList.contains('shown')"
    assert page.evaluate(shown)
    view = "document.querySelector('#canvas > svg').getAttribute('viewBox').split(' ').map(Number)"
    before = page.evaluate(view)
    box = page.evaluate("(b => [b.x + b.width / 2, b.y + b.height - 3])"
                        "(document.querySelector('#map').getBoundingClientRect())")  # fmt: skip
    page.drag(box, box)
    after = page.evaluate(view)
    assert after[2:] == before[2:]
    assert after[1] > before[1] + 100
    small = opened(network())
    assert not small.evaluate(shown)


def test_numbers_that_are_not_finite_stand_out_and_spoil_no_others(opened):
    data = {"x": np.array([1e300, np.nan, np.inf, -1.0]), "y": 1}
    page = opened(network(), data=data)
    page.click(node("x", "variable"))
    text = page.evaluate("document.querySelector('.numbers').innerText")
    assert "2 of 4 not finite, least -1, most 1.00e+300" in text
    odd = page.evaluate("[...document.querySelectorAll('.numbers .odd')].map(e => e.textContent)")
    assert odd == ["nan", "inf"]


def test_stacks_of_matrices_are_pictures_side_by_side(opened):
    x = gc.observed("x", shape=(6, 5, 7))
    graph = gc.Graph(gc.cost((x * gc.parameter("w")).sum(), name="C"), name="net")
    values = np.arange(210.0).reshape(6, 5, 7)
    values[1, 2, 3] = np.nan
    page = opened(graph, data={"x": values})
    page.click(node("x", "variable"))
    size = page.evaluate("(c => [c.width, c.height])(document.querySelector('.numbers canvas'))")
    assert size == [2 * 8 - 1, 3 * 6 - 1]
    row = "getContext('2d').getImageData(0, 0, 15, 17).data].map(Number)"
    pixels = page.evaluate(f"[...document.querySelector('.numbers canvas').{row}")
    at = np.reshape(pixels, (17, 15, 4))
    assert at[2, 8 + 3].tolist() == [240, 170, 0, 255]  # not finite
    assert at[16, 14].tolist() == [58, 92, 232, 255]  # the largest
    assert at[3, 7, 3] < 100  # between two matrices
    assert "6 matrices side by side" in page.evaluate(
        "document.querySelector('.picture').innerText"
    )


def test_copying_where_the_clipboard_is_refused(opened):
    page = opened(network())
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.evaluate("document.execCommand = () => "
                  "{ window.copied = document.activeElement.value; return true; }")  # fmt: skip
    page.click(node("tanh1", number=1))
    page.click("#details .entry .copy")
    assert page.evaluate("window.copied") == r"h = \tanh\left(s\right)"
    assert page.evaluate("document.querySelector('#details .entry .copy').textContent") == "copied"
    assert page.evaluate("document.activeElement.className") == "copy"
    page.evaluate("document.execCommand = () => false")
    page.click("#copysource")
    assert page.evaluate("document.querySelector('#copysource').textContent") == "not allowed"
    assert "does not allow" in page.evaluate("document.querySelector('#status').textContent")


def test_the_focus_stays_when_a_link_is_followed(opened):
    page = opened(network())
    page.evaluate("[...document.querySelectorAll('#details .link')]"
                  ".find(b => b.textContent === 'second').focus()")  # fmt: skip
    page.key("Enter")
    assert selected(page) == ["function second 2"]
    assert page.evaluate("document.activeElement.textContent") == "second"
    assert page.evaluate("document.activeElement.tagName") == "H2"


def test_a_search_says_how_much_it_found(opened):
    page = opened(network())
    page.key("/")
    page.type("sec")
    assert page.evaluate("document.querySelector('#status').textContent") == "3 found."
    page.type("qq")
    assert page.evaluate("document.querySelector('#results').textContent") == "Nothing found."
    page.key("Enter")
    assert selected(page) == []


CONTRASTS = """
(() => {
  const parse = (c) => {
    const n = c.match(/[\\d.]+/g).map(Number);
    return [n[0], n[1], n[2], n[3] ?? 1];
  };
  const over = (a, b) => [0, 1, 2].map((k) => a[k] * a[3] + b[k] * (1 - a[3])).concat(1);
  const linear = (x) => x <= 0.03928 * 255 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (e) => {
    const stack = [];
    for (; e; e = e.parentElement) stack.push(parse(getComputedStyle(e).backgroundColor));
    return stack.reverse().reduce((under, c) => over(c, under), [255, 255, 255, 1]);
  };
  const faint = [];
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('svg, .hidden, dialog, script, :disabled') || !e.checkVisibility()) continue;
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const under = ground(e), ink = over(parse(getComputedStyle(e).color), under);
    const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push([e.className, e.textContent.trim().slice(0, 20), ratio]);
  }
  return faint;
})()
"""


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_the_contrast_of_wcag_aa(opened, dark):
    data = {"x": np.array([0.5, np.nan, 2.0, -1.0]), "y": 1}
    page = opened(network(), data=data, dark=dark)
    assert page.evaluate(CONTRASTS) == []
    for key in ("PageDown", "End"):
        page.key(key)
        assert page.evaluate(CONTRASTS) == []
    page.click(node("x", "variable"))
    assert page.evaluate(CONTRASTS) == []


def long_names():
    x, y = gc.observed("x", shape=3), gc.observed("y", shape=2)
    first = gc.Linear(6, name="the_first_transformation_of_the_input_features")
    h = gc.tanh(first(x), output="a_very_long_name_of_a_variable_which_somebody_gave_to_it")
    cost = gc.squared_error(gc.Linear(2, name="second")(h, output="o"), y, name="C")
    return gc.Graph(cost, name="a_graph_with_a_name_that_is_long_enough_to_break_every_header")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_long_names_overflow_nowhere(opened, width):
    page = opened(long_names(), data={"x": np.ones(3), "y": np.ones(2)}, width=width, height=740)
    over = ("[...document.querySelectorAll('header, .card, .title, .stepper, .pane')].filter("
            "e => e.checkVisibility() && !e.matches('#details') &&"
            " e.scrollWidth > e.clientWidth + 1).map(e => e.className || e.tagName)")  # fmt: skip
    for _ in range(6):
        assert page.evaluate(over) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.key("PageDown")
    header = page.evaluate("document.querySelector('header').getBoundingClientRect().height")
    assert header < (215 if width < 400 else 150)


def test_touch_targets_are_large_enough_on_a_phone(opened):
    page = opened(network(), {"x": np.ones((2, 4)), "y": np.ones(2, int)}, width=360, height=740)
    sizes = page.evaluate("[...document.querySelectorAll('button, select, [type=search]')]"
                          ".filter(e => e.checkVisibility()).map(e => [e.id || e.className, "
                          "e.getBoundingClientRect().height])")  # fmt: skip
    assert [name for name, height in sizes if height < 24] == []


def test_a_figure_that_fits_stays_whole_when_formulas_need_room(opened):
    page = opened(network(), width=1000, height=560)
    cut = ("(() => { const b = document.querySelector('#canvas').getBoundingClientRect();"
           "return [...document.querySelectorAll('#canvas .gc-node')].filter(g => { const r = "
           "g.getBoundingClientRect(); return r.bottom > b.bottom + 1 || r.right > b.right + 1; })"
           ".map(g => g.dataset.id); })()")  # fmt: skip
    assert page.evaluate(cut) == []
    for _ in range(8):
        page.key("PageDown")
        page.evaluate("new Promise(requestAnimationFrame)")
        assert page.evaluate(cut) == []
    page.drag(page.middle("#rowsplit"), (500, 330))
    page.wait(f"{cut}.length === 0")


def test_the_header_is_one_line_in_a_wide_window(opened):
    page = opened(long_names(), data={"x": np.ones(3), "y": np.ones(2)}, width=1300)
    assert page.evaluate("document.querySelector('header').getBoundingClientRect().height") < 80


@gc.function
def gate(x):
    return gc.sigmoid(gc.tanh(x))


def composite():
    o = gate(gc.observed("x", shape=3), name="gate", output="o")
    cost = gc.cost((o * gc.parameter("v", shape=3)).sum(), name="C")
    return gc.Graph(cost, name="composite")


def test_composite_blocks_open_and_close_in_the_page(opened):
    page = opened(composite(), data={"x": np.ones(3)})
    count = "document.querySelectorAll('#canvas .gc-node').length"
    closed = page.evaluate(count)
    page.click(node("gate", number=0))
    page.click("#unfold")
    assert page.evaluate("document.querySelector('#unfold').textContent") == "Close blocks"
    assert page.evaluate(count) > closed
    assert len(selected(page)) > 1  # the block is selected still, by its frame and its parts
    assert headings(page)[0] == "gate"
    page.key("PageDown")
    assert caption(page).startswith("Forward 1 of")
    assert len(active(page)) > 2
    page.key("o")
    assert page.evaluate(count) == closed
    assert caption(page).startswith("Forward 1 of")  # where one was
    role = "document.querySelector('.gc-node.active').getAttribute('role')"
    assert page.evaluate(role) == "button"
    page.key("Escape")
    page.evaluate(f"document.querySelector('{node('x', 'variable')}').focus()")
    page.key("ArrowUp")
    assert selected(page) == ["function gate 0"]
    page.prefer("dark")
    page.key("o")
    stroke = "getComputedStyle(document.querySelector('.gc-function .gc-shape')).stroke"
    page.wait(f"{stroke} === 'rgb(138, 162, 255)'")
    flat = opened(network())
    assert flat.evaluate("document.querySelector('#unfold').hidden")


def test_what_is_in_view_stays_when_a_phones_bar_comes_and_goes(opened):
    page = opened(network(), width=400, height=760)
    for _ in range(3):
        page.click("#closer")
    page.drag((200, 320), (120, 320))
    view = "document.querySelector('#canvas > svg').getAttribute('viewBox').split(' ').map(Number)"
    before = page.evaluate(view)
    page.resize(400, 700)
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert page.evaluate(view)[:3] == pytest.approx(before[:3])


def test_a_formula_too_long_for_the_caption_stands_below(opened):
    x = gc.observed("x", shape=3)
    z = x
    for k in range(3):
        z = (
            np.tanh(z * gc.parameter(f"a_rather_long_name_of_a_weight_{k}_which_is_long", shape=3))
            + z
        )
    page = opened(gc.Graph(gc.cost(z.sum(), name="C"), name="long"))
    page.key("PageDown")
    height = "document.querySelector('.stepper').getBoundingClientRect().height"
    assert "below" in caption(page)
    assert page.evaluate(height) < 60


def test_what_has_no_formula_is_told_once(opened):
    x, y = gc.observed("x", shape=(3, 4)), gc.observed("y", shape=(3, 4))
    layer = gc.TransformerEncoderLayer(4, 2, 4, name="enc")
    page = opened(gc.Graph(gc.mse(layer(x), y, name="C"), name="net"))
    page.click(node("enc", number=0))
    told = page.evaluate("[...document.querySelectorAll('#details .card.backward .none')]"
                         ".map(p => p.textContent)")  # fmt: skip
    assert told == ["No closed formula; the emitted code computes them."]


def test_of_what_is_larger_than_the_view_its_beginning_is_shown(opened):
    @gc.block
    def long(z):
        for _ in range(20):
            z = gc.tanh(gc.Linear(2)(z))
        return z

    z = long(name="long")(gc.observed("x", shape=2), output="z")
    page = opened(gc.Graph(gc.cost((z**2).sum(), name="C"), name="net"), figure={"expand": True})
    page.click("#last")
    page.click("#first")
    page.key("PageDown")
    corner = "(s => (b => [b.left, b.top])(document.querySelector(s).getBoundingClientRect()))"
    frame, pane = (
        page.evaluate(f"{corner}('{name}')") for name in ("#canvas .gc-frame", "#canvas")
    )
    assert frame[0] > pane[0]
    assert frame[1] > pane[1]
