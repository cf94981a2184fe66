"""A report on embeddings of any size: margin, certificate, modality gap, retrieval, dimension bracket."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import block_array
from scipy.sparse.csgraph import connected_components

from constellations import bounds, certificates
from constellations.checks import integer, positive
from constellations.geometry import distribution
from constellations.geometry.large import hardest
from constellations.geometry.margin import Gap, Separation
from constellations.geometry.matches import Matches, of_points
from constellations.losses.arguments import Labels
from constellations.modality_gap.hyperplane import separating_hyperplane
from constellations.sphere import Points

DECIDING = 5  # pairs of either kind that are listed


@dataclass(frozen=True)
class Pair:
    """An image, a text and their inner product."""

    image: int
    text: int
    product: float


@dataclass(frozen=True)
class Loss:
    """``inf_b L`` at one inverse temperature, the bracket that the margin alone gives, and the margin ``inf_b L`` proves.

    ``exact`` says whether every non-matching product was counted.
    """

    inverse_temperature: float
    infimum: float
    bias: float
    exact: bool
    lower: float
    upper: float
    certified_margin: float


@dataclass(frozen=True)
class Report(distribution.Means):
    """What :func:`measure` finds. Indices are rows of the inputs.

    ``extreme``, ``mean`` and ``trimmed`` take minimum / maximum, means, and the 5th / 95th percentiles. Retrieval counts
    images whose best own text is strictly closer than every other text, and the other way round.
    ``required_dimension`` is the bracket that one pair per group of matching points needs,
    ``None`` where the margin is not positive; ``allowed_margin`` is the bracket of the best margin of as many pairs in
    ``dim`` dimensions at the same relative bias. The matching products and the others' histogram are not part of the JSON.
    """

    n_images: int
    n_texts: int
    n_matching: int
    n_groups: int
    dim: int
    extreme: Separation
    trimmed: Gap
    hardest_matching: tuple[Pair, ...]
    hardest_non_matching: tuple[Pair, ...]
    percentiles_from_images: int
    retrieval_accuracy: float
    text_retrieval_accuracy: float
    wrong_images: int
    wrong_texts: int
    hyperplane_margin: float
    required_dimension: tuple[int, int] | None
    required_dimension_by_means: tuple[int, int] | None
    allowed_margin: tuple[float, float] | None
    loss: Loss | None
    matching: np.ndarray = field(repr=False, compare=False)
    histogram: distribution.NonMatching = field(repr=False, compare=False)

    @property
    def separable(self) -> bool:
        """Whether a hyperplane with all images on one side and all texts on the other was found."""
        return self.wrong_images + self.wrong_texts == 0

    @property
    def modality_gap_guaranteed(self) -> bool:
        """Whether Theorem 3.6 applies as it stands, with ``m* > |b*_rel|`` and at least ``d + 2`` pairs."""
        return self.extreme.margin > abs(self.extreme.relative_bias) and self.n_groups >= self.dim + 2

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, with margins and relative biases spelled out."""
        content = asdict(self)
        del content["matching"], content["histogram"]
        for name in ("extreme", "mean", "trimmed"):
            gap: Gap = getattr(self, name)
            content[name] |= {"margin": gap.margin, "relative_bias": gap.relative_bias}
        return content | {name: getattr(self, name) for name in ("separable", "modality_gap_guaranteed")}


