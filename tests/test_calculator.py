"""The calculator of chapter 15: its page without scripts, and its script in a browser against the library."""

import json
import re
import shutil

import numpy as np
import pytest

from companion.figures.calculator import Preset, calculator
from constellations import bounds

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
CHOSEN = {"n_pairs": 1e10, "margin": 0.07, "relative_bias": 0.07, "dim": 768}
PRESETS = [Preset("a model <1>", 0.0627, 0.0322, 768)]


def test_the_page_is_self_contained_and_shows_the_first_answers_without_scripts():
    page = calculator(**CHOSEN, presets=PRESETS).html
    assert "http" not in page and " src=" not in page and "import " not in page
    shown = dict(re.findall(r'<output name="(\w+)"[^>]*>([^<]+)', page))
    assert (int(shown["dim_low"]), int(shown["dim_high"])) == bounds.required_dimension(1e10, 0.07, 0.07)
    guaranteed, impossible = bounds.margin_bracket(1e10, 768, 0.07)
    assert (shown["margin_low"], shown["margin_high"]) == (f"{guaranteed:.4f}", f"{impossible:.4f}")
    assert 'value="1e10"' in page and "a model &lt;1&gt;" in page


def test_bad_first_values_are_refused():
    with pytest.raises(ValueError, match="breaks"):
        calculator(**{**CHOSEN, "margin": 0.5})
    with pytest.raises(ValueError, match="dim must be"):
        calculator(**{**CHOSEN, "dim": 1})


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    file = tmp_path_factory.mktemp("page") / "calculator.html"
    file.write_text(f'<!doctype html><meta charset="utf-8">{calculator(**CHOSEN, presets=PRESETS).html}')
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=quiet)
        page = browser.new_context(offline=True).new_page()
        page.goto(file.as_uri())
        yield page
        browser.close()


def questions(n=150):
    """Numbers of pairs, margins inside the region, relative biases and dimensions, some of them at the edges."""
    rng = np.random.default_rng(7)
    b = np.round(rng.uniform(-0.95, 0.95, n), 4)
    pairs = np.maximum(np.floor(10 ** rng.uniform(0.3, 12, n)), 2)
    limit = np.where(
        pairs > 1000, 0.999 * bounds.margin_upper_bound(b), bounds.margin_upper_bound(b, n_pairs=pairs)
    )
    margins = np.where(rng.random(n) < 0.1, limit, limit * rng.uniform(0.02, 1, n))
    return pairs, margins, b, np.floor(10 ** rng.uniform(0.31, 4, n))


@pytest.mark.browser
def test_the_script_agrees_with_the_library_to_the_last_integer(page):
    pairs, margins, b, dims = questions()
    ask = """questions => {
        const bounds = document.querySelector(".bounds-calculator").bounds;
        return questions.map(([n, m, b, d]) => [bounds.check(n, m, b, d), bounds.requiredDimension(n, m, b),
            bounds.logPairs(d, m, b), bounds.marginBracket(n, d, b)]);
    }"""
    answers = page.evaluate(ask, np.stack([pairs, margins, b, dims], axis=1).tolist())
    assert all(problem == "" for problem, *_ in answers)
    assert np.array_equal(
        [x[1] for x in answers], np.stack(bounds.required_dimension(pairs, margins, b), axis=1)
    )
    sizes = [f(dims, margins, b) for f in (bounds.log_max_pairs_lower, bounds.log_max_pairs_upper)]
    assert np.allclose([x[2] for x in answers], np.stack(sizes, axis=1), rtol=1e-11, atol=0)
    assert np.allclose(
        [x[3] for x in answers], np.stack(bounds.margin_bracket(pairs, dims, b), axis=1), atol=1e-12
    )


@pytest.mark.browser
def test_the_cap_measure_of_the_script_is_accurate(page):
    cases = [(d, x) for d in (2, 3, 24, 768, 10_000) for x in (1e-6, 0.01, 0.3, 0.5, 0.7, 0.99)]
    ask = 'cases => cases.map(c => document.querySelector(".bounds-calculator").bounds.logCapMeasure(...c))'
    assert page.evaluate(ask, cases) == pytest.approx(
        [bounds.log_cap_measure(*case) for case in cases], rel=1e-12
    )


@pytest.mark.browser
def test_a_reader_types_and_the_answers_follow(page):
    def shown(name):
        return page.locator(f"output[name={name}]").first.inner_text()

    for name, value in {"pairs": "1,000", "margin": "0.2", "bias": "0", "dim": "16"}.items():
        page.locator(f"input[name={name}]").fill(value)
    low, high = bounds.required_dimension(1000, 0.2, 0.0)
    assert (shown("dim_low"), shown("dim_high"), shown("pairs")) == (str(low), str(high), "1,000")
    page.locator("input[name=margin]").fill("0.4")
    assert "(3 − 4/N) m ≤ 1 + b_rel" in page.locator("[role=alert]").inner_text() and shown("dim_low") == "–"
    page.locator("select").select_option(label="a model <1>")
    low, high = bounds.required_dimension(1000, 0.0627, 0.0322)
    assert (shown("dim_low"), shown("dim_high")) == (str(low), str(high))
    assert page.locator("[role=alert]").inner_text() == ""
    assert json.loads(page.evaluate("JSON.stringify(performance.getEntriesByType('resource').length)")) == 0
