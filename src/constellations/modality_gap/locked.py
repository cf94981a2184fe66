"""What a locked encoder allows: bounds on the margin that hold for every choice of the other side."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import nnls
from scipy.special import gammaln, logsumexp
from torch import Tensor

from constellations.sphere import as_points


def _locked(u: Any) -> np.ndarray:
    points = as_points(u, "u").detach() if isinstance(u, Tensor) else as_points(u, "u")
    if points.ndim != 2 or len(points) < 2:
        raise ValueError(f"u must be one configuration [N, d] with N >= 2, got {tuple(points.shape)}")
    return points.cpu().double().numpy()


def _column(u: np.ndarray, j: int) -> np.ndarray:
    """The points signed so that column j wants every product with ``v_j`` large: ``u_j`` and ``-u_i``, i != j."""
    signed = -u.copy()
    signed[j] *= -1
    return signed


def _feasible(signed: np.ndarray, needed: np.ndarray) -> bool:
    """Whether some ``|v| <= 1`` may have ``signed @ v >= needed``: Lawson and Hanson's least-distance problem by NNLS.

    The shortest such ``v`` has ``1 / (1 + |v|^2) = min |system w - target|^2`` over ``w >= 0``, so that any ``w``
    with a squared distance below 1/2 proves that there is none: a negative answer never rests on rounding.
    """
    if needed.max() <= 0:
        return True
    system = np.vstack([signed.T, needed])
    target = np.zeros(len(system))
    target[-1] = 1.0
    return bool(nnls(system, target)[1] ** 2 >= 0.5)


def locked_margin_bound(u: Any, *, relative_bias: float, tolerance: float = 1e-6) -> float:
    r"""Largest margin any ``v`` can have against a locked ``u`` at a given relative bias, from above.

    .. math::
        m_U(b) = \min_j \max_{|v| \le 1} \min\bigl(\langle u_j, v\rangle - b,\;
        b - \max_{i \ne j} \langle u_i, v\rangle\bigr).

    Every column is a convex problem of its own; the ball in place of the sphere makes this an upper bound, to within
    ``tolerance``, and a concave function of ``b``. At ``b = 0`` it is 0 as soon as each ``u_j`` lies in the cone of
    the others (Proposition 4 of the paper): no ``v`` then has ``s_jj > 0 > s_ij``.

    Parameters
    ----------
    u:
        The locked side, unit vectors ``[N, d]``, ``N >= 2``.
    relative_bias:
        ``b_rel`` in ``[-1, 1]``.

    Raises
    ------
    ValueError
        For bad points, a relative bias outside ``[-1, 1]`` or a tolerance that is not above 0.

    Examples
    --------
    >>> round(locked_margin_bound(np.eye(3), relative_bias=0.5), 4)
    0.5
    """
    points = _locked(u)
    b = float(relative_bias)
    if not -1 <= b <= 1:
        raise ValueError(f"relative_bias must be in [-1, 1], got {relative_bias!r}")
    if not tolerance > 0:
        raise ValueError(f"tolerance must be above 0, got {tolerance!r}")
    best = 1.0 - b
    lowest = -1.0 - abs(b)
    sign = -np.ones(len(points))
    for j in range(len(points)):
        signed, shift = _column(points, j), sign * b
        shift[j] = b
        if _feasible(signed, best + shift):
            continue
        low, high = lowest, best
        while high - low > tolerance:
            middle = (low + high) / 2
            low, high = (middle, high) if _feasible(signed, middle + shift) else (low, middle)
        best = high
    return best


def hull_distances(u: Any) -> np.ndarray:
    r"""Distance of each locked point from the convex hull of the others, ``[N]``.

    For every ``v``, ``s_jj - max_{i != j} s_ij <= |u_j - p|`` for each ``p`` in the hull, so that
    ``2 m* <= min_j hull_distances(u)[j]`` whatever the other side and the relative bias are. The distance returned is
    that of an explicit point of the hull, hence never too small.

    Examples
    --------
    >>> hull_distances(np.eye(2)).round(6).tolist()
    [1.414214, 1.414214]
    """
    points = _locked(u)
    result = np.empty(len(points))
    for j in range(len(points)):
        others = np.delete(points, j, axis=0) - points[j]
        system = np.vstack([others.T, np.ones(len(others))])
        target = np.zeros(len(system))
        target[-1] = 1.0
        weights, _ = nnls(system, target)
        result[j] = np.linalg.norm(others.T @ (weights / weights.sum()))
    return result


def positively_spanned(u: Any, *, atol: float = 1e-9) -> np.ndarray:
    """Whether each locked point lies in the cone of the others, ``[N]`` of booleans, to within ``atol``.

    Where it does, no ``v_j`` has ``s_jj > 0`` and ``s_ij <= 0`` for every other i: at ``b = 0`` the column's loss is at
    least ``log 2`` for every inverse temperature.

    Examples
    --------
    >>> positively_spanned([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]).tolist()
    [False, False, True]
    """
    points = _locked(u)
    residuals = [nnls(np.delete(points, j, axis=0).T, points[j])[1] for j in range(len(points))]
    return np.array(residuals) <= atol


def log_probability_of_half_space(n_points: int, dim: int) -> float:
    r"""Natural log of the chance that random points of a sphere share an open half-space (Wendel 1962).

    .. math::
        P = 2^{1-n} \sum_{k=0}^{d-1} \binom{n-1}{k}.

    Examples
    --------
    >>> round(math.exp(log_probability_of_half_space(4, 2)), 6)
    0.5
    """
    for name, value in (("n_points", n_points), ("dim", dim)):
        if isinstance(value, bool) or int(value) != value or value < 1:
            raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")
    k = np.arange(min(dim, n_points))
    terms = gammaln(n_points) - gammaln(k + 1) - gammaln(n_points - k)
    return min(0.0, float(logsumexp(terms) - (n_points - 1) * math.log(2)))
