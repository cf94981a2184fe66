"""Curves, comparisons and style: what is drawn, where, and what a figure carries."""

import numpy as np
import pytest

from companion.figures import comparisons, curves, style

RUNS = np.random.default_rng(0).random((3, 5)) + 0.1
STEPS = [0, 10, 20, 30, 40]


def test_spread_is_the_sample_deviation_and_zero_for_one_run():
    assert style.spread([1.0, 3.0]) == pytest.approx(np.sqrt(2)) and style.spread([5.0]) == 0
    assert style.spread(RUNS, axis=0) == pytest.approx(RUNS.std(0, ddof=1))


def test_curves_show_means_and_carry_every_run():
    figure = curves.curves(STEPS, {"a": {"exact": RUNS, "published": RUNS[0]}, "b": {"exact": RUNS}})
    left, right = figure.axes
    assert left.lines[0].get_ydata() == pytest.approx(RUNS.mean(0))
    assert left.lines[0].get_color() == right.lines[0].get_color()
    assert left.lines[0].get_linestyle() != left.lines[1].get_linestyle()
    assert figure.arrays["a: exact"].shape == (3, 5) and figure.arrays["training step"].tolist() == STEPS


def test_logarithmic_curves_average_logarithms():
    figure = curves.curves(STEPS, {"": {"x": RUNS}}, log_y=True)
    assert figure.axes[0].lines[0].get_ydata() == pytest.approx(np.exp(np.log(RUNS).mean(0)))
    assert figure.axes[0].get_yscale() == "log"


def test_the_start_of_training_has_a_place_on_a_logarithmic_axis():
    assert curves.on_log_axis([0, 50, 100]).tolist() == [25.0, 50.0, 100.0]
    assert curves.on_log_axis([0]).tolist() == [0.5]


def test_many_lines_are_named_at_their_ends_without_overlap():
    lines = {f"line {k}": np.full(5, 0.01 * k) for k in range(10)}
    figure = curves.curves(STEPS, {"": lines})
    figure.canvas.draw()
    heights = sorted(text.xyann[1] for text in figure.axes[0].texts)
    assert len(heights) == 10 and np.diff(heights).min() > 0.05 and not figure.legends


def test_b_rel_is_written_in_one_way():
    assert style.as_label("t, b_rel") == style.as_label("t, $b_{rel}$") == f"t, {style.B_REL}"


def test_readers_see_a_minus_sign_and_names_keep_their_hyphens():
    assert style.as_label("b_rel = -0.5") == f"{style.B_REL} = −0.5"
    assert style.minus("<td>-0.5</td>, [-10, (-.1)]") == "<td>−0.5</td>, [−10, (−.1)]"
    for text in ("theorem-3.1/rate", "15-17", "2026-11-26", "2e-3", 'tabindex="-1"', "x - 1", "-p dim 5"):
        assert style.minus(text) == text


@pytest.mark.parametrize(("value", "text"), [(-0.0001, "0.000"), (-0.5, "−0.500"), (0.25, "0.250")])
def test_no_minus_before_a_zero(value, text):
    assert style.signed_zero_free(value) == text


def test_swept_colours_are_dark_enough_for_white_paper():
    def luminance(colour):
        parts = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        return np.where(parts <= 0.04, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    texts = [style.COLOURS[key] for key in ("u", "v_text", "matching", "non_matching", "ours", "bias", "neutral")]
    assert all(1.05 / (luminance(colour) + 0.05) >= 4.3 for colour in texts)
    assert all(1.05 / (luminance(colour) + 0.05) >= 2.5 for colour in style.swept_colours(8))


def test_arrays_are_saved_beside_the_figure(tmp_path):
    style.save_figure(curves.curves(STEPS, {"": {"x": RUNS}}), tmp_path, "f", data={"more": [1]})
    saved = np.load(tmp_path / "f.npz")
    assert saved["x"] == pytest.approx(RUNS) and saved["more"].tolist() == [1]


def test_stacked_parts_reach_the_total_and_shares_reach_one():
    parts = {comparisons.XI: [0.1, 0.3], comparisons.CENTRE: [0.2, 0.1]}
    whole = comparisons.stacked(["a", "b"], parts, xlabel="x").axes[0]
    shares = comparisons.stacked(["a", "b"], parts, xlabel="x", shares=True).axes[0]
    for axes, ends in ((whole, [0.3, 0.4]), (shares, [1, 1])):
        reached = [max(p.get_x() + p.get_width() for p in (bars[row] for bars in axes.containers)) for row in (0, 1)]
        assert reached == pytest.approx(ends)
    assert [text.get_text() for text in whole.texts] == ["0.300", "0.400"]


def test_dots_stay_at_their_places():
    figure = comparisons.dots([-10, 0, 10], {"m": {"bias": RUNS, "relative bias": RUNS}}, xlabel="x")
    places = np.concatenate([np.ravel(line.get_xdata()).astype(float) for line in figure.axes[0].lines[:-1]])
    assert np.abs(places - places.round()).max() < 0.2


def test_the_plane_of_two_clouds_shows_the_difference_of_means_in_full():
    rng = np.random.default_rng(1)
    u, v = rng.normal(size=(30, 5)), rng.normal(size=(30, 5)) + 1
    first, second = comparisons.clouds({"a": (u, v)}, shown=np.arange(30)).axes[0].collections
    gap = first.get_offsets().mean(0) - second.get_offsets().mean(0)
    assert np.asarray(gap) == pytest.approx([np.linalg.norm(u.mean(0) - v.mean(0)), 0], abs=1e-9)
