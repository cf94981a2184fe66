"""How many pairs fit: Theorems 3.3-3.5 as exponents, and rigorous brackets at finite dimension, in both directions.

``python -m constellations.bounds --help`` answers the same questions in a terminal.
"""

from constellations.bounds.caps import log_cap_measure
from constellations.bounds.exponents import (
    alpha,
    exponent_lower,
    exponent_upper,
    margin_upper_bound,
)
from constellations.bounds.inverse import margin_bracket, required_dimension
from constellations.bounds.sizes import log_max_pairs_lower, log_max_pairs_upper

__all__ = [
    "alpha",
    "exponent_lower",
    "exponent_upper",
    "log_cap_measure",
    "log_max_pairs_lower",
    "log_max_pairs_upper",
    "margin_bracket",
    "margin_upper_bound",
    "required_dimension",
]
