"""A table of codes whose largest inner product is known, read from package data."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any

import numpy as np
import torch
from torch import Tensor

from constellations.constructions import codes, lattices, polytopes


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
        points = np.asarray(self.build(), dtype=float)
        return torch.from_numpy(points / np.linalg.norm(points, axis=1, keepdims=True))


@lru_cache(maxsize=1)
def known_spherical_codes() -> tuple[SphericalCode, ...]:
    """A table of codes whose largest inner product is known exactly (or, for three of them, to nine digits).

    Simplices and cross-polytopes in dimensions 3, 4, 8, 24, optimal codes on the sphere in ``R^3``, regular
    polytopes of ``R^4``, root systems, the Leech lattice's minimal vectors and codes derived from them.

    Examples
    --------
    >>> [code.name for code in known_spherical_codes() if code.dim == 8]
    ['simplex of R^8', 'cross-polytope of R^8', 'E8 roots']
    """
    text = (files("constellations") / "data" / "spherical_codes.csv").read_text(encoding="utf-8")
    return tuple(_entry(row) for row in csv.DictReader(text.splitlines()))


def _entry(row: dict[str, str]) -> SphericalCode:
    dim = int(row["dim"])
    return SphericalCode(
        row["name"], dim, int(row["n_points"]), float(row["max_inner_product"]), row["exact"], row["source"],
        row["optimal"] == "True", _builder(row["points"], dim) if row["points"] else None,
    )  # fmt: skip


def _builder(name: str, dim: int) -> Callable[[], Any]:
    """The function that makes the points named in the table."""
    if name == "simplex":
        return partial(codes.simplex, dim + 1)
    if name == "cross_polytope":
        return partial(codes.cross_polytope, dim)
    return getattr(polytopes if hasattr(polytopes, name) else lattices, name)
