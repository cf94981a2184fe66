"""Where the margin goes: an identity behind Theorem 3.4, for two or more modalities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from constellations.sphere import as_points


@dataclass(frozen=True)
class MarginBudget:
    r"""``total = spread + centre + matching + non_matching``, an identity for all unit vectors.

    For a constellation and ``N >= k`` each of the four terms is at least 0, hence so is ``total``. Fields are floats
    for one configuration and tensors of the leading shape otherwise.
    """

    total: Any
    spread: Any
    centre: Any
    matching: Any
    non_matching: Any

    @property
    def residual(self) -> Any:
        """``total`` minus its four parts: rounding only."""
        return self.total - (self.spread + self.centre + self.matching + self.non_matching)


def margin_budget(
    points: Any, *, margin: float | None = None, relative_bias: float | None = None
) -> MarginBudget:
    r"""Split ``1 + (k-1) b_rel - (k+1-2k/N) m`` into four sums of squares and averages.

    .. math::
        1 + (k-1) b - \Bigl(k+1-\tfrac{2k}{N}\Bigr) m = \frac{\Xi}{k-1} + \frac{|\bar W|^2}{k}
        + \Bigl(1-\tfrac kN\Bigr)\bigl(\bar s_= - (b+m)\bigr) + k\Bigl(1-\tfrac1N\Bigr)\bigl((b-m) - \bar s_{\ne}\bigr)

    with ``W_i = sum_a U^(a)_i``, ``bar W`` its mean over ``i``; ``D^(a)_i = U^(a)_i - W_i / k`` and
    ``Xi = (1/N) sum_{a,i} |D^(a)_i - mean_i D^(a)|^2``; ``bar s`` the averages of matching and non-matching inner
    products over all pairs of modalities. For ``k = 2``, ``Xi = xi / 2`` (Appendix E of the paper).

    Parameters
    ----------
    points:
        Unit vectors ``[..., k, N, d]``, ``k >= 2`` modalities of ``N >= 2`` points.
    margin, relative_bias:
        Any real numbers, both or neither; without them the optimal ones of each configuration, over all pairs of
        modalities.

    Raises
    ------
    ValueError
        For a wrong shape, vectors off the sphere, or only one of ``margin`` and ``relative_bias``.

    Notes
    -----
    Sharpens Theorem 3.4 of the paper (``k = 2``) and extends it to ``k`` modalities: ours.

    Examples
    --------
    >>> from constellations.constructions import simplex, simplex_modalities
    >>> budget = margin_budget(simplex_modalities(simplex(5), n_modalities=3, delta=0.9))
    >>> abs(round(budget.total, 12)), abs(round(budget.residual, 12))
    (0.0, 0.0)
    """
    x = as_points(points, "points")
    if x.ndim < 3 or x.shape[-3] < 2 or x.shape[-2] < 2:
        raise ValueError(f"points must have shape [..., k, N, d] with k, N >= 2, got {tuple(x.shape)}")
    if (margin is None) != (relative_bias is None):
        raise ValueError(
            f"give both margin and relative_bias or neither, got margin = {margin!r}, "
            f"relative_bias = {relative_bias!r}"
        )
    x = x.to(torch.float64)
    k, n = x.shape[-3:-1]
    matching, non_matching = _inner_products(x)
    low, high = matching.amin((-1, -2)), non_matching.flatten(-2).amax(-1)
    m = (low - high) / 2 if margin is None else torch.full_like(low, margin)
    b = (low + high) / 2 if relative_bias is None else torch.full_like(low, relative_bias)
    centre = x.sum(-3)
    parts = x - centre[..., None, :, :] / k
    xi = (parts - parts.mean(-2, keepdim=True)).square().sum((-1, -2, -3)) / n
    terms = (
        1 + (k - 1) * b - (k + 1 - 2 * k / n) * m,
        xi / (k - 1),
        centre.mean(-2).square().sum(-1) / k,
        (1 - k / n) * (matching.mean((-1, -2)) - (b + m)),
        k * (1 - 1 / n) * ((b - m) - _mean_finite(non_matching)),
    )
    return MarginBudget(*(term.item() for term in terms) if x.ndim == 3 else terms)


def _inner_products(x: Tensor) -> tuple[Tensor, Tensor]:
    """Matching ``[..., pairs, N]`` and non-matching ``[..., pairs, N*N]`` (own entries set to -inf) products."""
    k, n = x.shape[-3:-1]
    a, b = torch.triu_indices(k, k, offset=1)
    s = x[..., a, :, :] @ x[..., b, :, :].transpose(-1, -2)
    eye = torch.eye(n, dtype=torch.bool, device=x.device)
    return s.diagonal(dim1=-2, dim2=-1), s.masked_fill(eye, -math.inf).flatten(-2)


def _mean_finite(non_matching: Tensor) -> Tensor:
    finite = non_matching.isfinite()
    return non_matching.masked_fill(~finite, 0.0).sum((-1, -2)) / finite.sum((-1, -2))
