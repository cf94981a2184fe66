"""The rotatable view: what is in the page, and that script and Python project alike."""

import json
import re
import shutil

import numpy as np
import pytest

from companion.figures import sphere
from companion.figures.style import new_figure
from constellations.sphere import random_points


def groups(n: int = 5) -> list[sphere.PointGroup]:
    u, v = (random_points(n, 3, seed=0, stream=k).numpy() for k in (0, 1))
    return [sphere.PointGroup(u, "U & co"), sphere.PointGroup(v, "V", "#E69F00", "^")]


def test_camera_is_a_rotation():
    rotation = sphere.camera(azimuth=33.0, elevation=-71.0)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_view_stands_alone_and_says_what_it_shows_without_script():
    view = sphere.rotatable(groups(), description='five "pairs"')
    assert view._repr_html_() == view.html
    static, script = view.html.split("<script>")
    assert "<noscript>This figure needs JavaScript. five &quot;pairs&quot;</noscript>" in static
    assert "http" not in view.html.replace("http://www.w3.org/2000/svg", "")
    assert json.dumps(groups()[0].xyz.round(3).tolist(), separators=(",", ":")) in script


def test_equal_points_give_equal_pages():
    assert sphere.rotatable(groups(), description="a").html == sphere.rotatable(groups(), description="a").html


def test_still_view_draws_every_point():
    figure, ((axes,),) = new_figure()
    sphere.draw(axes, groups(), rotation=sphere.camera())
    assert sum(len(collection.get_offsets()) for collection in axes.collections) == 10
    assert figure.axes == [axes]


def test_bad_groups_are_named():
    with pytest.raises(ValueError, match=r"\[n, 3\]"):
        sphere.rotatable([sphere.PointGroup(np.ones((4, 2)), "flat")], description="x")
    uneven = [groups(4)[0], groups(5)[1]]
    with pytest.raises(ValueError, match="equal size"):
        sphere.rotatable(uneven, description="x")


def test_no_class_of_the_page_is_owned_by_the_icon_font():
    static = sphere.rotatable(groups(), description="x").html.split("<script>")[0]
    classes = {name for found in re.findall(r'class="([^"]*)"', static) for name in found.split()}
    assert classes and all(name.startswith("player") for name in classes)


def test_spheres_carry_their_points_and_join_the_pairs():
    figure = sphere.spheres({"one": groups(4), "two": groups(6)}, normal=[0, 0, 1])
    assert figure.arrays["u0"].shape == (4, 3) and figure.arrays["v1"].shape == (6, 3)
    one, two = figure.axes
    assert one.get_title() == "one" and len(two.lines) == len(one.lines) + 2


@pytest.mark.browser
def test_a_browser_draws_both_halves_of_the_net_turns_the_view_and_says_the_inner_product():
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium found")
    playwright = pytest.importorskip("playwright.sync_api")
    pair = groups(1)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_content(sphere.rotatable(pair, description="one pair").html)
        assert all(len(page.get_attribute(f".player-net-{half}", "d")) > 500 for half in ("near", "far"))
        mark = page.locator(".player-sphere g path").first
        before = mark.get_attribute("transform")
        page.focus("svg[tabindex]")
        page.keyboard.press("ArrowRight")
        assert mark.get_attribute("transform") != before
        page.locator(".player-sphere g path").last.hover(force=True)
        value = float(np.sum(pair[0].xyz * pair[1].xyz))
        assert f"{value:.3f}".replace("-", "−") in page.inner_text("output")
        browser.close()
