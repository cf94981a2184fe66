"""How nearly one shift maps texts to images (xi), and where the margin goes: the identity behind Theorem 3.4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from constellations.checks import require
from constellations.geometry.margin import smallest_and_largest
from constellations.sphere import Points, as_pairs, as_points


@dataclass(frozen=True)
class LinearRepresentation:
    """How nearly one shift maps every ``v_i`` to its ``u_i``: what :func:`linear_representation_gap` returns.

    Floats for one configuration, tensors of shape ``[...]`` for a batch.
    """

    xi: Any
    mean_of_norms: Any
    norm_of_mean: Any
    xi_unsquared: Any


def linear_representation_gap(u: Points, v: Points) -> LinearRepresentation:
    """How nearly one shift maps texts to images: ``xi = mean_i |x_i|^2 - |mean_i x_i|^2``, ``x_i = u_i - v_i``.

    ``xi`` (Appendix E of the paper) is 0 iff a single shift maps every ``v_i`` to ``u_i``, and nearly 2 for many
    independent random points. It is evaluated as the mean squared distance of the differences from their mean, which is
    the same number without cancellation. ``mean_of_norms`` and ``norm_of_mean`` are its two terms; ``xi_unsquared``
    has norms in place of squared norms, as the authors' notebooks do.

    >>> linear_representation_gap(torch.eye(3), torch.eye(3)).xi
    0.0
    """
    u, v = as_pairs(u, v)
    x = u - v
    mean = x.mean(dim=-2, keepdim=True)
    xi = (x - mean).square().sum(-1).mean(-1)
    mean_of_norms, norm_of_mean = x.square().sum(-1).mean(-1), mean.square().sum((-2, -1))
    unsquared = x.norm(dim=-1).mean(-1) - mean.norm(dim=-1).squeeze(-1)
    values = (xi, mean_of_norms, norm_of_mean, unsquared)
    return LinearRepresentation(*(value.item() for value in values) if u.ndim == 2 else values)


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
        """``total`` minus its four parts, which is rounding alone."""
        return self.total - (self.spread + self.centre + self.matching + self.non_matching)


def margin_budget(points: Points, *, margin: float | None = None, relative_bias: float | None = None) -> MarginBudget:
    r"""Split ``1 + (k-1) b_rel - (k+1-2k/N) m`` into four sums of squares and averages.

    .. math::
        & 1 + (k-1) b - \Bigl(k+1-\tfrac{2k}{N}\Bigr) m = \frac{\Xi}{k-1} + \frac{|\bar W|^2}{k} \\
        & + \Bigl(1-\tfrac kN\Bigr)\bigl(\bar s_= - (b+m)\bigr) + k\Bigl(1-\tfrac1N\Bigr)\bigl((b-m) - \bar s_{\ne}\bigr)

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
    right = x.ndim >= 3 and min(x.shape[-3:-1]) >= 2
    require(right, "points", "of shape [..., k, N, d] with k, N >= 2", tuple(x.shape))
    both = margin, relative_bias
    require((margin is None) == (relative_bias is None), "both margin and relative_bias", "given or left out", both)
    x = x.to(torch.float64)
    k, n = x.shape[-3:-1]
    first, second = torch.triu_indices(k, k, offset=1)
    s = x[..., first, :, :] @ x[..., second, :, :].transpose(-1, -2)
    matching = s.diagonal(dim1=-2, dim2=-1).sum(-1)
    non_matching = s.sum((-1, -2)) - matching
    found = smallest_and_largest(s)
    low, high = found.matching.amin(-1), found.non_matching.amax(-1)
    m = (low - high) / 2 if margin is None else torch.full_like(low, margin)
    b = (low + high) / 2 if relative_bias is None else torch.full_like(low, relative_bias)
    centre = x.sum(-3)
    parts = x - centre[..., None, :, :] / k
    xi = (parts - parts.mean(-2, keepdim=True)).square().sum((-1, -2, -3)) / n
    terms = (
        1 + (k - 1) * b - (k + 1 - 2 * k / n) * m,
        xi / (k - 1),
        centre.mean(-2).square().sum(-1) / k,
        (1 - k / n) * (matching.mean(-1) / n - (b + m)),
        k * (1 - 1 / n) * ((b - m) - non_matching.mean(-1) / (n * (n - 1))),
    )
    return MarginBudget(*(term.item() for term in terms) if x.ndim == 3 else terms)
