"""Linear and mixed-integer programs, against the nearest point, brute force and the tight family."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import constructions as c
from constellations import modality_gap as mg
from constellations.sphere import random_points


@pytest.mark.parametrize("dim", [3, 4, 5])
@pytest.mark.parametrize("n_wedge", [3, 8])
def test_no_hyperplane_separates_more_of_the_tight_family(dim, n_wedge):
    u, v = c.tight_modality_gap(dim, n_wedge=n_wedge)
    program = mg.linear_separability(u, v)
    assert not program.separable and program.upper_bound < 1e-9
    for all_u in (False, True):
        best = mg.max_separable(u, v, all_u=all_u)
        assert best.n_separated == best.upper_bound == n_wedge


@pytest.mark.parametrize("seed", range(4))
def test_mixed_integer_maximum_against_brute_force(seed):
    """In the plane every split is made by a direction just beside one normal to a point."""
    u, v = random_points(9, 2, seed=seed), random_points(9, 2, seed=seed, stream=1)
    angles = torch.linspace(0, 2 * math.pi, 200_001, dtype=torch.float64)
    h = torch.stack([angles.cos(), angles.sin()])
    counts = ((u @ h > 0) & (v @ h < 0)).sum(0)
    best = mg.max_separable(u, v)
    assert best.n_separated == best.upper_bound == counts.max()
    assert int(((u @ best.direction > 0) & (v @ best.direction < 0)).sum()) == best.n_separated


@settings(max_examples=60, deadline=None)
@given(n=st.integers(2, 9), d=st.integers(1, 5), seed=st.integers(0, 10_000))
def test_linear_program_and_nearest_point_agree(n, d, seed):
    u, v = random_points(n, d, seed=seed), random_points(n, d, seed=seed, stream=1)
    program = mg.linear_separability(u, v)
    largest = np.linalg.norm(mg.min_norm_point(torch.cat([u, -v]))[0])
    assert program.separable == (largest > 1e-7)
    assert program.margin <= largest + 1e-9 <= program.upper_bound + 2e-9
    if program.separable:
        assert (u @ program.direction > 0).all() and (v @ program.direction < 0).all()


def test_affine_separability_is_weaker():
    u, v = c.double_constant_embedding(6, delta=0.7)
    shift = torch.tensor([0.0] * 5 + [0.5])
    moved_u, moved_v = (x + shift for x in (u, v))
    pushed = [x / x.norm(dim=-1, keepdim=True) for x in (moved_u, moved_v)]
    assert not mg.linear_separability(pushed[0], pushed[0].flip(0)).separable
    high = c.lift(c.simplex(4), c.simplex(4), delta=0.5, phi=0.8)
    assert mg.linear_separability(*high, affine=True).separable
    cap_u, cap_v = torch.tensor([[0.6, 0.8], [-0.6, 0.8]]), torch.tensor([[0.8, 0.6], [-0.8, 0.6]])
    assert not mg.linear_separability(cap_u, cap_v).separable
    assert mg.linear_separability(cap_u, cap_v, affine=True).separable


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u, v: mg.linear_separability(u, v[:-1]), "same shape"),
        (lambda u, v: mg.max_separable(u, v, resolution=0.5), "resolution"),
        (lambda u, v: mg.max_separable(u, v, time_limit=0), "time_limit"),
        (lambda u, v: mg.max_separable(torch.cat([u, -u]), torch.cat([v, -v]), all_u=True), "no direction"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*c.tight_modality_gap(3, n_wedge=6))
