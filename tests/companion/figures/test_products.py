"""Pictures of inner products, tables, the region, limits, losses and drawings: they show what they are given."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from companion.figures import drawings, limits, losses, player, products, region, style, tables
from constellations import constructions, geometry, modality_gap
from constellations.losses.rows import info_nce_only_example

T = np.geomspace(1, 100, 20)


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def test_constellation_shows_every_inner_product_outside_the_gap():
    u, v = constructions.antiprism(8, relative_bias=0.3)
    number_line = player.still([player.Frame(groups=(u, v))], ["sphere", "products"]).axes[1]
    marks = {line.get_label(): np.asarray(line.get_xdata()) for line in number_line.lines}
    matching, non_matching = marks["matching pairs"], marks["non-matching pairs"]
    assert (len(matching), len(non_matching)) == (8, 56)
    (span,) = number_line.patches
    low, high = span.get_x(), span.get_x() + span.get_width()
    assert matching.min() == pytest.approx(high) and non_matching.max() == pytest.approx(low)


def test_histograms_mark_gap_and_overlap_differently():
    figure = products.histograms(
        {"gap": ([0.5, 0.6], [0.1, 0.2]), "b_rel = 0": ([0.1], [0.3])}, relative_bias={"gap": 0.3, "b_rel = 0": 3.0}
    )
    left, right = figure.axes
    spans = [next(p for p in panel.patches if p.get_label().startswith(("gap", "overlap"))) for panel in figure.axes]
    assert [(s.get_x(), s.get_width()) for s in spans] == [pytest.approx((0.2, 0.3)), pytest.approx((0.1, 0.2))]
    assert spans[0].get_facecolor() != spans[1].get_facecolor()
    assert len(left.lines) == 1 and not right.lines, "a relative bias outside [-1, 1] is not drawn"
    assert right.get_title() == f"{style.B_REL} = 0" and left.get_yscale() == "log"


def test_definition_prints_every_inner_product():
    u, v = (np.stack([np.cos(a), np.sin(a)], axis=1) for a in (np.array([0, 2, 4.0]), np.array([0.1, 2.2, 3.9])))
    words = texts(products.definition(u, v, u @ v.T))
    assert all(f"{value:.2f}".replace("-", "−") in words for value in (u @ v.T).ravel())


def test_best_rivals_shade_a_common_threshold_only_where_there_is_one():
    rows = {"all": [[0.9, 0.1], [0.8, 0.2]], "each": [[0.9, 0.8], [0.3, 0.1]]}
    both, each = products.best_rivals(rows).axes
    assert len(both.patches) == 1 and not each.patches


def test_heat_maps_write_every_cell_and_the_spread():
    grid = np.array([[[0.1, 0.3], [-0.5, -0.7]]])
    figure = tables.heat_maps({"a": grid}, ("t", [1]), ("b_rel", [0, -1]), value="margin")
    panel, bar = figure.axes
    assert [text.get_text() for text in panel.texts] == ["0.200\n±0.141", "−0.600\n±0.141"]
    assert panel.get_xlabel() == style.B_REL and bar.get_ylabel() == "margin"
    image = panel.images[0]
    red, green, _, _ = image.cmap(image.norm(0.2))
    assert green > red, "separated is blue-green"
    assert min(image.cmap(image.norm(1e-6))) < 0.75, "a small margin is not nearly white"


def test_percentages_are_written_and_what_is_impossible_hatched():
    figure = tables.percentages({"one": {"a": [0, 0, 0, 2], "b": [0, 1]}}, {"a": 3, "b": 5}, xlabel="x")
    (panel,) = figure.axes
    assert [text.get_text() for text in panel.texts] == ["75", "25", "50", "50"]
    assert [patch.get_x() for patch in panel.patches if patch.get_hatch()] == [2.5, 4.5]


def test_region_can_leave_the_modality_gap_out():
    _, axes = style.new_figure(n_columns=2)
    assert len(region.draw_region(axes[0, 0])) == len(region.draw_region(axes[0, 1], modality_gap=False)) + 1


def test_placed_shows_every_configuration_and_names_its_group():
    figure = region.placed({"b_rel = 0": ([0.0, 0.1], [0.2, 0.3])}, n_pairs=10, curves={"c": ([0, 1], [0, 1])})
    assert any(len(c.get_offsets()) == 2 for c in figure.axes[0].collections)
    assert style.B_REL + " = 0" in texts(figure) and "limit for N = 10" in texts(figure)


def test_reach_has_one_triangle_per_code():
    apexes = {"a": (0.5, 0.5), "b": (0.75, 0.25)}
    left, right, *_ = region.reach((0.7, 0.3), np.full((40, 2), 0.1), np.linspace(0, 1, 40), apexes).axes
    assert any(len(c.get_offsets()) == 40 for c in left.collections)
    assert [tuple(patch.get_xy()[1]) for patch in right.patches] == list(apexes.values())


def test_margins_fit_between_the_limits_of_their_axis():
    figure = limits.margins_over_dimension(
        [2, 4], [0.0, 0.1], [0.2, 0.4], {"trained": ([2, 4], [-0.1, 0.2])}, levels={"wanted": 0.3}
    )
    low, high = figure.axes[0].get_ylim()
    assert low < -0.1 and high > 0.4 and "wanted" in texts(figure)


def test_bracket_rows_have_a_bar_per_label_and_kind():
    pair = ([1.0, 2.0], [3.0, 4.0])
    figure = limits.bracket_rows(["a", "b"], {"x": pair, "y": pair}, {"used": [5, 6]}, xlabel="d")
    (axes,) = figure.axes
    assert [len(c.get_segments()) for c in axes.collections] == [2, 2]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


def test_bands_draw_the_measured_loss_its_bounds_and_the_other_curves():
    values = {name: np.exp(-0.1 * T) for name in "abc"}
    low, high, other = ([factor * x for x in values.values()] for factor in (0.5, 2, 1.5))
    figure = losses.bands(T, values, low, high, name="L", others={"rate": [None, *other[1:]]})
    for k, panel in enumerate(figure.axes):
        drawn = [np.asarray(line.get_ydata()) for line in panel.lines]
        expected = [low[k], high[k], list(values.values())[k], other[k]]
        np.testing.assert_array_equal(drawn, expected[:3] if k == 0 else expected)


def test_direction_puts_the_modalities_on_their_sides():
    u, v = constructions.tight_modality_gap(3, n_wedge=6)
    found = modality_gap.separating_direction(u, v)
    *_, chart = drawings.direction(u, v, found.direction, found.support).axes
    by_label = {line.get_label(): np.asarray(line.get_xdata()) for line in chart.lines}
    assert by_label[r"$\langle h, U_i \rangle$"].min() > 0
    assert (by_label[r"$\langle h, V_i \rangle$"] < 0).sum() == 6


def test_pairs_on_the_circle_have_the_colours_of_their_modalities():
    three = constructions.regular_polygon(3)
    figure = drawings.no_room((three, three), (three, three[0]), {2: {3: [0.1], 4: [-0.1]}})
    colours = {to_rgba(line.get_color()) for line in figure.axes[0].lines}
    assert {to_rgba(style.COLOURS["u"]), to_rgba(style.COLOURS["v"])} <= colours
    assert geometry.separation(three, three).margin > 0


def test_labels_keep_clear_of_each_other_and_of_the_points():
    example = info_nce_only_example()  # two of its three pairs coincide
    lifted = constructions.one_threshold(*example, [-0.1, 0.85, 0.85])  # its gap is narrower than two labels
    row_by_row = products.row_by_row(*example, geometry.inner_products(*example))
    for figure in (row_by_row, player.still([player.Frame(groups=lifted)], ["sphere", "products"])):
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for panel in figure.axes for text in panel.texts if text.get_text()]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    places = [text.get_position() for text in row_by_row.axes[0].texts]
    assert len(places) == 6 and min(np.hypot(*np.transpose(places))) > 1.2


def test_right_answers_are_framed_and_ticked():
    pictures = np.random.default_rng(0).random((2, 3, 4, 4))
    correct = [[False, True, False], [False, False, False]]
    figure = drawings.ranked(["A", "B"], pictures[:, 0], pictures, correct, heading="h")
    ticked = [any(text.get_text() == "✓" for text in panel.texts) for panel in figure.axes]
    assert np.flatnonzero(ticked).tolist() == [3]  # first row: caption, own, 1, 2
