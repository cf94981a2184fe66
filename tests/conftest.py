"""What several test files share: folders, the profile whose build is examined, pairs of points of every kind."""

import os
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


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def build(root) -> Path:
    folder = root / "_build" / os.environ.get("CONSTELLATIONS_PROFILE", "quick")
    assert (folder / "html" / "index.html").exists(), f"build the book first: there is no {folder}/html"
    return folder


@pytest.fixture(scope="session")
def noisy_pairs():
    """Pairs from unrelated (closeness 0) to identical (1): ``noisy_pairs(n, d, seed, closeness)``."""

    def draw(n: int, d: int, seed: int, closeness: float) -> tuple[Tensor, Tensor]:
        u = random_points(n, d, seed=seed)
        return u, normalize(closeness * u + (1 - closeness) * random_points(n, d, seed=seed, stream=1) + 1e-9)

    return draw
