"""What several test files share: the repository's folders and the profile whose build is examined."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)  # a busy machine is no failure
settings.load_profile("house")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def build(root) -> Path:
    folder = root / "_build" / os.environ.get("CONSTELLATIONS_PROFILE", "quick")
    assert (folder / "html" / "index.html").exists(), f"build the book first: there is no {folder}/html"
    return folder
