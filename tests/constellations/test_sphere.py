"""Points of the sphere: validation, normalisation, seeded draws."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from constellations import sphere


@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 2**40), st.integers(0, 5))
def test_random_points_lie_on_the_sphere(n_pairs, dim, seed, stream):
    points = sphere.random_points(n_pairs, dim, seed=seed, stream=stream)
    assert points.shape == (n_pairs, dim)
    assert (points.norm(dim=-1) - 1).abs().max() < 1e-12


def test_a_seed_means_the_same_points_in_every_precision_and_streams_differ():
    double = sphere.random_points(50, 7, seed=3)
    assert torch.equal(double.float(), sphere.random_points(50, 7, seed=3, dtype=torch.float32))
    assert torch.equal(double, sphere.random_points(50, 7, seed=3))
    assert not torch.equal(double, sphere.random_points(50, 7, seed=3, stream=1))
    assert not torch.equal(double, sphere.random_points(50, 7, seed=4))


def test_random_points_are_uniform():
    points = sphere.random_points(40_000, 3, seed=0)
    assert points.mean(0).abs().max() < 0.02
    assert (points.T @ points / len(points) - torch.eye(3) / 3).abs().max() < 0.02


def test_tangent_is_orthogonal_and_keeps_the_rest():
    x = sphere.random_points(20, 5, seed=1)
    gradient = torch.randn(20, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    projected = sphere.tangent(x, gradient)
    assert (projected * x).sum(-1).abs().max() < 1e-14
    residual = gradient - projected
    assert (residual - (residual * x).sum(-1, keepdim=True) * x).abs().max() < 1e-14
    with pytest.raises(ValueError, match="gradient must be of the shape of x"):
        sphere.tangent(x, gradient[:3])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"n_pairs": 0}, "n_pairs"),
        ({"dim": 0}, "dim"),
        ({"dim": 2.5}, "dim"),
        ({"n_pairs": True}, "n_pairs"),
        ({"seed": -1}, "seed"),
        ({"stream": -2}, "stream"),
    ],
)
def test_random_points_names_what_is_wrong(options, named):
    arguments = {"n_pairs": 3, "dim": 2, "seed": 0} | options
    with pytest.raises(ValueError, match=f"{named} must be an integer"):
        sphere.random_points(arguments.pop("n_pairs"), arguments.pop("dim"), **arguments)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros(3), "shape"),
        (np.zeros((0, 3)), "shape"),
        ([[np.nan, 1.0]], "finite"),
        ([[np.inf, 1.0]], "finite"),
        ([[1.0, 1.0]], "norm 1"),
        (np.array([[1j, 0]]), "real"),
        (np.array([[True, False]]), "real"),
    ],
)
def test_as_points_refuses_what_is_not_a_point_set(points, message):
    with pytest.raises(ValueError, match=message):
        sphere.as_points(points)


def test_integers_become_float64_and_tensors_keep_their_type_and_gradient():
    assert sphere.as_points([[1, 0], [0, 1]]).dtype == torch.float64
    leaf = torch.eye(3, dtype=torch.float32, requires_grad=True)
    assert sphere.as_points(leaf) is leaf
    assert sphere.as_points(np.eye(3, dtype=np.float32)).dtype == torch.float32


def test_rows_of_half_precision_stay_on_the_sphere_and_those_of_float64_must_be_exact():
    rough = sphere.random_points(20, 5, seed=0).bfloat16()
    assert 1e-4 < (rough.double().norm(dim=1) - 1).abs().max() < 2e-2
    assert torch.equal(sphere.as_points(rough.float()), rough.float())
    with pytest.raises(ValueError, match=r"norm 1 \(within 1e-06\)"):
        sphere.as_points(rough.double())
    with pytest.raises(ValueError, match=r"norm 1 \(within 0.02\)"):
        sphere.as_points(1.05 * rough.float())


def test_as_pairs_refuses_mismatched_sets():
    with pytest.raises(ValueError, match="same shape"):
        sphere.as_pairs(torch.eye(3), torch.eye(3)[:2])
    with pytest.raises(ValueError, match="n_pairs must be at least 2"):
        sphere.as_pairs(torch.eye(1), torch.eye(1))


def test_normalize_refuses_a_zero_row():
    with pytest.raises(ValueError, match="zero"):
        sphere.normalize([[0.0, 0.0], [1.0, 0.0]])
