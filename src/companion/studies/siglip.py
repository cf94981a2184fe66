"""The published Tables 4-6 in one frame, what they imply together, and measured models in the same columns."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from io import StringIO

import numpy as np
import pandas as pd

from constellations import bounds
from constellations.data import read_csv_text
from constellations.geometry.report import Report

ROUNDING = 0.5e-4  # the tables print four digits


def published_models() -> pd.DataFrame:
    """Tables 4, 5 and 6 by model, in the columns of :func:`measured_row`."""
    shift, trimmed, mean = (
        pd.read_csv(StringIO(read_csv_text(name))).set_index("model")
        for name in ("table4_xi_imagenet", "table5_trimmed_margin_imagenet", "table6_mean_margin_imagenet")
    )
    return pd.DataFrame(
        {
            "dim": mean["dimension"],
            "matching": mean["mean_positive"],
            "non_matching": mean["mean_negative"],
            "margin": mean["margin"],
            "relative_bias": mean["relative_bias"],
            "matching_5th": trimmed["positive_5th_percentile"],
            "non_matching_95th": trimmed["negative_95th_percentile"],
            "trimmed_margin": trimmed["margin"],
            "trimmed_relative_bias": trimmed["relative_bias"],
            "xi": shift["xi"],
            "mean_of_norms": shift["mean_of_norms"],
            "norm_of_mean": shift["norm_of_mean"],
            "random_mean_of_norms": shift["random_mean_of_norms"],
        }
    ).sort_values(["dim", "margin"])


def measured_row(report: Report) -> dict[str, float]:
    """A report on one model as a row of :func:`published_models`."""
    return {
        "dim": report.dim,
        "matching": report.mean.matching,
        "non_matching": report.mean.non_matching,
        "margin": report.mean.margin,
        "relative_bias": report.mean.relative_bias,
        "matching_5th": report.trimmed.matching,
        "non_matching_95th": report.trimmed.non_matching,
        "trimmed_margin": report.trimmed.margin,
        "trimmed_relative_bias": report.trimmed.relative_bias,
        "xi": report.xi,
        "mean_of_norms": report.mean_of_norms,
        "norm_of_mean": report.norm_of_mean,
        "random_mean_of_norms": report.unmatched_mean_of_norms,
    }


def measured_models(reports: Mapping[str, Report]) -> pd.DataFrame:
    """Reports by model as a frame like :func:`published_models`."""
    rows = {name: measured_row(report) for name, report in reports.items()}
    return pd.DataFrame.from_dict(rows, orient="index").astype({"dim": int}).sort_values(["dim", "margin"])


def implied(models: pd.DataFrame, *, n_classes: int) -> pd.DataFrame:
    r"""What the columns imply of each other, for ``C`` classes of equally many images.

    - ``xi = mean_of_norms - norm_of_mean`` and ``mean_of_norms = 2 - 2 p``;
    - ``random_mean_of_norms = 2 - 2 s``, ``s = p / C + (1 - 1/C) q`` the average over all pairs;
    - margin and relative bias: half difference and midpoint of ``p, q``, and of the percentiles.

    Here ``p`` and ``q`` are the mean matching and non-matching inner products.
    """
    p, q = models["matching"], models["non_matching"]
    low, high = models["matching_5th"], models["non_matching_95th"]
    return pd.DataFrame(
        {
            "xi": models["mean_of_norms"] - models["norm_of_mean"],
            "mean_of_norms": 2 - 2 * p,
            "random_mean_of_norms": 2 - 2 * (p / n_classes + (1 - 1 / n_classes) * q),
            "margin": (p - q) / 2,
            "relative_bias": (p + q) / 2,
            "trimmed_margin": (low - high) / 2,
            "trimmed_relative_bias": (low + high) / 2,
        }
    )


def budget(models: pd.DataFrame, *, n_classes: int) -> pd.DataFrame:
    r"""Shares of ``1 + b_rel`` in the identity behind Theorem 3.4, which at means has three terms:

    .. math::
        2 (1 + b_{rel}) = 2 (3 - 4/C)\, m + \xi + |\bar u + \bar v|^2,
        \qquad |\bar u + \bar v|^2 = |\bar u - \bar v|^2 + 4 \bar s .
    """
    average = models["matching"] / n_classes + (1 - 1 / n_classes) * models["non_matching"]
    whole = 2 * (1 + models["relative_bias"])
    return pd.DataFrame(
        {
            "margin": 2 * (3 - 4 / n_classes) * models["margin"] / whole,
            "xi": models["xi"] / whole,
            "centre": (models["norm_of_mean"] + 4 * average) / whole,
        }
    )


def effective_dimension(models: pd.DataFrame) -> pd.Series:
    r"""Dimension in which isotropic points around two centres have the spread that Table 5 implies: ``(1 - A^2) / sd^2``.

    ``sd = (q_95 - q) / 1.645`` as for a Gaussian, and ``A = D/2 + s`` is the squared norm of the modalities' centres,
    taken as equal; ``D = norm_of_mean`` and ``s = 1 - random_mean_of_norms / 2``. Points ``c + g`` with ``g`` isotropic of
    squared norm ``1 - A`` in ``k`` dimensions have products of variance ``((1 - A)^2 + 2 A (1 - A)) / k = (1 - A^2) / k``.
    """
    spread = (models["non_matching_95th"] - models["non_matching"]) / 1.645
    centre = models["norm_of_mean"] / 2 + 1 - models["random_mean_of_norms"] / 2
    return (1 - centre**2) / spread**2


def needed_dimensions(models: pd.DataFrame, *, n_pairs: int) -> np.ndarray:
    """Brackets ``[models, 2]`` of the dimension in which ``n_pairs`` pairs first fit at a model's mean margin.

    A row of NaN where there is none: the margin is not positive or too large for so many pairs.
    """
    brackets = np.full((len(models), 2), np.nan)
    for k, (margin, bias) in enumerate(zip(models["margin"], models["relative_bias"], strict=True)):
        with suppress(ValueError):
            brackets[k] = bounds.required_dimension(n_pairs, margin, bias)
    return brackets


def correlations(models: pd.DataFrame, column: str) -> tuple[float, float]:
    """Pearson and Spearman correlation of ``dim`` with a column."""
    pair = models[["dim", column]]
    found = [pair.corr(method=method).iloc[0, 1] for method in ("pearson", "spearman")]
    return float(np.real(found[0])), float(np.real(found[1]))
