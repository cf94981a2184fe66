"""The published tables of the eight models, and measured models in the same columns."""

import numpy as np

from companion.studies import siglip, stand_in
from constellations.geometry.report import measure


def test_published_tables_agree_to_rounding():
    models = siglip.published_models()
    assert len(models) == 8 and models["dim"].is_monotonic_increasing
    p, q, digit = models["matching"], models["non_matching"], 0.5e-4 + 1e-9
    for column, implied, digits in (
        ("margin", (p - q) / 2, 2),
        ("relative_bias", (p + q) / 2, 2),
        ("trimmed_margin", (models["matching_5th"] - models["non_matching_95th"]) / 2, 2),
        ("trimmed_relative_bias", (models["matching_5th"] + models["non_matching_95th"]) / 2, 2),
        ("mean_of_norms", 2 - 2 * p, 3),
        ("xi", models["mean_of_norms"] - models["norm_of_mean"], 3),
    ):
        assert (models[column] - implied).abs().max() <= digits * digit, column
    assert round(models["dim"].corr(models["margin"]), 3) == 0.948


def test_measured_models_have_the_columns_of_the_tables_and_their_identities():
    asked = {"mean_matching": 0.1, "mean_non_matching": -0.03, "norm_of_mean": 1.2}
    images, texts, labels = stand_in.stand_in(**asked, n_classes=40, images_per_class=5, dim=64)
    models = siglip.measured_models({"made-up": measure(images, texts, labels=(labels, range(len(texts))))})
    assert list(models.columns) == list(siglip.published_models().columns)
    row = models.loc["made-up"]
    average = row["matching"] / 40 + (1 - 1 / 40) * row["non_matching"]
    budget = 2 * (3 - 4 / 40) * row["margin"] + row["xi"] + row["norm_of_mean"] + 4 * average
    for found, implied in (
        (row["mean_of_norms"], 2 - 2 * row["matching"]),
        (row["random_mean_of_norms"], 2 - 2 * average),
        (row["xi"], row["mean_of_norms"] - row["norm_of_mean"]),
        (2 * (1 + row["relative_bias"]), budget),
    ):
        np.testing.assert_allclose(found, implied, atol=1e-6)
