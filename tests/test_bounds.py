"""Bounds on the number of pairs: against references, brute force, known codes, and each other."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from constellations import bounds, constructions, geometry
from constellations.bounds.__main__ import main
from constellations.bounds.sizes import log_covering

CODES = constructions.known_spherical_codes()
REFERENCE = [
    (3, 0.5, -1.386294361119891),
    (24, 0.5, -5.210077916819734),
    (768, 0.5, -113.877299431105),
    (10_000, 0.7, -3371.553606861618),
    (10_000, 0.01, -1.840945385433684),
]


@st.composite
def points_of_the_region(draw, many=True):
    b = draw(st.floats(-0.95, 0.95))
    largest = min(1 - b, (1 + b) / (3 if many else 1))
    return largest * draw(st.floats(0.01, 1.0)), b


@pytest.mark.parametrize(("dim", "x", "expected"), REFERENCE)
def test_log_cap_measure_has_the_reference_values(dim, x, expected):
    assert bounds.log_cap_measure(dim, x) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("dim", [2, 3, 4, 7, 24, 60])
@pytest.mark.parametrize("x", [1e-9, 0.01, 0.3, 0.70, 0.72, 0.95])
def test_log_cap_measure_is_the_integral_over_the_polar_angle(dim, x):
    density = lambda angle: math.sin(angle) ** (dim - 2)
    cap, half = (quad(density, 0, angle, epsabs=0, epsrel=1e-13)[0] for angle in (math.acos(x), math.pi / 2))
    assert bounds.log_cap_measure(dim, x) == pytest.approx(math.log(cap / half / 2), rel=1e-10)


@pytest.mark.parametrize(("dim", "x"), [(6000, 0.5), (10_000, 0.4), (10_000, 0.99), (200_000, 0.1)])
def test_log_cap_measure_beyond_underflow_agrees_with_the_series(dim, x):
    a, z = (dim - 1) / 2, (1 - x) * (1 + x)
    term, terms = 1.0, [1.0]
    while term > 1e-18:
        term *= (a + 0.5 + len(terms) - 1) / (a + len(terms)) * z
        terms.append(term)
    log_beta = math.lgamma(a) + math.lgamma(0.5) - math.lgamma(a + 0.5)
    expected = a * math.log(z) + math.log(x / (2 * a)) - log_beta + math.log(math.fsum(terms))
    assert expected < -650
    assert bounds.log_cap_measure(dim, x) == pytest.approx(expected, rel=1e-11)


@given(st.integers(1, 2000), st.floats(-1, 1))
def test_a_cap_and_its_complement_make_the_sphere(dim, x):
    total = math.exp(bounds.log_cap_measure(dim, x)) + math.exp(bounds.log_cap_measure(dim, -x))
    assert total == pytest.approx(1.0, abs=1e-12)


def test_log_cap_measure_falls_with_dimension_and_height_without_a_step():
    dims, heights = np.unique(np.geomspace(2, 1e5, 200).astype(int)), np.linspace(1e-6, 1 - 1e-9, 301)
    table = bounds.log_cap_measure(dims[:, None], heights)
    assert (
        np.all(np.isfinite(table))
        and np.all(np.diff(table, axis=0) < 0)
        and np.all(np.diff(table, axis=1) < 0)
    )
    assert bounds.log_cap_measure(5, 1.0) == -math.inf and bounds.log_cap_measure(5, -1.0) == 0.0


@given(points_of_the_region(many=False), st.sampled_from([2, 3, 5, 8, 24, 100]))
@settings(deadline=None)
def test_the_upper_bound_is_the_least_over_all_cluster_sizes(point, dim):
    a = bounds.alpha(*point)
    k = np.arange(1.0, 20 * dim + 200)
    k = k[1 + k * a > 0]
    least = log_covering(np.full(k.shape, float(dim)), np.full(k.shape, a), k).min() if len(k) else math.inf
    if a < 0:
        least = min(least, math.log(1 - 1 / a))
    assert bounds.log_max_pairs_upper(dim, *point) == pytest.approx(least, rel=1e-12)


@given(points_of_the_region(many=False), st.integers(2, 3000))
@settings(deadline=None)
def test_lower_below_upper_and_both_grow_with_dimension(point, dim):
    low, high = (
        bounds.log_max_pairs_lower([dim, dim + 1], *point),
        bounds.log_max_pairs_upper([dim, dim + 1], *point),
    )
    assert np.all(low <= high + 1e-12) and np.all(low >= math.log(2) - 1e-12)
    assert low[1] >= low[0] - 1e-12 and high[1] >= high[0] - 1e-12


@given(points_of_the_region(), st.floats(0.5, 1.0))
@settings(deadline=None)
def test_a_smaller_margin_admits_more_pairs(point, share):
    (m, b), d = point, [2, 3, 10, 300]
    assert np.all(bounds.log_max_pairs_upper(d, share * m, b) >= bounds.log_max_pairs_upper(d, m, b) - 1e-12)
    assert np.all(bounds.log_max_pairs_lower(d, share * m, b) >= bounds.log_max_pairs_lower(d, m, b) - 1e-12)


@given(points_of_the_region())
@settings(deadline=None)
def test_the_finite_bounds_have_the_exponents_of_the_theorems(point):
    m, b = point
    lower, upper = bounds.exponent_lower(m, b), bounds.exponent_upper(m, b)
    assert -1e-12 <= lower <= upper + 1e-12
    d = 2_000_000
    assert bounds.log_max_pairs_upper(d, m, b) / d == pytest.approx(upper, abs=3e-5)
    assert bounds.log_max_pairs_lower(d, m, b) / d >= lower - 3e-5


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_every_known_code_lies_inside_the_bracket(code):
    a, n = code.max_inner_product, code.n_points
    for b in (-0.6, -0.2, 0.0, 0.3, (1 + a) / 2):
        dim, m = (code.dim + 1, (1 - a) * (1 + b) / (3 + a)) if b < (1 + a) / 2 else (code.dim, (1 - a) / 2)
        if m + b > 1:
            continue
        assert math.log(n) <= bounds.log_max_pairs_upper(dim, m, b) + 1e-12
        low, high = bounds.required_dimension(n, m, b)
        assert low <= dim and low <= high
        if code.optimal and b == (1 + a) / 2:  # U = V: the code's size is the maximum
            assert bounds.log_max_pairs_lower(dim, m, b) <= math.log(n) + 1e-12


@pytest.mark.parametrize("dim", [3, 4, 8, 24])
def test_the_bracket_closes_on_simplices(dim):
    a = -1 / dim
    for b in (-0.5, 0.0, (1 + a) / 2):
        m = bounds.code_margin(a, b)
        at = dim if b == (1 + a) / 2 else dim + 1
        low, high = bounds.log_max_pairs_lower(at, m, b), bounds.log_max_pairs_upper(at, m, b)
        assert low == pytest.approx(math.log(dim + 1)) and high == pytest.approx(math.log(dim + 1))


@given(st.integers(2, 40), st.integers(2, 6), st.integers(0, 10_000))
@settings(deadline=None, max_examples=60)
def test_no_measured_constellation_exceeds_the_bounds(n, dim, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dim))
    y = x + rng.uniform(0, 0.3) * rng.normal(size=x.shape)
    u, v = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (x, y))
    found = geometry.separation(u, v)
    if found.margin > 1e-6:
        assert math.log(n) <= bounds.log_max_pairs_upper(dim, found.margin, found.relative_bias) + 1e-9
        assert bounds.required_dimension(n, found.margin * (1 - 1e-9), found.relative_bias)[0] <= dim
        assert found.margin <= bounds.margin_bracket(n, dim, found.relative_bias)[1] + 1e-9


@given(points_of_the_region(), st.integers(2, 10**12))
@settings(deadline=None, max_examples=60)
def test_required_dimension_is_where_the_bounds_first_reach_n(point, n):
    m, b = point
    if 3 * m > 1 + b - 1e-3:
        m = (1 + b - 1e-3) / 3
    low, high = bounds.required_dimension(n, m, b)
    goal = math.log(n)
    assert 2 <= low <= high
    assert bounds.log_max_pairs_upper(low, m, b) >= goal - 1e-11
    assert bounds.log_max_pairs_lower(high, m, b) >= goal - 1e-11
    assert low == 2 or bounds.log_max_pairs_upper(low - 1, m, b) < goal
    assert high == 2 or bounds.log_max_pairs_lower(high - 1, m, b) < goal


@given(st.integers(2, 10**12), st.integers(2, 2000), st.floats(-0.9, 0.9))
@settings(deadline=None, max_examples=40)
def test_margin_bracket_inverts_the_bounds(n, dim, b):
    guaranteed, impossible = bounds.margin_bracket(n, dim, b)
    assert 0 <= guaranteed <= impossible <= bounds.margin_upper_bound(b, n_pairs=n) + 1e-12
    if guaranteed > 0:
        assert bounds.required_dimension(n, guaranteed * (1 - 1e-9), b)[1] <= dim
    above = impossible * 1.000001
    if above < bounds.margin_upper_bound(b, n_pairs=n):
        assert bounds.required_dimension(n, above, b)[0] > dim


def test_scalars_give_numbers_and_arrays_broadcast():
    assert bounds.required_dimension(1e10, 0.07, 0.07) == (26, 51)
    low, high = bounds.required_dimension([[100], [10_000]], [0.1, 0.2, 0.3], 0.0)
    assert low.shape == high.shape == (2, 3) and low.dtype == np.int64
    assert (low[1, 2], high[1, 2]) == bounds.required_dimension(10_000, 0.3, 0.0)
    assert isinstance(bounds.log_max_pairs_upper(10, 0.1, 0.0), float)
    assert bounds.log_max_pairs_lower([3, 9], 0.1, [[0.0], [0.5]]).shape == (2, 2)
    guaranteed, impossible = bounds.margin_bracket([10, 1000], 16, 0.0)
    assert (guaranteed[1], impossible[1]) == bounds.margin_bracket(1000, 16, 0.0)


def test_theorem_34_margins_agree_for_two_and_more_modalities():
    assert bounds.margin_upper_bound(0.0, n_pairs=4) == 0.5
    assert bounds.margin_upper_bound(0.0, n_modalities=4) == pytest.approx(1 / 5)
    b = np.linspace(-1, 1, 9)
    assert bounds.margin_upper_bound(b) == pytest.approx(np.minimum((1 + b) / 3, 1 - b))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: bounds.exponent_lower(0.4, 0.0),
            r"3m <= 1 \+ b_rel; the nearest margin allowed is 0.333333",
        ),
        (lambda: bounds.exponent_upper(0.3, 0.9), r"m \+ b_rel <= 1; the nearest margin allowed is 0.1"),
        (lambda: bounds.log_max_pairs_upper(5, 0.0, 0.0), "margin must be above 0"),
        (lambda: bounds.log_max_pairs_lower(1, 0.1, 0.0), "dim must be an integer of at least 2, got 1"),
        (lambda: bounds.log_max_pairs_lower(2.5, 0.1, 0.0), "dim must be an integer"),
        (lambda: bounds.log_max_pairs_upper(5, 0.1, -1.0), "relative_bias must be between -1 and 1"),
        (lambda: bounds.log_cap_measure(3, 1.5), r"x must be in \[-1, 1\], got 1.5"),
        (lambda: bounds.required_dimension(1, 0.1, 0.0), "n_pairs must be an integer from 2 to 1e.15, got 1"),
        (
            lambda: bounds.required_dimension(10, 0.5, 0.0),
            "for N = 10 pairs; the nearest margin allowed is 0.384615",
        ),
        (lambda: bounds.required_dimension(10, float("nan"), 0.0), "margin must be finite"),
        (lambda: bounds.margin_bracket(10, 5, 1.2), r"relative_bias must be in \[-1, 1\]"),
        (lambda: bounds.margin_upper_bound(2.0), "relative_bias must be in"),
        (lambda: bounds.margin_upper_bound(0.0, n_modalities=1), "n_modalities must be an integer"),
        (
            lambda: bounds.margin_upper_bound(0.0, n_pairs=3, n_modalities=4),
            "n_pairs must be at least n_modalities = 4",
        ),
    ],
)
def test_bad_input_names_the_parameter_and_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_command_answers_all_three_questions(capsys):
    assert main(["--pairs", "1e10", "--margin", "0.07", "--relative-bias", "0.07"]) == 0
    assert "d = 26" in (text := capsys.readouterr().out) and "d = 51" in text
    assert main(["--dim", "16", "--margin", "0.1", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["log_pairs_lower"] == bounds.log_max_pairs_lower(16, 0.1, 0.0)
    assert main(["--dim", "16", "--pairs", "100", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["margin_guaranteed"] == bounds.margin_bracket(100, 16, 0.0)[0]


@pytest.mark.parametrize("arguments", ["--pairs 100", "--pairs 100 --margin 0.9", "--dim 1 --margin 0.1", ""])
def test_the_command_explains_bad_input_in_one_line(arguments, capsys):
    assert main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1 and not captured.out
