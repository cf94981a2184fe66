"""What one side of a configuration allows: a bound on the margin that holds for every choice of the other side."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, nnls

from constellations.checks import positive, require
from constellations.modality_gap.sign_condition import configuration


def locked_margin_bound(u: ArrayLike, *, relative_bias: float, tolerance: float = 1e-6) -> float:
    r"""Largest margin any ``v`` can have against a locked ``u`` at a given relative bias, from above.

    .. math::
        m_U(b) = \min_j \max_{|v| \le 1} \min\bigl(\langle u_j, v\rangle - b,\;
        b - \max_{i \ne j} \langle u_i, v\rangle\bigr).

    Every column is a convex problem of its own, whose dual gives an upper bound for every choice of convex weights:

    .. math::
        \max_v \min_i \; (\langle x_i, v\rangle - c_i) \le \Bigl|\sum_i \lambda_i x_i\Bigr| - \sum_i \lambda_i c_i,
        \qquad x_j = u_j,\; c_j = b,\; x_i = -u_i,\; c_i = -b .

    The bound returned is that of explicit weights, within ``tolerance`` of ``m_U(b)``, so that no rounding makes it
    too small. The ball in place of the sphere makes ``m_U`` a concave function of ``b``. At ``b = 0`` it is 0 as soon
    as each ``u_j`` lies in the cone of the others (Proposition 4 of the paper): no ``v`` then has ``s_jj > 0 > s_ij``.

    Parameters
    ----------
    u:
        The locked side, unit vectors ``[N, d]``, ``N >= 2``.
    relative_bias:
        ``b_rel`` in ``[-1, 1]``.

    Examples
    --------
    >>> round(locked_margin_bound(np.eye(3), relative_bias=0.5), 4)
    0.5
    """
    x, b = -configuration(u, u)[0].numpy(), float(relative_bias)
    require(-1 <= b <= 1, "relative_bias", "in [-1, 1]", relative_bias)
    positive(tolerance, "tolerance")
    offsets, best = np.full(len(x), -b), 1.0 - b
    for j in range(len(x)):
        sign = np.where(np.arange(len(x)) == j, -1.0, 1.0)
        best = min(best, _column_bound(x * sign[:, None], offsets * sign, best, tolerance))
    return best


def _column_bound(x: np.ndarray, offsets: np.ndarray, best: float, tolerance: float) -> float:
    """The dual bound of one column, or ``best`` if that is attained.

    The shortest ``v`` with ``x @ v >= m + offsets`` has ``1 / (1 + |v|^2) = min |system w - target|^2`` over ``w >= 0``
    (Lawson and Hanson): ``m`` is in reach of the ball while that is at least 1/2.
    """

    def weights(m: float) -> tuple[np.ndarray, float]:
        found, residual = nnls(np.vstack([x.T, m + offsets]), np.append(np.zeros(x.shape[1]), 1.0))
        return found, residual**2 - 0.5

    if weights(best)[1] >= 0:
        return best
    reached = brentq(lambda m: weights(m)[1], -1.0 - abs(offsets[0]), best, xtol=tolerance / 4)
    dual, _ = weights(min(best, reached + tolerance / 2))
    dual = dual / dual.sum()
    return float(np.linalg.norm(dual @ x) - dual @ offsets)
