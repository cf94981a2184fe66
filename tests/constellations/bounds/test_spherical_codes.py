"""Levenshtein's bound against many digits, the linear program against both, and sizes that exist."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from constellations import bounds
from constellations.bounds.codes import EXACT_DEGREE, log_levenshtein


def levenshtein(dim, s):
    """Logarithm and degree, in 60 digits, by the definition: the interval from zeros found as sign changes."""
    with mpmath.workdps(60):
        s, p, k = mpmath.mpf(s), [mpmath.mpf(1), mpmath.mpf(s)], 1
        while True:
            while len(p) < k + 2:
                j = len(p) - 1
                p.append(((2 * j + dim - 2) * s * p[j] - j * p[j - 1]) / (j + dim - 2))
            a, b, c = p[k - 1 : k + 2]
            if b < 0 and b <= c:
                value = mpmath.mpf(2 * k + dim - 3) / (dim - 1) - (a - b) / ((1 - s) * b)
                return float(mpmath.log(mpmath.binomial(k + dim - 3, k - 1) * value)), 2 * k - 1
            if b < 0 and b <= s * c:
                value = mpmath.mpf(2 * k + dim - 1) / (dim - 1) - (1 + s) * (b - c) / ((1 - s) * (b + c))
                return float(mpmath.log(mpmath.binomial(k + dim - 2, k) * value)), 2 * k
            k += 1


@given(st.integers(3, 3000), st.floats(1e-6, 0.999))
@settings(deadline=None, max_examples=60)
@example(3, 0.999)
@example(100_000, 0.02)
def test_levenshtein_against_sixty_digits_and_never_below(dim, s):
    exact, degree = levenshtein(dim, s)
    found = float(log_levenshtein(np.array([float(dim)]), np.array([s]))[0])
    assert found >= exact - 1e-11
    if degree <= EXACT_DEGREE:  # exact up to twice this; beyond, the bound at a zero above s
        windows = 40 * dim ** (1 / 3) * math.log1p(dim)
        assert found == pytest.approx(exact, abs=1e-11) or exact < found < exact + windows


@pytest.mark.parametrize("dim", [3, 4, 9, 40])
def test_levenshtein_is_continuous_and_grows(dim):
    s = np.linspace(1e-4, 0.95, 4000)
    values = log_levenshtein(np.full(s.shape, float(dim)), s)
    steps = np.diff(values)
    assert steps.min() > 0 and steps.max() < 20 * dim * (s[1] - s[0]) / (1 - s[-1])


@pytest.mark.parametrize(
    ("dim", "a", "size"),
    [
        (3, 0.5, 13),
        (4, 0.5, 25),
        (5, 0.5, 46),
        (6, 0.5, 82),
        (7, 0.5, 140),
        (8, 0.5, 240),
        (4, (1 + math.sqrt(5)) / 4, 120),
    ],
)
def test_the_linear_program_has_the_classical_values(dim, a, size):
    """Kissing numbers by Delsarte's method (Odlyzko and Sloane 1979), and the 600-cell exactly (Andreev 1999)."""
    assert int(bounds.linear_program(dim, a)) == size


def test_a_coarse_grid_still_proves_nearly_the_same():
    """Six points fit on a circle at 60 degrees."""
    assert 6 <= bounds.linear_program(2, 0.5, n_grid=20) <= 6.2


@given(st.integers(3, 12), st.floats(-0.4, 0.6))
@settings(deadline=None, max_examples=20)
def test_the_linear_program_is_no_worse_than_levenshtein_and_no_code_exceeds_it(dim, a):
    found = bounds.linear_program(dim, a)
    b = min((1 + a) / 2, 1 - 1e-9)
    assert found <= math.exp(bounds.log_max_pairs_upper(dim, 1 - b, b)) * 1.001 + 1 or a < 0
    assert found >= math.exp(bounds.log_max_pairs_lower(dim, 1 - b, b)) * (1 - 1e-9)


def test_kissing_records_lie_below_the_bound():
    records = {5: 40, 6: 72, 7: 126, 9: 306, 10: 510, 11: 604, 12: 840, 14: 1932, 16: 4320}  # Cohn's table, 2026
    for dim, size in records.items():
        assert size <= math.exp(bounds.log_max_pairs_upper(dim, 0.25, 0.75))
        assert size <= bounds.linear_program(dim, 0.5)
