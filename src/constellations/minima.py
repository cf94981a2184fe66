"""How small a loss can be: at a *fixed* inverse temperature and bias, with duplicates, for InfoNCE and the triplet loss.

Unit vectors ``u_i, v_i`` satisfy ``(1/N^2) sum_{i != j} s_ij >= (N-2)/(2 N^2) sum_i s_ii - 1/2`` (Lee, Chang and
Sohn 2024). With Jensen's inequality the loss is at least ``N min F``, ``F`` a convex function of one number
``x = delta^2``, and for ``d >= N`` double-constant embeddings attain it
(:func:`constellations.constructions.double_constant_embedding`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_expit

from constellations.certificates import failure_weight, softplus
from constellations.checks import finite, integer, nonnegative, plain, positive, require

Shape = Literal["antipodal", "interior", "aligned"]


@dataclass(frozen=True)
class FixedTemperatureMinimum:
    """The minimiser ``x`` of ``F`` on [0, 1], the loss ``N F(x)`` it certifies and the minimisers' shape.

    ``x = 0``: all ``u_i`` are one point and all ``v_i`` its antipode (``"antipodal"``). ``x = 1``: ``u_i = v_i``
    on a simplex (``"aligned"``). Between: pairs are ``2 sqrt(1 - x)`` apart along one axis (``"interior"``).
    """

    x: float
    loss: float
    shape: Shape

    @property
    def delta(self) -> float:
        """Length ``sqrt(x)`` of the part of the embedding that tells pairs apart."""
        return math.sqrt(self.x)


def profile(x: Any, *, n_pairs: int, inverse_temperature: Any, bias: Any) -> Any:
    r"""Loss per pair of a double-constant embedding with ``delta^2 = x``.

    .. math::
        F(x) = l\bigl(b - t(2x-1)\bigr) + (N-1)\, l\Bigl(t\bigl(x\tfrac{N-2}{N-1} - 1\bigr) - b\Bigr)

    Parameters
    ----------
    x:
        In [0, 1]; scalar or array.
    n_pairs, inverse_temperature, bias:
        ``N >= 2``, ``t > 0`` and ``b``.

    Examples
    --------
    >>> round(profile(1.0, n_pairs=3, inverse_temperature=10.0, bias=0.0), 6)
    0.013476
    """
    n, t, b = _setting(n_pairs, inverse_temperature, bias)
    x = finite(x, "x")
    require(np.all((x >= 0) & (x <= 1)), "x", "in [0, 1]", x)
    non_matching = t * (x * (n - 2) / (n - 1) - 1)
    return plain(softplus(b - t * (2 * x - 1)) + (n - 1) * softplus(non_matching - b))


def minimum(*, n_pairs: int, inverse_temperature: float, bias: float) -> FixedTemperatureMinimum:
    """Minimise ``F`` on [0, 1], at the root of its increasing derivative.

    ``N F(x)`` bounds the summed loss of *any* configuration at this ``t`` and ``b`` from below, in every
    dimension; it is the global minimum when ``d >= N``.

    Raises
    ------
    ValueError
        For ``N < 2``, ``t <= 0`` or a non-finite ``b``.

    Examples
    --------
    >>> minimum(n_pairs=10, inverse_temperature=1.0, bias=-1.0).shape
    'antipodal'
    >>> minimum(n_pairs=10, inverse_temperature=20.0, bias=0.0).shape
    'interior'
    """
    n, t, b = _setting(n_pairs, inverse_temperature, bias)
    require(t.ndim == b.ndim == 0, "inverse_temperature and bias", "single numbers", (inverse_temperature, bias))

    def slope(x: float) -> float:
        # The sign of F'(x), as a difference of logarithms: both terms underflow at a large t.
        pushes_down = math.log(n - 2) + log_expit(t * (x * (n - 2) / (n - 1) - 1) - b) if n > 2 else -math.inf
        return float(pushes_down - math.log(2) - log_expit(b - t * (2 * x - 1)))

    if slope(0.0) >= 0:
        x, shape = 0.0, "antipodal"
    elif slope(1.0) <= 0:
        x, shape = 1.0, "aligned"
    else:
        x, shape = brentq(slope, 0.0, 1.0, xtol=1e-15), "interior"
    loss = n * profile(x, n_pairs=n, inverse_temperature=t, bias=b)
    return FixedTemperatureMinimum(x=x, loss=loss, shape=shape)  # type: ignore[arg-type]


def antipodal_threshold(n_pairs: int) -> float:
    """``log((N-2)/2)``: minimisers collapse to antipodes iff ``t + b`` is at most this (``-inf`` for N = 2).

    >>> round(antipodal_threshold(100), 4)
    3.8918
    """
    n = integer(n_pairs, "n_pairs", 2)
    return math.log((n - 2) / 2) if n > 2 else -math.inf


def aligned_bias_threshold(n_pairs: int, *, inverse_temperature: Any) -> Any:
    """The bias from which on the minimiser is aligned (``x = 1``), at a given ``t``.

    ``F'(1) <= 0`` reads ``(N-2)(1 + e^{t-b}) <= 2 (1 + e^{t/(N-1) + b})``, a quadratic in ``e^b``.
    It is ``-inf`` for N = 2.

    >>> b = aligned_bias_threshold(10, inverse_temperature=5.0)
    >>> minimum(n_pairs=10, inverse_temperature=5.0, bias=b + 1e-6).shape
    'aligned'
    >>> minimum(n_pairs=10, inverse_temperature=5.0, bias=b - 1e-6).shape
    'interior'
    """
    n = integer(n_pairs, "n_pairs", 2)
    t = positive(inverse_temperature, "inverse_temperature")
    if n == 2:
        return plain(np.full_like(t, -np.inf))
    # 2 e^{t/(N-1)} y^2 - (N-4) y - (N-2) e^t = 0 in y = e^b; y = z e^{(t - t/(N-1))/2} keeps it in range.
    middle = (n - 4) * np.exp(-(t + t / (n - 1)) / 2)
    z = (middle + np.sqrt(middle**2 + 8 * (n - 2))) / 4
    return plain(np.log(z) + (t - t / (n - 1)) / 2)


def largest_row_gap(n_pairs: Any) -> Any:
    """``N/(N-1)``: no configuration of ``N`` pairs, in any dimension, has a larger row gap.

    Attained by a regular simplex with ``u = v``. Even the *mean* of ``s_ii - s_ij`` cannot exceed it, by the
    inequality of Lee, Chang and Sohn (2024).

    >>> largest_row_gap([2, 5]).tolist()
    [2.0, 1.25]
    """
    n = finite(n_pairs, "n_pairs")
    require((n >= 2).all(), "n_pairs", "at least 2", n_pairs)
    return plain(n / (n - 1))


def info_nce_minimum(*, n_pairs: int, inverse_temperature: Any) -> Any:
    """``N log(1 + (N-1) e^{-t N/(N-1)})``: the least InfoNCE, summed over rows, at a fixed ``t``.

    A lower bound in every dimension (Jensen's inequality and :func:`largest_row_gap`); for ``d >= N-1`` a regular
    simplex with ``u = v`` attains it, at *every* ``t``: InfoNCE has no collapsed regime.

    >>> round(info_nce_minimum(n_pairs=2, inverse_temperature=1.0), 6)
    0.253856
    """
    n = integer(n_pairs, "n_pairs", 2)
    t = positive(inverse_temperature, "inverse_temperature")
    return plain(n * softplus(math.log(n - 1) - t * n / (n - 1)))


def triplet_minimum(*, n_pairs: int, margin_parameter: Any) -> Any:
    """``N(N-1) max(0, a - 2N/(N-1))``: the least triplet loss at margin parameter ``a >= 0``, for ``d >= N-1``.

    A lower bound in every dimension. Zero up to ``a = 2N/(N-1)``, twice the largest row gap.

    >>> triplet_minimum(n_pairs=3, margin_parameter=[1.0, 4.0]).tolist()
    [0.0, 6.0]
    """
    n = integer(n_pairs, "n_pairs", 2)
    excess = nonnegative(margin_parameter, "margin_parameter") - 2 * largest_row_gap(n)
    return plain(n * (n - 1) * np.maximum(excess, 0.0))


def duplicates_minimum(*, n_pairs: int, copies: int, batch_size: int | None = None) -> float:
    r"""``B h(kappa)``, ``kappa = (g-1)(B-1)/(N-1)``: what pairs that share their text in groups of ``g = copies`` cost.

    No configuration, ``t`` or ``b`` has a smaller expected loss of a random batch of ``B`` of the ``N`` pairs, if every
    group counts one pair of each row as matching (false negatives); it is approached as ``t -> inf`` with all own
    products at ``b_rel - log(kappa)/t``. :func:`constellations.certificates.failure_weight` is ``h``. The full batch is
    the default: ``N (g log g - (g-1) log(g-1))``. A single group among other pairs costs as much as ``N = g``.

    >>> round(duplicates_minimum(n_pairs=2, copies=2) / math.log(2), 6)
    4.0
    >>> round(duplicates_minimum(n_pairs=60, copies=3, batch_size=20), 2)
    22.01
    """
    n, g = integer(n_pairs, "n_pairs", 2), integer(copies, "copies", 2)
    require(n % g == 0, "n_pairs", f"a multiple of copies = {g}", n)
    size = n if batch_size is None else integer(batch_size, "batch_size", 2)
    require(size <= n, "batch_size", f"in [2, {n}]", batch_size)
    return size * failure_weight((g - 1) * (size - 1) / (n - 1))


def _setting(n_pairs: int, inverse_temperature: Any, bias: Any) -> tuple[int, np.ndarray, np.ndarray]:
    t = positive(inverse_temperature, "inverse_temperature")
    return integer(n_pairs, "n_pairs", 2), t, finite(bias, "bias")
