"""Interactive figures: what the reader's hands do, and what is then shown."""

import itertools
import json
import re
from base64 import b64decode

import numpy as np
import pytest

from companion.figures import player
from constellations import geometry
from constellations.sphere import random_points


def frames(n: int, seeds: range) -> list[player.Frame]:
    pairs = [[random_points(n, 3, seed=seed, stream=k).numpy() for k in (0, 1)] for seed in seeds]
    return [
        player.Frame(groups=pair, label=f"seed {k}", text=f"frame {k}") for k, pair in zip(seeds, pairs, strict=True)
    ]


def test_numbers_are_rounded_and_only_what_is_given_is_written():
    frame = player.Frame(products=([1 / 3], [0.0]), logit=(10.0, 0.0, 17.3), label="a")
    assert frame.as_data() == {
        "label": "a", "text": "", "matching": [0.333], "other": [0.0], "t": 10.0, "b": 0.0, "dead": 17.3,
    }  # fmt: skip
    points = [[1 / 3, -1.0]]
    assert player.Frame(groups=[points, points]).as_data()["groups"] == [[[333, -1000]]] * 2


def test_a_figure_needs_no_network_and_says_what_it_shows_without_scripts():
    (frame,) = frames(5, range(1))
    html = player.player({"": [frame]}, panels=["sphere"], description='five "pairs"').html
    static, script = html.split("<script>")
    assert "<noscript>This is one state of a figure" in static and "five &#34;pairs&#34;" in static
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")
    assert json.dumps(np.rint(1000 * frame.groups[0]).astype(int).tolist(), separators=(",", ":")) in script
    assert html == player.player({"": [frame]}, panels=["sphere"], description='five "pairs"').html


def test_no_class_of_the_page_is_owned_by_the_icon_font():
    static = player.player({"": frames(5, range(9))}, panels=["sphere"], description="x").html.split("<script>")[0]
    classes = {name for found in re.findall(r'class="([^"]*)"', static) for name in found.split()}
    assert classes and all(name.startswith("player") for name in classes)


@pytest.mark.parametrize("groups", [[np.eye(3)], [np.eye(3), np.eye(4)], [np.eye(3), np.full((3, 3), np.nan)]])
def test_bad_groups_are_named(groups):
    with pytest.raises(ValueError, match="groups must be finite and begin with two alike, got"):
        player.player({"": [player.Frame(groups=groups)]}, panels=["sphere"], description="x")


def test_text_of_a_frame_cannot_end_the_script():
    frame = player.Frame(places=[(0.0, 0.1)], text="</script><b>")
    html = player.player({"": [frame]}, panels=["plane"], description="x").html
    assert html.count("</script>") == 1


@pytest.mark.browser
def test_the_sphere_has_both_halves_of_its_net_turns_returns_and_names_a_pair(page):
    (frame,) = frames(1, range(1))
    page.set_content(player.player({"": [frame]}, panels=["sphere"], description="one pair").html)
    assert all(len(page.get_attribute(f".player-net-{half}", "d")) > 500 for half in ("near", "far"))
    mark = page.locator(".player-sphere g path").first
    before = mark.get_attribute("transform")
    page.focus("svg[tabindex]")
    page.keyboard.press("ArrowRight")
    assert mark.get_attribute("transform") != before
    page.keyboard.press("Home")
    assert mark.get_attribute("transform") == before
    page.locator(".player-sphere g path").last.hover(force=True)
    value = float(np.sum(frame.groups[0] * frame.groups[1]))
    assert f"{value:.3f}".replace("-", "−") in page.inner_text("output")


@pytest.mark.browser
def test_slider_choice_and_plane_lead_to_frames(page):
    sets = {"first": frames(6, range(3)), "second": frames(6, range(3, 5))}
    view = player.player(sets, panels=["sphere", "products", "plane"], description="x", slider="step", choice="run")
    page.set_content(view.html)
    read = lambda: page.inner_text("output")
    assert read().startswith("frame 2") and page.inner_text(".player-value") == "seed 2"
    assert not page.is_visible("button")
    page.focus("input[type=range]")
    page.keyboard.press("Home")
    assert read().startswith("frame 0")
    told = geometry.separation(*sets["first"][0].groups)
    b, m = (float(x.replace("−", "-")) for x in re.findall(r"= (−?[\d.]+)", read()))
    np.testing.assert_allclose((b, m), (told.relative_bias, told.margin), atol=2e-3)
    page.select_option("select", "second")
    assert read().startswith("frame 3")
    line = page.locator("svg[aria-label^='Inner products']")
    assert line.locator("circle").count() == 6
    assert line.locator("path").last.get_attribute("d").count("M") == 6 * 5
    page.locator("svg[aria-label^='Relative bias']").click(position={"x": 60, "y": 100})
    assert read().startswith("frame ")


