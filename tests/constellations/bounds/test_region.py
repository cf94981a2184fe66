"""The region: limits of the margin, codes behind constellations, exponents."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellations import bounds


def test_theorem_34_margins_agree_for_two_and_more_modalities():
    assert bounds.margin_upper_bound(0.0, n_pairs=4) == 0.5
    assert bounds.margin_upper_bound(0.0, n_modalities=4) == pytest.approx(1 / 5)
    b = np.linspace(-1, 1, 9)
    assert bounds.margin_upper_bound(b) == pytest.approx(np.minimum((1 + b) / 3, 1 - b))


@given(st.floats(-0.95, 0.95), st.floats(0.001, 1.0))
def test_the_margin_of_a_code_inverts_its_inner_product(b, share):
    m = share * min(1 - b, (1 + b) / 3)
    assert bounds.code_margin(bounds.alpha(m, b), b) == pytest.approx(m, rel=1e-9)


def test_fewer_pairs_than_modalities_are_bounded_by_as_many_modalities():
    assert bounds.margin_upper_bound(-0.1, n_pairs=2, n_modalities=4) == pytest.approx(0.9)
    assert bounds.margin_upper_bound(-0.1, n_pairs=4, n_modalities=4) == pytest.approx(0.7 / 3)
    assert bounds.alpha(0.1, 0.2, n_modalities=3) == pytest.approx((1 + 0.4 - 0.4) / (1 + 0.6))


def test_exponents_have_the_values_of_the_paper_and_of_kabatiansky_and_levenshtein():
    known = {(0.1, 0.0): (0.5058, 0.4371), (0.25, 0.0): (0.1116, 0.0575), (0.3, 0.0): (0.0400, 0.0112)}
    for (m, b), (upper, better) in known.items():
        assert round(bounds.exponent_upper(m, b), 4) == upper
        assert round(bounds.exponent_kabatiansky_levenshtein(m, b), 4) == better
    assert bounds.exponent_kabatiansky_levenshtein(0.0, 0.0) == math.inf
    assert bounds.exponent_kabatiansky_levenshtein(1 / 3, 0.0) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("b", [-0.5, 0.0, 0.4])
def test_all_exponents_vanish_where_only_simplices_fit(b):
    for exponent in (bounds.exponent_lower, bounds.exponent_upper, bounds.exponent_kabatiansky_levenshtein):
        assert exponent((1 + b) / 3, b) == pytest.approx(0.0, abs=1e-14)
