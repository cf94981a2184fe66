"""What a loss value proves about a configuration: its margin, its retrieval, its separation.

Throughout ``l(x) = log(1 + e^x)``, losses are sums over the pairs, logits are ``t s_ij - b`` and ``margin`` is the
half gap ``m*``. Numbers and NumPy arrays are accepted and broadcast; scalars in give floats out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from constellations.checks import finite, integer, nonnegative, plain, positive, require

LOG2 = math.log(2)


@dataclass(frozen=True)
class LossBounds:
    """A lower and an upper bound of ``inf_b L``, both attained in the limit by some configuration."""

    lower: Any
    upper: Any


@dataclass(frozen=True)
class RetrievalFailures:
    """Upper bounds on the fraction of rows whose nearest neighbour is wrong (not cut at 1)."""

    proposition_1: Any
    two_entries: Any
    weighted: Any


def softplus(x: Any) -> Any:
    """``l(x) = log(1 + e^x)`` without overflow or cancellation.

    Parameters
    ----------
    x:
        Any numbers, a scalar or an array of any shape.

    Examples
    --------
    >>> softplus(0.0) == LOG2, softplus(-800.0), softplus(800.0)
    (True, 0.0, 800.0)
    """
    return plain(np.logaddexp(0.0, np.asarray(x, dtype=float)))


def optimal_loss_bounds(margin: Any, *, n_pairs: int, inverse_temperature: Any) -> LossBounds:
    r"""Bracket ``inf_b L`` of every configuration of ``n_pairs`` pairs with half gap ``margin``.

    .. math::
        2\,l(-t m^*) \;\le\; \inf_b L \;\le\; \min_c R(c), \qquad
        R(c) = N l(-t m^* + c) + N(N-1)\, l(-t m^* - c).

    The minimum over ``c`` is closed: ``c = log(N-1)/2 + asinh((N-2) e^{-t m*} / (2 sqrt(N-1)))``.
    Double-constant embeddings attain the upper bound; the lower one is approached when one matching and one
    non-matching pair decide the margin. Holds for every ``t`` and either sign of ``m*``.

    Parameters
    ----------
    margin, inverse_temperature:
        ``m*`` and ``t > 0``, scalars or arrays that broadcast.
    n_pairs:
        ``N``, at least 2.

    Raises
    ------
    ValueError
        For ``n_pairs < 2``, ``t <= 0`` or non-finite numbers.

    Notes
    -----
    Sharpens the bounds behind Theorem 3.2 of the paper, ``l(-t m*)`` and ``N^2 l(-t m*)``.

    Examples
    --------
    >>> bounds = optimal_loss_bounds(0.5, n_pairs=4, inverse_temperature=20.0)
    >>> f"{bounds.lower:.3e} {bounds.upper:.3e}"
    '9.080e-05 6.291e-04'
    """
    n = integer(n_pairs, "n_pairs", 2)
    z = positive(inverse_temperature, "inverse_temperature") * finite(margin, "margin")
    c = optimal_bias_shift(z, n_pairs=n)
    upper = n * softplus(-z + c) + n * (n - 1) * softplus(-z - c)
    return LossBounds(plain(2 * softplus(-z)), plain(upper))


def info_nce_bounds(gap: Any, *, n_pairs: int, inverse_temperature: Any) -> LossBounds:
    r"""Bracket InfoNCE, summed over rows: ``l(-t g) <= L <= N log(1 + (N-1) e^{-t g})``, ``g`` the row gap.

    So its infimum over ``t`` is 0 iff ``g > 0``, a weaker condition than ``m* > 0``.

    >>> bounds = info_nce_bounds(0.5, n_pairs=4, inverse_temperature=20.0)
    >>> f"{bounds.lower:.3e} {bounds.upper:.3e}"
    '4.540e-05 5.448e-04'
    """
    n = integer(n_pairs, "n_pairs", 2)
    z = positive(inverse_temperature, "inverse_temperature") * finite(gap, "gap")
    return LossBounds(softplus(-z), plain(n * softplus(math.log(n - 1) - z)))


def optimal_bias_shift(scaled_margin: Any, *, n_pairs: int) -> Any:
    """Minimiser ``c`` of ``N l(-z + c) + N(N-1) l(-z - c)``, where ``z = t m*``.

    It is by how much the best bias exceeds ``t b*_rel`` when all inner products sit at the two extremes. Setting
    the derivative to zero gives a quadratic in ``e^c``; its positive root is an ``asinh``.

    >>> optimal_bias_shift(0.7, n_pairs=2)
    0.0
    >>> round(optimal_bias_shift(50.0, n_pairs=101), 6) == round(math.log(100) / 2, 6)
    True
    """
    n = integer(n_pairs, "n_pairs", 2)
    z = finite(scaled_margin, "scaled_margin")
    if n == 2:
        return plain(np.zeros_like(z))
    log_argument = math.log(n - 2) - z - math.log(2) - math.log(n - 1) / 2
    small = np.arcsinh(np.exp(np.minimum(log_argument, 300.0)))
    return plain(math.log(n - 1) / 2 + small + np.maximum(log_argument - 300.0, 0.0))


def certified_margin(loss: Any, *, inverse_temperature: Any) -> Any:
    r"""Half gap guaranteed by a summed loss at *any* bias: ``m* >= -(1/t) log(e^{L/2} - 1)``.

    Positive exactly when ``L < 2 log 2``. Inverts the lower bound of :func:`optimal_loss_bounds`.

    Parameters
    ----------
    loss:
        Exact loss summed over the ``N^2`` pairs, above 0, a number or an array: multiply a mean, such as
        that of :class:`constellations.losses.SigmoidLoss`, by ``N^2``, and what SigLIP's code logs by ``N``.
    inverse_temperature:
        The ``t > 0`` the loss was evaluated at.

    Raises
    ------
    ValueError
        For a loss or ``t`` that is not positive and finite: also a loss that has rounded to 0.

    Examples
    --------
    >>> certified_margin(2 * LOG2, inverse_temperature=10.0)
    0.0
    >>> round(certified_margin(1e-3, inverse_temperature=20.0), 4)
    0.38
    """
    half = positive(loss, "loss") / 2
    t = positive(inverse_temperature, "inverse_temperature")
    log_expm1 = half + np.log(-np.expm1(-half))
    return plain(-log_expm1 / t + 0.0)


def certified_failures(loss: Any) -> Any:
    """Most rows that can fail retrieval at a full-batch summed loss ``L``: ``floor(L / (2 log 2))``.

    >>> certified_failures(1.3), certified_failures(7.0)
    (0, 5)
    """
    return plain(np.floor(nonnegative(loss, "loss") / (2 * LOG2)).astype(int))


def failure_weight(rho: Any) -> Any:
    """``h(rho) = log(1 + rho) + rho log(1 + 1/rho)``: least ``l(-x) + rho l(x)``, at ``x = -log(rho)``, ``rho > 0``.

    >>> failure_weight(1.0) == 2 * LOG2
    True
    """
    rho = positive(rho, "rho")
    return plain(np.log1p(rho) + rho * np.log1p(1 / rho))


def retrieval_failure_bounds(expected_batch_loss: Any, *, n_pairs: Any, batch_size: Any) -> RetrievalFailures:
    r"""Three bounds on the fraction of rows that fail, from the expected summed loss ``E`` of a random batch.

    A batch is ``B`` distinct indices drawn uniformly from ``N``; ``t > 0`` and ``b`` are arbitrary but fixed.

    * ``proposition_1``: ``N E / (B (B-1) log 2)``, the paper's Proposition 1;
    * ``two_entries``: ``(N-1) E / (2 B (B-1) log 2)``: a failing row owns *two* entries whose
      losses add to at least ``2 log 2``;
    * ``weighted``: ``E / (B h(rho))``, ``rho = (B-1)/(N-1)``: the two entries enter batches at different rates.

    Always ``weighted <= two_entries < proposition_1 / 2``; the first two agree at ``B = N``.

    Raises
    ------
    ValueError
        For a negative or non-finite loss, ``N < 2`` or a batch size outside ``[2, N]``.

    Examples
    --------
    >>> bounds = retrieval_failure_bounds(0.5, n_pairs=100, batch_size=20)
    >>> print(f"{bounds.proposition_1:.3f} {bounds.two_entries:.3f} {bounds.weighted:.3f}")
    0.190 0.094 0.048
    """
    loss = nonnegative(expected_batch_loss, "expected_batch_loss")
    n, b = finite(n_pairs, "n_pairs"), finite(batch_size, "batch_size")
    require(np.all(n >= 2), "n_pairs", "at least 2", n_pairs)
    require(np.all((b >= 2) & (b <= n)), "batch_size", f"in [2, n_pairs], n_pairs = {n_pairs!r}", batch_size)
    paper = n * loss / (b * (b - 1) * LOG2)
    two = (n - 1) * loss / (2 * b * (b - 1) * LOG2)
    return RetrievalFailures(plain(paper), plain(two), plain(loss / (b * failure_weight((b - 1) / (n - 1)))))


def expected_batch_loss(entries: Any, *, batch_size: int) -> float:
    """Mean over all batches of ``B`` distinct indices of the summed batch loss, in closed form.

    ``entries`` is the ``[N, N]`` matrix of the losses of the pairs. A diagonal entry is in a batch with
    probability ``B/N``, another with ``B(B-1)/(N(N-1))``.

    >>> expected_batch_loss([[1.0, 2.0], [3.0, 4.0]], batch_size=2)
    10.0
    """
    losses = np.asarray(entries, dtype=float)
    n = len(losses) if losses.ndim else 0
    require(losses.shape == (n, n) and n >= 2, "shape of entries", "[N, N] with N >= 2", losses.shape)
    require(integer(batch_size, "batch_size", 2) <= n, "batch_size", f"in [2, {n}]", batch_size)
    diagonal = float(np.trace(losses))
    rate = (batch_size - 1) / (n - 1)
    return batch_size / n * (diagonal + rate * (float(losses.sum()) - diagonal))
