r"""How many pairs fit: exponents, and rigorous brackets at finite dimension, in both directions.

**The midpoint theorem.** ``N_SC(d-1, alpha) <= N_MRB(d, m, b_rel) <= N_SC(d, alpha)``, where ``N_SC(d, alpha)`` is the
largest number of unit vectors in ``R^d`` with inner products at most ``alpha = (1 + b_rel - 3m)/(1 + b_rel + m)``.
*Proof.* On the right: ``M_i = (U_i + V_i)/2`` have ``|M_i|^2 = (1 + s_ii)/2 >= (1 + b_rel + m)/2`` and
``|M_i + M_j|^2 <= (|U_i + V_j|^2 + |U_j + V_i|^2)/2 = 2 + s_ij + s_ji <= 2(1 + b_rel - m)``, so the cosine between them
is at most ``2(1 + b_rel - m)/(1 + b_rel + m) - 1 = alpha``. On the left: shrink a code by ``delta``,
``delta^2 = (1 + b_rel + m)/2``, and give the two sides the last coordinates ``+-sqrt(1 - delta^2)``.

``python -m constellations.bounds --help`` answers the same questions in a terminal.
"""

# ruff: noqa: I001
from constellations.bounds.caps import best_cluster, log_cap_bound, log_cap_measure
from constellations.bounds.inverse import margin_bracket, required_dimension
from constellations.bounds.program import linear_program
from constellations.bounds.region import (
    alpha, code_margin, exponent_kabatiansky_levenshtein, exponent_lower, exponent_upper, margin_upper_bound, region,
)  # fmt: skip
from constellations.bounds.sizes import log_max_pairs_lower, log_max_pairs_upper

__all__ = [
    "alpha", "best_cluster", "code_margin", "exponent_kabatiansky_levenshtein", "exponent_lower",
    "exponent_upper", "linear_program", "log_cap_bound", "log_cap_measure", "log_max_pairs_lower",
    "log_max_pairs_upper", "margin_bracket", "margin_upper_bound", "region", "required_dimension",
]  # fmt: skip