@pytest.mark.browser
def test_the_chosen_set_and_frame_come_first(page):
    sets = {"first": frames(6, range(3)), "second": frames(6, range(3, 8))}
    page.set_content(player.player(sets, panels=["sphere"], description="x", first="second", start=1).html)
    assert page.inner_text("output") == "frame 4" and page.input_value("select") == "second"


@pytest.mark.browser
def test_a_button_runs_to_the_last_frame_stops_and_begins_again(page):
    page.clock.install(time=0)
    page.clock.pause_at(1_000)
    page.set_content(player.player({"": frames(4, range(9))}, panels=["sphere"], description="x", play="Train").html)
    button, output = page.get_by_role("button"), page.locator("output")
    assert output.inner_text() == "frame 8" and button.inner_text() == "Train"
    button.click()
    assert output.inner_text() == "frame 0" and button.inner_text() == "Stop"
    page.clock.run_for(1_000)
    assert output.inner_text() == "frame 2" and output.get_attribute("aria-live") == "off"
    button.click()
    page.clock.run_for(1_000)
    assert output.inner_text() == "frame 2" and button.inner_text() == "Train"
    button.click()
    page.clock.run_for(10_000)
    assert output.inner_text() == "frame 8" and button.inner_text() == "Train"
    assert output.get_attribute("aria-live") == "polite"


@pytest.mark.browser
def test_nothing_runs_for_readers_who_want_less_motion(page):
    page.emulate_media(reduced_motion="reduce")
    page.set_content(player.player({"": frames(4, range(9))}, panels=["sphere"], description="x").html)
    assert page.get_by_role("button").count() == 0 and page.is_visible("input")


@pytest.mark.browser
def test_pairs_stand_in_their_strip_and_the_hand_stays_in_its_set(page):
    low, high = ([(-1.0, 0.0), (0.0, top), (1.0, 0.0)] for top in (0.02, 0.05))
    sets = {
        name: [player.Frame(places=[(b, 0.03)], text=f"{name} {b}") for b in (-0.5, 0.0, 0.5)] for name in ("a", "b")
    }
    strips = {"a": (low, high), "b": (low, 4 * np.array(high))}
    page.set_content(player.player(sets, panels=["plane"], description="x", choice="set", strips=strips).html)
    plane = page.locator("svg[aria-label^='Relative bias']")
    assert "more is impossible" in plane.text_content() and "0.06" in plane.text_content()
    box = plane.bounding_box()
    plane.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.4})
    assert page.inner_text("output") == "a −0.5"
    page.select_option("select", "b")
    assert "0.2" in plane.text_content() and page.inner_text("output") == "b −0.5"


@pytest.mark.browser
def test_the_sphere_is_for_three_dimensions_and_paper_has_no_handles(page):
    flat = [player.Frame(groups=[np.eye(4), np.eye(4)], text="four")]
    sets = {"d = 3": frames(4, range(8)), "d = 4": flat}
    page.set_content(player.player(sets, panels=["sphere", "products"], description="x", choice="dimension").html)
    assert page.is_visible(".player-sphere") and page.is_visible("button")
    page.select_option("select", "d = 4")
    assert not page.is_visible(".player-sphere") and not page.is_visible("input") and not page.is_visible("button")
    circles = page.locator("svg[aria-label^='Inner products'] circle")
    assert len({circle.get_attribute("cx") for circle in circles.all()}) == 1
    page.emulate_media(media="print")
    assert not page.is_visible("select") and page.is_visible("svg[aria-label^='Inner products']")
    told = "() => getComputedStyle(document.querySelector('output'), '::before').content"
    assert page.evaluate(told) == '"dimension d = 4"'


@pytest.mark.browser
def test_a_figure_stands_alone_on_its_page_and_says_what_it_is_without_scripts(browser, tmp_path):
    path = tmp_path / "figures" / "x.html"
    player.player({"": frames(4, range(8))}, panels=["sphere"], description="four <pairs>").save(path)
    for scripts in (True, False):
        page = browser.new_context(offline=True, java_script_enabled=scripts).new_page()
        page.goto(path.as_uri())
        assert page.title().endswith("four <pairs>") and page.is_visible("input") == scripts
        assert page.is_visible("img[alt$='four <pairs>']") != scripts
        page.context.close()


