"""The calculator of chapter 15: its page without scripts, and its script in a browser against the library."""

import json
import math
import re
import shutil
import subprocess
from importlib.resources import files

import numpy as np
import pytest

from companion.figures.calculator import calculator
from constellations import bounds

CHOSEN = {"n_pairs": 1e10, "margin": 0.07, "relative_bias": 0.07, "dim": 768}
PRESETS = [  # NumPy's numbers print with their type: the fields must not
    ("a model <1>", 0.0627, 0.0322, 768),
    ("another", np.float64(0.0701), np.float32(0.125), np.int64(1152)),
]


def test_the_page_is_self_contained_and_shows_the_first_answers_without_scripts():
    page = calculator(**CHOSEN, presets=PRESETS).html
    assert "http" not in page and " src=" not in page and "import " not in page
    shown = dict(re.findall(r'<output name="(\w+)"[^>]*>([^<]+)', page))
    assert (int(shown["dim_low"]), int(shown["dim_high"])) == bounds.required_dimension(1e10, 0.07, 0.07)
    guaranteed, impossible = bounds.margin_bracket(1e10, 768, 0.07)
    assert (shown["margin_low"], shown["margin_high"]) == (f"{guaranteed:.4f}", f"{impossible:.4f}")
    assert shown["dim_low_by"] == "Levenshtein" and "np." not in page
    assert 'value="1e10"' in page and "a model &lt;1&gt;" in page


def test_bad_first_values_are_refused():
    with pytest.raises(ValueError, match="breaks"):
        calculator(**{**CHOSEN, "margin": 0.5})
    with pytest.raises(ValueError, match="dim must be"):
        calculator(**{**CHOSEN, "dim": 0})


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "calculator.html"
    file.write_text(f'<!doctype html><meta charset="utf-8">{calculator(**CHOSEN, presets=PRESETS).html}')
    page = browser.new_context(offline=True).new_page()
    page.goto(file.as_uri())
    return page


def questions(n):
    """Numbers of pairs, margins inside the region, relative biases and dimensions, some of them at the edges."""
    rng = np.random.default_rng(7)
    b = np.round(rng.uniform(-0.95, 0.95, n), 4)
    pairs = np.maximum(np.floor(10 ** rng.uniform(0.3, 12, n)), 2)
    limit = np.where(pairs > 1000, 0.999 * bounds.margin_upper_bound(b), bounds.margin_upper_bound(b, n_pairs=pairs))
    margins = np.where(rng.random(n) < 0.1, limit, limit * rng.uniform(0.02, 1, n))
    margins = np.where(rng.random(n) < 0.3, np.maximum(np.floor(margins * 100), 1) / 100, margins)
    margins = np.minimum(margins, limit)
    return pairs, margins, b, np.floor(10 ** rng.uniform(0, 4, n))


ASK = """questions => questions.map(([n, m, b, d]) => [bounds.check(n, m, b, d), bounds.requiredDimension(n, m, b),
    bounds.logPairs(d, m, b), bounds.marginBracket(n, d, b)])"""


def compare(answers, pairs, margins, b, dims):
    """Integers and reasons equal, margins and logarithms to rounding."""
    assert all(problem == "" for problem, *_ in answers)
    needed, why = bounds.required_dimension(pairs, margins, b, explain=True)
    assert np.array_equal([x[1]["ends"] for x in answers], np.stack(needed, axis=1))
    assert np.array_equal([x[1]["by"] for x in answers], np.stack(why, axis=1))
    sizes = [f(dims, margins, b, explain=True) for f in (bounds.log_max_pairs_lower, bounds.log_max_pairs_upper)]
    logs, reasons = (np.stack(x, axis=1) for x in zip(*sizes, strict=True))
    found = np.array([x[2]["ends"] for x in answers])
    assert np.allclose(found, logs, rtol=1e-11, atol=0)
    whole = logs < math.log(1e9)
    assert np.array_equal(np.round(np.exp(found[whole])), np.round(np.exp(logs[whole])))
    assert np.array_equal([x[2]["by"] for x in answers], reasons)
    margin, names = bounds.margin_bracket(pairs, dims, b, explain=True)
    assert np.allclose([x[3]["ends"] for x in answers], np.stack(margin, axis=1), atol=1e-12)
    assert np.mean(np.array([x[3]["by"] for x in answers]) == np.stack(names, axis=1)) > 0.99  # ties at a corner


