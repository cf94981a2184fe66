"""The scalars of a training batch against the functions that measure whole configurations."""

import pytest
import torch

from constellations import certificates, geometry, losses
from constellations.geometry.monitor import scalars
from constellations.sphere import normalize, random_points


@pytest.mark.parametrize("parameterization", ["bias", "relative_bias"])
@pytest.mark.parametrize("signal", [0.0, 0.7, 5.0])
def test_scalars_are_what_the_exact_measures_say(parameterization, signal):
    v = random_points(20, 12, seed=0)
    u = normalize(signal * v + random_points(20, 12, seed=1))
    module = losses.SigmoidLoss(parameterization=parameterization, inverse_temperature=15.0, **{parameterization: 0.2})
    found, exact = scalars(u, v, module), geometry.separation(u, v)
    b = 0.2 if parameterization == "relative_bias" else 0.2 / 15
    total = losses.sigmoid_loss(u, v, inverse_temperature=15.0, relative_bias=b).item()
    s, own = u @ v.T, torch.eye(20, dtype=torch.bool)
    wrong = (s[own] < b).sum() + (s[~own] > b).sum()
    expected = {
        "margin": exact.margin,
        "relative_bias": exact.relative_bias,
        "loss": total,
        "certified_margin": certificates.certified_margin(total, inverse_temperature=15.0),
        "wrong_pairs": wrong.item() / 400,
        "wrong_rows": 1 - geometry.nearest_neighbour_accuracy(u, v),
        "wrong_columns": 1 - geometry.nearest_neighbour_accuracy(v, u),
        "xi": geometry.linear_representation_gap(u, v).xi,
        "distance_of_means": (u - v).mean(0).norm().item(),
        "mean_matching": s[own].mean().item(),
        "mean_non_matching": s[~own].mean().item(),
        "inverse_temperature": 15.0,
        "trained_relative_bias": b,
        "min_matching": exact.matching,
        "max_non_matching": exact.non_matching,
    }
    assert found.keys() == expected.keys() and all(type(value) is float for value in found.values())
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert found["certified_margin"] <= found["margin"] + 1e-6


def test_a_loss_near_zero_keeps_its_digits_and_half_precision_is_widened():
    module = losses.SigmoidLoss(inverse_temperature=60.0, relative_bias=0.5)
    eye = torch.eye(8)
    exact = losses.sigmoid_loss(eye.double(), eye.double(), inverse_temperature=60.0, relative_bias=0.5).item()
    for points in (eye, eye.bfloat16(), eye.half()):
        assert scalars(points, points, module)["loss"] == pytest.approx(exact, rel=1e-4)


def test_nothing_is_tracked():
    u = torch.eye(4, requires_grad=True)
    module = losses.SigmoidLoss(inverse_temperature=10.0, relative_bias=0.0)
    scalars(u, u, module)
    assert u.grad is None and all(p.grad is None for p in module.parameters())
