"""The sign condition of Theorem 3.6: checking it, reaching it, and reducing a constellation to it."""

from __future__ import annotations

import math

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from constellations.checks import integer, require
from constellations.sphere import as_pairs, normalize, random_points


def configuration(u: ArrayLike, v: ArrayLike) -> tuple[Tensor, Tensor]:
    """One configuration ``[N, d]`` on the CPU in float64, without gradient."""
    u, v = as_pairs(u, v)
    require(u.ndim == 2, "u and v", "one configuration [N, d]", tuple(u.shape))
    return u.detach().to("cpu", torch.float64), v.detach().to("cpu", torch.float64)


def check_sign_condition(u: ArrayLike, v: ArrayLike, *, matching: bool = True) -> None:
    """Raise unless ``s_ij < 0`` for all ``i != j`` and, with ``matching``, also ``s_ii > 0`` for all ``i``.

    A constellation with ``m > |b_rel|`` satisfies both; ``b_rel < m`` is enough for the first.

    Parameters
    ----------
    matching:
        Whether the matching pairs are looked at, too.
    """
    u, v = configuration(u, v)
    s = u @ v.T
    i = int(s.diagonal().argmin())
    if matching and not s[i, i] > 0:
        raise ValueError(f"u and v must have s_ii > 0 for all i, got s_ii = {s[i, i]:.4g} for i = {i}")
    s.fill_diagonal_(-torch.inf)
    i, j = divmod(int(s.argmax()), len(s))
    if not s[i, j] < 0:
        raise ValueError(f"u and v must have s_ij < 0 for all i != j, got s_ij = {s[i, j]:.4g} for {(i, j)}")


def sign_condition_samples(
    n_pairs: int, dim: int, *, n_runs: int, seed: int, n_steps: int = 700
) -> list[tuple[Tensor, Tensor]]:
    r"""Configurations that have just come to satisfy ``s_ii > 0 > s_ij``: random points moved until they do.

    Each run starts from independent uniform points and follows the gradient of
    ``sum relu(1e-3 - y_ij s_ij)`` (``y = 1`` for matching pairs, -1 for others) with step 0.03 on the sphere; it
    stops at the first step where all signs are right. Nothing pushes for a margin, so these are about as loose as
    configurations with the sign condition come.

    Parameters
    ----------
    n_pairs, dim:
        Size, ``n_pairs >= 2``.
    n_runs:
        Random starts; run ``r`` draws its points from seed ``seed + r``.
    n_steps:
        Runs that take longer are dropped.

    Returns
    -------
    list of (u, v)
        Float64 ``[N, d]`` each; at most ``n_runs`` of them, and none where they do not exist (Proposition 5).

    Examples
    --------
    >>> len(sign_condition_samples(6, 4, n_runs=10, seed=0)) > 5
    True
    """
    for name, value, lowest in (("n_runs", n_runs, 1), ("n_steps", n_steps, 1), ("n_pairs", n_pairs, 2)):
        integer(value, name, lowest)
    starts = [random_points(n_pairs, dim, seed=seed + r, stream=a) for r in range(n_runs) for a in (0, 1)]
    x = torch.stack(starts).unflatten(0, (n_runs, 2))
    wrong = 1 - 2 * torch.eye(n_pairs, dtype=x.dtype)
    found = []
    for _ in range(n_steps):
        signed = wrong * (x[:, 0] @ x[:, 1].transpose(-1, -2))
        ready = signed.amax((-1, -2)) < 0
        found += [(u, v) for u, v in x[ready]]
        x, signed = x[~ready], signed[~ready]
        if len(x) == 0:
            break
        pull = wrong * (signed > -1e-3)
        gradient = torch.stack([pull @ x[:, 1], pull.transpose(-1, -2) @ x[:, 0]], dim=1)
        x = normalize(x - 0.03 * gradient)
    return found


def zero_bias_lift(u: ArrayLike, v: ArrayLike, *, relative_bias: float) -> tuple[Tensor, Tensor]:
    r"""An ``(m, b_rel)``-constellation moved to relative bias 0 with one more dimension (ours).

    .. math::
        U'_i = \frac{(U_i, r)}{\sqrt{1+|b|}}, \quad V'_i = \frac{(V_i, \mp r)}{\sqrt{1+|b|}}, \quad r = \sqrt{|b|}

    with opposite suffixes for ``b_rel > 0`` and equal ones for ``b_rel < 0``: ``s' = (s - b_rel)/(1 + |b_rel|)``,
    an ``(m/(1+|b_rel|), 0)``-constellation. Shapes ``[..., N, d]`` to ``[..., N, d+1]``.

    Examples
    --------
    >>> from constellations.constructions import simplex
    >>> from constellations.geometry import separation
    >>> round(separation(*zero_bias_lift(simplex(3), simplex(3), relative_bias=0.25)).margin, 12)
    0.6
    """
    u, v = as_pairs(u, v)
    require(-1 <= relative_bias <= 1, "relative_bias", "in [-1, 1]", relative_bias)
    scale, suffix = math.sqrt(1 + abs(relative_bias)), math.sqrt(abs(relative_bias))
    side = -1.0 if relative_bias > 0 else 1.0
    column = u.new_full((*u.shape[:-1], 1), suffix)
    return torch.cat([u, column], dim=-1) / scale, torch.cat([v, side * column], dim=-1) / scale
