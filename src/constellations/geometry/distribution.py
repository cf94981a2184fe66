"""Means, histogram, quantiles and loss of the inner products of large sets, and each row's nearest other: no matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from constellations.geometry.large import COLUMNS, blocks, products
from constellations.geometry.margin import Gap
from constellations.geometry.matches import Matches
from constellations.losses.bias import best_bias

BINS = 40_000  # over [-1, 1]: a bin is 5e-5 wide


@dataclass(frozen=True)
class Means:
    """Exact means. ``mean_of_norms`` and ``norm_of_mean`` are of squared norms of ``x = u_i - v_j`` over matching pairs.

    ``relative_modality_gap`` is ``D / (D + (D_images + D_texts) / 2)`` with the mean cosine distances of matching pairs,
    of two different images, of two different texts: RMG of Schrodi et al. (arXiv 2404.07983), as their code computes it.
    """

    mean: Gap
    xi: float
    mean_of_norms: float
    norm_of_mean: float
    unmatched_mean_of_norms: float
    distance_of_means: float
    image_mean_norm: float
    text_mean_norm: float
    relative_modality_gap: float


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

    @property
    def centres(self) -> np.ndarray:
        """The middles of the bins."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    def quantile(self, fraction: float) -> float:
        """A quantile, right to a bin's width, 5e-5 (and to sampling error if not :attr:`exact`)."""
        below = np.cumsum(self.counts)
        k = int(np.searchsorted(below, fraction * below[-1]))
        inside = (fraction * below[-1] - (below[k] - self.counts[k])) / max(self.counts[k], 1)
        return float(self.edges[k] + (self.edges[k + 1] - self.edges[k]) * inside)


def means(u: Tensor, v: Tensor, matches: Matches) -> Means:
    """All means, in ``O((M + N + P) d)``: the mean over all pairs is the product of the sums."""
    m, n, matched = len(u), len(v), len(matches)
    shift = sum((x.sum(0) for x in _differences(u, v, matches)), torch.zeros(())) / matched
    squares = sum(x.square().sum().item() for x in _differences(u, v, matches)) / matched
    xi = sum((x - shift).square().sum().item() for x in _differences(u, v, matches)) / matched
    norms = sum(sum(x.double().square().sum().item() for x in y.split(COLUMNS)) / len(y) for y in (u, v))
    own = sum((u[i].double() * v[j].double()).sum().item() for i, j in matches.split(COLUMNS))
    centres = [y.mean(0, dtype=torch.float64) for y in (u, v)]
    total, lengths = m * n * (centres[0] @ centres[1]).item(), [centre.norm().item() for centre in centres]
    within = [1 - (k * a**2 - 1) / (k - 1) if k > 1 else 0.0 for k, a in zip((m, n), lengths, strict=True)]
    across = 1 - own / matched
    return Means(
        mean=Gap(own / matched, (total - own) / (m * n - matched)), xi=xi, mean_of_norms=squares,
        norm_of_mean=shift.square().sum().item(), unmatched_mean_of_norms=norms - 2 * total / (m * n),
        distance_of_means=(centres[0] - centres[1]).norm().item(), image_mean_norm=lengths[0],
        text_mean_norm=lengths[1], relative_modality_gap=across / max(across + sum(within) / 2, 1e-300),
    )  # fmt: skip


def _differences(u: Tensor, v: Tensor, matches: Matches) -> Iterator[Tensor]:
    return (u[rows].double() - v[columns].double() for rows, columns in matches.split(COLUMNS))


def non_matching_histogram(u: Tensor, v: Tensor, matches: Matches, *, most: int = 10**8, seed: int = 0) -> NonMatching:
    """Histogram of non-matching inner products: of all if there are at most ``most``, else of a seeded sample of images.

    A sampled image contributes all its inner products, so that at least ``most / N`` images are seen.
    """
    m, n = len(u), len(v)
    if m * n > most:
        chosen = np.random.default_rng(seed).choice(m, size=min(m, max(256, most // n)), replace=False)
        u, matches = u[np.sort(chosen)], Matches(matches.matrix[np.sort(chosen)])
    points = u.float(), v.float()
    counts = torch.zeros(BINS + 1, dtype=torch.int64)
    for block in blocks(len(u), n):
        s = products(points, matches, block, matching=2.0)
        bins = s.add_(1).mul_(BINS / 2).clamp_(0, 1.2 * BINS).int().clamp_max_(BINS).ravel()
        counts += torch.bincount(bins, minlength=BINS + 1)
    counts[BINS - 1] += counts[BINS] - len(matches)  # products equal to 1 belong to the last bin
    return NonMatching(counts[:BINS].numpy(), np.linspace(-1, 1, BINS + 1), len(u), m / len(u))


def loss_at_best_bias(
    matching: np.ndarray, non_matching: NonMatching, *, inverse_temperature: float
) -> tuple[float, float]:
    """``(inf_b L, b)`` of the exact summed sigmoid loss at ``t``, non-matching products taken at bin centres.

    The non-matching part is right to a factor ``e^{t * 2.5e-5}`` either way (0.3% at ``t = 118``), plus sampling error.
    """
    seen, t = non_matching.counts > 0, inverse_temperature
    weights = non_matching.counts[seen] * non_matching.scale
    return best_bias(matching, non_matching.centres[seen], inverse_temperature=t, weights=weights)[::-1]


def nearest_others(u: Tensor, v: Tensor, matches: Matches) -> tuple[Tensor, Tensor]:
    """For every row of ``u`` the closest of ``v`` that is not its own: ``(index [M], inner product [M])``, in float32."""
    points = u.float(), v.float()
    index, value = torch.zeros(len(u), dtype=torch.int64), torch.full((len(u),), -torch.inf)
    for block in blocks(len(u), len(v)):
        s, place = products(points, matches, block, matching=-torch.inf).max(1)
        closer = s > value[block[0]]
        index[block[0]][closer] = block[1].start + place[closer]
        value[block[0]][closer] = s[closer]
    return index, value
