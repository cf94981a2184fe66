"""Averages, quantiles and losses of image and text sets in blocks: what needs no search for an extreme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

BINS = 40_000  # over [-1, 1]: a bin is 5e-5 wide
BLOCK = 1024


@dataclass(frozen=True)
class Averages:
    """Exact means. ``mean_of_norms`` and ``norm_of_mean`` are of squared norms of ``x_i = u_i - v_label(i)``."""

    matching: float
    non_matching: float
    xi: float
    mean_of_norms: float
    norm_of_mean: float
    unmatched_mean_of_norms: float


@dataclass(frozen=True)
class NonMatching:
    """Histogram of non-matching inner products: of all, or of those of a sample of images.

    ``counts[k]`` entries lie in ``[edges[k], edges[k+1]]``; ``scale`` is all entries over those counted.
    """

    counts: np.ndarray
    edges: np.ndarray
    n_images: int
    scale: float

    @property
    def exact(self) -> bool:
        """Whether every image was counted."""
        return self.scale == 1.0

    def quantile(self, fraction: float) -> float:
        """A quantile, right to a bin's width, 5e-5 (and to sampling error if not :attr:`exact`)."""
        below = np.cumsum(self.counts)
        k = int(np.searchsorted(below, fraction * below[-1]))
        inside = (fraction * below[-1] - (below[k] - self.counts[k])) / max(self.counts[k], 1)
        return float(self.edges[k] + (self.edges[k + 1] - self.edges[k]) * inside)


def averages(images: Tensor, texts: Tensor, labels: Tensor) -> Averages:
    """All means, in ``O((M + N) d)``: the mean over all pairs is the product of the sums.

    ``mean_{j != label(i)} s_ij = (<sum_i u_i, sum_j v_j> - sum_i s_i,label(i)) / (M (N - 1))``.
    """
    m, n = len(images), len(texts)
    sums = [points.sum(0, dtype=torch.float64) for points in (images, texts)]
    text_counts = torch.bincount(labels, minlength=n).double()
    matched = torch.zeros_like(sums[1])
    for start in range(0, n, BLOCK):
        matched += text_counts[start : start + BLOCK] @ texts[start : start + BLOCK].double()
    shift = (sums[0] - matched) / m
    matching = squares = spread = 0.0
    for start in range(0, m, BLOCK):
        u, v = images[start : start + BLOCK].double(), texts[labels[start : start + BLOCK]].double()
        matching += (u * v).sum().item()
        squares += (u - v).square().sum().item()
        spread += (u - v - shift).square().sum().item()
    norms = [_mean_square(points) for points in (images, texts)]
    non_matching = ((sums[0] @ sums[1]).item() - matching) / (m * (n - 1))
    unmatched = norms[0] + norms[1] - 2 * (sums[0] @ sums[1]).item() / (m * n)
    return Averages(
        matching / m, non_matching, spread / m, squares / m, shift.square().sum().item(), unmatched
    )


def _mean_square(points: Tensor) -> float:
    blocks = (points[start : start + BLOCK].double().square().sum() for start in range(0, len(points), BLOCK))
    return float(sum(blocks)) / len(points)


def non_matching_histogram(
    images: Tensor, texts: Tensor, labels: Tensor, *, most: int = 10**8, seed: int = 0
) -> NonMatching:
    """Histogram of non-matching inner products: of all if there are at most ``most``, else of a seeded sample of images.

    A sampled image contributes all its inner products, so that at least ``most / N`` images are seen.
    """
    m, n = len(images), len(texts)
    chosen = torch.arange(m)
    if m * n > most:
        n_sampled = min(m, max(256, most // n))
        rng = np.random.default_rng(seed)
        chosen = torch.from_numpy(np.sort(rng.choice(m, size=n_sampled, replace=False)))
    counts = torch.zeros(BINS, dtype=torch.int64)
    rows = max(1, 2**22 // n)
    for start in range(0, len(chosen), rows):
        index = chosen[start : start + rows]
        s = images[index].float() @ texts.float().T
        s[torch.arange(len(index)), labels[index]] = torch.nan
        bins = ((s + 1) * (BINS / 2)).nan_to_num_(nan=BINS).clamp_(0, BINS).to(torch.int32).ravel()
        found = torch.bincount(bins, minlength=BINS + 1)
        found[BINS - 1] += found[BINS] - len(index)  # products equal to 1 belong to the last bin
        counts += found[:BINS]
    edges = np.linspace(-1, 1, BINS + 1)
    return NonMatching(counts.numpy(), edges, len(chosen), m / len(chosen))


def loss_at_best_bias(
    matching: np.ndarray, non_matching: NonMatching, *, inverse_temperature: float
) -> tuple[float, float]:
    """``(inf_b L, b)`` of the exact summed sigmoid loss at ``t``, non-matching products taken at bin centres.

    The non-matching part is right to a factor ``e^{t * 2.5e-5}`` either way (0.3% at ``t = 118``), plus sampling error.
    """
    t = inverse_temperature
    seen = non_matching.counts > 0
    centres = ((non_matching.edges[1:] + non_matching.edges[:-1]) / 2)[seen]
    weights = non_matching.counts[seen] * non_matching.scale
    low, high = -t - 60.0, t + 60.0
    for _ in range(80):
        b = (low + high) / 2
        pull = _sigmoid(b - t * matching).sum() - (weights * _sigmoid(t * centres - b)).sum()
        low, high = (low, b) if pull > 0 else (b, high)
    losses = np.logaddexp(0, b - t * matching).sum() + (weights * np.logaddexp(0, t * centres - b)).sum()
    return float(losses), float(b)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -x))


def nearest_others(images: Tensor, texts: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """For every image the closest text that is not its own: ``(index [M], inner product [M])``, in float32."""
    index = torch.empty(len(images), dtype=torch.int64)
    value = torch.empty(len(images))
    rows = max(1, 2**22 // len(texts))
    for start in range(0, len(images), rows):
        block = slice(start, min(start + rows, len(images)))
        s = images[block].float() @ texts.float().T
        s[torch.arange(len(s)), labels[block]] = -torch.inf
        value[block], index[block] = s.max(1)
    return index, value
