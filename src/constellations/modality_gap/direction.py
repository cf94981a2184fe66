"""The direction of Theorem 3.6, computed: the point of the convex hull of ``u`` nearest to the origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from constellations.modality_gap.signs import check_sign_condition, configuration

ON_SUPPORT = 1e-12


@dataclass(frozen=True)
class SeparatingDirection:
    """The unit direction ``h`` of Theorem 3.6 and what it separates.

    ``h`` is the convex combination ``sum_i weights_i u_i`` over ``support`` (at most ``d`` indices), normalised.
    ``u_projection`` is ``<h, u_i>``, at least ``distance`` for every ``i``; ``v_projection`` is ``<h, v_j>``,
    negative for every ``j`` outside the support. ``n_negative`` counts the negative ones: at least ``N - d``, as the
    paper proves, and in fact at least ``guaranteed = N - d + 1``, which no theorem can improve. ``clearance`` is
    ``min_{i != j} -s_ij``: all ``u_i``, and all ``v_j`` outside the support, are at least so far from the hyperplane.
    """

    direction: Tensor
    support: tuple[int, ...]
    weights: Tensor
    distance: float
    u_projection: Tensor
    v_projection: Tensor
    n_negative: int
    guaranteed: int
    clearance: float


def min_norm_point(points: Any) -> tuple[np.ndarray, np.ndarray]:
    r"""The point of least norm of ``conv(points)`` and convex weights on affinely independent points.

    Non-negative least squares of ``[X^T; 1^T] w = [0; 1]``, normalised: for ``w = s a`` with convex ``a`` the best
    ``s`` leaves the residual ``|X^T a|^2 / (1 + |X^T a|^2)``, which grows with ``|X^T a|``. The weights are then
    recomputed on their support.

    Parameters
    ----------
    points:
        ``[N, d]``, any norms.

    Returns
    -------
    (point, weights)
        Of shapes ``[d]`` and ``[N]``.

    Examples
    --------
    >>> point, weights = min_norm_point([[1.0, 1.0], [1.0, -1.0], [3.0, 0.0]])
    >>> [round(float(w), 6) for w in weights], [abs(round(float(x), 6)) for x in point]
    ([0.5, 0.5, 0.0], [1.0, 0.0])
    """
    x = np.asarray(points, dtype=float)
    if x.ndim != 2 or 0 in x.shape or not np.isfinite(x).all():
        raise ValueError(f"points must be a finite array [N, d], got shape {x.shape}")
    system = np.concatenate([x.T, np.ones((1, len(x)))])
    target = np.zeros(len(system))
    target[-1] = 1.0
    weights, _ = nnls(system, target, maxiter=max(1000, 30 * len(x)))
    weights = _reduce_support(x, weights / weights.sum())
    return weights @ x, weights


def _reduce_support(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The same point from affinely independent points (Caratheodory), then refined on that support."""
    weights = np.where(weights > ON_SUPPORT, weights, 0.0)
    while True:
        support = np.flatnonzero(weights)
        rows = np.concatenate([x[support].T, np.ones((1, len(support)))])
        _, values, vt = np.linalg.svd(rows, full_matrices=True)
        rank = int((values > 1e-10 * values[0]).sum())
        if rank == len(support):
            return _refine(x, weights, support)
        dependency = vt[-1] if vt[-1].max() > -vt[-1].min() else -vt[-1]
        ratios = np.where(dependency > 1e-14, weights[support] / np.maximum(dependency, 1e-14), np.inf)
        weights[support] -= ratios.min() * dependency
        weights[support[ratios.argmin()]] = 0.0
        weights = np.maximum(weights, 0.0)


def _refine(x: np.ndarray, weights: np.ndarray, support: np.ndarray) -> np.ndarray:
    """Least-norm affine combination of the support, if it is still convex; the weights given otherwise."""
    base, others = x[support[0]], x[support[1:]]
    solved = np.linalg.lstsq((others - base).T, -base, rcond=None)[0]
    refined = np.concatenate([[1 - solved.sum()], solved])
    out = np.zeros_like(weights)
    out[support] = refined if (refined > 0).all() else weights[support] / weights[support].sum()
    return out


