"""One perceptron, through the origin and with an offset."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import constructions as c
from constellations import modality_gap as mg
from constellations.sphere import random_points


@settings(max_examples=30, deadline=None)
@given(n=st.integers(3, 20), d=st.integers(2, 6), seed=st.integers(0, 10_000))
def test_perceptron_keeps_novikoffs_bound(n, d, seed):
    points = random_points(2 * n, d, seed=seed)
    normal = random_points(1, d, seed=seed, stream=5)[0]
    flipped = points * torch.sign(points @ normal)[:, None]
    u, v = flipped[:n], -flipped[n:]
    largest = np.linalg.norm(mg.min_norm_point(torch.cat([u, -v]))[0])
    found = mg.perceptron(u, v, max_updates=1_000_000)
    assert found.separates and found.n_updates <= 1 / largest**2 + 1e-9
    assert (found.positions(u) > 0).all() and (found.positions(v) < 0).all()
    assert found.margin <= largest + 1e-9


def test_the_first_update_is_the_difference_of_the_means():
    """From 0 every point lies on the hyperplane, which is the wrong side for both."""
    u, v = random_points(6, 3, seed=0), random_points(6, 3, seed=0, stream=1)
    found, means = mg.perceptron(u, v, max_updates=1), u.mean(0) - v.mean(0)
    assert found.n_updates == 1 and torch.allclose(found.direction, means / means.norm())


def test_perceptron_reports_errors_where_no_hyperplane_exists():
    found = mg.perceptron(*c.tight_modality_gap(3, n_wedge=6), max_updates=500)
    assert not found.separates and found.n_errors >= 2 and 1 <= found.n_updates <= 500 and found.margin <= 0


@pytest.mark.parametrize("shift", [0.0, 2.0])
def test_hyperplane_found_where_there_is_one(shift):
    """Two clouds apart in one direction only, which neither mean shows alone."""
    rng = np.random.default_rng(0)
    images, texts = (torch.from_numpy(rng.standard_normal((500, 20)) * np.r_[8.0, np.ones(19)]) for _ in range(2))
    images[:, 1], texts[:, 1] = images[:, 1].abs() + 0.05, -texts[:, 1].abs() - 0.05
    images[:, 1] += shift
    texts[:, 1] += shift
    plane = mg.separating_hyperplane(images, texts, max_passes=20_000)
    assert plane.separates and plane.margin > 0
    assert (plane.positions(images) > 0).all() and (plane.positions(texts) < 0).all()
    assert plane.direction.norm().item() == pytest.approx(1, abs=1e-5)


def test_fishers_discriminant_alone_separates_sets_that_are_spread_along_different_axes():
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.standard_normal((100, 3)) * [8.0, 0.1, 0.1] + 1)
    texts = torch.from_numpy(rng.standard_normal((60, 3)) * [0.1, 8.0, 0.1] - 1)
    for first, second in ((images, texts), (texts, images)):
        plane = mg.separating_hyperplane(first, second, max_passes=0)
        assert plane.separates and plane.n_updates == 0 and plane.margin > 0.5


def test_the_offset_is_midway_between_sets_that_are_apart_and_between_the_means_of_others():
    apart = mg.separating_hyperplane(torch.tensor([[1.0], [5.0]]), torch.tensor([[-1.0], [-3.0]]), max_passes=0)
    assert apart.separates and (apart.offset, apart.margin) == pytest.approx((0, 1))
    images, texts = torch.tensor([[-1.0], [5.0], [5.0], [5.0]]), torch.tensor([[-2.0], [-2.0], [-2.0], [0.0]])
    mixed = mg.separating_hyperplane(images, texts, max_passes=0)
    assert mixed.offset == pytest.approx(1) and (mixed.wrong_images, mixed.wrong_texts) == (1, 0)


def test_no_hyperplane_between_equal_sets():
    points = random_points(50, 5, seed=0)
    plane = mg.separating_hyperplane(points, points)
    assert not plane.separates and plane.wrong_images + plane.wrong_texts >= 50


def test_an_offset_is_found_and_counts_and_margin_are_those_of_the_plane():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(60, 3, generator=generator) * torch.tensor([1.0, 1.0, 0.1]) + 3
    texts = torch.randn(25, 3, generator=generator) * torch.tensor([1.0, 1.0, 0.1]) + torch.tensor([3.0, 3.0, 4.0])
    plane = mg.separating_hyperplane(images, texts)
    positions = plane.positions(images), plane.positions(texts)
    assert plane.separates and plane.margin == pytest.approx(
        float(min(positions[0].min(), -positions[1].max())), abs=1e-6
    )
    mixed = torch.cat([images, texts[:2]]), torch.cat([texts, images[:3]])
    plane = mg.separating_hyperplane(*mixed)
    wrong = [int((plane.positions(mixed[0]) <= 0).sum()), int((plane.positions(mixed[1]) >= 0).sum())]
    assert [plane.wrong_images, plane.wrong_texts] == wrong == [2, 3]
    assert plane.n_errors == 5 and plane.margin < -0.1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u, v: mg.perceptron(u, v, max_updates=0), "max_updates"),
        (lambda u, v: mg.separating_hyperplane(u, v, max_passes=-1), "max_passes must be"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*c.tight_modality_gap(3, n_wedge=6))
