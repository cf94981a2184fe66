"""Points made up to have published moments."""

import pytest
import torch

from companion.studies import stand_in
from constellations.geometry.report import measure


def test_stand_in_has_the_moments_it_was_given():
    asked = {"mean_matching": 0.095, "mean_non_matching": -0.0305, "norm_of_mean": 1.2221}
    images, texts, labels = stand_in.stand_in(**asked, n_classes=300, images_per_class=10, dim=256, seed=1)
    found = measure(images, texts, labels=(labels, range(len(texts))))
    assert found.mean.matching == pytest.approx(0.095, abs=2e-3)
    assert found.mean.non_matching == pytest.approx(-0.0305, abs=2e-3)
    assert found.norm_of_mean == pytest.approx(1.2221, abs=4e-3)
    assert found.separable
    again = stand_in.stand_in(**asked, n_classes=300, images_per_class=10, dim=256, seed=1)
    assert torch.equal(images, again[0]) and torch.equal(texts, again[1])


@pytest.mark.parametrize(
    "wrong", [{"norm_of_mean": 3.0}, {"mean_matching": 0.9}, {"n_classes": 1}, {"spread": 300}, {"images_per_class": 0}]
)
def test_stand_in_refuses_impossible_requests(wrong):
    asked = {"mean_matching": 0.095, "mean_non_matching": -0.0305, "norm_of_mean": 1.2221, "dim": 256}
    with pytest.raises(ValueError):
        stand_in.stand_in(**asked | wrong)
