"""Grids of settings, flattened to runs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

from constellations.checks import require


class Sweep(dict):
    """Equal-length lists by argument name, to be splatted into ``synchronize``, with the ``shape`` of their grid."""

    shape: tuple[int, ...]


def sweep(*, seeds: Iterable[int] = range(10), **values: Any) -> Sweep:
    """Every combination of the given values with every seed, seeds fastest, the first value slowest.

    A result ``[R]`` of the runs is brought back to the grid by ``.reshape(grid.shape)``.

    Raises
    ------
    ValueError
        For an empty list.

    Examples
    --------
    >>> grid = sweep(seeds=range(2), relative_bias=[-0.5, 0.5])
    >>> grid["relative_bias"], grid["seeds"], grid.shape
    ([-0.5, -0.5, 0.5, 0.5], [0, 1, 0, 1], (2, 2))
    """
    axes = {name: [x] if isinstance(x, (int, float)) else list(x) for name, x in values.items()}
    axes["seeds"] = list(seeds)
    for name, axis in axes.items():
        require(axis, name, "a number or a sequence with entries", axis)
    columns = zip(*product(*axes.values()), strict=True)
    grid = Sweep({name: list(column) for name, column in zip(axes, columns, strict=True)})
    grid.shape = tuple(len(axis) for axis in axes.values())
    return grid
