"""Spherical codes: finite sets of unit vectors with small largest inner product."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, permutations, product

import numpy as np
import torch
from scipy.linalg import helmert
from scipy.optimize import brentq
from torch import Tensor

from constellations.sphere import random_points

GOLDEN = (1 + math.sqrt(5)) / 2


@dataclass(frozen=True)
class SphericalCode:
    """``n_points`` unit vectors of ``R^dim`` with inner products of distinct points at most ``max_inner_product``.

    ``exact`` writes that number in closed form. ``optimal`` tells whether no code of that size in that dimension
    has a smaller largest inner product (proven in ``source``). :meth:`points` builds the code; it raises for the
    few codes that are known only numerically.
    """

    name: str
    dim: int
    n_points: int
    max_inner_product: float
    exact: str
    source: str
    optimal: bool = True
    build: Callable[[], np.ndarray] | None = field(default=None, repr=False)

    def points(self) -> Tensor:
        """The code as a float64 tensor ``[n_points, dim]``.

        Raises
        ------
        ValueError
            If the code has no closed-form coordinates here (``build`` is ``None``).
        """
        if self.build is None:
            raise ValueError(
                f"points of {self.name} are not available: only its largest inner product is listed"
            )
        return _normalized(self.build())


def simplex(n: int) -> Tensor:
    """The ``n`` vertices of a regular simplex in ``R^(n-1)``: inner products ``-1/(n-1)``, shape ``[n, n-1]``.

    Raises
    ------
    ValueError
        If ``n`` is not an integer of at least 2.

    Examples
    --------
    >>> round((simplex(4) @ simplex(4).T)[0, 1].item(), 12)
    -0.333333333333
    """
    _require_integer(n, "n", at_least=2)
    return torch.from_numpy(np.ascontiguousarray(helmert(n).T) * math.sqrt(n / (n - 1)))


def cross_polytope(dim: int) -> Tensor:
    """The ``2 dim`` points ``+-e_i`` of ``R^dim``: inner products 0 and -1, shape ``[2 dim, dim]``.

    Raises
    ------
    ValueError
        If ``dim`` is not an integer of at least 1.

    Examples
    --------
    >>> cross_polytope(2).tolist()
    [[1.0, 0.0], [0.0, 1.0], [-1.0, -0.0], [-0.0, -1.0]]
    """
    _require_integer(dim, "dim", at_least=1)
    identity = torch.eye(dim, dtype=torch.float64)
    return torch.cat([identity, -identity])


def regular_polygon(n: int) -> Tensor:
    """``n`` equally spaced points of the circle, shape ``[n, 2]``, for ``n >= 2``."""
    _require_integer(n, "n", at_least=2)
    angles = 2 * math.pi * torch.arange(n, dtype=torch.float64) / n
    return torch.stack([angles.cos(), angles.sin()], dim=-1)


def greedy_code(dim: int, max_inner_product: float, *, n_candidates: int, seed: int) -> Tensor:
    """Random points kept one after another while all inner products stay at most ``max_inner_product``.

    The simplest code of exponential size: ``n_candidates`` uniform points are tried, those too near an earlier
    one are dropped. Returns ``[n, dim]``, ``n >= 1``.

    Raises
    ------
    ValueError
        For ``dim < 2``, ``n_candidates < 1`` or an inner product outside ``[-1, 1)``.

    Examples
    --------
    >>> len(greedy_code(3, 0.5, n_candidates=2000, seed=0)) >= 8
    True
    """
    _require_integer(dim, "dim", at_least=2)
    _require_integer(n_candidates, "n_candidates", at_least=1)
    if not -1 <= max_inner_product < 1:
        raise ValueError(f"max_inner_product must be in [-1, 1), got {max_inner_product!r}")
    candidates = random_points(n_candidates, dim, seed=seed).numpy()
    kept = np.empty_like(candidates)
    n = 0
    while len(candidates):
        kept[n] = candidates[0]
        candidates = candidates[1:]
        candidates = candidates[candidates @ kept[n] <= max_inner_product]
        n += 1
    return torch.from_numpy(kept[:n].copy())


def derived_code(points: Tensor, inner_product: float) -> Tensor:
    """The points at ``inner_product`` from the first one, projected orthogonally to it and normalised.

    A point with largest inner product ``a`` turns, at ``inner_product = a``, into a code one dimension lower with
    largest inner product ``a / (1 + a)``: 1/2 gives 1/3, then 1/4. Coordinates are in the orthogonal complement.

    Examples
    --------
    >>> from constellations.codes import simplex
    >>> derived_code(simplex(4), -1 / 3).shape
    torch.Size([3, 2])
    """
    first = points[0]
    chosen = points[(points @ first - inner_product).abs() < 1e-9]
    if len(chosen) == 0:
        raise ValueError(
            f"inner_product must occur between the first point and another, got {inner_product!r}"
        )
    basis = torch.linalg.qr(torch.cat([first[:, None], torch.eye(len(first), dtype=first.dtype)], dim=1)).Q[
        :, 1:
    ]
    projected = chosen @ basis
    return projected / projected.norm(dim=-1, keepdim=True)


@lru_cache(maxsize=1)
def known_spherical_codes() -> tuple[SphericalCode, ...]:
    """A table of codes whose largest inner product is known exactly (or, for four of them, to seven digits).

    Simplices and cross-polytopes in dimensions 3, 4, 8, 24, optimal codes on the sphere in ``R^3``, regular
    polytopes of ``R^4``, root systems, the Leech lattice's minimal vectors and codes derived from them.

    Examples
    --------
    >>> [code.name for code in known_spherical_codes() if code.dim == 8]
    ['simplex of R^8', 'cross-polytope of R^8', 'E8 roots']
    """
    return (*_simplices(), *_cross_polytopes(), *_small_codes(), *_polytopes(), *_lattice_codes())


_RANKIN = "Rankin 1955"
_DELSARTE = "Levenshtein 1979; Odlyzko & Sloane 1979"
_COHN_KUMAR = "Levenshtein 1992; Cohn & Kumar 2007"


def _simplices() -> list[SphericalCode]:
    return [
        SphericalCode(f"simplex of R^{d}", d, d + 1, -1 / d, f"-1/{d}", _RANKIN, build=_Simplex(d + 1))
        for d in (3, 4, 8, 24)
    ]


def _cross_polytopes() -> list[SphericalCode]:
    return [
        SphericalCode(f"cross-polytope of R^{d}", d, 2 * d, 0.0, "0", _RANKIN, build=_CrossPolytope(d))
        for d in (3, 4, 8, 24)
    ]


@dataclass(frozen=True)
class _Simplex:
    n: int

    def __call__(self) -> np.ndarray:
        return simplex(self.n).numpy()


@dataclass(frozen=True)
class _CrossPolytope:
    dim: int

    def __call__(self) -> np.ndarray:
        return cross_polytope(self.dim).numpy()


def _small_codes() -> list[SphericalCode]:
    """Optimal codes on the sphere in R^3 (the Tammes problem)."""
    waerden, danzer = "Schütte & van der Waerden 1951", "Danzer 1963"
    degrees = {10: 66.1468220, 13: 57.1367031, 14: 55.6705700}
    sources = {10: danzer, 13: "Musin & Tarasov 2012", 14: "Musin & Tarasov 2015"}
    snub = _snub_cube()
    snub_cosine = _largest_inner_product(snub)
    return [
        SphericalCode("7 points of R^3", 3, 7, _seven_cosine(), _SEVEN, waerden, build=_seven_points),
        SphericalCode(
            "square antiprism",
            3,
            8,
            (2 * math.sqrt(2) - 1) / 7,
            "(2 sqrt(2) - 1)/7",
            waerden,
            build=_square_antiprism,
        ),
        SphericalCode("9 points of R^3", 3, 9, 1 / 3, "1/3", waerden, build=_nine_points),
        *(
            SphericalCode(
                f"{n} points of R^3", 3, n, math.cos(math.radians(angle)), f"cos({angle} degrees)", sources[n]
            )
            for n, angle in degrees.items()
        ),
        SphericalCode(
            "icosahedron", 3, 12, 1 / math.sqrt(5), "1/sqrt(5)", "Fejes Tóth 1943", build=_icosahedron
        ),
        SphericalCode(
            "snub cube",
            3,
            24,
            snub_cosine,
            "(1 + t + 1/t)/(1 + t^2 + 1/t^2), t^3 = t^2 + t + 1",
            "Robinson 1961",
            build=_snub_cube,
        ),
    ]


def _polytopes() -> list[SphericalCode]:
    return [
        SphericalCode(
            "10 points of R^4",
            4,
            10,
            1 / 6,
            "1/6",
            "Bachoc & Vallentin 2009",
            build=_ten_points,
        ),
        SphericalCode(
            "24-cell", 4, 24, 0.5, "1/2", "de Laat, Leijenhorst & de Muinck Keizer 2024", build=_cell_24
        ),
        SphericalCode("600-cell", 4, 120, GOLDEN / 2, "(1 + sqrt(5))/4", "Andreev 1999", build=_cell_600),
    ]


def _lattice_codes() -> list[SphericalCode]:
    return [
        SphericalCode("16 points of R^5", 5, 16, 1 / 5, "1/5", _COHN_KUMAR, build=_sixteen_points),
        SphericalCode("D5 roots", 5, 40, 0.5, "1/2", "best known kissing arrangement", False, _roots_d5),
        SphericalCode("27 points of R^6", 6, 27, 1 / 4, "1/4", _COHN_KUMAR, build=_schlaefli),
        SphericalCode("E6 roots", 6, 72, 0.5, "1/2", "best known kissing arrangement", False, _roots_e6),
        SphericalCode("56 points of R^7", 7, 56, 1 / 3, "1/3", _COHN_KUMAR, build=_fifty_six_points),
        SphericalCode("E7 roots", 7, 126, 0.5, "1/2", "best known kissing arrangement", False, _roots_e7),
        SphericalCode("E8 roots", 8, 240, 0.5, "1/2", _DELSARTE, build=_roots_e8),
        SphericalCode("4600 points of R^23", 23, 4600, 1 / 3, "1/3", _COHN_KUMAR, build=_points_4600),
        SphericalCode(
            "Leech lattice, minimal vectors", 24, 196560, 0.5, "1/2", _DELSARTE, build=leech_vectors
        ),
    ]


_SEVEN = "c with sqrt((1 - c^2)(2 - 2c)/3) = 2c (1 + sqrt((1 + 2c)/3))"


def _seven_cosine() -> float:
    def contact(c: float) -> float:
        return math.sqrt((1 - c * c) * (2 - 2 * c) / 3) - 2 * c * (1 + math.sqrt((1 + 2 * c) / 3))

    return brentq(contact, 0.1, 0.3, xtol=1e-16)


def _seven_points() -> np.ndarray:
    """A pole, a triangle at inner product c from it, and a turned triangle below."""
    c = _seven_cosine()
    return np.concatenate(
        [[[0.0, 0.0, 1.0]], _ring(3, c), _ring(3, -math.sqrt((1 + 2 * c) / 3), turn=math.pi / 3)]
    )


def _nine_points() -> np.ndarray:
    """Three triangles, the middle one on the equator and turned."""
    height = math.sqrt(5) / 3
    return np.concatenate([_ring(3, height), _ring(3, 0.0, turn=math.pi / 3), _ring(3, -height)])


def _square_antiprism() -> np.ndarray:
    height = math.sqrt((2 * math.sqrt(2) - 1) / 7)
    return np.concatenate([_ring(4, height), _ring(4, -height, turn=math.pi / 4)])


def _icosahedron() -> np.ndarray:
    height = 1 / math.sqrt(5)
    poles = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
    return np.concatenate([poles, _ring(5, height), _ring(5, -height, turn=math.pi / 5)])


def _ring(n: int, height: float, *, turn: float = 0.0) -> np.ndarray:
    """A regular n-gon of unit vectors of R^3 with third coordinate ``height``."""
    angles = 2 * math.pi * np.arange(n) / n + turn
    radius = math.sqrt(1 - height * height)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles), np.full(n, height)], axis=1)


def _snub_cube() -> np.ndarray:
    """Even permutations of (1, 1/t, t) with an even number of minus signs, odd ones with an odd number."""
    t = brentq(lambda x: x**3 - x**2 - x - 1, 1.0, 2.0, xtol=1e-16)
    rows = [
        [signs[k] * (1.0, 1 / t, t)[order[k]] for k in range(3)]
        for order in permutations(range(3))
        for signs in product((1, -1), repeat=3)
        if _is_even(order) == (np.prod(signs) > 0)
    ]
    return _normalized(np.array(rows)).numpy()


def _is_even(order: tuple[int, ...]) -> bool:
    return sum(a > b for a, b in combinations(order, 2)) % 2 == 0


def _roots_d(n: int) -> np.ndarray:
    rows = []
    for i, j in combinations(range(n), 2):
        for a, b in product((1.0, -1.0), repeat=2):
            row = np.zeros(n)
            row[i], row[j] = a, b
            rows.append(row)
    return np.array(rows)


def _cell_24() -> np.ndarray:
    return _roots_d(4)


def _roots_d5() -> np.ndarray:
    return _roots_d(5)


def _roots_e8() -> np.ndarray:
    halves = np.array([s for s in product((0.5, -0.5), repeat=8) if np.prod(s) > 0])
    return np.concatenate([_roots_d(8), halves])


def _orthogonal_to(points: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The points orthogonal to all ``vectors``, in coordinates of that complement."""
    chosen = points[(np.abs(points @ vectors.T) < 1e-9).all(axis=1)]
    basis = np.linalg.svd(vectors)[2][len(vectors) :]
    return chosen @ basis.T


