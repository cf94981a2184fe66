"""The built book in a real browser: opened from disk, without network, wide and narrow, light and dark."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[3]
PROFILE = os.environ.get("CONSTELLATIONS_PROFILE", "quick")
HTML = ROOT / "_build" / PROFILE / "html"
WIDE, NARROW = {"width": 1300, "height": 900}, {"width": 390, "height": 844}
DESK = {"width": 1400, "height": 900}

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


WORDS_AND_SCREENS = """element => {
    const walk = document.createTreeWalker(document.querySelector('.bd-article'), NodeFilter.SHOW_TEXT), read = [];
    const hidden = document.querySelector('.bd-header-article').getBoundingClientRect().bottom + 8;
    while (walk.nextNode() && element.compareDocumentPosition(walk.currentNode) !== Node.DOCUMENT_POSITION_FOLLOWING) {
        const text = walk.currentNode, place = document.createRange();
        place.selectNode(text);
        const box = place.getBoundingClientRect(), seen = text.parentElement.checkVisibility({visibilityProperty: true});
        if (seen && box.width && box.bottom > hidden) read.push(text.textContent);
    }
    const below = element.getBoundingClientRect().bottom - innerHeight, screens = Math.ceil(below / (innerHeight - 80));
    return [read.join(' ').match(/\\S*[\\p{L}\\p{N}]\\S*/gu).length, Math.max(0, screens)]; }"""


def contents() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]


def unavailable(reason: str) -> None:
    """Skip with a clear line; never in CI."""
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture(scope="module")
def context(browser: Any) -> Any:
    """A browser without network."""
    if not (HTML / "index.html").exists():
        unavailable(f"no book in {HTML.relative_to(ROOT)}: build it with make book PROFILE={PROFILE}")
    return browser.new_context(viewport=WIDE, offline=True)


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
    typeset(page)


def typeset(page: Any) -> None:
    """Wait until the mathematics of a page is set."""
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
    ("SigmoidLoss", "book/api_losses.html#constellations.losses.SigmoidLoss"), ("bias", "book/notation.html#term-bias"),
    ("billion", "notebooks/15_choosing_a_dimension.html#index-0"),
])  # fmt: skip
def test_search_finds_what_one_types(page: Any, words: str, place: str) -> None:
    assert results_of(page, words)[0].endswith(place)


def test_search_leaves_code_out(page: Any) -> None:
    assert page.goto((HTML / "notebooks/01_zero_loss_constellations.html").resolve().as_uri())
    assert any("default_device" in code for code in page.locator("pre").all_text_contents())
    assert not [link for link in results_of(page, "default_device") if "notebooks/" in link]


def test_the_landing_page_trains_and_turns(page: Any) -> None:
    visit(page, "book/index")
    hero = page.locator(".hero")
    read, step, sphere = hero.locator("output"), hero.locator(".player-value"), hero.locator(".player-sphere")
    assert "12 of 12 captions find their own image. Separated" in read.inner_text()
    start = sphere.inner_html()
    sphere.focus()
    page.keyboard.press("ArrowRight")
    assert sphere.inner_html() != start
    hero.locator("input").fill("0")
    assert step.inner_text() == "0" and "Not separated" in read.inner_text()
    hero.get_by_role("button", name="Train").click()
    page.wait_for_function("() => document.querySelector('.hero .player-value').innerText !== '0'")
    hero.get_by_role("button", name="Stop").click()
    assert page.complaints == []


def test_the_landing_page_keeps_its_picture_for_print_and_without_scripts(page: Any, browser: Any) -> None:
    visit(page, "book/index")
    assert page.is_visible(".hero") and not page.is_visible("#fig-hero img")
    page.emulate_media(media="print")
    assert not page.is_visible(".hero") and page.is_visible("#fig-hero img")
    quiet = browser.new_context(java_script_enabled=False, offline=True).new_page()
    quiet.goto((HTML / "book" / "index.html").resolve().as_uri())
    assert not quiet.is_visible(".hero") and quiet.is_visible("#fig-hero img")
    assert quiet.evaluate("document.querySelector('#fig-hero img').naturalWidth") > 100
    quiet.context.close()


def turned(page: Any, figure: Any, frame: int) -> str:
    """What a figure says at one of its frames."""
    figure.locator("input").fill(str(frame))
    return figure.locator("output").inner_text()


def test_an_antiprism_leaves_the_lower_code_and_the_atlas_has_its_leaves(page: Any) -> None:
    """Chapter 04: midpoints of a lifted polygon are the polygon; an antiprism ends where no polygon can be."""
    visit(page, "notebooks/04_dimension_bounds")
    halfway, atlas = (page.locator(f"#fig-{name}-player") for name in ("halfway", "atlas"))
    said = re.compile(r"midpoints: ([\d.]+), at most α = ([\d.]+) \(polygon ([\d.]+), best code ([\d.]+)\)")
    halfway.get_by_label("pairs made as").select_option("polygon, lifted")
    for k in (0, 12, 29):
        midpoints, allowed, polygon, best = map(float, said.search(turned(page, halfway, k)).groups())
        assert midpoints == allowed == polygon > best
    halfway.get_by_label("pairs made as").select_option("antiprism")
    first, last = (float(said.search(turned(page, halfway, k))[2]) for k in (0, 30))
    assert first > polygon > last >= best
    atlas.get_by_label("dimension and pairs").select_option("d = 4, N = 10")
    assert not atlas.locator(".player-sphere").is_visible()
    assert atlas.locator("svg[aria-label^='Inner products'] circle").count() == 10
    atlas.get_by_label("dimension and pairs").select_option("d = 3, N = 6")
    assert atlas.locator(".player-sphere").is_visible()
    assert turned(page, atlas, 2).startswith("margin 0.1429; codes give 0.1429 and allow 0.3333")
    assert page.complaints == []


def test_the_triangle_of_chapter_03_opens_inside_and_follows_the_hand(page: Any) -> None:
    visit(page, "notebooks/03_existence_region")
    triangle = page.locator("#fig-triangle-player")
    assert triangle.locator("select").input_value() == "+0.2"
    room = re.compile(r"room for (\d+) pairs.* their margin is ([\d.]+)")
    pairs, margin = room.search(triangle.locator("output").inner_text()).groups()
    wanted = float(triangle.locator(".player-value").inner_text())
    assert int(pairs) > 4 and float(margin) >= wanted > 0.1
    plane = triangle.locator("svg[aria-label^='Relative bias']")
    box = plane.bounding_box()
    plane.click(position={"x": box["width"] * 0.75, "y": box["height"] * 0.45})
    assert triangle.locator("select").input_value() == "+0.6"


def test_every_live_figure_has_a_caption_and_a_page_of_its_own(page: Any) -> None:
    for name in (name for name in contents() if name.startswith("notebooks/")):
        page.goto((HTML / f"{name}.html").resolve().as_uri(), wait_until="load")
        for player in page.locator(".player").all():
            figure = page.locator("figure", has=page.locator(f"#{player.get_attribute('id')}"))
            assert len(figure.locator("figcaption").inner_text()) > 60, name
            alone = figure.get_by_role("link", name="alone on a page").get_attribute("href")
            assert (HTML / "notebooks" / alone).resolve().exists(), alone


def test_every_live_figure_is_a_picture_on_paper_and_where_no_script_runs(page: Any, browser: Any) -> None:
    quiet = browser.new_context(java_script_enabled=False, offline=True).new_page()
    page.emulate_media(media="print")
    for name in (name for name in contents() if name.startswith("notebooks/")):
        for reader, drawn in ((quiet, "img"), (page, "svg")):
            reader.goto((HTML / f"{name}.html").resolve().as_uri(), wait_until="load")
            for player in reader.locator(".player").all():
                boxes = [panel.bounding_box() for panel in player.locator(f".player-panels {drawn}").all()]
                assert boxes and all(box and min(box["width"], box["height"]) > 80 for box in boxes), name
    quiet.context.close()


def test_three_doors_lead_in(page: Any) -> None:
    for door, place in (("Understand it", "01_"), ("Does it reproduce?", "scoreboard"), ("Use it in training", "18_")):
        visit(page, "book/index")
        page.locator(".door").get_by_role("link", name=door).click()
        page.wait_for_url(f"**/{place}*")


def seconds_to_read(page: Any, element: Any) -> float:
    """All words from the top of the window to the end of an element, 250 a minute, and 2 for every screenful."""
    words, screens = element.evaluate(WORDS_AND_SCREENS)
    return words * 60 / 250 + 2 * screens


@pytest.mark.parametrize("size", [DESK, NARROW], ids=["desk", "phone"])
@pytest.mark.parametrize(("question", "place", "answer"), [
    ("What is a constellation?", "book/notation.html#term-constellation", "Pairs whose matching inner products"),
    ("Which dimension for a billion pairs?", "notebooks/15_choosing_a_dimension.html#sec-15-billion", "A billion pairs"),
    ("Does Table 3? Why not?", "notebooks/20_settings_of_tables.html#sec-20-table3", "clamped loss"),
    ("Run a chapter with other parameters", "book/rerun.html#one-chapter", "NB=04 PARAMS="),
    ("Which loss, which start?", "notebooks/18_use_it_in_training.html#sec-18-loss", "losses.SigmoidLoss()"),
    ("What does SigmoidLoss take?", "book/api_losses.html#constellations.losses.SigmoidLoss", "inverse_temperature="),
])  # fmt: skip
def test_what_a_new_reader_asks_is_answered_in_half_a_minute(
    page: Any, size: dict[str, int], question: str, place: str, answer: str
) -> None:
    """Every word on the way is read; a click takes 2 seconds, to choose it 4. The answer is in sight where it leads."""
    page.set_viewport_size(size)
    visit(page, "book/index")
    link = page.locator(".door").get_by_role("link", name=question)
    seconds = seconds_to_read(page, link) + 4 + 2
    link.click()
    page.wait_for_url(f"**/{place}")
    typeset(page)
    found = page.locator("article :is(p, pre, dt)").filter(has_text=answer).first
    box = found.bounding_box()
    assert box["y"] > 0 and box["y"] + box["height"] < size["height"]
    assert seconds + seconds_to_read(page, found) < 30


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
    """Also where the screen is dark: paper is white."""
    page.add_init_script("localStorage.setItem('mode', 'dark'); localStorage.setItem('theme', 'dark')")
    visit(page, contents()[1])
    page.emulate_media(media="print")
    proof, theme = page.locator("details .proof").first, "() => document.documentElement.dataset.theme"
    assert proof.is_hidden() and page.evaluate(theme) == "dark"
    page.evaluate("() => { dispatchEvent(new Event('beforeprint')); }")
    assert proof.is_visible() and page.locator("details.hide pre").first.is_hidden()
    assert page.evaluate(theme) == "light" and page.locator(".figure-files").first.is_hidden()
    page.evaluate("() => { dispatchEvent(new Event('afterprint')); }")
    assert proof.is_hidden() and page.evaluate(theme) == "dark"


def test_formulas_typed_as_code_have_the_signs_of_mathematics(page: Any) -> None:
    visit(page, "book/api")
    said = page.locator("table.autosummary tr", has_text="certified_margin")
    assert "m* ≥ −(1/t) log(e^{L/2} − 1)" in said.inner_text()
    visit(page, "book/api_losses")
    assert "logit_bias=-10.0" in page.locator("dl.py pre").all_inner_texts()[1]
    visit(page, contents()[1])
    assert not [line for line in page.locator(".constellations-check").all_text_contents() if "<=" in line]


def test_a_long_cell_opens_by_its_button_and_by_what_one_looks_for(page: Any, browser: Any) -> None:
    """It shows its first lines; its copy button takes them all; paper, and a browser without scripts, hide none."""
    visit(page, contents()[1])
    box = page.locator(".cell_input", has=page.locator(".code-rest")).first
    rest, button = box.locator(".code-rest"), box.locator("button.code-more")
    last = rest.locator("span").last
    n_lines = int(re.fullmatch(r"Show all (\d+) lines", button.inner_text())[1])
    folded = box.bounding_box()["height"]
    assert n_lines > 8 and not last.is_visible() and button.get_attribute("aria-expanded") == "false"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box.hover()
    box.locator(".copybtn").click()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.count("\n") + 1 == n_lines and copied.endswith(rest.text_content().rstrip())
    page.emulate_media(media="print")
    assert last.is_visible() and not button.is_visible()
    page.emulate_media(media="screen")
    button.focus()
    page.keyboard.press("Enter")
    assert last.is_visible() and box.bounding_box()["height"] > folded
    assert button.inner_text() == "Show less" and button.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Enter")
    assert not last.is_visible() and box.bounding_box()["height"] == folded
    looked_for = copied.splitlines()[-1].strip().split(",")[0].replace("-", "%2D")
    page.goto("about:blank")
    page.goto((HTML / f"{contents()[1]}.html").resolve().as_uri() + f"#:~:text={looked_for}")
    page.wait_for_function("() => document.querySelector('.code-more').innerText === 'Show less'")
    assert last.is_visible() and page.complaints == []
    quiet = browser.new_context(java_script_enabled=False, offline=True).new_page()
    quiet.goto((HTML / f"{contents()[1]}.html").resolve().as_uri())
    whole = quiet.locator(".cell_input pre", has_text=copied.splitlines()[0]).first
    assert whole.bounding_box()["height"] > folded and quiet.locator(".code-more").count() == 0
    quiet.context.close()


def test_the_code_of_a_figure_opens_from_its_caption(page: Any) -> None:
    visit(page, contents()[1])
    cell = page.locator(".cell", has=page.locator(".figure-files button")).first
    button, code = cell.get_by_role("button", name="code for this figure"), cell.locator("details.hide pre")
    assert not code.is_visible() and button.get_attribute("aria-expanded") == "false"
    button.focus()
    page.keyboard.press("Enter")
    assert "run.show(" in code.inner_text() and button.get_attribute("aria-expanded") == "true"
    above = cell.locator("figcaption").bounding_box()
    assert code.bounding_box()["y"] >= above["y"] + above["height"]
    page.keyboard.press("Enter")
    assert not code.is_visible()


def test_checks_that_hold_fold_and_paper_shows_them(page: Any) -> None:
    visit(page, contents()[1])
    fold = page.locator(".constellations-fold", has=page.locator(".constellations-check")).first
    line = fold.locator(".constellations-check").last
    shown = re.match(r"\d+", fold.locator("summary").inner_text())[0]
    assert int(shown) == fold.locator(".constellations-check").count() >= 2 and not line.is_visible()
    fold.locator("summary").click()
    assert line.is_visible() and "holds" in line.inner_text()
    fold.locator("summary").click()
    page.emulate_media(media="print")
    page.evaluate("() => { dispatchEvent(new Event('beforeprint')); }")
    assert line.is_visible()


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


def barriers(page: Any, **options: Any) -> list[tuple[str, str]]:
    """What axe-core calls serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=options).response["violations"]
    faults = [fault for fault in found if fault["impact"] in ("serious", "critical")]
    return [(fault["id"], fault["nodes"][0]["html"][:150]) for fault in faults]


@pytest.mark.parametrize("name", contents())
def test_no_serious_barrier(page: Any, name: str) -> None:
    """Wide and light; in the dark, where only colours differ; on a phone, where they are the same."""
    page.set_viewport_size(WIDE)
    visit(page, name)
    assert barriers(page) == []
    page.add_style_tag(content="* { transition: none !important }")
    page.evaluate("Object.assign(document.documentElement.dataset, {theme: 'dark', mode: 'dark'})")
    assert barriers(page, runOnly=["color-contrast"]) == []
    page.set_viewport_size(NARROW)
    visit(page, name)
    assert barriers(page, rules={"color-contrast": {"enabled": False}}) == []


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
