"""The geometry of a configuration of pairs: margin, relative bias, constellations, retrieval, linear shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from constellations.sphere import as_pairs


@dataclass(frozen=True)
class Separation:
    """How far matching and non-matching inner products are apart, and the pairs that decide it.

    For a single configuration every field is a Python number (indices are ints); for a batch of leading shape
    ``[...]`` every field is a tensor of that shape (``non_matching_index`` has a last axis of length 2).
    """

    min_matching: Any
    max_non_matching: Any
    matching_index: Any
    non_matching_index: Any

    @property
    def gap(self) -> Any:
        """``min_i s_ii - max_{i != j} s_ij``, the full gap ``2 m*``."""
        return self.min_matching - self.max_non_matching

    @property
    def margin(self) -> Any:
        """``m*``, half the gap."""
        return self.gap / 2

    @property
    def relative_bias(self) -> Any:
        """``b*_rel``, the midpoint of the gap."""
        return (self.min_matching + self.max_non_matching) / 2


@dataclass(frozen=True)
class LinearRepresentation:
    """How nearly one shift maps every ``v_i`` to its ``u_i`` (Appendix E of the paper)."""

    xi: Any
    mean_of_norms: Any
    norm_of_mean: Any
    xi_unsquared: Any


def inner_products(u: Any, v: Any) -> Tensor:
    """All inner products ``s_ij = <u_i, v_j>``: ``[..., N, d]`` twice to ``[..., N, N]``."""
    u, v = as_pairs(u, v)
    return u @ v.transpose(-1, -2)


def _off_diagonal(s: Tensor) -> Tensor:
    """The non-matching entries of ``[..., N, N]`` as ``[..., N(N-1)]``, row by row."""
    n = s.shape[-1]
    flat = s.reshape(*s.shape[:-2], n * n)[..., 1:]
    return flat.reshape(*s.shape[:-2], n - 1, n + 1)[..., :-1].reshape(*s.shape[:-2], n * (n - 1))


def matching_and_non_matching(u: Any, v: Any) -> tuple[Tensor, Tensor]:
    """Matching inner products ``[..., N]`` and non-matching ones ``[..., N(N-1)]``, row by row.

    Examples
    --------
    >>> matching, non_matching = matching_and_non_matching(torch.eye(3), torch.eye(3))
    >>> matching.tolist(), non_matching.max().item()
    ([1.0, 1.0, 1.0], 0.0)
    """
    s = inner_products(u, v)
    return s.diagonal(dim1=-2, dim2=-1), _off_diagonal(s)


def separation(u: Any, v: Any) -> Separation:
    """The optimal margin ``m*`` and relative bias ``b*_rel`` of a configuration, with the pairs that attain them.

    ``m* = (min_i s_ii - max_{i != j} s_ij) / 2`` and ``b*_rel = (min_i s_ii + max_{i != j} s_ij) / 2``. The
    configuration is a constellation for some parameters iff ``m* >= 0``.

    Parameters
    ----------
    u, v:
        Unit vectors of one shape ``[..., N, d]``, ``N >= 2``.

    Raises
    ------
    ValueError
        For vectors off the sphere, NaN, mismatched shapes or fewer than two pairs.

    Examples
    --------
    >>> s = separation(torch.eye(4), torch.eye(4))
    >>> s.margin, s.relative_bias, s.gap
    (0.5, 0.5, 1.0)
    """
    s = inner_products(u, v)
    n = s.shape[-1]
    low, row = s.diagonal(dim1=-2, dim2=-1).min(dim=-1)
    masked = s.masked_fill(torch.eye(n, dtype=torch.bool, device=s.device), -torch.inf)
    high, flat = masked.flatten(-2).max(dim=-1)
    index = torch.stack([flat // n, flat % n], dim=-1)
    if s.ndim > 2:
        return Separation(low, high, row, index)
    i, j = index.tolist()
    return Separation(low.item(), high.item(), int(row), (i, j))


def is_constellation(
    u: Any, v: Any, *, margin: float, relative_bias: float, atol: float = 1e-9
) -> bool | Tensor:
    """Whether ``s_ii >= relative_bias + margin`` and ``s_ij <= relative_bias - margin`` for all ``i != j``.

    ``atol`` is the slack allowed for rounding. A batch gives a boolean tensor of its leading shape.

    Raises
    ------
    ValueError
        For a negative ``margin`` or ``atol``, a non-finite ``relative_bias``, or bad points.
    """
    if not margin >= 0 or not atol >= 0:
        raise ValueError(f"margin and atol must be at least 0, got {margin!r} and {atol!r}")
    if not abs(relative_bias) < float("inf"):
        raise ValueError(f"relative_bias must be finite, got {relative_bias!r}")
    s = separation(u, v)
    matching = s.min_matching >= relative_bias + margin - atol
    return matching & (s.max_non_matching <= relative_bias - margin + atol)


def linear_representation_gap(u: Any, v: Any) -> LinearRepresentation:
    """``xi = mean_i |x_i|^2 - |mean_i x_i|^2`` of the differences ``x_i = u_i - v_i`` (Appendix E).

    ``xi`` is evaluated as the mean squared distance of the differences from their mean, which is the same number
    without cancellation; it is 0 iff a single shift maps every ``v_i`` to ``u_i``. ``xi_unsquared`` replaces both
    squared norms by norms, as the authors' notebooks do. ``mean_of_norms`` and ``norm_of_mean`` are squared norms.

    Examples
    --------
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


def nearest_neighbour_accuracy(u: Any, v: Any) -> float | Tensor:
    """Fraction of the ``u_i`` whose own ``v_i`` beats every other ``v_j`` strictly (ties count as failures).

    Examples
    --------
    >>> nearest_neighbour_accuracy(torch.eye(3), torch.eye(3))
    1.0
    """
    s = inner_products(u, v)
    n = s.shape[-1]
    rivals = s.masked_fill(torch.eye(n, dtype=torch.bool, device=s.device), -torch.inf).amax(-1)
    accuracy = (s.diagonal(dim1=-2, dim2=-1) > rivals).double().mean(-1)
    return accuracy.item() if s.ndim == 2 else accuracy


def trimmed_margin(u: Any, v: Any, *, fraction: float = 0.05) -> tuple[float, float]:
    """Margin and relative bias from the ``fraction`` quantile of matching and ``1 - fraction`` of non-matching products.

    The paper's Table 5 takes ``fraction = 0.05``. For one configuration ``[N, d]``; returns ``(margin, relative_bias)``.
    """
    if not 0 <= fraction < 0.5:
        raise ValueError(f"fraction must be in [0, 0.5), got {fraction!r}")
    matching, non_matching = matching_and_non_matching(u, v)
    return _half_gap(_quantile(matching, fraction), _quantile(non_matching, 1 - fraction))


def mean_margin(u: Any, v: Any) -> tuple[float, float]:
    """Margin and relative bias with means in place of the extremes (the paper's Table 6), for one ``[N, d]``."""
    matching, non_matching = matching_and_non_matching(u, v)
    return _half_gap(matching.double().mean().item(), non_matching.double().mean().item())


def _quantile(values: Tensor, fraction: float) -> float:
    if values.ndim != 1:
        raise ValueError(
            f"u and v must be one configuration [N, d], got a batch of shape {tuple(values.shape[:-1])}"
        )
    ordered = values.double().sort().values
    position = fraction * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return torch.lerp(ordered[low], ordered[high], position - low).item()


def _half_gap(matching: float, non_matching: float) -> tuple[float, float]:
    return (matching - non_matching) / 2, (matching + non_matching) / 2
