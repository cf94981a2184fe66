"""Nearest points of convex hulls and cones, by non-negative least squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import nnls

from constellations.checks import require
from constellations.sphere import as_points

ON_SUPPORT = 1e-12  # least share of a point that counts


def min_norm_point(points: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    r"""The point of least norm of ``conv(points)`` and convex weights on affinely independent points.

    Non-negative least squares of ``[X^T; 1^T] w = [0; 1]``, normalised: for ``w = s a`` with convex ``a`` the best
    ``s`` leaves the residual ``|X^T a|^2 / (1 + |X^T a|^2)``, which grows with ``|X^T a|``. The columns that Lawson
    and Hanson's method keeps are independent: the point, that of the weights returned, is never nearer than the hull.

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
    x = _set_of_points(points, at_least=1)
    system, target = np.vstack([x.T, np.ones(len(x))]), np.append(np.zeros(x.shape[1]), 1.0)
    weights, _ = nnls(system, target, maxiter=max(1000, 30 * len(x)))
    weights[weights <= ON_SUPPORT * weights.sum()] = 0.0
    weights /= weights.sum()
    return weights @ x, weights


def distance_to_hull_of_others(points: ArrayLike) -> np.ndarray:
    r"""Distance of every point to the convex hull of all the others, ``[N, d]`` to ``[N]``.

    For every ``v`` on the sphere, ``s_jj - max_{i != j} s_ij <= |u_j - p|`` for each ``p`` in the hull of the others:
    ``2 m*`` is at most the least of these distances of ``u``, whatever the other side and the relative bias are.

    Examples
    --------
    >>> distance_to_hull_of_others(np.eye(2)).round(6).tolist()
    [1.414214, 1.414214]
    """
    x = _set_of_points(points, at_least=2)
    others = (np.delete(x, j, axis=0) - x[j] for j in range(len(x)))
    return np.array([np.linalg.norm(min_norm_point(differences)[0]) for differences in others])


def distance_to_cone_of_others(points: ArrayLike) -> np.ndarray:
    """Distance of every point to the convex cone spanned by all the others, ``[N, d]`` to ``[N]``.

    Under the sign condition the distance of ``u_i`` is at least ``s_ii``, because every ``y`` in the cone has
    ``<y, v_i> <= 0``: Proposition 4 of the paper, with a number. Where it is 0, no ``v_i`` at all has
    ``s_ii > 0 >= s_ji`` for every other ``j``: at bias 0 the column's loss is at least ``log 2`` at every temperature.

    Examples
    --------
    >>> distance_to_cone_of_others([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]).round(6).tolist()
    [0.8, 0.6, 0.0]
    """
    x = _set_of_points(points, at_least=2)
    return np.array([nnls(np.delete(x, i, axis=0).T, x[i])[1] for i in range(len(x))])


def _set_of_points(points: ArrayLike, *, at_least: int) -> np.ndarray:
    x = as_points(points, unit=False)
    require(x.ndim == 2 and len(x) >= at_least, "points", f"one set [N, d] with N >= {at_least}", tuple(x.shape))
    return x.detach().cpu().double().numpy()
