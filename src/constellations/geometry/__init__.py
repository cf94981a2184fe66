"""The geometry of a configuration of pairs: margin, relative bias, constellations, retrieval, linear shift.

Large sets of stored embeddings are measured by ``python -m constellations.geometry report`` (see
:mod:`constellations.geometry.report`).
"""

# ruff: noqa: I001
from constellations.geometry.budget import (
    LinearRepresentation, MarginBudget, linear_representation_gap, margin_budget,
)  # fmt: skip
from constellations.geometry.margin import (
    Gap, Separation, inner_products, is_constellation, matching_and_non_matching, mean_margin,
    nearest_neighbour_accuracy, separation, smallest_and_largest,
)  # fmt: skip

__all__ = [
    "Gap", "LinearRepresentation", "MarginBudget", "Separation", "inner_products", "is_constellation",
    "linear_representation_gap", "margin_budget", "matching_and_non_matching", "mean_margin",
    "nearest_neighbour_accuracy", "separation", "smallest_and_largest",
]  # fmt: skip
