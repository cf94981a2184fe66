"""Spherical codes: finite sets of unit vectors with small largest inner product."""

from constellations.codes.families import cross_polytope, derived_code, greedy_code, regular_polygon, simplex
from constellations.codes.lattices import golay_codewords, leech_vectors
from constellations.codes.table import SphericalCode, known_spherical_codes

__all__ = [
    "SphericalCode",
    "cross_polytope",
    "derived_code",
    "golay_codewords",
    "greedy_code",
    "known_spherical_codes",
    "leech_vectors",
    "regular_polygon",
    "simplex",
]
