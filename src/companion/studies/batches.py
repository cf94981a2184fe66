"""Retrieval bounds against brute force: every batch enumerated, and every (t, b) of a grid tried."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from constellations.certificates import (
    RetrievalFailures,
    expected_batch_loss,
    retrieval_failure_bounds,
    softplus,
)
from constellations.geometry import inner_products
from constellations.losses import signed_logits
from constellations.sphere import as_pairs, normalize, random_points

NAMES = {"Proposition 1": "proposition_1", "two entries": "two_entries", "weighted": "weighted"}


@dataclass(frozen=True)
class Enumeration:
    """Failing fractions and bounds, one entry per (configuration, batch size), and how far the closed form is off."""

    failing: np.ndarray
    bounds: RetrievalFailures
    n_batches: int
    closed_form_error: float


def failing_fraction(u: Any, v: Any, *, both: bool = False) -> float:
    """Fraction of the ``u_i`` with a rival ``v_j`` at least as near as ``v_i`` (ties fail), for one ``[N, d]``.

    ``both=True`` searches from ``v`` to ``u`` too and gives the larger fraction.

    >>> failing_fraction([[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]])
    1.0
    """
    s = inner_products(u, v)
    rivals = s.masked_fill(torch.eye(s.shape[-1], dtype=torch.bool), -torch.inf).amax(-1)
    fraction = (s.diagonal() <= rivals).double().mean().item()
    return max(fraction, failing_fraction(v, u)) if both else fraction


def enumerate_batches(*, n_pairs: int, n_trials: int, seed: int) -> Enumeration:
    """Bounds of random configurations, with the expected batch loss taken over all batches of every size, listed.

    The configurations range from unrelated to nearly aligned pairs in 2 to 4 dimensions, ``t`` over four decades.

    Raises
    ------
    ValueError
        If ``n_pairs`` is not from 2 to 14 (there are ``2^N`` batches) or ``n_trials < 1``.
    """
    if not 2 <= n_pairs <= 14:
        raise ValueError(f"n_pairs must be from 2 to 14, got {n_pairs!r}")
    if n_trials < 1:
        raise ValueError(f"n_trials must be at least 1, got {n_trials!r}")
    rng = np.random.default_rng(seed)
    members = _members(n_pairs)
    sizes = members.sum(1).astype(int)
    failing, losses, batch_sizes, errors = [], [], [], []
    for _ in range(n_trials):
        u, v, entries = _random_setting(n_pairs, rng)
        per_batch = np.einsum("bi,ij,bj->b", members, entries, members)
        for size in range(2, n_pairs + 1):
            expected = per_batch[sizes == size].mean()
            closed = expected_batch_loss(entries, batch_size=size)
            errors.append(abs(closed - expected) / max(expected, 1e-300))
            failing.append(failing_fraction(u, v, both=True))
            losses.append(expected)
            batch_sizes.append(size)
    bounds = retrieval_failure_bounds(np.array(losses), n_pairs=n_pairs, batch_size=np.array(batch_sizes))
    return Enumeration(np.array(failing), bounds, len(members), float(max(errors)))


def bounds_by_batch_size(
    u: Any,
    v: Any,
    batch_sizes: Sequence[int] | np.ndarray,
    *,
    inverse_temperatures: Sequence[float] | np.ndarray,
    relative_biases: Sequence[float] | np.ndarray,
) -> dict[str, np.ndarray]:
    """The three bounds at every batch size, each at the best ``(t, b_rel)`` of a grid; any choice is valid.

    Raises
    ------
    ValueError
        For bad points, ``t <= 0`` or a batch size outside ``[2, N]``.
    """
    u, v = as_pairs(u, v)
    s = inner_products(u, v).double().numpy()
    n, sizes = len(s), np.asarray(batch_sizes, dtype=float)
    diagonal, off = np.diag(s), s[~np.eye(n, dtype=bool)]
    best = {name: np.full(len(sizes), np.inf) for name in NAMES}
    for t, b in itertools.product(inverse_temperatures, relative_biases):
        matching, rest = softplus(-t * (diagonal - b)).sum(), softplus(t * (off - b)).sum()
        expected = sizes / n * (matching + (sizes - 1) / (n - 1) * rest)
        bounds = retrieval_failure_bounds(expected, n_pairs=n, batch_size=sizes)
        for name, key in NAMES.items():
            best[name] = np.minimum(best[name], getattr(bounds, key))
    return best


def _members(n: int) -> np.ndarray:
    """Indicator rows of all subsets of at least two of ``n`` indices."""
    masks = np.array(list(itertools.product((0.0, 1.0), repeat=n)))
    return masks[masks.sum(1) >= 2]


def _random_setting(n: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """A random configuration, in every other case with some pairs doubled, and its entries at one ``(t, b_rel)``.

    Of several random ``(t, b_rel)`` the one of least loss is taken, so that the bounds are tried where they are tight.
    """
    dim, seed, closeness = int(rng.integers(2, 5)), int(rng.integers(2**31)), rng.uniform(0, 1)
    u = random_points(n, dim, seed=seed)
    v = normalize(closeness * u + (1 - closeness) * random_points(n, dim, seed=seed, stream=1))
    if rng.random() < 0.5:
        twins = 2 * int(rng.integers(0, n // 2 + 1))
        v[:twins] = u[:twins] = u[: twins // 2].repeat_interleave(2, dim=0)
    candidates = []
    for _ in range(int(rng.integers(1, 20))):
        t, b = 10 ** rng.uniform(-1, 3), rng.uniform(-0.5, 1.0)
        logits = signed_logits(u, v, inverse_temperature=t, bias=None, relative_bias=b)
        candidates.append(softplus(-logits.numpy()))
    return u, v, min(candidates, key=np.sum)
