"""Hyperplanes through the origin that tell the two modalities apart (Theorem 3.6 of the paper)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import Bounds, LinearConstraint, linprog, milp, nnls
from torch import Tensor

from constellations.sphere import as_pairs

ON_SUPPORT = 1e-12


@dataclass(frozen=True)
class SeparatingDirection:
    """The unit direction ``h`` of Theorem 3.6 and what it separates.

    ``h`` is the convex combination ``sum_i weights_i u_i`` over ``support`` (at most ``d`` indices), normalised.
    ``u_projection`` is ``<h, u_i>``, at least ``distance`` for every ``i``; ``v_projection`` is ``<h, v_j>``,
    negative for every ``j`` outside the support. ``n_negative`` counts the negative ones: at least ``N - d``, as the
    paper proves, and in fact at least ``guaranteed = N - d + 1``, which no theorem can improve.
    """

    direction: Tensor
    support: tuple[int, ...]
    weights: Tensor
    distance: float
    u_projection: Tensor
    v_projection: Tensor
    n_negative: int
    guaranteed: int


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

    ``n_separated`` is counted from ``direction``, ``upper_bound`` is the program's; equal when ``proven``.
    """

    n_separated: int
    upper_bound: int
    direction: Tensor
    separated: Tensor

    @property
    def proven(self) -> bool:
        return self.n_separated == self.upper_bound


@dataclass(frozen=True)
class Perceptron:
    """A perceptron's unit normal, its number of updates, the points left on the wrong side, and the projections."""

    direction: Tensor
    n_updates: int
    n_errors: int
    u_projection: Tensor
    v_projection: Tensor

    @property
    def converged(self) -> bool:
        return self.n_errors == 0


def check_sign_condition(u: Any, v: Any) -> None:
    """Raise unless ``s_ii > 0`` for all ``i`` and ``s_ij < 0`` for all ``i != j``.

    A constellation with ``m > |b_rel|`` satisfies it.
    """
    u, v = _configuration(u, v)
    s = u @ v.T
    i = int(s.diagonal().argmin())
    if not s[i, i] > 0:
        raise ValueError(f"u and v must have s_ii > 0 for all i, got s_ii = {s[i, i]:.4g} for i = {i}")
    s.fill_diagonal_(-torch.inf)
    i, j = divmod(int(s.argmax()), len(s))
    if not s[i, j] < 0:
        raise ValueError(f"u and v must have s_ij < 0 for all i != j, got s_ij = {s[i, j]:.4g} for {(i, j)}")


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

    ``h`` is the direction of the point of ``conv(u)`` nearest to the origin. That point is not the origin: otherwise
    ``0 = sum_S a_i u_i`` with at most ``d + 1 < N`` terms, and ``0 = sum_S a_i s_ik < 0`` for ``k`` outside ``S``.
    Being nearest, ``<h, u_i> >= |x| > 0``; lying on a face, it is a combination of at most ``d`` of the ``u_i``, and
    ``<h, v_k> < 0`` for every other ``k``: ``N - d`` of them. One more comes free. If ``S`` has ``d`` indices and
    ``<h, v_k> >= 0`` on all of ``S``, write ``u_j = sum_S c_i u_i`` for some ``j`` outside and let ``k`` maximise
    ``r = max c_i / a_i > 0``; then ``r x - u_j`` has non-negative coefficients and none at ``k``, so its product with
    ``v_k`` is at most 0, yet it is ``r <x, v_k> - s_jk > 0``.

    Parameters
    ----------
    u, v:
        Unit vectors ``[N, d]``, ``N >= d + 2``, with ``s_ii > 0`` and ``s_ij < 0`` for ``i != j``.

    Raises
    ------
    ValueError
        If the sign condition fails (naming the pair) or ``N < d + 2``.

    Notes
    -----
    Theorem 3.6 of the paper (``N - d``), made computable and sharpened by one;
    :func:`constellations.constructions.tight_modality_gap` attains ``N - d + 1``.

    Examples
    --------
    >>> from constellations.constructions import tight_modality_gap
    >>> found = separating_direction(*tight_modality_gap(3, n_wedge=5))
    >>> found.n_negative, found.guaranteed, len(found.support)
    (5, 5, 3)
    """
    u, v = _configuration(u, v)
    n, dim = u.shape
    if n < dim + 2:
        raise ValueError(f"n_pairs must be at least dim + 2 = {dim + 2} for Theorem 3.6, got {n}")
    check_sign_condition(u, v)
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
    )


def linear_separability(u: Any, v: Any, *, affine: bool = False) -> LinearSeparability:
    r"""Decide by linear programming whether a hyperplane through the origin separates all ``u`` from all ``v``.

    Maximise ``e`` subject to ``<h, u_i> >= e``, ``<h, v_j> <= -e``, ``|h|_inf <= 1``. The program's dual gives
    convex weights whose combination of the ``u_i`` and ``-v_j`` is the origin when no such hyperplane exists.

    Parameters
    ----------
    u, v:
        Unit vectors ``[N, d]``.
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
    u, v = _configuration(u, v)
    signed = torch.cat([_with_one(u, affine), -_with_one(v, affine)]).numpy()
    n, dim = signed.shape
    constraints = np.concatenate([-signed, np.ones((n, 1))], axis=1)
    goal = np.zeros(dim + 1)
    goal[-1] = -1.0
    found = linprog(
        goal, A_ub=constraints, b_ub=np.zeros(n), bounds=[(-1, 1)] * dim + [(0, None)], method="highs"
    )
    if found.status != 0:
        raise RuntimeError(f"the linear program did not finish: {found.message}")
    weights = np.maximum(-found.ineqlin.marginals, 0.0)
    upper = float(np.linalg.norm(weights @ signed) / weights.sum()) if weights.sum() > 0 else math.inf
    direction, length = found.x[:-1], float(np.linalg.norm(found.x[:-1]))
    direction = direction / length if length > 0 else direction
    margin = float((signed @ direction).min())
    return LinearSeparability(margin > 1e-9, margin, upper, torch.from_numpy(direction))


