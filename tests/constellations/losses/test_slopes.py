"""The closed slopes of the sigmoid loss: those of automatic differentiation, and where the clamped ones die."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from constellations.losses.arguments import Matching
from constellations.losses.slopes import exact_slopes_, published_slopes_


def slopes(logits: Tensor, loss: str, *, matching: bool) -> Tensor:
    """``dL/dz`` at each of the logits, as one entry of a 2 x 2 table with all others at rest."""
    tables = torch.zeros(len(logits), 2, 2, dtype=logits.dtype)
    tables[:, 0, 1 - matching] = logits
    if loss == "exact":
        exact_slopes_(tables, Matching())
    else:
        published_slopes_(tables, torch.empty_like(tables))
    return tables[:, 0, 1 - matching]


@pytest.mark.parametrize("loss", ["exact", "published"])
@pytest.mark.parametrize("matching", [True, False])
def test_float32_slopes_are_those_of_automatic_differentiation(loss, matching):
    z = torch.linspace(-300, 300, 4001)
    found = slopes(z, loss, matching=matching)
    p = torch.sigmoid(z.requires_grad_())
    if loss == "published":
        value = -torch.log((p if matching else 1 - p) + 1e-8)
    else:
        value = -torch.nn.functional.logsigmoid(z if matching else -z)
    (expected,) = torch.autograd.grad(value.sum(), z)
    assert torch.allclose(found, expected, rtol=2e-6, atol=1e-37)
    assert bool(((found == 0) == (expected == 0)).all()) or loss == "exact"


@pytest.mark.parametrize("matching", [True, False])
def test_the_clamped_slope_of_a_badly_violated_pair_dies_and_the_exact_one_does_not(matching):
    z = torch.tensor([10.0, 30.0, 200.0]) * (-1 if matching else 1)
    at_10, at_30, at_200 = slopes(z, "published", matching=matching).abs().tolist()
    assert at_10 == pytest.approx(1.0, abs=1e-3)
    assert at_30 < 1e-4
    assert at_200 == 0
    assert slopes(z, "exact", matching=matching)[2].abs() == 1


def test_the_float32_slope_of_a_non_matching_pair_is_exactly_zero_beyond_25_log_2():
    beyond, before = slopes(torch.tensor([25 * math.log(2) + 0.1, 16.0]), "published", matching=False).tolist()
    assert beyond == 0.0
    assert before > 0.5
