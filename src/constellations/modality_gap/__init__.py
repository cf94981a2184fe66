"""Hyperplanes through the origin that tell the two modalities apart (Theorem 3.6 of the paper)."""

from constellations.modality_gap.direction import (
    SeparatingDirection,
    distance_to_cone_of_others,
    min_norm_point,
    separating_direction,
)
from constellations.modality_gap.perceptron import Perceptron, perceptron
from constellations.modality_gap.programs import (
    LinearSeparability,
    MaxSeparable,
    linear_separability,
    max_separable,
)
from constellations.modality_gap.signs import (
    check_sign_condition,
    sign_condition_samples,
    zero_bias_lift,
)

__all__ = [
    "LinearSeparability",
    "MaxSeparable",
    "Perceptron",
    "SeparatingDirection",
    "check_sign_condition",
    "distance_to_cone_of_others",
    "linear_separability",
    "max_separable",
    "min_norm_point",
    "perceptron",
    "separating_direction",
    "sign_condition_samples",
    "zero_bias_lift",
]
