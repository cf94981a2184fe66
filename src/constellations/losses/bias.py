"""The bias that minimises the exact sigmoid loss at a given inverse temperature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import log_expit, logsumexp
from torch import Tensor

from constellations.checks import positive
from constellations.sphere import Points, as_pairs


@dataclass(frozen=True)
class OptimalBias:
    """Minimiser of the exact sigmoid loss over the bias at a fixed inverse temperature, and the infimum it gives."""

    bias: Any
    relative_bias: Any
    loss: Any


def best_bias(
    matching: np.ndarray, others: np.ndarray, *, inverse_temperature: float, weights: np.ndarray | None = None
) -> tuple[float, float]:
    """``(b, inf_b L)`` from inner products of either kind, the others counted ``weights`` times.

    ``dL/db = sum sigmoid(b - t s_matching) - sum w sigmoid(t s_other - b)`` increases in ``b``; the root is that of the
    difference of the two sums' logarithms, which no temperature underflows.

    >>> b, loss = best_bias(np.ones(3), np.zeros(6), inverse_temperature=2000.0)
    >>> round(b - 1000, 6), loss
    (0.346574, 0.0)
    """
    own, rest = inverse_temperature * matching.ravel(), inverse_temperature * others.ravel()
    weights = np.ones_like(rest) if weights is None else weights

    def slope(b: float) -> float:
        return float(logsumexp(log_expit(b - own)) - logsumexp(log_expit(rest - b), b=weights))

    reach = np.log(len(own)) + np.log(weights.sum()) + 2
    low, high = min(own.min(), rest.min()) - reach, max(own.max(), rest.max()) + reach
    b = brentq(slope, low, high, xtol=1e-14, rtol=4 * np.finfo(float).eps)
    loss = -log_expit(own - b).sum() - (weights * log_expit(b - rest)).sum()
    return b, float(loss) + 0.0


def optimal_bias(u: Points, v: Points, *, inverse_temperature: Points) -> OptimalBias:
    """The bias that minimises the exact summed loss at a given ``t``, in float64.

    Accepts ``[..., N, d]`` and ``t`` that broadcast with the leading shape; a single configuration and scalar ``t`` give
    floats.
    """
    u, v = as_pairs(u, v)
    s = (u.detach().double() @ v.detach().double().mT).cpu().numpy()
    given = inverse_temperature
    t = positive(given.detach().cpu().numpy() if isinstance(given, Tensor) else given, "inverse_temperature")
    shape, n = np.broadcast_shapes(t.shape, s.shape[:-2]), s.shape[-1]
    s, t, off = np.broadcast_to(s, (*shape, n, n)), np.broadcast_to(t, shape), ~np.eye(n, dtype=bool)
    each = np.ndindex(shape)
    found = [best_bias(np.diag(s[k]), s[k][off], inverse_temperature=float(t[k])) for k in each]
    if not shape:
        return OptimalBias(found[0][0], found[0][0] / float(t), found[0][1])
    b, loss = torch.tensor(found, dtype=torch.float64, device=u.device).T.reshape(2, *shape)
    return OptimalBias(b, b / torch.tensor(t.copy(), device=u.device), loss)
