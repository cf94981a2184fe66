"""Interactive figures: what the reader's hands do, and what is then shown."""

import re
import shutil

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


def test_text_of_a_frame_cannot_end_the_script():
    frame = player.Frame(places=[(0.0, 0.1)], text="</script><b>")
    html = player.player({"": [frame]}, panels=["plane"], description="x").html
    assert html.count("</script>") == 1


@pytest.mark.browser
def test_slider_choice_and_plane_lead_to_frames():
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium found")
    playwright = pytest.importorskip("playwright.sync_api")
    sets = {"first": frames(6, range(3)), "second": frames(6, range(3, 5))}
    view = player.player(sets, panels=["sphere", "products", "plane"], description="x", slider="step", choice="run")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_content(view.html)
        read = lambda: page.inner_text("output")
        assert read().startswith("frame 2") and page.inner_text(".player-value") == "seed 2"
        page.focus("input[type=range]")
        page.keyboard.press("Home")
        assert read().startswith("frame 0")
        told = geometry.separation(*sets["first"][0].groups)
        b, m = (float(x.replace("−", "-")) for x in re.findall(r"= (−?[\d.]+)", read()))
        np.testing.assert_allclose((b, m), (told.relative_bias, told.margin), atol=2e-3)
        page.select_option("select", "second")
        assert read().startswith("frame 3")
        ticks = page.locator("svg[aria-label^='Inner products'] g path")
        assert ticks.nth(1).get_attribute("d").count("M") == 6 * 5
        page.locator("svg[aria-label^='Relative bias']").click(position={"x": 60, "y": 100})
        assert read().startswith("frame ")
        assert complaints == []
        browser.close()
