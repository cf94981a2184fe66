"""The geometry of a configuration of pairs: margin, relative bias, constellations, retrieval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from constellations.checks import finite, nonnegative
from constellations.losses.arguments import Labels, Matching, diagonal
from constellations.sphere import Points, as_pairs


@dataclass(frozen=True)
class Gap:
    """A value of the matching inner products above one of the non-matching ones: floats, or tensors of one shape."""

    matching: Any
    non_matching: Any

    @property
    def gap(self) -> Any:
        """The full gap, ``2 m``."""
        return self.matching - self.non_matching

    @property
    def margin(self) -> Any:
        """``m``, half the gap."""
        return self.gap / 2

    @property
    def relative_bias(self) -> Any:
        """``b_rel``, the midpoint of the gap."""
        return (self.matching + self.non_matching) / 2


@dataclass(frozen=True)
class Separation(Gap):
    """The smallest matching and the largest non-matching inner product, and the pairs ``(i, j)`` that attain them.

    ``margin``, ``relative_bias`` and ``gap`` are those of :class:`Gap`. For a single configuration everything is a Python
    number or a tuple of two; for a batch of leading shape ``[...]`` a tensor of that shape (indices have a last axis of
    length 2).
    """

    matching_index: Any
    non_matching_index: Any


def inner_products(u: Points, v: Points) -> Tensor:
    """All inner products ``s_ij = <u_i, v_j>``: ``[..., N, d]`` twice to ``[..., N, N]``."""
    u, v = as_pairs(u, v)
    return u @ v.transpose(-1, -2)


def smallest_and_largest(s: Tensor, matching: Tensor | None = None) -> Separation:
    """The smallest matching and the largest other entry of ``s [..., M, N]``; by default the diagonal matches."""
    mask = diagonal(s) if matching is None else matching
    low, first = s.masked_fill(~mask, torch.inf).flatten(-2).min(-1)
    high, second = s.masked_fill(mask, -torch.inf).flatten(-2).max(-1)
    n = s.shape[-1]
    indices = [torch.stack([flat // n, flat % n], dim=-1) for flat in (first, second)]
    if s.ndim > 2:
        return Separation(low, high, *indices)
    return Separation(low.item(), high.item(), *(tuple(index.tolist()) for index in indices))


def matching_and_non_matching(u: Points, v: Points) -> tuple[Tensor, Tensor]:
    """Matching inner products ``[..., N]`` and non-matching ones ``[..., N(N-1)]``, row by row.

    >>> matching, non_matching = matching_and_non_matching(torch.eye(3), torch.eye(3))
    >>> matching.tolist(), non_matching.max().item()
    ([1.0, 1.0, 1.0], 0.0)
    """
    s = inner_products(u, v)
    return s.diagonal(dim1=-2, dim2=-1), s[..., ~diagonal(s)]


def separation(u: Points, v: Points, *, labels: Labels | None = None) -> Separation:
    """The optimal margin ``m*`` and relative bias ``b*_rel`` of a configuration, with the pairs that attain them.

    ``m* = (min s_ij over matching - max s_ij over other pairs) / 2``, and ``b*_rel`` is half their sum. The configuration
    is a constellation for some parameters iff ``m* >= 0``.

    Parameters
    ----------
    u, v:
        Unit vectors ``[..., M, d]`` and ``[..., N, d]``; ``M = N >= 2`` without ``labels``.
    labels:
        Which pairs match, if not row i with row i, as in :func:`constellations.losses.sigmoid_loss`: booleans ``[M, N]``,
        or group ids, ``[N]`` of both sides or a tuple of ``[M]`` and ``[N]``.

    Examples
    --------
    >>> s = separation(torch.eye(4), torch.eye(4))
    >>> s.margin, s.relative_bias, s.gap
    (0.5, 0.5, 1.0)
    >>> separation(torch.eye(3), torch.eye(3)[:2], labels=([0, 1, 1], [0, 1])).matching_index
    (2, 1)
    """
    u, v = as_pairs(u, v, at_least=2 if labels is None else 1, matched=labels is None)
    s = u @ v.transpose(-1, -2)
    if labels is None:
        return smallest_and_largest(s)
    matching = Matching.of(labels, *s.shape[-2:], device=s.device).mask(s)
    if bool(matching.all((-1, -2)).any()) or not bool(matching.any(-1).any(-1).all()):
        raise ValueError("labels must leave matching and non-matching pairs, got none of one kind")
    return smallest_and_largest(s, matching)


def is_constellation(u: Points, v: Points, *, margin: float, relative_bias: float, atol: float = 1e-9) -> bool | Tensor:
    """Whether ``s_ii >= relative_bias + margin`` and ``s_ij <= relative_bias - margin`` for all ``i != j``.

    ``atol`` is the slack allowed for rounding. A batch gives a boolean tensor of its leading shape.
    """
    for value, name in ((margin, "margin"), (atol, "atol")):
        nonnegative(value, name)
    finite(relative_bias, "relative_bias")
    s = separation(u, v)
    return (s.matching >= relative_bias + margin - atol) & (s.non_matching <= relative_bias - margin + atol)


def nearest_neighbour_accuracy(u: Points, v: Points) -> float | Tensor:
    """Fraction of the ``u_i`` whose own ``v_i`` beats every other ``v_j`` strictly (ties count as failures).

    >>> nearest_neighbour_accuracy(torch.eye(3), torch.eye(3))
    1.0
    """
    s = inner_products(u, v)
    rivals = s.masked_fill(diagonal(s), -torch.inf).amax(-1)
    accuracy = (s.diagonal(dim1=-2, dim2=-1) > rivals).double().mean(-1)
    return accuracy.item() if s.ndim == 2 else accuracy


def mean_margin(u: Points, v: Points) -> tuple[float, float]:
    """Margin and relative bias with means in place of the extremes (the paper's Table 6), for one ``[N, d]``."""
    gap = Gap(*(kind.double().mean().item() for kind in matching_and_non_matching(u, v)))
    return gap.margin, gap.relative_bias
