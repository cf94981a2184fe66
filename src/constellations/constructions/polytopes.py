"""Codes of R^3 and the regular polytopes of R^4, as arrays of any norm."""

from __future__ import annotations

import math
from itertools import combinations, permutations, product

import numpy as np
from scipy.optimize import brentq

from constellations.constructions.codes import cross_polytope

GOLDEN = (1 + math.sqrt(5)) / 2


def _seven_cosine() -> float:
    """Largest inner product of the best seven points of R^3."""

    def contact(c: float) -> float:
        return math.sqrt((1 - c * c) * (2 - 2 * c) / 3) - 2 * c * (1 + math.sqrt((1 + 2 * c) / 3))

    return brentq(contact, 0.1, 0.3, xtol=1e-16)


def seven_points() -> np.ndarray:
    """A pole, a triangle at inner product c from it, and a turned triangle below."""
    c = _seven_cosine()
    return np.concatenate(
        [[[0.0, 0.0, 1.0]], _ring(3, c), _ring(3, -math.sqrt((1 + 2 * c) / 3), turn=math.pi / 3)]
    )


def nine_points() -> np.ndarray:
    """Three triangles, the middle one on the equator and turned."""
    height = math.sqrt(5) / 3
    return np.concatenate([_ring(3, height), _ring(3, 0.0, turn=math.pi / 3), _ring(3, -height)])


def square_antiprism() -> np.ndarray:
    """Two squares, turned against each other."""
    height = math.sqrt((2 * math.sqrt(2) - 1) / 7)
    return np.concatenate([_ring(4, height), _ring(4, -height, turn=math.pi / 4)])


def icosahedron() -> np.ndarray:
    """Two poles and two pentagons, turned against each other."""
    height = 1 / math.sqrt(5)
    poles = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
    return np.concatenate([poles, _ring(5, height), _ring(5, -height, turn=math.pi / 5)])


def _ring(n: int, height: float, *, turn: float = 0.0) -> np.ndarray:
    """A regular n-gon of unit vectors of R^3 with third coordinate ``height``."""
    angles = 2 * math.pi * np.arange(n) / n + turn
    radius = math.sqrt(1 - height * height)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles), np.full(n, height)], axis=1)


def snub_cube() -> np.ndarray:
    """Even permutations of (1, 1/t, t) with an even number of minus signs, odd ones with an odd number."""
    t = brentq(lambda x: x**3 - x**2 - x - 1, 1.0, 2.0, xtol=1e-16)
    rows = [
        [signs[k] * (1.0, 1 / t, t)[order[k]] for k in range(3)]
        for order in permutations(range(3))
        for signs in product((1, -1), repeat=3)
        if _is_even(order) == (np.prod(signs) > 0)
    ]
    return np.array(rows)


def _is_even(order: tuple[int, ...]) -> bool:
    return sum(a > b for a, b in combinations(order, 2)) % 2 == 0


def cell_600() -> np.ndarray:
    """The 120 vertices of the 600-cell."""
    base = (GOLDEN / 2, 0.5, 1 / (2 * GOLDEN), 0.0)
    rows = {
        tuple((signs + (1,))[order[k]] * base[order[k]] for k in range(4))
        for order in permutations(range(4))
        if _is_even(order)
        for signs in product((1, -1), repeat=3)
    }
    halves = list(product((0.5, -0.5), repeat=4))
    return np.concatenate([np.array(sorted(rows)), np.array(halves), cross_polytope(4).numpy()])
