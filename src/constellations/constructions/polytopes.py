"""The codes of the catalogue, as arrays of any norm: in R^3, regular polytopes, root systems, the Leech lattice."""

from __future__ import annotations

import math
from itertools import combinations, permutations, product

import numpy as np
import torch
from scipy.optimize import brentq

from constellations.constructions.codes import cross_polytope, derived_code

GOLDEN = (1 + math.sqrt(5)) / 2


def seven_points() -> np.ndarray:
    """A pole, a triangle at inner product c from it, and a turned triangle below."""
    below = lambda c: math.sqrt((1 + 2 * c) / 3)
    c = brentq(
        lambda c: math.sqrt((1 - c * c) * (2 - 2 * c) / 3) - 2 * c * (1 + below(c)), 0.1, 0.3, xtol=1e-16
    )
    return np.concatenate([[[0.0, 0.0, 1.0]], _ring(3, c), _ring(3, -below(c), turn=math.pi / 3)])


def nine_points() -> np.ndarray:
    """Three triangles, the middle one on the equator and turned."""
    return np.concatenate(
        [_ring(3, z, turn=math.pi / 3 * (z == 0)) for z in (math.sqrt(5) / 3, 0.0, -math.sqrt(5) / 3)]
    )


def square_antiprism() -> np.ndarray:
    """Two squares, turned against each other."""
    height = math.sqrt((2 * math.sqrt(2) - 1) / 7)
    return np.concatenate([_ring(4, height), _ring(4, -height, turn=math.pi / 4)])


def icosahedron() -> np.ndarray:
    """Two poles and two pentagons, turned against each other."""
    height = 1 / math.sqrt(5)
    return np.concatenate(
        [[[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]], _ring(5, height), _ring(5, -height, turn=math.pi / 5)]
    )


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


def _roots_d(n: int) -> np.ndarray:
    """The ``2 n (n-1)`` roots of D_n: ``+-e_i +- e_j``."""
    e, signs = np.eye(n), [*product((1.0, -1.0), repeat=2)]
    return np.array([a * e[i] + b * e[j] for i, j in combinations(range(n), 2) for a, b in signs])


def cell_24() -> np.ndarray:
    """The 24 roots of D4, vertices of the 24-cell."""
    return _roots_d(4)


def roots_d5() -> np.ndarray:
    """The 40 roots of D5."""
    return _roots_d(5)


def roots_e8() -> np.ndarray:
    """The 240 roots of E8, of norm sqrt(2)."""
    halves = np.array([s for s in product((0.5, -0.5), repeat=8) if np.prod(s) > 0])
    return np.concatenate([_roots_d(8), halves])


def _orthogonal_to(points: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The points orthogonal to all ``vectors``, in coordinates of that complement."""
    chosen = points[(np.abs(points @ vectors.T) < 1e-9).all(axis=1)]
    basis = np.linalg.svd(vectors)[2][len(vectors) :]
    return chosen @ basis.T


def roots_e7() -> np.ndarray:
    """The 126 roots of E7: those of E8 orthogonal to one of them."""
    roots = roots_e8()
    return _orthogonal_to(roots, roots[:1])


def roots_e6() -> np.ndarray:
    """The 72 roots of E6: those of E8 orthogonal to two at 60 degrees."""
    roots = roots_e8()
    neighbour = roots[np.argmax(np.abs(roots @ roots[0] - 1.0) < 1e-9)]
    return _orthogonal_to(roots, np.stack([roots[0], neighbour]))


def fifty_six_points() -> np.ndarray:
    """The neighbours of one root of E8, seen from it."""
    return _derived(roots_e8() / math.sqrt(2), 1 / 2)


def schlaefli() -> np.ndarray:
    """27 points of R^6, derived from the 56 points of R^7."""
    return _derived(fifty_six_points(), 1 / 3)


def sixteen_points() -> np.ndarray:
    """16 points of R^5, derived from the 27."""
    return _derived(schlaefli(), 1 / 4)


def ten_points() -> np.ndarray:
    """10 points of R^4, derived from the 16."""
    return _derived(sixteen_points(), 1 / 5)


def golay_codewords() -> np.ndarray:
    """The 4096 words of the extended binary Golay code, ``[4096, 24]`` of 0 and 1 (int8).

    Generated by the cyclic shifts of ``1 + x^2 + x^4 + x^5 + x^6 + x^10 + x^11`` with a parity bit.
    """
    generator = np.zeros((12, 24), dtype=np.int64)
    for shift in range(12):
        generator[shift, np.array([0, 2, 4, 5, 6, 10, 11]) + shift] = 1
    generator[:, 23] = generator[:, :23].sum(axis=1) % 2
    coefficients = (np.arange(4096)[:, None] >> np.arange(12)) & 1
    return (coefficients @ generator % 2).astype(np.int8)


def leech_vectors() -> np.ndarray:
    """The 196560 minimal vectors of the Leech lattice as integers of squared norm 32, ``[196560, 24]`` int8."""
    words = golay_codewords()
    octads = words[words.sum(axis=1) == 8]
    signs = np.array([s for s in product((1, -1), repeat=8) if np.prod(s) > 0], dtype=np.int8)
    twos = np.zeros((len(octads), len(signs), 24), dtype=np.int8)
    places = np.nonzero(octads)[1].reshape(-1, 8)
    np.put_along_axis(twos, np.broadcast_to(places[:, None], (*twos.shape[:2], 8)), 2 * signs[None], axis=2)
    odd = np.ones((24, 24), dtype=np.int8) - 4 * np.eye(24, dtype=np.int8)
    ones = (1 - 2 * words)[:, None] * odd[None]
    fours = (4 * _roots_d(24)).astype(np.int8)
    return np.concatenate([fours, twos.reshape(-1, 24), ones.reshape(-1, 24)])


def points_4600() -> np.ndarray:
    """The neighbours of one minimal vector of the Leech lattice, seen from it."""
    vectors = leech_vectors()
    near = vectors[(vectors.astype(np.int16) @ vectors[0].astype(np.int16)) == 16]
    return _derived(np.concatenate([vectors[:1], near]) / math.sqrt(32), 1 / 2)


def _derived(points: np.ndarray, inner_product: float) -> np.ndarray:
    return derived_code(torch.from_numpy(points), inner_product).numpy()
