"""Explicit constellations: from spherical codes, by lifting, composing, adapting; and the codes behind them.

``points`` are unit vectors ``[N, d]``. Two-sided constructions return ``(u, v)`` in float64. Import everything from here.
"""

# ruff: noqa: I001
from constellations.constructions.catalogue import SphericalCode, known_spherical_codes
from constellations.constructions.codes import (
    cross_polytope, derived_code, greedy_code, max_inner_product, regular_polygon, simplex,
)  # fmt: skip
from constellations.constructions.families import antiprism, compose, tight_modality_gap
from constellations.constructions.lifts import (
    adapt_locked, adapt_trained, double_constant_embedding, from_spherical_code, lift, midpoints, one_threshold,
    simplex_modalities,
)  # fmt: skip
from constellations.constructions.polytopes import golay_codewords, leech_vectors

__all__ = [
    "SphericalCode", "adapt_locked", "adapt_trained", "antiprism", "compose", "cross_polytope", "derived_code",
    "double_constant_embedding", "from_spherical_code", "golay_codewords", "greedy_code", "known_spherical_codes",
    "leech_vectors", "lift", "max_inner_product", "midpoints", "one_threshold", "regular_polygon", "simplex",
    "simplex_modalities", "tight_modality_gap",
]  # fmt: skip