@pytest.fixture(scope="module")
def node():
    """A function that runs one JavaScript function of the formulas outside a browser."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node on this machine: the browser test asks fewer questions")
    formulas = (files("companion") / "data" / "bounds.js").read_text()

    def run(function, argument):
        script = f"const bounds = {formulas.strip()};\nconst f = {function};\n"
        script += "let text = ''; process.stdin.on('data', x => text += x).on('end', () => "
        script += "process.stdout.write(JSON.stringify(f(JSON.parse(text)))));"
        done = subprocess.run(
            [program, "-e", script], input=json.dumps(argument), capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    return run


def test_two_thousand_answers_agree_with_the_library_to_the_last_integer(node):
    asked = questions(2000)
    compare(node(ASK, np.stack(asked, axis=1).tolist()), *asked)


def test_the_cap_measure_of_the_script_is_accurate(node):
    cases = [(d, x) for d in (2, 3, 24, 768, 10_000) for x in (1e-6, 0.01, 0.3, 0.5, 0.7, 0.99)]
    found = node("cases => cases.map(c => bounds.logCapMeasure(...c))", cases)
    assert found == pytest.approx([bounds.log_cap_measure(*case) for case in cases], rel=1e-12)


TYPED = {
    "1e9": 1e9, "10^9": 1e9, "10**9": 1e9, "3x10^6": 3e6, "1,000,000": 1e6, "1 000 000": 1e6, "12,345.5": 12345.5,
    "0.07": 0.07, ".07": 0.07, "0,1": 0.1, "−0,25": -0.25, "0,125": 0.125, " 768 ": 768,
}  # fmt: skip


def test_numbers_are_read_as_people_write_them(node):
    found = dict(zip(TYPED, node("texts => texts.map(bounds.parse)", list(TYPED)), strict=True))
    assert {text: value for text, (value, _) in found.items()} == TYPED
    assert found["0,1"][1] == "0,1 is read as 0.1" and found["1,000,000"][1] == ""
    for text, remark in {"": "Enter a number", "ten": "“ten” is not a number", "1.000.000": "is not a number"}.items():
        value, said = node("texts => texts.map(bounds.parse)", [text])[0]
        assert value is None and remark in said


@pytest.mark.browser
def test_the_script_agrees_with_the_library_in_the_browser(page):
    asked = questions(150)
    formulas = 'const bounds = document.querySelector(".bounds-calculator").bounds;'
    ask = f"questions => {{ {formulas} return ({ASK})(questions) }}"
    compare(page.evaluate(ask, np.stack(asked, axis=1).tolist()), *asked)


@pytest.mark.browser
def test_a_reader_types_and_the_answers_follow(page):
    def shown(name):
        return page.locator(f"output[name={name}]").first.inner_text()

    def say(role):
        return page.locator(f"[role={role}]").inner_text()

    for name, value in {"pairs": "10^3", "margin": "0,2", "bias": "0", "dim": "16"}.items():
        page.locator(f"input[name={name}]").fill(value)
    (low, high), why = bounds.required_dimension(1000, 0.2, 0.0, explain=True)
    assert (shown("dim_low"), shown("dim_high"), shown("pairs")) == (str(low), str(high), "1,000")
    assert (shown("dim_low_by"), shown("dim_high_by")) == why
    drawn = page.locator(".bracket").evaluate(
        "e => ['low', 'high', 'dim'].map(x => e.style.getPropertyValue('--' + x))"
    )
    assert drawn == [f"{100 / 6 * np.log10(d):.2f}%" for d in (low, high, 16)]
    assert say("alert") == "" and say("status") == "0,2 is read as 0.2."
    page.locator("input[name=margin]").fill("0.4")
    assert "(3 − 4/N) m ≤ 1 + b_rel" in say("alert") and shown("dim_low") == "–"
    page.locator("input[name=margin]").fill("")
    assert say("alert") == "Enter a number (margin m)." and shown("dim_low") == "–"
    colours = [
        page.locator(f"[role={role}]").evaluate("e => getComputedStyle(e).color") for role in ("alert", "status")
    ]
    assert colours[0] != colours[1]


@pytest.mark.browser
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset[0])
def test_every_preset_fills_the_fields_and_answers(page, preset):
    label, margin, relative_bias, _ = preset
    page.locator("input[name=pairs]").fill("1000")
    page.locator("select").select_option(label=label)
    low, high = bounds.required_dimension(1000, float(margin), float(relative_bias))
    shown = [page.locator(f"output[name={name}]").first.inner_text() for name in ("dim_low", "dim_high")]
    assert shown == [str(low), str(high)]
    assert page.locator("[role=alert]").inner_text() == ""
    assert json.loads(page.evaluate("JSON.stringify(performance.getEntriesByType('resource').length)")) == 0


@pytest.mark.browser
def test_the_bracket_is_seen_on_paper_and_where_no_script_runs(page, browser):
    page.emulate_media(media="print")
    assert page.locator(".bracket").evaluate("e => getComputedStyle(e).printColorAdjust") == "exact"
    assert not page.is_visible("select") and page.is_visible(".bracket") and page.is_visible("input[name=margin]")
    page.emulate_media(media="screen")
    quiet = browser.new_context(java_script_enabled=False, offline=True).new_page()
    quiet.set_content(calculator(**CHOSEN, presets=PRESETS).html)
    assert not quiet.is_visible("form") and quiet.locator(".bracket").bounding_box()["height"] > 10
    assert "At margin 0.07 and relative bias 0.07" in quiet.inner_text("body")
    quiet.context.close()


def test_its_picture_has_the_bracket_and_the_dimension_chosen():
    (axes,) = calculator(**CHOSEN).picture.axes
    ends = {float(x) for line in axes.lines for x in line.get_xdata()}
    assert {*map(float, bounds.required_dimension(1e10, 0.07, 0.07)), 768.0} <= ends
    assert axes.get_yticklabels()[0].get_text().startswith("N = 1e10, m = 0.07")