def seen(html):
    """The pictures of a figure by what they show, as SVG."""
    found = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^.]*)\.', html)
    return {name: b64decode(data).decode() for data, name in found}


STRIP = {"": ([(-1.0, 0.0), (0.0, 0.1), (1.0, 0.0)], [(-1.0, 0.0), (0.0, 0.4), (1.0, 0.0)])}


@pytest.mark.parametrize(("panel", "name", "words"), [
    ("sphere", "The points", ["images U", "texts V"]), ("products", "Inner products", ["matching pairs"]),
    ("plane", "Relative bias and margin", ["exponentially many pairs fit", "limit for N = 20"]),
])  # fmt: skip
def test_every_panel_has_a_small_picture_of_the_frame_shown_first(panel, name, words):
    drawn = [player.player({"": frames(20, range(3))}, panels=[panel], description="x", n_pairs=20) for _ in range(2)]
    ((found, picture),) = seen(drawn[0].html).items()
    assert found == name and all(word in picture for word in words)
    assert len(picture) < 30_000 and drawn[0].html == drawn[1].html


def test_the_picture_is_of_the_chosen_frame():
    first, second = frames(6, range(2)), frames(6, range(2, 4))
    live = player.player({"a": first, "b": second}, panels=["plane"], description="x", first="b", start=0)
    alone = player.player({"b": second[:1]}, panels=["plane"], description="x")
    assert seen(live.html) == seen(alone.html) and "b · seed 2 · frame 2" in live.html
    assert np.allclose(live.picture.axes[0].lines[-1].get_xydata(), second[0].where())


def test_pictures_of_strips_of_logits_and_of_four_dimensions():
    places = [player.Frame(places=[(0.0, 0.2)])]
    ((_, strip),) = seen(player.player({"": places}, panels=["plane"], description="x", strips=STRIP).html).items()
    assert "codes give so much" in strip
    heat = [player.Frame(products=([0.5], [-0.5, 1.0])), player.Frame(logit=(50.0, 0.0, 17.3))]
    (axes,) = player.player({"": heat}, panels=["logits"], description="x").picture.axes
    marks = {line.get_label(): sorted(line.get_xdata()) for line in axes.lines}
    assert marks["matching pairs"] == [25.0] and marks["non-matching pairs"] == [-25.0, 40.0] and len(axes.patches) == 2
    flat = [player.Frame(groups=[np.eye(4), np.eye(4)])]
    assert [*seen(player.player({"": flat}, panels=["sphere", "products"], description="x").html)] == ["Inner products"]


@pytest.mark.browser
@pytest.mark.parametrize("width", [1400, 390])
def test_pictures_are_seen_where_no_script_runs_and_nothing_lies_over_them(browser, width):
    page = browser.new_context(
        java_script_enabled=False, offline=True, viewport={"width": width, "height": 800}
    ).new_page()
    sets = {"a": frames(9, range(8)), "b": frames(9, range(2))}
    panels = ["sphere", "products", "plane"]
    page.set_content(player.player(sets, panels=panels, description="x", choice="run", slider="step").html)
    boxes = [image.bounding_box() for image in page.locator("img").all()]
    boxes += [page.locator(part).bounding_box() for part in ("output", "noscript")]
    assert len(boxes) == 5 and all(box["width"] > 150 and box["height"] > 10 for box in boxes)
    assert all(image.evaluate("e => e.naturalWidth") > 100 for image in page.locator("img").all())
    for one, other in itertools.combinations(boxes, 2):
        beside = one["x"] + one["width"] <= other["x"] + 1 or other["x"] + other["width"] <= one["x"] + 1
        assert beside or one["y"] + one["height"] <= other["y"] + 1 or other["y"] + other["height"] <= one["y"] + 1
    assert page.inner_text("output") == "run a · step seed 7 · frame 7" and not page.is_visible("small")
    page.context.close()


@pytest.mark.browser
def test_pictures_stay_where_scripts_are_stripped_and_go_where_they_run(page):
    html = player.player({"": frames(6, range(3))}, panels=["sphere", "plane"], description="x").html
    page.set_content(re.sub(r"<(script|style|noscript)>.*?</\1>", "", html, flags=re.DOTALL))
    assert [image.is_visible() for image in page.locator("img").all()] == [True, True]
    page.set_content(html)
    assert page.locator("img").count() == 0 and page.locator(".player-panels svg").count() == 2
