"""The geometry of a configuration of pairs: margin, relative bias, constellations, retrieval, linear shift.

Large sets of stored embeddings are measured by ``python -m constellations.geometry report`` (see
:mod:`constellations.geometry.report`).
"""

from constellations.geometry.margin import (
    LinearRepresentation,
    Separation,
    inner_products,
    is_constellation,
    linear_representation_gap,
    matching_and_non_matching,
    mean_margin,
    nearest_neighbour_accuracy,
    separation,
    trimmed_margin,
)

__all__ = [
    "LinearRepresentation",
    "Separation",
    "inner_products",
    "is_constellation",
    "linear_representation_gap",
    "matching_and_non_matching",
    "mean_margin",
    "nearest_neighbour_accuracy",
    "separation",
    "trimmed_margin",
]