def _roots_e7() -> np.ndarray:
    roots = _roots_e8()
    return _orthogonal_to(roots, roots[:1])


def _roots_e6() -> np.ndarray:
    roots = _roots_e8()
    neighbour = roots[np.argmax(np.abs(roots @ roots[0] - 1.0) < 1e-9)]
    return _orthogonal_to(roots, np.stack([roots[0], neighbour]))


def _fifty_six_points() -> np.ndarray:
    return derived_code(_normalized(_roots_e8()), 1 / 2).numpy()


def _schlaefli() -> np.ndarray:
    return derived_code(torch.from_numpy(_fifty_six_points()), 1 / 3).numpy()


def _sixteen_points() -> np.ndarray:
    return derived_code(torch.from_numpy(_schlaefli()), 1 / 4).numpy()


def _ten_points() -> np.ndarray:
    return derived_code(torch.from_numpy(_sixteen_points()), 1 / 5).numpy()


def _cell_600() -> np.ndarray:
    base = (GOLDEN / 2, 0.5, 1 / (2 * GOLDEN), 0.0)
    rows = {
        tuple((signs + (1,))[order[k]] * base[order[k]] for k in range(4))
        for order in permutations(range(4))
        if _is_even(order)
        for signs in product((1, -1), repeat=3)
    }
    halves = list(product((0.5, -0.5), repeat=4))
    return np.concatenate([np.array(sorted(rows)), np.array(halves), cross_polytope(4).numpy()])


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


def _points_4600() -> np.ndarray:
    vectors = leech_vectors()
    first = vectors[:1].astype(float)
    near = vectors[(vectors.astype(np.int16) @ vectors[0].astype(np.int16)) == 16].astype(float)
    points = np.concatenate([first, near]) / math.sqrt(32)
    return derived_code(torch.from_numpy(points), 1 / 2).numpy()


def _normalized(x: np.ndarray) -> Tensor:
    points = np.asarray(x, dtype=float)
    return torch.from_numpy(points / np.linalg.norm(points, axis=1, keepdims=True))


def _largest_inner_product(x: np.ndarray) -> float:
    return float((x @ x.T - 3 * np.eye(len(x))).max())


def _require_integer(value: int, name: str, *, at_least: int) -> None:
    if isinstance(value, bool) or int(value) != value or value < at_least:
        raise ValueError(f"{name} must be an integer of at least {at_least}, got {value!r}")