def separating_direction(u: Any, v: Any) -> SeparatingDirection:
    r"""A unit ``h`` with ``<h, u_i> > 0`` for all ``i`` and ``<h, v_j> < 0`` for at least ``N - d + 1`` of the ``j``.

    ``h`` is the direction of the point ``x`` of ``conv(u)`` nearest to the origin. That point is not the origin:
    otherwise ``0 = sum_S a_i u_i`` with at most ``d + 1 < N`` terms, and ``0 = sum_S a_i s_ik < 0`` for ``k`` outside
    ``S``. Being nearest, ``<h, u_i> >= |x| > 0``; lying on a face, it is a combination of at most ``d`` of the
    ``u_i``, and ``<h, v_k> < 0`` for every other ``k``: ``N - d`` of them. One more comes free. If ``S`` has ``d``
    indices and ``<h, v_k> >= 0`` on all of ``S``, write ``u_j = sum_S c_i u_i`` for some ``j`` outside and let ``k``
    maximise ``r = max c_i / a_i > 0``; then ``r x - u_j`` has non-negative coefficients and none at ``k``, so its
    product with ``v_k`` is at most 0, yet it is ``r <x, v_k> - s_jk > 0``.

    Parameters
    ----------
    u, v:
        Unit vectors ``[N, d]``, ``N >= d + 2``, with ``s_ij < 0`` for ``i != j``. (The paper also asks for
        ``s_ii > 0``, which the proof does not need.)

    Raises
    ------
    ValueError
        If some ``s_ij >= 0``, ``i != j`` (naming the pair), or ``N < d + 2``.

    Notes
    -----
    Theorem 3.6 of the paper (``N - d``, under ``s_ii > 0 > s_ij``), made computable and sharpened by one;
    :func:`constellations.constructions.tight_modality_gap` attains ``N - d + 1``.

    Examples
    --------
    >>> from constellations.constructions import tight_modality_gap
    >>> found = separating_direction(*tight_modality_gap(3, n_wedge=5))
    >>> found.n_negative, found.guaranteed, len(found.support)
    (5, 5, 3)
    """
    u, v = configuration(u, v)
    n, dim = u.shape
    if n < dim + 2:
        raise ValueError(f"n_pairs must be at least dim + 2 = {dim + 2} for Theorem 3.6, got {n}")
    check_sign_condition(u, v, matching=False)
    point, weights = min_norm_point(u.numpy())
    distance = float(np.linalg.norm(point))
    direction = torch.from_numpy(point / distance)
    v_projection = v @ direction
    return SeparatingDirection(
        direction=direction,
        support=tuple(np.flatnonzero(weights).tolist()),
        weights=torch.from_numpy(weights),
        distance=distance,
        u_projection=u @ direction,
        v_projection=v_projection,
        n_negative=int((v_projection < 0).sum()),
        guaranteed=n - dim + 1,
        clearance=-float((u @ v.T).fill_diagonal_(-torch.inf).max()),
    )


def distance_to_cone_of_others(points: Any) -> np.ndarray:
    """Distance of every point to the convex cone spanned by all the others, ``[N, d]`` to ``[N]``.

    Under the sign condition the distance of ``u_i`` is at least ``s_ii``, because every ``y`` in the cone has
    ``<y, v_i> <= 0``: Proposition 4 of the paper, with a number.

    Examples
    --------
    >>> distance_to_cone_of_others([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]).round(6).tolist()
    [0.8, 0.6, 0.0]
    """
    x = np.asarray(points, dtype=float)
    if x.ndim != 2 or len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"points must be a finite array [N, d] with N >= 2, got shape {x.shape}")
    return np.array([nnls(np.delete(x, i, axis=0).T, x[i])[1] for i in range(len(x))])
