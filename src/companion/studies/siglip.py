"""The published Tables 4-6 in one frame, and measured models in the same columns."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from io import StringIO
from operator import attrgetter

import pandas as pd

from constellations.data import read_csv_text
from constellations.geometry.report import Report

SHIFT, TRIMMED, MEAN = "table4_xi_imagenet", "table5_trimmed_margin_imagenet", "table6_mean_margin_imagenet"
# Where each number of a model stands in the paper, table and column, and in a report.
COLUMNS = {
    "dim": (MEAN, "dimension", "dim"),
    "matching": (MEAN, "mean_positive", "mean.matching"),
    "non_matching": (MEAN, "mean_negative", "mean.non_matching"),
    "margin": (MEAN, "margin", "mean.margin"),
    "relative_bias": (MEAN, "relative_bias", "mean.relative_bias"),
    "matching_5th": (TRIMMED, "positive_5th_percentile", "trimmed.matching"),
    "non_matching_95th": (TRIMMED, "negative_95th_percentile", "trimmed.non_matching"),
    "trimmed_margin": (TRIMMED, "margin", "trimmed.margin"),
    "trimmed_relative_bias": (TRIMMED, "relative_bias", "trimmed.relative_bias"),
    "xi": (SHIFT, "xi", "xi"),
    "mean_of_norms": (SHIFT, "mean_of_norms", "mean_of_norms"),
    "norm_of_mean": (SHIFT, "norm_of_mean", "norm_of_mean"),
    "random_mean_of_norms": (SHIFT, "random_mean_of_norms", "unmatched_mean_of_norms"),
}


def published_models() -> pd.DataFrame:
    """Tables 4, 5 and 6 by model, in the columns of :func:`measured_row`."""
    tables = {name: pd.read_csv(StringIO(read_csv_text(name))).set_index("model") for name in (SHIFT, TRIMMED, MEAN)}
    columns = {name: tables[table][column] for name, (table, column, _) in COLUMNS.items()}
    return pd.DataFrame(columns).sort_values(["dim", "margin"])


def measured_row(report: Report) -> dict[str, float]:
    """A report on one model as a row of :func:`published_models`."""
    return {name: attrgetter(measured)(report) for name, (*_, measured) in COLUMNS.items()}


def measured_models(reports: Mapping[str, Report]) -> pd.DataFrame:
    """Reports by model as a frame like :func:`published_models`."""
    rows = {name: measured_row(report) for name, report in reports.items()}
    return pd.DataFrame.from_dict(rows, orient="index").astype({"dim": int}).sort_values(["dim", "margin"])


def measured_before() -> pd.DataFrame:
    """What reports said of the paired features of *Mind the Gap* (Weixin-Liang/Modality-Gap, commit 8e20cb2)."""
    columns = ["encoder", "pairs", "d", "m*", "mean margin", "retrieval at 1", "means apart", "relative gap"]
    text = (files("companion") / "data" / "paired_features.csv").read_text()
    return pd.read_csv(StringIO(text)).set_axis(columns, axis=1)


def short_name(model: str) -> str:
    """``siglip-base-patch16-224`` as ``B/16-224``."""
    for long, short in (("so400m-patch", "So400m/"), ("large-patch", "L/"), ("base-patch", "B/")):
        model = model.replace(long, short)
    return model.removeprefix("siglip-")


def family(model: str) -> str:
    """The family of a model by its name: ``base``, ``large``, ``so400m`` or ``other``."""
    return next((name for name in ("so400m", "large", "base") if name in str(model)), "other")
