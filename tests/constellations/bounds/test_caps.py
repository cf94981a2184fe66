"""The cap measure against references, integrals and series; the bound from caps against all cluster sizes."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from constellations import bounds

REFERENCE = [
    (3, 0.5, -1.386294361119891),
    (24, 0.5, -5.210077916819734),
    (768, 0.5, -113.877299431105),
    (10_000, 0.7, -3371.553606861618),
    (10_000, 0.01, -1.840945385433684),
]


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
    assert np.all(np.isfinite(table)) and np.all(np.diff(table, axis=0) < 0) and np.all(np.diff(table, axis=1) < 0)
    assert bounds.log_cap_measure(5, 1.0) == -math.inf and bounds.log_cap_measure(5, -1.0) == 0.0


@pytest.mark.parametrize(
    ("dim", "x"), [(646, 0.935), (650, 0.94), (800, 0.9), (1200, 0.82), (2000, 0.7), (4000, 0.55), (20_001, 0.3)]
)
def test_log_cap_measure_below_the_smallest_float_to_the_last_digits(dim, x):
    """In absolute terms, in which every factor still shows."""
    with mpmath.workdps(40):
        z = 1 - mpmath.mpf(x) ** 2
        exact = mpmath.log(mpmath.betainc(mpmath.mpf(dim - 1) / 2, 0.5, 0, z, regularized=True) / 2)
    assert exact < -640
    assert bounds.log_cap_measure(dim, x) == pytest.approx(float(exact), rel=0, abs=3e-11)


@given(st.integers(2, 100), st.floats(0, 0.95))
def test_the_best_cluster_is_the_best_of_all(dim, a):
    k = np.arange(1.0, 20 * dim + 200)
    least = np.min(bounds.log_cap_bound(dim, a, k))
    assert bounds.log_cap_bound(dim, a, bounds.best_cluster(dim, a)) == pytest.approx(least, rel=1e-12)


@pytest.mark.parametrize(("dim", "a"), [(5, -0.05), (8, -0.1), (10, -0.05), (10, -0.1)])
def test_the_best_cluster_of_negative_products_has_room_for_a_simplex(dim, a):
    k = np.arange(1.0, round(-1 / a))
    assert bounds.best_cluster(dim, a) == k[np.argmin(bounds.log_cap_bound(dim, a, k))] > 1


def test_the_bound_from_caps_has_the_exponent_of_theorem_35():
    for m, b in ((0.1, 0.0), (0.25, 0.0), (0.07, 0.07)):
        a, d = bounds.alpha(m, b), 2_000_000
        rate = bounds.log_cap_bound(d, a, bounds.best_cluster(d, a)) / d
        assert rate == pytest.approx(bounds.exponent_upper(m, b), abs=3e-5)
