"""Figures of chapters 01, 02 and 14: they draw what they are given, and their words follow the data."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from companion.figures import definition, other_losses, retrieval, zero_loss
from constellations import geometry
from constellations.constructions import double_constant_embedding
from constellations.losses import rows

T = np.geomspace(1, 100, 20)
BOUNDS = {"Proposition 1": np.full(3, 4.0), "two entries": np.full(3, 2.0), "weighted": np.full(3, 1.0)}


def texts(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def drawn(axes) -> np.ndarray:
    return np.concatenate([line.get_ydata() for line in axes.lines])


def constellation() -> tuple[torch.Tensor, torch.Tensor]:
    return double_constant_embedding(3, delta=0.9)


def test_definition_prints_every_inner_product():
    u, v = rows.info_nce_only_example()
    products = geometry.inner_products(u, v)
    words = texts(definition.definition(u, v, products, margin=0.1, relative_bias=0.0))
    assert all(f"{value:.2f}" in words for value in products.ravel().tolist())


def test_sandwich_names_the_margin_and_draws_the_rate_for_positive_ones_only():
    values = np.exp(-np.outer([0.1, 0.2, -0.3, 0.4], T))
    figure = zero_loss.sandwich(T, values, values / 2, 2 * values, [0.1, 0.2, -0.3, 0.4], list("abcd"))
    assert "-0.300" in texts(figure)
    assert [len(panel.lines) for panel in figure.axes] == [4, 4, 3, 4]


def test_training_curves_show_every_run():
    runs = np.random.default_rng(0).uniform(0.1, 1.0, (2, 3, 5))
    figure = zero_loss.watched_training(np.arange(1, 6), runs, runs, runs, runs, ["one", "two"])
    assert len(figure.axes[1].lines) == 2 * 2 * 3 + 2
    assert "one" in texts(figure)


@pytest.mark.parametrize("margin", [0.1, -0.1])
def test_gap_is_shaded_only_where_there_is_one(margin):
    u, v = constellation()
    matching, others = np.full(5, margin), np.full(20, -margin)
    figure = zero_loss.sphere_constellation(u, v, matching, others)
    assert ("gap" in texts(figure).replace("around the gap", "")) == (margin > 0)


def test_certificate_stays_below_the_truth_in_the_picture():
    figure = zero_loss.certificate(
        np.arange(1, 4), [3.0, 1.0, 0.1], [-2.0, 0.1, 0.2], np.array([-0.5, 0.2, 0.3])
    )
    true, certified = (line.get_ydata() for line in figure.axes[1].lines[:2])
    assert np.all(certified <= true)


@pytest.mark.parametrize(("rival", "words"), [(0.1, "same empty interval"), (0.9, "no interval is empty")])
def test_guarantee_says_whether_there_is_a_common_interval(rival, words):
    rows = np.column_stack([np.linspace(0.5, 1.0, 6), np.linspace(rival, rival - 0.1, 6)])
    assert words in texts(retrieval.guarantee(rows))


def test_unfinished_draws_the_truth_below_the_bounds():
    chosen = {**BOUNDS, "step": 70, "failing": 0.5}
    figure = retrieval.unfinished([10, 20, 30], [0.9, 0.5, 0.0], BOUNDS, [2, 4, 8], chosen)
    assert "after 70 steps" in texts(figure)
    assert drawn(figure.axes[1]).min() == pytest.approx(0.5)


def test_approximate_search_labels_the_steps():
    recall = {name: np.linspace(0, 1, 3) for name in retrieval.METHOD_STYLES}
    figure = retrieval.approximate([np.arange(3) - 1.0, np.arange(3.0)], [recall, recall], [11, 22, 33])
    assert all(step in texts(figure) for step in ("11", "22", "33", "HNSW"))


def test_regime_writes_the_number_of_pairs_as_a_power():
    figure = retrieval.regime(
        np.geomspace(1e3, 1e6, 5), {"weighted": np.geomspace(1, 9, 5)}, n_pairs=1e10, marked={"B": 1e4}
    )
    assert "10^{10}" in texts(figure)


def test_thresholds_show_that_the_example_has_none_in_common():
    u, v = rows.info_nce_only_example()
    figure = other_losses.thresholds(u, v, geometry.inner_products(u, v))
    smallest_matching, largest_other = (line.get_xdata()[0] for line in figure.axes[1].lines[-2:])
    assert smallest_matching < largest_other
    assert all(patch.get_width() > 0 for panel in figure.axes[1:] for patch in panel.patches)


def test_queries_shade_a_common_interval_only_if_there_is_one():
    common = np.column_stack([np.linspace(0.5, 1, 4), np.linspace(0.1, 0.4, 4)])
    own = np.column_stack([np.linspace(0.2, 1, 4), np.linspace(0.1, 0.9, 4)])
    figure = other_losses.queries({"common": common, "own": own})
    assert [len(panel.patches) for panel in figure.axes] == [1, 0]


def test_pictures_of_the_fixed_temperature():
    x = np.linspace(0, 1, 12).reshape(3, 4)
    limits = {"antipodal": -T[:4], "aligned": T[:4]}
    figure = other_losses.regimes(T[:4], np.array([-1.0, 0, 1]), x, limits, [[2.0, 0.0, 0.5]])
    assert figure.axes[0].collections[1].get_offsets().tolist() == [[2.0, 0.0]]
    figure = other_losses.attained([2, 3], {"antipodal": np.array([0.0, 1e-3])})
    assert drawn(figure.axes[0]).tolist() == [1e-12, 1e-3]
    axis = np.linspace(-1, 1, 5)
    assert "t = 5" in texts(other_losses.meeting(axis, {5.0: axis}, axis))


def test_gallery_and_comparison_name_every_loss():
    figure = other_losses.gallery({"first": constellation(), "second": constellation()})
    assert {"first", "second", "U", "V"} <= set(texts(figure).split())
    tracks = {"InfoNCE": np.ones((3, 2)), "triplet": np.zeros((3, 2))}
    figure = other_losses.compared([0, 1, 2], tracks, tracks)
    assert drawn(figure.axes[0])[:3].tolist() == [0.5] * 3
    band = np.ones((1, 20))
    assert "g = +0.250" in texts(other_losses.info_nce_band(T, band, band, band, band, ["x"], [0.25]))