def measure(
    images: Points,
    texts: Points,
    *,
    labels: Labels | None = None,
    inverse_temperature: float | None = None,
    sampled_products: int = 10**8,
    seed: int = 0,
    progress: bool = False,
) -> Report:
    """Measure ``images [M, d]`` against ``texts [N, d]``, unit rows, in ``O((M + N) d)`` memory.

    Extremes and their witnesses, retrieval, means and xi are exact to rounding at any size. Percentiles and the loss
    come from a histogram with bins of 5e-5: of all non-matching products up to ``sampled_products`` of them, else of
    the images of a sample drawn with ``seed``.

    Parameters
    ----------
    labels:
        Which pairs match, as in :func:`constellations.geometry.separation`; left out, image ``i`` matches text ``i``.
        Where image ``i`` matches text ``own[i]``: ``(own, range(N))``.
    inverse_temperature:
        Also give the infimum over the bias of the summed loss at this ``t``.

    Examples
    --------
    >>> report = measure(np.eye(5), np.eye(5))
    >>> report.extreme.margin, report.retrieval_accuracy, report.xi
    (0.5, 1.0, 0.0)
    """
    u, v, matches = of_points(images, texts, labels)
    if inverse_temperature is not None:
        positive(inverse_temperature, "inverse_temperature")
    most, seed = integer(sampled_products, "sampled_products", 1), integer(seed, "seed", 0)
    plane = separating_hyperplane(u, v)
    found = hardest(u, v, matches, most=DECIDING, progress=progress)
    average = distribution.means(u, v, matches)
    histogram = distribution.non_matching_histogram(u, v, matches, most=most, seed=seed)
    matching = found.matching.numpy()
    order = np.argsort(matching, kind="stable")[:DECIDING]
    low = [Pair(int(matches.rows[p]), int(matches.columns[p]), float(matching[p])) for p in order]
    high = [Pair(i, j, s) for (i, j), s in zip(found.pairs.tolist(), found.largest.tolist(), strict=True)]
    ends = (low[0].image, low[0].text), (high[0].image, high[0].text)
    extreme = Separation(low[0].product, high[0].product, *ends)
    t, groups, dim, b = inverse_temperature, _groups(matches), u.shape[1], extreme.relative_bias
    return Report(
        **vars(average), n_images=len(u), n_texts=len(v), n_matching=len(matches), n_groups=groups, dim=dim,
        extreme=extreme, trimmed=Gap(float(np.quantile(matching, 0.05)), histogram.quantile(0.95)),
        hardest_matching=tuple(low), hardest_non_matching=tuple(high),
        percentiles_from_images=histogram.n_images,
        retrieval_accuracy=found.found_rows[matches.rows.unique()].double().mean().item(),
        text_retrieval_accuracy=found.found_columns[matches.columns.unique()].double().mean().item(),
        wrong_images=plane.wrong_images, wrong_texts=plane.wrong_texts, hyperplane_margin=plane.margin,
        required_dimension=_dimensions(groups, extreme),
        required_dimension_by_means=_dimensions(groups, average.mean),
        allowed_margin=bounds.margin_bracket(groups, dim, b) if min(groups, dim) > 1 > abs(b) else None,
        loss=None if t is None else _loss(matching, histogram, t, extreme.margin, matches),
        matching=matching, histogram=histogram,
    )  # fmt: skip


def _groups(matches: Matches) -> int:
    """Connected components of the matching pairs: one pair of each gives pairs that match no other."""
    _, component = connected_components(block_array([[None, matches.matrix], [matches.matrix.T, None]]))
    return len(np.unique(component[matches.rows]))


def _dimensions(n_pairs: int, gap: Gap) -> tuple[int, int] | None:
    """Dimensions between which ``n_pairs`` pairs first fit at this margin, or ``None`` outside the region."""
    if not gap.margin > 0 or n_pairs < 2:
        return None
    try:
        return bounds.required_dimension(n_pairs, gap.margin, gap.relative_bias)
    except ValueError:  # rounding may leave the region where such pairs exist at all
        return None


def _loss(matching: np.ndarray, histogram: distribution.NonMatching, t: float, margin: float, matches: Matches) -> Loss:
    """Bounds by a count ``n`` with at least ``n`` matching and ``n (n - 1)`` other entries: more entries only add loss."""
    m, n = matches.matrix.shape
    count = max(len(matches), m, n) + (len(matches) < min(m, n))
    infimum, bias = distribution.loss_at_best_bias(matching, histogram, inverse_temperature=t)
    box = certificates.optimal_loss_bounds(margin, n_pairs=count, inverse_temperature=t)
    certified = certificates.certified_margin(infimum, inverse_temperature=t) if infimum > 0 else math.inf
    return Loss(t, infimum, bias, histogram.exact, box.lower, box.upper, certified)
