"""Explicit constellations: from spherical codes, by lifting, composing, adapting, and the tight modality-gap family.

``points`` are unit vectors ``[N, d]``. Two-sided constructions return ``(u, v)`` in float64.
"""

from constellations.constructions.catalogue import SphericalCode, known_spherical_codes
from constellations.constructions.codes import (
    cross_polytope,
    derived_code,
    greedy_code,
    regular_polygon,
    simplex,
)
from constellations.constructions.compositions import antiprism, compose
from constellations.constructions.families import tight_modality_gap
from constellations.constructions.lattices import golay_codewords, leech_vectors
from constellations.constructions.lifts import (
    adapt_locked,
    adapt_trained,
    double_constant_embedding,
    from_spherical_code,
    lift,
    simplex_modalities,
)
from constellations.constructions.placement import (
    check_region,
    code_inner_product,
    code_margin,
    max_inner_product,
)

__all__ = [
    "SphericalCode",
    "adapt_locked",
    "adapt_trained",
    "antiprism",
    "check_region",
    "code_inner_product",
    "code_margin",
    "compose",
    "cross_polytope",
    "derived_code",
    "double_constant_embedding",
    "from_spherical_code",
    "golay_codewords",
    "greedy_code",
    "known_spherical_codes",
    "leech_vectors",
    "lift",
    "max_inner_product",
    "regular_polygon",
    "simplex",
    "simplex_modalities",
    "tight_modality_gap",
]
