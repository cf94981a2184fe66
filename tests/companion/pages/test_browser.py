"""The built book in a real browser: opened from disk, without network, wide and narrow, light and dark."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[3]
PROFILE = os.environ.get("CONSTELLATIONS_PROFILE", "quick")
HTML = ROOT / "_build" / PROFILE / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
WIDE, NARROW = {"width": 1300, "height": 900}, {"width": 390, "height": 844}

UNTYPESET = """() => [...document.querySelectorAll('.bd-article .math')]
    .filter(e => !e.querySelector('mjx-container')).map(e => e.textContent.slice(0, 60))"""
MATH_ERRORS = """() => [...document.querySelectorAll('mjx-merror, [data-mjx-error]')]
    .map(e => e.getAttribute('data-mjx-error') || e.textContent.slice(0, 60))"""
EMPTY_PICTURES = """() => [...document.querySelectorAll('.bd-article img')]
    .filter(e => !(e.complete && e.naturalWidth > 0 && e.naturalHeight > 0)).map(e => e.getAttribute('src'))"""
TEXT = """() => { const copy = document.querySelector('.bd-article').cloneNode(true);
    copy.querySelectorAll('pre, code, script, style, mjx-container').forEach(e => e.remove()); return copy.textContent; }"""
OVERFLOW = """() => { const page = document.scrollingElement, limit = page.clientWidth + 1;
    if (page.scrollWidth <= limit) return [];
    const wide = [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > limit);
    return ['page ' + page.scrollWidth, ...wide.slice(0, 5).map(e => e.tagName + '.' + e.className)]; }"""
CUT_OFF = """() => [...document.querySelectorAll('.bd-article, .bd-article-container')]
    .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className + ' ' + e.scrollWidth + '>' + e.clientWidth)"""


def contents() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]


def unavailable(reason: str) -> None:
    """Skip with a clear line; never in CI."""
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture(scope="module")
def context() -> Iterator[Any]:
    """A browser without network."""
    if not (HTML / "index.html").exists():
        unavailable(f"no book in {HTML.relative_to(ROOT)}: build it with make book PROFILE={PROFILE}")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        unavailable(f"no Chromium found (looked for {', '.join(BROWSERS)}): the browser checks are skipped")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=quiet)
        context = browser.new_context(viewport=WIDE, offline=True)
        yield context
        browser.close()


@pytest.fixture
def page(context: Any) -> Iterator[Any]:
    """A page that collects its complaints: errors on the console, failed requests, requests that leave the disk."""
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("requestfailed", lambda request: page.complaints.append(f"failed: {request.url}"))
    page.on("request", lambda r: r.url.startswith(("http", "ws")) and page.complaints.append(f"asked for {r.url}"))
    yield page
    page.close()


def visit(page: Any, name: str) -> None:
    """Open a page of the book from disk and wait until its mathematics is set."""
    page.goto((HTML / f"{name}.html").resolve().as_uri(), wait_until="load")
    if page.locator(".bd-article .math").count():
        page.wait_for_function("() => window.MathJax && MathJax.startup && MathJax.startup.promise")
        page.evaluate("() => MathJax.startup.promise")


@pytest.mark.parametrize("name", contents())
def test_page(page: Any, name: str) -> None:
    """Quiet, with its mathematics set and its pictures shown, and no wider than the window at two widths."""
    visit(page, name)
    assert page.complaints == []
    assert page.title().strip()
    assert page.evaluate(UNTYPESET) == [] and page.evaluate(MATH_ERRORS) == []
    assert page.evaluate(EMPTY_PICTURES) == []
    assert re.findall(r"\\[a-zA-Z]{2,}.{0,30}|\$\S.{0,30}", page.evaluate(TEXT)) == [], "formulas left as source"
    for viewport in (WIDE, NARROW):
        page.set_viewport_size(viewport)
        page.wait_for_timeout(150)
        assert page.evaluate(OVERFLOW) == [], f"wider than a window of {viewport['width']}"
        assert page.evaluate(CUT_OFF) == [], f"cut off in a window of {viewport['width']}"


def test_every_chapter_shows_figures(page: Any) -> None:
    for name in (name for name in contents() if name.startswith("notebooks/")):
        page.goto((HTML / f"{name}.html").resolve().as_uri(), wait_until="load")
        assert page.locator(".bd-article figure img").count() >= 1, name


def test_first_page_leads_to_the_landing_page(page: Any) -> None:
    page.goto((HTML / "index.html").resolve().as_uri())
    page.wait_for_url("**/book/index.html")
    assert page.locator("h1").first.inner_text().startswith("Constellations")


def test_search_works_from_disk(page: Any) -> None:
    page.goto((HTML / "search.html").resolve().as_uri() + "?q=constellation")
    page.wait_for_selector("#search-results li a", timeout=20_000)
    assert page.locator("#search-results li").count() >= 3
    assert [text for text in page.complaints if "asked for" in text] == []


def results_of(page: Any, words: str) -> list[str]:
    page.goto((HTML / "search.html").resolve().as_uri() + f"?q={words}")
    page.wait_for_function("() => /found|did not match/.test(document.querySelector('#search-results')?.innerText)")
    return [link.get_attribute("href") for link in page.locator("#search-results li > a").all()]


@pytest.mark.parametrize(("words", "place"), [
    ("margin", "book/notation.html#term-margin"), ("Table 3", "book/scoreboard.html#table-3"),
    ("relative bias", "book/notation.html#term-relative-bias"), ("dimension", "book/notation.html#term-dimension"),
    ("SigmoidLoss", "book/api_losses.html#constellations.losses.SigmoidLoss"),
])  # fmt: skip
def test_search_finds_what_one_types(page: Any, words: str, place: str) -> None:
    assert results_of(page, words)[0].endswith(place)


def test_search_leaves_code_out(page: Any) -> None:
    assert page.goto((HTML / "notebooks/01_zero_loss_constellations.html").resolve().as_uri())
    assert any("default_device" in code for code in page.locator("pre").all_text_contents())
    assert not [link for link in results_of(page, "default_device") if "notebooks/" in link]


def test_the_landing_page_trains_and_turns(page: Any) -> None:
    visit(page, "book/index")
    read, sphere = page.locator(".hero-read"), page.locator(".hero-sphere")
    assert "Separated" in read.inner_text()
    start = sphere.inner_html()
    sphere.focus()
    page.keyboard.press("ArrowRight")
    assert sphere.inner_html() != start
    page.locator(".hero-steer input").fill("0")
    assert "Step 0" in read.inner_text() and "nearer to a wrong image" in read.inner_text()
    page.locator(".hero-steer button").click()
    page.wait_for_function("() => !document.querySelector('.hero-read').innerText.startsWith('Step 0')")
    assert page.complaints == []


def test_three_doors_lead_in(page: Any) -> None:
    for door, place in (("Understand it", "01_"), ("Does it reproduce?", "scoreboard"), ("Use it in training", "18_")):
        visit(page, "book/index")
        page.locator(".door", has_text=door).click()
        page.wait_for_url(f"**/{place}*")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize(("question", "place", "answer"), [
    ("constellation", "book/notation.html#term-constellation", "at or above"),
    ("does Table 3 reproduce, and why not?", "notebooks/20_settings_of_tables.html", "come from the clamped loss"),
    ("Use it in training", "notebooks/18_use_it_in_training.html", "starts as SigLIP does"),
    ("which dimension do a billion pairs need?", "notebooks/15_choosing_a_dimension.html", "do not fit into fewer than"),
    ("run a chapter with other parameters", "book/rerun.html#one-chapter", "PARAMS="),
    ("SigmoidLoss", "book/api_losses.html#constellations.losses.SigmoidLoss", "inverse_temperature (float)"),
])  # fmt: skip
def test_what_a_new_reader_asks_is_one_click_away(
    page: Any, size: dict, question: str, place: str, answer: str
) -> None:
    """The answer stands within two screens of where the click leads."""
    page.set_viewport_size(size)
    visit(page, "book/index")
    page.locator(".door, article p a").filter(has_text=question).first.click()
    page.wait_for_url(f"**/{place}")
    page.wait_for_timeout(500)
    shown = page.evaluate("""() => [...document.querySelectorAll('article :is(p, li, dd, pre, dt)')]
        .filter(e => { const box = e.getBoundingClientRect(); return box.bottom > 0 && box.top < 2 * innerHeight; })
        .map(e => e.innerText).join(' ')""")
    assert answer in shown


def test_tables_of_words_are_cards_on_a_phone(page: Any) -> None:
    page.set_viewport_size(NARROW)
    visit(page, "book/scoreboard")
    cells = page.locator(".constellations-items tbody tr").first.locator("td")
    boxes = [cells.nth(k).bounding_box() for k in range(cells.count())]
    assert all(over["y"] + over["height"] <= under["y"] + 1 for over, under in itertools.pairwise(boxes))
    label = cells.nth(1).evaluate("cell => getComputedStyle(cell, '::before').content")
    assert "verdict" in label and page.locator(".constellations-items thead").is_hidden()
    page.set_viewport_size(WIDE)
    assert page.locator(".constellations-items thead").is_visible()


def test_paper_shows_what_the_screen_folds(page: Any) -> None:
    visit(page, contents()[1])
    page.emulate_media(media="print")
    proof = page.locator("details .proof").first
    assert proof.is_hidden()
    page.evaluate("() => { dispatchEvent(new Event('beforeprint')); }")
    assert proof.is_visible() and page.locator("details.hide pre").first.is_hidden()
    page.evaluate("() => { dispatchEvent(new Event('afterprint')); }")
    assert proof.is_hidden()


def test_figures_keep_a_white_ground_in_the_dark(page: Any) -> None:
    page.add_init_script("localStorage.setItem('mode', 'dark'); localStorage.setItem('theme', 'dark')")
    visit(page, contents()[1])
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    style = "e => getComputedStyle(e).backgroundColor + ' ' + getComputedStyle(e).filter"
    figures = page.locator(".bd-article figure img")
    assert {figures.nth(k).evaluate(style) for k in range(figures.count())} == {"rgb(255, 255, 255) none"}


def test_rotatable_view_turns_and_returns(page: Any) -> None:
    visit(page, contents()[1])
    picture = page.locator("svg.player-sphere").first
    marks = picture.locator("g")
    start = marks.inner_html()
    picture.focus()
    page.keyboard.press("ArrowRight")
    turned = marks.inner_html()
    page.keyboard.press("Home")
    assert turned != start
    assert page.complaints == []
    page.keyboard.press("ArrowRight")
    assert marks.inner_html() == turned


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", contents())
def test_no_serious_barrier(page: Any, name: str, theme: str) -> None:
    """axe-core finds nothing serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    page.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
    visit(page, name)
    found = [
        (fault["id"], fault["nodes"][0]["html"][:150])
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
    assert found == []


def test_statements_open_where_a_reader_points(page: Any) -> None:
    """With their formulas, from disk, under the name that the paper gives them."""
    visit(page, "notebooks/04_dimension_bounds")
    link = page.locator('article a[href*="#thm-3-3"]:visible').first
    assert link.inner_text() == "Theorem 3.3"
    link.hover()
    page.wait_for_selector(".tippy-box mjx-container")
    assert "Theorem 3.3 of the paper" in page.locator(".tippy-box").inner_text()
    assert page.complaints == []


def test_the_statement_map_follows_its_address_and_clicks(page: Any) -> None:
    page.goto((HTML / "book/statements.html").resolve().as_uri() + "#focus=thm-budget")
    assert page.locator("#statement-map a.focus").get_attribute("data-label") == "thm-budget"
    assert "Proposition 3C" in page.locator("#statement-focus").inner_text()
    page.locator('#statement-map a[data-label="thm-3-3"]').click()
    assert page.url.endswith("#focus=thm-3-3")
    assert page.locator("#statement-map a.focus").get_attribute("data-label") == "thm-3-3"


def test_formulas_are_not_in_the_tab_order_and_icons_have_a_picture(page: Any) -> None:
    visit(page, contents()[1])
    assert page.evaluate("() => [...document.querySelectorAll('mjx-container')].filter(e => e.tabIndex >= 0)") == []
    missing = page.evaluate("""() => [...document.querySelectorAll('i[class*=fa-], span[class*=fa-]')]
        .filter(e => !getComputedStyle(e, '::before').maskImage.startsWith('url')).map(e => e.className)""")
    assert missing == []


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_report_of_chapter_18(page: Any, size: dict[str, int]) -> None:
    """The page of the held-out pairs: gap shaded, ten pairs, its three points in the plane, nothing cut off."""
    path = HTML.parent / "reports" / "glyphs.html"
    if not path.exists():
        unavailable(f"no report {path.relative_to(ROOT)}: build the book with make book PROFILE={PROFILE}")
    page.set_viewport_size(size)
    page.goto(path.as_uri())
    histogram, plane = (page.locator(".plot").nth(k) for k in (0, 1))
    shade = histogram.locator("path.open, path.overlap").bounding_box()
    edges = [histogram.locator(f"path.edge.{kind}").bounding_box()["x"] for kind in ("matching", "other")]
    assert shade["width"] > 5 and shade["height"] > 100 and abs(shade["x"] - min(edges)) < 3
    assert page.locator("table.pairs tr").count() == 11
    box, region = plane.bounding_box(), plane.locator("path.region").bounding_box()
    assert region["width"] > 0.9 * box["width"]
    for mark in plane.locator(".mark").all():
        at = mark.bounding_box()
        assert box["x"] < at["x"] + at["width"] / 2 < box["x"] + box["width"]
        assert box["y"] < at["y"] + at["height"] / 2 < box["y"] + box["height"]
    assert plane.locator(".mark").count() == 3
    assert page.evaluate("document.scrollingElement.scrollWidth") <= size["width"] and not page.complaints
