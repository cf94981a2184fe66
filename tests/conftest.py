"""What several test files share: folders, the profile whose build is examined, pairs of points of every kind."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from torch import Tensor

from constellations.sphere import normalize, random_points

settings.register_profile("house", deadline=None)  # a busy machine is no failure
settings.load_profile("house")

MODELS = tempfile.TemporaryDirectory()
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": MODELS.name}  # no test asks the network or finds its user's models

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def build(root) -> Path:
    folder = root / "_build" / os.environ.get("CONSTELLATIONS_PROFILE", "quick")
    assert (folder / "html" / "index.html").exists(), f"build the book first: there is no {folder}/html"
    return folder


@pytest.fixture(scope="module")
def browser():
    """Chromium; where it is missing, tests are skipped with a clear line, but never in CI."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        missing = f"no Chromium found (looked for {', '.join(BROWSERS)}): the browser checks are skipped"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """An empty page without network, which collects its complaints and has none at the end."""
    page = browser.new_context(offline=True).new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    page.context.close()
    assert page.complaints == []


@pytest.fixture(scope="session")
def noisy_pairs():
    """Pairs from unrelated (closeness 0) to identical (1): ``noisy_pairs(n, d, seed, closeness)``."""

    def draw(n: int, d: int, seed: int, closeness: float) -> tuple[Tensor, Tensor]:
        u = random_points(n, d, seed=seed)
        return u, normalize(closeness * u + (1 - closeness) * random_points(n, d, seed=seed, stream=1) + 1e-9)

    return draw
