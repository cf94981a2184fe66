"""Starting points of the search: random pairs, codes with one more dimension, cyclic configurations, neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from scipy.optimize import linprog

from companion.studies.atlas.polish import normalized
from constellations.constructions import from_spherical_code

Pair = tuple[np.ndarray, np.ndarray]


def random_pairs(n_runs: int, n_pairs: int, dim: int, rng: np.random.Generator) -> Pair:
    """``n_runs`` random configurations ``[R, N, d]``; their ``v`` range from copies of ``u`` to independent points."""
    u = normalized(rng.normal(size=(n_runs, n_pairs, dim)))
    noise = np.linspace(0.1, 3.0, n_runs)[:, None, None]
    return u, normalized(u + noise * rng.normal(size=u.shape) / math.sqrt(dim))


def from_codes(codes: Sequence[np.ndarray], *, dim: int, relative_bias: float) -> list[Pair]:
    """Each code of ``R^{dim-1}`` turned into a constellation, each code of ``R^dim`` as ``u = v``."""
    pairs = []
    for code in codes:
        if code.shape[1] == dim:
            pairs.append((code, code))
        elif np.triu(code @ code.T, 1).max() < 1 - 1e-9:
            u, v = from_spherical_code(code, relative_bias=relative_bias)
            pairs.append((u.numpy(), v.numpy()))
    return pairs


def cyclic(n_pairs: int, dim: int, *, relative_bias: float) -> list[Pair]:
    r"""Orbits of a cyclic group: ``s_ij = sum_f P_f cos(2 pi f (i-j)/N)`` with the ``P_f`` of a small linear program.

    The frequencies 0 and ``N/2`` take one dimension each, all others two; every choice that fills ``dim`` dimensions
    is tried and the six best are returned. Antiprisms are the case ``dim = 3`` with frequencies 1 and ``N/2``.
    """
    found = []
    for frequencies in _choices(n_pairs, dim):
        weights, margin = _cyclic_program(n_pairs, frequencies, relative_bias)
        pair = realise(n_pairs, frequencies, weights) if margin > 1e-9 else None
        if pair is not None:
            found.append((margin, pair))
    return [pair for _, pair in sorted(found, key=lambda entry: -entry[0])[:6]]


def _choices(n: int, dim: int) -> Iterator[tuple[int, ...]]:
    single = [0] + ([n // 2] if n % 2 == 0 else [])
    double = range(1, (n + 1) // 2)
    for n_single in range(len(single) + 1):
        if (dim - n_single) % 2 == 0 and dim > n_single:
            for ones in combinations(single, n_single):
                for twos in combinations(double, (dim - n_single) // 2):
                    yield (*twos, *ones)


def _cyclic_program(n: int, frequencies: Sequence[int], b: float) -> tuple[np.ndarray, float]:
    """Maximise ``m`` over ``P = x - y``, ``x, y >= 0``, ``sum (x + y) <= 1``, for the slacks of all differences."""
    angles = 2 * np.pi * np.outer(np.arange(n), frequencies) / n
    waves = np.cos(angles)
    signs = np.where(np.arange(n) == 0, -1.0, 1.0)[:, None]
    body = np.hstack([signs * waves, -signs * waves, np.ones((n, 1))])
    budget = np.append(np.ones(2 * len(frequencies)), 0.0)
    bound = np.append(np.where(np.arange(n) == 0, -b, b), 1.0)
    k = len(frequencies)
    limits = [(0, None)] * (2 * k) + [(None, None)]
    result = linprog([0] * 2 * k + [-1], A_ub=np.vstack([body, budget]), b_ub=bound, bounds=limits, method="highs")
    return result.x[:k] - result.x[k : 2 * k], float(result.x[-1])


def realise(n: int, frequencies: Sequence[int], weights: np.ndarray) -> Pair | None:
    """Unit vectors with ``s_ij = sum_f P_f cos(2 pi f (i-j)/N)``, or ``None`` for one wave with ``|P| < 1``.

    One wave is shared out unevenly between ``u`` and ``v``, the others in the opposite way, so that both are unit.
    """
    sizes = np.abs(weights)
    if sizes.sum() > 1 + 1e-9:
        raise ValueError(f"weights must have absolute sum at most 1, got {sizes.sum():.6g}")
    first = int(sizes.argmax())
    p, q = sizes[first], sizes.sum() - sizes[first]
    if q < 1e-12 and p < 1 - 1e-9:
        return None
    centre = 1 + p * p - q * q
    x = (centre + math.sqrt(max(centre * centre - 4 * p * p, 0.0))) / 2  # what the first wave has of |u|^2
    rest = q * q / (1 - p * p / x) if q > 1e-12 else 0.0  # this is 1 - x, without cancellation
    ratio = np.full(len(sizes), math.sqrt(rest / q) if q > 1e-12 else 1.0)
    ratio[first] = math.sqrt(x / p)
    ours, theirs = np.sqrt(sizes) * ratio, np.sign(weights) * np.sqrt(sizes) / np.maximum(ratio, 1e-12)
    coordinates = [_wave(n, f) for f in frequencies]
    u, v = (np.hstack([a * wave for a, wave in zip(share, coordinates, strict=True)]) for share in (ours, theirs))
    return normalized(u), normalized(v)


def _wave(n: int, frequency: int) -> np.ndarray:
    angle = 2 * np.pi * frequency * np.arange(n)[:, None] / n
    return np.cos(angle) if 2 * frequency % n == 0 else np.hstack([np.cos(angle), np.sin(angle)])


def neighbours(table: dict[tuple[int, int, float], Pair], dim: int, n_pairs: int, b: float) -> list[Pair]:
    """Configurations of this shape made from others: one more pair left out, or one dimension less lifted.

    A lift appends ``+-sqrt(1 - delta^2)``, equal or opposite signs, with the ``delta`` that makes ``b`` the result.
    """
    pairs = []
    for (d, n, other), (u, v) in table.items():
        if d == dim and n == n_pairs + 1 and other == b:
            pairs += [(np.delete(u, k, 0), np.delete(v, k, 0)) for k in range(n)]
        if d == dim - 1 and n == n_pairs:
            side = -1.0 if other >= b else 1.0
            squared = 1.0 if other == b else (b - side) / (other - side)
            tail = np.full((n, 1), math.sqrt(1 - squared))
            root = math.sqrt(squared)
            pairs.append((np.hstack([root * u, tail]), np.hstack([root * v, side * tail])))
    return pairs
