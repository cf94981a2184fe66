"""A report on embeddings of any size: margin, certificate, modality gap, retrieval, dimension bracket."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from constellations import bounds, certificates
from constellations.geometry.averages import averages, loss_at_best_bias, non_matching_histogram
from constellations.geometry.files import check_labels
from constellations.geometry.large import extremes
from constellations.modality_gap.hyperplane import separating_hyperplane
from constellations.sphere import as_points


@dataclass(frozen=True)
class Gap:
    """A margin and the relative bias in its middle."""

    matching: float
    non_matching: float

    @property
    def margin(self) -> float:
        """Half the gap."""
        return (self.matching - self.non_matching) / 2

    @property
    def relative_bias(self) -> float:
        """The midpoint."""
        return (self.matching + self.non_matching) / 2


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
class Report:
    """What :func:`measure` finds; every field is a plain number. Indices are rows of the inputs.

    ``extreme``, ``mean`` and ``trimmed`` take minimum / maximum, means, and the 5th / 95th percentiles. The dimension
    bracket is ``None`` where the margin is not positive.
    """

    n_images: int
    n_texts: int
    dim: int
    extreme: Gap
    matching_index: int
    non_matching_index: tuple[int, int]
    mean: Gap
    trimmed: Gap
    percentiles_from_images: int
    retrieval_accuracy: float
    xi: float
    mean_of_norms: float
    norm_of_mean: float
    unmatched_mean_of_norms: float
    distance_of_means: float
    image_mean_norm: float
    text_mean_norm: float
    wrong_images: int
    wrong_texts: int
    hyperplane_margin: float
    required_dimension: tuple[int, int] | None
    required_dimension_by_means: tuple[int, int] | None
    loss: Loss | None

    @property
    def separable(self) -> bool:
        """Whether a hyperplane with all images on one side and all texts on the other was found."""
        return self.wrong_images + self.wrong_texts == 0

    @property
    def modality_gap_guaranteed(self) -> bool:
        """Whether Theorem 3.6 applies as it stands: ``m* > |b*_rel|``, at least ``d + 2`` pairs."""
        return self.extreme.margin > abs(self.extreme.relative_bias) and self.n_texts >= self.dim + 2

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, with margins and relative biases spelled out."""
        content = asdict(self)
        for name in ("extreme", "mean", "trimmed"):
            gap = getattr(self, name)
            content[name] |= {"margin": gap.margin, "relative_bias": gap.relative_bias}
        return content | {
            "separable": self.separable,
            "modality_gap_guaranteed": self.modality_gap_guaranteed,
        }


