"""Hyperplanes between the modalities by linear and mixed-integer programming."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from torch import Tensor

from constellations.checks import require
from constellations.modality_gap.sign_condition import configuration


@dataclass(frozen=True)
class LinearSeparability:
    """Whether some ``h`` has ``<h, u_i> > 0 > <h, v_j>`` for all ``i, j``, with a certificate either way.

    ``margin`` is the smallest of ``<h, u_i>`` and ``-<h, v_j>`` for the unit ``direction`` found: above 0 proves
    separability. ``upper_bound`` is the norm of the point ``sum_i a_i u_i - sum_j b_j v_j`` for the convex weights
    ``a, b`` of the dual program: no unit direction has a larger margin, so 0 proves inseparability.
    """

    separable: bool
    margin: float
    upper_bound: float
    direction: Tensor


@dataclass(frozen=True)
class MaxSeparable:
    """The most pairs one hyperplane splits (``<h, u_i> > 0 > <h, v_i>``), with a direction that attains it.

    ``n_separated`` is counted from ``direction``, ``upper_bound`` is the program's; equal where that many are proved best.
    """

    n_separated: int
    upper_bound: int
    direction: Tensor


def linear_separability(u: ArrayLike, v: ArrayLike, *, affine: bool = False) -> LinearSeparability:
    r"""Decide by linear programming whether a hyperplane through the origin separates all ``u`` from all ``v``.

    Maximise ``e`` subject to ``<h, u_i> >= e``, ``<h, v_j> <= -e``, ``|h|_inf <= 1``. The program's dual gives
    convex weights whose combination of the ``u_i`` and ``-v_j`` is the origin when no such hyperplane exists.

    Parameters
    ----------
    u, v:
        Unit vectors ``[N, d]``, as many of one as of the other. (Sets of different sizes, and large ones:
        :func:`separating_hyperplane`.)
    affine:
        Allow an offset: a constant coordinate 1 is appended to both (``direction`` then has ``d + 1`` entries, and
        margins refer to it as a unit vector).

    Examples
    --------
    >>> from constellations.constructions import tight_modality_gap, double_constant_embedding
    >>> linear_separability(*tight_modality_gap(3, n_wedge=5)).separable
    False
    >>> linear_separability(*double_constant_embedding(5, delta=0.8)).separable
    True
    """
    u, v = configuration(u, v)
    if affine:
        u, v = (torch.nn.functional.pad(x, (0, 1), value=1.0) for x in (u, v))
    signed = torch.cat([u, -v]).numpy()
    n, dim = signed.shape
    box, rows = [(-1, 1)] * dim + [(0, None)], np.c_[-signed, np.ones(n)]
    found = linprog(np.r_[np.zeros(dim), -1.0], A_ub=rows, b_ub=np.zeros(n), bounds=box)
    if found.status != 0:
        raise RuntimeError(f"the linear program did not finish: {found.message}")
    weights = np.maximum(-found.ineqlin.marginals, 0.0)
    upper = float(np.linalg.norm(weights @ signed) / weights.sum()) if weights.sum() > 0 else math.inf
    direction = found.x[:-1] / (np.linalg.norm(found.x[:-1]) or 1.0)
    margin = float((signed @ direction).min())
    return LinearSeparability(margin > 1e-9, margin, upper, torch.from_numpy(direction))


def max_separable(
    u: ArrayLike, v: ArrayLike, *, all_u: bool = False, resolution: float = 1e-4, time_limit: float = 60.0
) -> MaxSeparable:
    r"""The most pairs a hyperplane through the origin can split, by mixed-integer programming (small ``N``).

    Maximise ``sum_i z_i`` over binary ``z`` and ``|h|_inf <= 1`` with ``<h, u_i> >= resolution`` and
    ``<h, v_i> <= -resolution`` wherever ``z_i = 1``.

    Parameters
    ----------
    u, v:
        Unit vectors ``[N, d]``, ``N`` up to about 25.
    all_u:
        Require ``<h, u_i> >= resolution`` for every ``i``, as Theorem 3.6 does, and count the ``v_i`` only.
    resolution:
        How far from the hyperplane a point counts as off it, in (1e-5, 0.1): the solver's own tolerance is 1e-6.
    time_limit:
        Seconds after which the best found so far is returned, with the bound known then.

    Raises
    ------
    ValueError
        For a resolution or time limit out of range, or if ``all_u`` cannot be met.

    Examples
    --------
    >>> from constellations.constructions import tight_modality_gap
    >>> found = max_separable(*tight_modality_gap(3, n_wedge=4))
    >>> found.n_separated, found.upper_bound
    (4, 4)
    """
    u, v = configuration(u, v)
    require(1e-5 < resolution < 0.1, "resolution", "in (1e-5, 0.1)", resolution)
    require(time_limit > 0, "time_limit", "above 0 seconds", time_limit)
    n, dim = u.shape
    relax = (math.sqrt(dim) + resolution) * np.eye(n)
    u_relax = np.zeros_like(relax) if all_u else relax
    rows = np.block([[u.numpy(), -u_relax], [-v.numpy(), -relax]])
    free = np.r_[np.diag(u_relax), np.diag(relax)]
    h, z = np.zeros(dim), np.ones(n)
    found = milp(
        np.r_[h, -z], constraints=LinearConstraint(rows, lb=resolution - free), integrality=np.r_[h, z],
        bounds=Bounds(np.r_[h - 1, z - 1], np.ones(dim + n)), options={"time_limit": time_limit},
    )  # fmt: skip
    if found.x is None:
        raise ValueError(f"u and v admit no direction as required (all_u = {all_u}): {found.message}")
    direction = torch.from_numpy(found.x[:dim] / np.linalg.norm(found.x[:dim]))
    count = int(((u @ direction > 0) & (v @ direction < 0)).sum())
    bound = min(n, math.floor(-found.mip_dual_bound + 1e-6))
    return MaxSeparable(count, max(bound, count), direction)
