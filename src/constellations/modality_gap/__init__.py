"""Hyperplanes between the two modalities (Theorem 3.6 of the paper), and what one modality allows the other."""

# ruff: noqa: I001
from constellations.modality_gap.direction import SeparatingDirection, separating_direction
from constellations.modality_gap.fixed_side import locked_margin_bound
from constellations.modality_gap.hyperplane import Hyperplane, perceptron, separating_hyperplane
from constellations.modality_gap.nearest import (
    distance_to_cone_of_others, distance_to_hull_of_others, min_norm_point,
)  # fmt: skip
from constellations.modality_gap.programs import (
    LinearSeparability, MaxSeparable, linear_separability, max_separable,
)  # fmt: skip
from constellations.modality_gap.sign_condition import (
    check_sign_condition, sign_condition_samples, zero_bias_lift,
)  # fmt: skip

__all__ = [
    "Hyperplane", "LinearSeparability", "MaxSeparable", "SeparatingDirection", "check_sign_condition",
    "distance_to_cone_of_others", "distance_to_hull_of_others", "linear_separability", "locked_margin_bound",
    "max_separable", "min_norm_point", "perceptron", "separating_direction", "separating_hyperplane",
    "sign_condition_samples", "zero_bias_lift",
]  # fmt: skip
