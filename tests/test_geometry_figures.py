"""Pictures of chapters 03 and 05: they draw what they are given."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from companion.figures import constructions as construction_pictures
from companion.figures import modality_gap as gap_pictures
from companion.figures import region, sign_condition, style
from constellations import constructions, geometry, modality_gap
from constellations.geometry.budget import margin_budget


def drawn(figure):
    """Render without error and return the axes."""
    figure.canvas.draw()
    return figure.axes


def test_reach_shows_every_lift_and_one_triangle_per_code():
    lifted = np.random.default_rng(0).uniform(0, 0.1, (40, 2))
    apexes = {"a": (0.5, 0.5), "b": (0.75, 0.25), "c": (0.9, 0.1)}
    left, right, *_ = drawn(construction_pictures.reach((0.7, 0.3), lifted, np.linspace(0, 1, 40), apexes))
    assert any(len(c.get_offsets()) == 40 for c in left.collections)
    assert len(right.patches) == 3
    assert [tuple(p.get_xy()[1]) for p in right.patches] == list(apexes.values())


def test_growth_draws_sizes_on_a_logarithmic_axis():
    (axes,) = drawn(construction_pictures.growth([3, 4, 5], [4, 9, 22], [2, 3, 4], slope=0.8, exponent=0.2))
    assert axes.get_yscale() == "log"
    assert axes.lines[0].get_ydata().tolist() == [4, 9, 22]
    assert axes.lines[1].get_ydata().tolist() == [2, 3, 4]


def test_margin_budgets_stack_up_to_the_slack():
    pairs = [
        constructions.from_spherical_code(constructions.cross_polytope(d), relative_bias=0.0) for d in (3, 5)
    ]
    budgets = [margin_budget(np.stack([u.numpy() for u in pair])) for pair in pairs]
    figure = construction_pictures.margin_budgets(["three", "five"], budgets)
    (axes,) = drawn(figure)
    ends = [max(p.get_x() + p.get_width() for c in axes.containers for p in [c[row]]) for row in range(2)]
    assert np.allclose(ends, [budget.total for budget in budgets])


def test_one_more_dimension_has_a_panel_per_configuration():
    ring = constructions.regular_polygon(5)
    pairs = [constructions.from_spherical_code(ring, relative_bias=b) for b in (-0.5, 0.0, 0.3)]
    assert len(drawn(construction_pictures.one_more_dimension(pairs, ["a", "b", "c"]))) == 3


def test_region_can_leave_the_modality_gap_out():
    figure, axes = style.new_figure(n_columns=2)
    assert len(region.draw_region(axes[0])) == len(region.draw_region(axes[1], modality_gap=False)) + 1
    drawn(figure)


def test_separated_counts_writes_percentages_and_hatches_what_is_impossible():
    figure = gap_pictures.separated_counts(
        {"one": {(6, 3): [0, 0, 0, 2], (8, 5): [0, 1]}, "two": {(6, 3): [0]}}
    )
    left, right = drawn(figure)
    assert [t.get_text() for t in left.texts] == ["75", "25", "50", "50"]
    assert [t.get_text() for t in right.texts] == ["100"]
    hatched = [p for p in left.patches if p.get_hatch()]
    assert [p.get_x() for p in hatched] == [2.5, 4.5]


def test_direction_in_space_puts_the_modalities_on_their_sides():
    u, v = constructions.tight_modality_gap(3, n_wedge=6)
    found = modality_gap.separating_direction(u, v)
    figure = gap_pictures.direction_in_space(u, v, found.direction, found.support)
    *_, chart = drawn(figure)
    by_label = {line.get_label(): line for line in chart.lines}
    assert np.asarray(by_label[r"$\langle h, U_i \rangle$"].get_xdata()).min() > 0
    assert (np.asarray(by_label[r"$\langle h, V_i \rangle$"].get_xdata()) < 0).sum() == 6


def test_tight_family_and_positions_draw():
    u, v = constructions.tight_modality_gap(3, n_wedge=4)
    assert len(drawn(gap_pictures.tight_family(u, v, 4))) == 2
    found = modality_gap.perceptron(u, v, max_updates=50)
    figure = gap_pictures.positions({"a": (found.positions(u), found.positions(v))})
    (axes,) = drawn(figure)
    assert sum(p.get_height() for p in axes.patches) == 2 * len(u)


@pytest.mark.parametrize(
    ("margins", "shaded"), [([0.1, 0.2, 0.3], 3), ([0.0, 0.0, 0.0], 1), ([-0.5, -0.5, -0.5], 0)]
)
def test_beyond_shades_exactly_where_the_margin_exceeds_the_bias(margins, shaded):
    figure = gap_pictures.beyond([-0.25, 0.0, 0.25], margins, [1.0, 1.0, 0.0], [1.0, 1.0, 0.5])
    (axes,) = drawn(figure)
    assert len(axes.patches) == shaded


def test_plane_colours_the_two_modalities():
    three = constructions.regular_polygon(3)
    figure = sign_condition.plane(
        (three, three), (three, three[0]), {2: {3: [0.1], 4: [-0.1]}, 3: {3: [0.4], 4: [0.2]}}
    )
    left, _, right = drawn(figure)
    colours = {to_rgba(line.get_color()) for line in left.lines}
    assert {to_rgba(style.COLOURS["u"]), to_rgba(style.COLOURS["v"])} <= colours
    assert [line.get_label() for line in right.lines[:2]] == ["d = 2", "d = 3"]
    assert geometry.separation(three, three).margin > 0
