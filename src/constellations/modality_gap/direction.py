"""The direction of Theorem 3.6, computed: the point of the convex hull of ``u`` nearest to the origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from constellations.checks import require
from constellations.modality_gap.nearest import min_norm_point
from constellations.modality_gap.sign_condition import check_sign_condition, configuration


@dataclass(frozen=True)
class SeparatingDirection:
    """The unit direction ``h`` of Theorem 3.6 and what it separates.

    ``h`` is the convex combination of the ``u_i`` over ``support`` (at most ``d`` indices), normalised.
    ``u_projection`` is ``<h, u_i>``, at least ``distance`` for every ``i``; ``v_projection`` is ``<h, v_j>``,
    negative for every ``j`` outside the support. ``n_negative`` counts the negative ones: at least ``N - d``, as the
    paper proves, and in fact at least ``guaranteed = N - d + 1``, which no theorem can improve. ``clearance`` is
    ``min_{i != j} -s_ij``: all ``u_i``, and all ``v_j`` outside the support, are at least so far from the hyperplane.
    """

    direction: Tensor
    support: tuple[int, ...]
    distance: float
    u_projection: Tensor
    v_projection: Tensor
    n_negative: int
    guaranteed: int
    clearance: float


def separating_direction(u: ArrayLike, v: ArrayLike) -> SeparatingDirection:
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
    require(n >= dim + 2, "n_pairs", f"at least dim + 2 = {dim + 2} for Theorem 3.6", n)
    check_sign_condition(u, v, matching=False)
    point, weights = min_norm_point(u.numpy())
    distance = float(np.linalg.norm(point))
    direction = torch.from_numpy(point / distance)
    v_projection = v @ direction
    return SeparatingDirection(
        direction=direction, support=tuple(np.flatnonzero(weights).tolist()), distance=distance,
        u_projection=u @ direction, v_projection=v_projection, n_negative=int((v_projection < 0).sum()),
        guaranteed=n - dim + 1, clearance=-float((u @ v.T).fill_diagonal_(-torch.inf).max()),
    )  # fmt: skip
