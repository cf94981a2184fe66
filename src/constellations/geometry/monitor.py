"""A dozen numbers of a training batch for any logger: one product of the batch, one transfer from the device."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from constellations.certificates import certified_margin
from constellations.geometry.margin import Gap, smallest_and_largest
from constellations.losses import SigmoidLoss
from constellations.losses.arguments import diagonal

NAMES = (
    "min_matching", "max_non_matching", "mean_matching", "mean_non_matching", "wrong_pairs", "wrong_rows", "wrong_columns",
    "xi", "distance_of_means", "loss", "inverse_temperature", "trained_relative_bias",
)  # fmt: skip


@torch.no_grad()
def scalars(u: Tensor, v: Tensor, loss: SigmoidLoss) -> dict[str, float]:
    """What a batch of matched unit rows ``u, v [N, d]`` and the loss's own scalars say, as floats.

    Margin and midpoint of the batch (``margin``, ``relative_bias``), means of both kinds of products, the share of pairs on
    the wrong side of the trained relative bias, of rows and columns whose nearest neighbour is wrong, ``xi``, the distance
    of the means, the exact ``loss`` summed over the batch, and the margin that it alone proves (``certified_margin``,
    Theorem 3.2 turned around). Nothing is checked: it may be called at every step.

    >>> found = scalars(torch.eye(4), torch.eye(4), SigmoidLoss(inverse_temperature=20.0, relative_bias=0.5))
    >>> found["margin"], found["wrong_pairs"], round(found["certified_margin"], 3)
    (0.5, 0.0, 0.396)
    """
    u, v = u.float(), v.float()
    s, n = u @ v.T, len(u)
    own, x = s.diagonal(), u - v
    t, b = loss.inverse_temperature.float().reshape(()), loss.current_relative_bias().float().reshape(())
    found, matching = smallest_and_largest(s[None]), diagonal(s)
    z = t * (s - b) * (1 - 2 * matching.float())  # positive on the wrong side
    rival = s.masked_fill(matching, -torch.inf)
    values = torch.stack([
        found.matching[0], found.non_matching[0], own.mean(), (s.sum() - own.sum()) / max(n * (n - 1), 1),
        (z > 0).float().mean(), (rival.amax(1) >= own).float().mean(), (rival.amax(0) >= own).float().mean(),
        (x - x.mean(0)).square().sum(1).mean(), x.mean(0).norm(), softplus(z).double().sum(), t, b,
    ])  # fmt: skip
    result = dict(zip(NAMES, values.tolist(), strict=True))
    gap = Gap(result["min_matching"], result["max_non_matching"])
    total, scale = result["loss"], result["inverse_temperature"]
    proven = certified_margin(total, inverse_temperature=scale) if total > 0 else math.inf
    return {"margin": gap.margin, "relative_bias": gap.relative_bias, "certified_margin": proven} | result