def measure(
    images: Any,
    texts: Any,
    *,
    labels: Any = None,
    inverse_temperature: float | None = None,
    sampled_products: int = 10**8,
    seed: int = 0,
    max_passes: int = 50,
    screen: bool | None = None,
    progress: bool = False,
) -> Report:
    """Measure ``images [M, d]`` against ``texts [N, d]``, unit rows, ``N >= 2``, in ``O((M + N) d)`` memory.

    Extremes and their witnesses, retrieval, means and xi are exact to rounding at any size. Percentiles and the loss
    come from a histogram with bins of 5e-5: of all non-matching products up to ``sampled_products`` of them, else of
    the images of a sample drawn with ``seed``.

    Parameters
    ----------
    labels:
        ``[M]``: the row of the text that image ``i`` matches; left out, image ``i`` matches text ``i``.
    inverse_temperature:
        Also give the infimum over the bias of the summed loss at this ``t``.
    max_passes:
        Most passes of the perceptron that looks for a hyperplane between the modalities.
    screen:
        See :func:`constellations.geometry.large.extremes`.

    Raises
    ------
    ValueError
        For points off the sphere, different dimensions or counts, bad labels, fewer than two texts, ``t <= 0``.

    Examples
    --------
    >>> report = measure(torch.eye(5), torch.eye(5))
    >>> report.extreme.margin, report.retrieval_accuracy, report.xi
    (0.5, 1.0, 0.0)
    """
    u, v = as_points(images, "images"), as_points(texts, "texts")
    index = _labels(u, v, labels)
    if inverse_temperature is not None and not 0 < inverse_temperature < math.inf:
        raise ValueError(f"inverse_temperature must be finite and above 0, got {inverse_temperature!r}")
    if sampled_products < 1 or seed < 0:
        raise ValueError(
            f"sampled_products must be at least 1 and seed at least 0, got {sampled_products}, {seed}"
        )
    found = extremes(u, v, index, screen=screen, progress=progress)
    means = averages(u, v, index)
    histogram = non_matching_histogram(u, v, index, most=sampled_products, seed=seed)
    plane = separating_hyperplane(u, v, max_passes=max_passes)
    extreme = Gap(found.min_matching, found.max_non_matching)
    mean = Gap(means.matching, means.non_matching)
    centres = [points.mean(0, dtype=torch.float64) for points in (u, v)]
    loss = None
    if inverse_temperature is not None:
        infimum, bias = loss_at_best_bias(found.matching, histogram, inverse_temperature=inverse_temperature)
        loss = _loss(inverse_temperature, infimum, bias, histogram.exact, extreme.margin, len(u), len(v))
    pairs = len(torch.unique(index))
    return Report(
        n_images=len(u),
        n_texts=len(v),
        dim=u.shape[1],
        extreme=extreme,
        matching_index=found.matching_index,
        non_matching_index=found.non_matching_index,
        mean=mean,
        trimmed=Gap(float(np.quantile(found.matching, 0.05)), histogram.quantile(0.95)),
        percentiles_from_images=histogram.n_images,
        retrieval_accuracy=float((~found.beaten).mean()),
        xi=means.xi,
        mean_of_norms=means.mean_of_norms,
        norm_of_mean=means.norm_of_mean,
        unmatched_mean_of_norms=means.unmatched_mean_of_norms,
        distance_of_means=float((centres[0] - centres[1]).norm()),
        image_mean_norm=float(centres[0].norm()),
        text_mean_norm=float(centres[1].norm()),
        wrong_images=plane.wrong_images,
        wrong_texts=plane.wrong_texts,
        hyperplane_margin=plane.margin,
        required_dimension=_bracket(pairs, extreme),
        required_dimension_by_means=_bracket(pairs, mean),
        loss=loss,
    )


def _labels(u: Tensor, v: Tensor, labels: Any) -> Tensor:
    if u.ndim != 2 or v.ndim != 2 or u.shape[1] != v.shape[1]:
        shapes = f"{tuple(u.shape)} and {tuple(v.shape)}"
        raise ValueError(f"images and texts must have shapes [M, d] and [N, d] of one d, got {shapes}")
    if len(v) < 2:
        raise ValueError(f"texts must hold at least 2 rows, got {len(v)}")
    if labels is None:
        if len(u) != len(v):
            raise ValueError(
                f"images and texts must match row by row, got {len(u)} and {len(v)} rows: "
                "give labels (--pairs), the row of the text of every image"
            )
        return torch.arange(len(u))
    index = check_labels(labels, n_texts=len(v))
    if index.shape != (len(u),):
        raise ValueError(f"labels must hold one label per image, {len(u)}, got shape {tuple(index.shape)}")
    return index


def _bracket(n_pairs: int, gap: Gap) -> tuple[int, int] | None:
    """Dimensions between which ``n_pairs`` pairs first fit at this margin, or ``None`` outside the region."""
    if not gap.margin > 0 or n_pairs < 2:
        return None
    try:
        return bounds.required_dimension(n_pairs, gap.margin, gap.relative_bias)
    except ValueError:  # rounding may leave the region where such pairs exist at all
        return None


def _loss(
    t: float, infimum: float, bias: float, exact: bool, margin: float, n_images: int, n_texts: int
) -> Loss:
    """Bounds by the larger count: dropping rows of a square loss only lowers it, so the upper bound stays one."""
    box = certificates.optimal_loss_bounds(margin, n_pairs=max(n_images, n_texts), inverse_temperature=t)
    certified = certificates.certified_margin(infimum, inverse_temperature=t) if infimum > 0 else math.inf
    return Loss(t, infimum, bias, exact, box.lower, box.upper, certified)
