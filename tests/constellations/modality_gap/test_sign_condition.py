"""The sign condition: checked, reached by samples, and reached by one more dimension."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import constructions as c
from constellations import modality_gap as mg
from constellations.geometry import separation
from constellations.sphere import random_points


def test_proposition_5_no_four_pairs_in_the_plane():
    assert mg.sign_condition_samples(4, 2, n_runs=60, seed=0, n_steps=400) == []
    assert len(mg.sign_condition_samples(3, 2, n_runs=60, seed=0, n_steps=400)) >= 10


def test_samples_satisfy_the_sign_condition_barely_and_follow_from_their_seed():
    found = mg.sign_condition_samples(8, 5, n_runs=12, seed=3)
    assert len(found) >= 8
    for u, v in found:
        mg.check_sign_condition(u, v)
        assert separation(u, v).margin < 0.1
    again = mg.sign_condition_samples(8, 5, n_runs=12, seed=3)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(found, again, strict=True))


@settings(max_examples=50, deadline=None)
@given(b=st.floats(-0.9, 0.9), seed=st.integers(0, 10_000))
def test_zero_bias_lift_divides_the_margin_by_one_plus_abs_b(b, seed):
    u, v = c.from_spherical_code(random_points(6, 3, seed=seed), relative_bias=b)
    before, after = separation(u, v), separation(*mg.zero_bias_lift(u, v, relative_bias=b))
    assert math.isclose(after.margin, before.margin / (1 + abs(b)), abs_tol=1e-12)
    assert abs(after.relative_bias) < 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_negative_relative_bias_gives_an_affine_hyperplane(seed):
    n, d, b = 12, 4, -0.4
    u, v = c.from_spherical_code(random_points(n, d - 1, seed=seed), relative_bias=b)
    found = mg.separating_direction(*mg.zero_bias_lift(u, v, relative_bias=b))
    h, offset = found.direction[:-1], found.direction[-1] * math.sqrt(-b)
    assert (u @ h + offset > 0).all()
    assert (v @ h + offset < 0).sum() >= n - d


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u, v: mg.check_sign_condition(u, -u), "s_ii > 0"),
        (lambda u, v: mg.zero_bias_lift(u, v, relative_bias=1.5), "relative_bias"),
        (lambda u, v: mg.sign_condition_samples(1, 3, n_runs=2, seed=0), "n_pairs must be an integer of at least 2"),
        (lambda u, v: mg.sign_condition_samples(5, 3, n_runs=0, seed=0), "n_runs"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*c.tight_modality_gap(3, n_wedge=6))