def max_separable(
    u: Any, v: Any, *, all_u: bool = False, resolution: float = 1e-4, time_limit: float = 60.0
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
    >>> found.n_separated, found.proven
    (4, True)
    """
    u, v = _configuration(u, v)
    if not 1e-5 < resolution < 0.1:
        raise ValueError(f"resolution must be in (1e-5, 0.1), got {resolution!r}")
    if not time_limit > 0:
        raise ValueError(f"time_limit must be above 0 seconds, got {time_limit!r}")
    n, dim = u.shape
    relax = (math.sqrt(dim) + resolution) * np.eye(n)
    u_relax = np.zeros_like(relax) if all_u else relax
    rows = np.block([[u.numpy(), -u_relax], [-v.numpy(), -relax]])
    free = np.concatenate([np.diag(u_relax), np.diag(relax)])
    found = milp(
        np.concatenate([np.zeros(dim), -np.ones(n)]),
        constraints=LinearConstraint(rows, lb=resolution - free),
        bounds=Bounds(np.r_[-np.ones(dim), np.zeros(n)], np.ones(dim + n)),
        integrality=np.r_[np.zeros(dim), np.ones(n)],
        options={"time_limit": time_limit},
    )
    if found.x is None:
        raise ValueError(f"u and v admit no direction as required (all_u = {all_u}): {found.message}")
    direction = torch.from_numpy(found.x[:dim] / np.linalg.norm(found.x[:dim]))
    separated = (u @ direction > 0) & (v @ direction < 0)
    bound = min(n, math.floor(-found.mip_dual_bound + 1e-6))
    count = int(separated.sum())
    return MaxSeparable(count, max(bound, count), direction, separated)


def perceptron(u: Any, v: Any, *, max_updates: int = 100_000) -> Perceptron:
    r"""Rosenblatt's perceptron through the origin: add the worst misclassified point until none is left.

    If a unit direction with margin ``g`` exists, at most ``1/g^2`` updates are made (Novikoff 1962).

    Parameters
    ----------
    u, v:
        Unit vectors ``[N, d]``; the ``u_i`` belong on the positive side.
    max_updates:
        Give up after so many; the result then reports ``converged = False`` and the errors left.

    Examples
    --------
    >>> from constellations.constructions import double_constant_embedding
    >>> perceptron(*double_constant_embedding(5, delta=0.8)).converged
    True
    """
    u, v = _configuration(u, v)
    if isinstance(max_updates, bool) or int(max_updates) != max_updates or max_updates < 1:
        raise ValueError(f"max_updates must be an integer of at least 1, got {max_updates!r}")
    signed = torch.cat([u, -v]).numpy()
    normal = signed.mean(axis=0)
    n_updates = 0
    while n_updates < max_updates:
        projection = signed @ normal
        worst = int(projection.argmin())
        if projection[worst] > 0:
            break
        normal = normal + signed[worst]
        n_updates += 1
    length = np.linalg.norm(normal)
    direction = torch.from_numpy(normal / length if length > 0 else normal)
    n_errors = int((u @ direction <= 0).sum() + (v @ direction >= 0).sum())
    return Perceptron(direction, n_updates, n_errors, u @ direction, v @ direction)


def zero_bias_lift(u: Any, v: Any, *, relative_bias: float) -> tuple[Tensor, Tensor]:
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
    if not -1 <= relative_bias <= 1:
        raise ValueError(f"relative_bias must be in [-1, 1], got {relative_bias!r}")
    scale, suffix = math.sqrt(1 + abs(relative_bias)), math.sqrt(abs(relative_bias))
    side = -1.0 if relative_bias > 0 else 1.0
    column = u.new_full((*u.shape[:-1], 1), suffix)
    return torch.cat([u, column], dim=-1) / scale, torch.cat([v, side * column], dim=-1) / scale


def _with_one(x: Tensor, affine: bool) -> Tensor:
    return torch.cat([x, x.new_ones(len(x), 1)], dim=-1) if affine else x


def _configuration(u: Any, v: Any) -> tuple[Tensor, Tensor]:
    u, v = as_pairs(u, v)
    if u.ndim != 2:
        raise ValueError(f"u and v must be one configuration [N, d], got shape {tuple(u.shape)}")
    return u.detach().to("cpu", torch.float64), v.detach().to("cpu", torch.float64)
