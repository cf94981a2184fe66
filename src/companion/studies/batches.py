"""Retrieval bounds tried out: every batch enumerated, every (t, b) of a grid, and the pairs that attain the best bound."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import logsigmoid

from constellations.certificates import RetrievalFailures, expected_batch_loss, retrieval_failure_bounds
from constellations.checks import integer
from constellations.geometry import nearest_neighbour_accuracy
from constellations.losses import signed_logits
from constellations.sphere import as_pairs, normalize, random_points


@dataclass(frozen=True)
class Enumeration:
    """Failing fractions and bounds, one entry per (configuration, batch size), and how far the closed form is off."""

    failing: np.ndarray
    bounds: RetrievalFailures
    n_batches: int
    closed_form_error: float


def enumerate_batches(*, n_pairs: int, n_trials: int, seed: int) -> Enumeration:
    """Bounds of random configurations, with the expected batch loss taken over all batches of every size, listed.

    The configurations range from unrelated to nearly aligned pairs in 2 to 4 dimensions, ``t`` over four decades; the
    failing fraction is the larger one of the two directions.

    Raises
    ------
    ValueError
        If ``n_pairs`` is not from 2 to 14 (there are ``2^N`` batches) or ``n_trials < 1``.
    """
    if not 2 <= n_pairs <= 14:
        raise ValueError(f"n_pairs must be from 2 to 14, got {n_pairs!r}")
    integer(n_trials, "n_trials", 1)
    rng = np.random.default_rng(seed)
    batches = np.array([mask for mask in itertools.product((0.0, 1.0), repeat=n_pairs) if sum(mask) >= 2])
    sizes = range(2, n_pairs + 1)
    failing, expected, errors = [], [], []
    for _ in range(n_trials):
        u, v, entries = _random_setting(n_pairs, rng)
        failing.append(1 - min(float(nearest_neighbour_accuracy(*pair)) for pair in ((u, v), (v, u))))
        losses = np.einsum("bi,ij,bj->b", batches, entries, batches)
        listed = [losses[batches.sum(1) == size].mean() for size in sizes]
        closed = [expected_batch_loss(entries, batch_size=size) for size in sizes]
        expected.append(listed)
        errors.append(np.abs(np.subtract(closed, listed)) / np.maximum(listed, 1e-300))
    bounds = retrieval_failure_bounds(np.ravel(expected), n_pairs=n_pairs, batch_size=np.tile(sizes, n_trials))
    return Enumeration(np.repeat(failing, len(sizes)), bounds, len(batches), float(np.max(errors)))


def least_expected_loss(
    u: ArrayLike,
    v: ArrayLike,
    batch_sizes: Sequence[int] | np.ndarray,
    *,
    inverse_temperatures: Sequence[float] | np.ndarray,
    relative_biases: Sequence[float] | np.ndarray,
) -> np.ndarray:
    """Least expected batch loss over a grid of ``(t, b_rel)``, for every batch size ``[S]``: each choice proves a bound."""
    u, v = as_pairs(u, v)
    grid = itertools.product(inverse_temperatures, relative_biases)
    losses = (_entries(u.double(), v.double(), t, b) for t, b in grid)
    return np.min([[expected_batch_loss(x, batch_size=int(size)) for size in batch_sizes] for x in losses], axis=0)


def attaining_pairs(n_pairs: int, *, n_failing: int) -> tuple[Tensor, Tensor]:
    r"""Pairs of which exactly ``K`` rows fail, and whose batch losses attain the weighted bound as ``t`` grows.

    ``v`` is orthonormal and ``u_i`` has the wanted products ``s_ij`` for its first coordinates: the first ``K`` rows tie,
    ``s_ii = s_{i,i+1} = 0``, the others succeed with ``s_ii = m``, and all that remain are ``-m``, with
    ``m = N^{-1/2}``. At ``b = log rho``, ``rho = (B-1)/(N-1)``, each failing row costs ``l(log rho)`` and
    ``l(-log rho)``, and everything else ``e^{-t m}`` or so. Shapes ``[N, N + 1]``.

    >>> u, v = attaining_pairs(6, n_failing=3)
    >>> nearest_neighbour_accuracy(u, v)
    0.5
    """
    n, failing = integer(n_pairs, "n_pairs", 2), integer(n_failing, "n_failing", 0)
    if failing > n:
        raise ValueError(f"n_failing must be at most n_pairs = {n}, got {n_failing!r}")
    products = (2 * torch.eye(n, dtype=torch.float64) - 1) / math.sqrt(n)
    rows = torch.arange(failing)
    products[rows, rows] = products[rows, (rows + 1) % n] = 0.0
    rest = (1 - products.square().sum(1, keepdim=True)).clamp_min(0).sqrt()
    return torch.cat([products, rest], 1), torch.eye(n, n + 1, dtype=torch.float64)


def _entries(u: Tensor, v: Tensor, t: float, relative_bias: float) -> np.ndarray:
    """The ``[N, N]`` losses of all pairs."""
    logits = signed_logits(u, v, inverse_temperature=t, bias=None, relative_bias=relative_bias)
    return -logsigmoid(logits).numpy()


def _random_setting(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, np.ndarray]:
    """A random configuration, in every other case with some pairs doubled, and its entries at one ``(t, b_rel)``.

    Of several random ``(t, b_rel)`` the one of least loss is taken, so that the bounds are tried where they are tight.
    """
    dim, seed, closeness = int(rng.integers(2, 5)), int(rng.integers(2**31)), rng.uniform(0, 1)
    u = random_points(n, dim, seed=seed)
    v = normalize(closeness * u + (1 - closeness) * random_points(n, dim, seed=seed, stream=1))
    if rng.random() < 0.5:
        twins = 2 * int(rng.integers(0, n // 2 + 1))
        v[:twins] = u[:twins] = u[: twins // 2].repeat_interleave(2, dim=0)
    scalars = [(10 ** rng.uniform(-1, 3), rng.uniform(-0.5, 1.0)) for _ in range(int(rng.integers(1, 20)))]
    return u, v, min((_entries(u, v, t, b) for t, b in scalars), key=np.sum)
