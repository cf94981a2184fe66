"""A table of codes whose largest inner product is known, read from package data."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from constellations.constructions import codes, polytopes
from constellations.data import read_csv_text


@dataclass(frozen=True)
class SphericalCode:
    """``n_points`` unit vectors of ``R^dim`` with inner products of distinct points at most ``max_inner_product``.

    ``exact`` writes that number in closed form. ``optimal`` tells whether no code of that size in that dimension
    has a smaller largest inner product (proven in ``source``). ``builder`` names the function behind :meth:`points`;
    it is empty for the few codes that are known only numerically.
    """

    name: str
    dim: int
    n_points: int
    max_inner_product: float
    exact: str
    source: str
    optimal: bool
    builder: str

    def points(self) -> Tensor:
        """The code as a float64 tensor ``[n_points, dim]``; a ValueError if its coordinates are not known here."""
        if not self.builder:
            raise ValueError(f"points of {self.name} are not available: only its inner product is listed")
        sizes = {"simplex": self.dim + 1, "cross_polytope": self.dim, "roots_d": self.dim, "derived_from_e8": self.dim}
        build = getattr(polytopes if hasattr(polytopes, self.builder) else codes, self.builder)
        points = torch.as_tensor(build(sizes[self.builder]) if self.builder in sizes else build()).to(torch.float64)
        return points / points.norm(dim=-1, keepdim=True)


@lru_cache(maxsize=1)
def known_spherical_codes() -> tuple[SphericalCode, ...]:
    """A table of codes whose largest inner product is known exactly (or, for three of them, to nine digits).

    Simplices and cross-polytopes in dimensions 3, 4, 8, 24, optimal codes on the sphere in ``R^3``, regular
    polytopes of ``R^4``, root systems, the Leech lattice's minimal vectors and codes derived from them.

    >>> [code.name for code in known_spherical_codes() if code.dim == 8]
    ['simplex of R^8', 'cross-polytope of R^8', 'E8 roots']
    """
    rows = csv.DictReader(read_csv_text("spherical_codes").splitlines())
    return tuple(
        SphericalCode(
            row["name"], int(row["dim"]), int(row["n_points"]), float(row["max_inner_product"]),
            row["exact"], row["source"], row["optimal"] == "True", row["points"],
        )
        for row in rows
    )  # fmt: skip
