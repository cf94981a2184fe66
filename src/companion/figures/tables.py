"""Tables as pictures: annotated heat maps, and percentages in cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from companion.figures import style
from companion.figures.style import COLOURS, SMALL


def heat_maps(
    panels: Mapping[str, ArrayLike],
    rows: tuple[str, Sequence[float]],
    columns: tuple[str, Sequence[float]],
    *,
    value: str,
    stacked: bool = False,
) -> Figure:
    """One quantity over a grid, each cell with its number: blue-green above zero (separated), brown below.

    Each sign has its own scale, and no cell is nearly white: small margins are margins.

    Parameters
    ----------
    panels:
        Tables ``[rows, columns]`` by title, or ``[rows, columns, runs]``: then each cell has mean and spread.
        NaN cells are left empty.
    rows, columns:
        The name of each axis and its values.
    value:
        What the colour bar measures.
    stacked:
        Panels below each other instead of side by side.
    """
    tables = {title: np.asarray(table, dtype=float) for title, table in panels.items()}
    means = [table.mean(-1) if table.ndim == 3 else table for table in tables.values()]
    cell = 0.5 if any(table.ndim == 3 for table in tables.values()) else 0.27
    height = (cell * len(rows[1]) + 0.55) * (len(tables) if stacked else 1) + 0.6
    shape, share = ((len(tables), 1), "x") if stacked else ((1, len(tables)), "y")
    figure, axes = style.new_figure(n_rows=shape[0], n_columns=shape[1], height=max(height, 2.6), share=share)
    found = np.concatenate([mean.ravel() for mean in means])
    low, high = (float(max(np.nanmax(sign * found, initial=0.0), 0.0)) for sign in (-1, 1))
    limits = (-(low or high or 1.0), high or low or 1.0)
    spec = ".3f" if len(columns[1]) < 8 else ".2f"
    for panel, (title, table), mean in zip(axes.flat, tables.items(), means, strict=True):
        spreads = style.spread(table) if table.ndim == 3 else None
        image = numbers(panel, mean, limits=limits, spec=spec, spreads=spreads, map=style.SIGNED)
        panel.set_title(style.as_label(title), loc="left")
        panel.set_xticks(range(len(columns[1])), [style.signed_zero_free(c, "g") for c in columns[1]])
        panel.set_yticks(range(len(rows[1])), [style.signed_zero_free(r, "g") for r in rows[1]])
    bar = figure.colorbar(image, ax=list(axes.flat), shrink=0.95, pad=0.015, aspect=30)
    bar.set_label(value)
    if low != high:
        bar.ax.set_ylim(-low, high)
    style.label_outer(axes, len(tables), xlabel=columns[0], ylabel=rows[0])
    return style.carry(figure, {"rows": rows[1], "columns": columns[1], **tables})


def percentages(
    panels: Mapping[str, Mapping[str, ArrayLike]], forbidden_from: Mapping[str, int], *, xlabel: str
) -> Figure:
    """How often each small number occurred: one row per case, percentages in the columns 0, 1, 2, ...

    ``panels[title][case]`` holds the numbers; from ``forbidden_from[case]`` on a row is hatched: impossible.
    """
    largest = max(int(np.max(numbers)) for panel in panels.values() for numbers in panel.values())
    columns = max(largest + 2, min(10, max(forbidden_from.values()) + 1))
    figure, axes = style.new_figure(n_columns=len(panels), height=1.5 + 0.3 * len(forbidden_from), share="y")
    for panel, (title, cases) in zip(axes[0], panels.items(), strict=True):
        for row, (case, least) in enumerate(forbidden_from.items()):
            if least < columns:
                grey: dict[str, Any] = {"facecolor": "#F0F0F0", "edgecolor": COLOURS["impossible"], "hatch": "//"}
                panel.add_patch(Rectangle((least - 0.5, row - 0.5), columns - least, 1, lw=0, **grey))
                panel.plot([least - 0.5] * 2, [row - 0.5, row + 0.5], color=COLOURS["bound"], linewidth=1.6)
            numbers = np.asarray(cases.get(case, ()), dtype=int)
            shares = np.bincount(numbers) / max(len(numbers), 1)
            for count in np.flatnonzero(shares):
                strength = 0.15 + 0.85 * float(shares[count])
                face = style.pale(COLOURS["measured"], strength)
                panel.add_patch(Rectangle((count - 0.5, row - 0.5), 1, 1, facecolor=face, lw=0))
                text = f"{100 * shares[count]:.0f}" if shares[count] >= 0.01 else "<1"
                colour = "white" if strength > 0.6 else "black"
                panel.text(count, row, text, ha="center", va="center", fontsize=SMALL, color=colour)
        panel.set(xlim=(-0.5, columns - 0.5), ylim=(len(forbidden_from) - 0.5, -0.5), xticks=range(columns))
        panel.set(xlabel=xlabel, title=style.as_label(title))
        panel.grid(False)
    axes[0, 0].set_yticks(range(len(forbidden_from)), list(forbidden_from))
    return style.carry(figure, {f"{title}: {case}": x for title, cases in panels.items() for case, x in cases.items()})


def numbers(
    axes: Axes,
    values: np.ndarray,
    *,
    limits: tuple[float, float],
    spec: str,
    spreads: np.ndarray | None = None,
    map: str | Colormap = style.DIVERGING,
) -> AxesImage:
    """A table as a heat map from one limit over 0 to the other, each cell with its number and, below it, its spread."""
    image = axes.imshow(values, aspect="auto", cmap=map, norm=TwoSlopeNorm(0, *limits))
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            light = np.dot(image.cmap(image.norm(value))[:3], (0.299, 0.587, 0.114))
            colour = "black" if light > 0.5 else "white"
            text = style.signed_zero_free(value, spec)
            if spreads is not None:
                text += f"\n±{spreads[i, j]:{spec}}"
            axes.text(j, i, text, ha="center", va="center", fontsize=SMALL, color=colour, linespacing=1.1)
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return image


def matrix(axes: Axes, products: ArrayLike) -> None:
    """The matrix of inner products with its numbers, matching ones framed."""
    s = np.asarray(products)
    numbers(axes, s, limits=(-1, 1), spec=".2f")
    for i in range(len(s)):
        axes.add_patch(Rectangle((i - 0.5, i - 0.5), 1, 1, fill=False, edgecolor=COLOURS["matching"], linewidth=2))
    axes.set_xticks(range(len(s)), [f"$V_{j + 1}$" for j in range(len(s))])
    axes.set_yticks(range(len(s)), [f"$U_{i + 1}$" for i in range(len(s))])
    axes.set(title=r"$s_{ij} = \langle U_i, V_j \rangle$", aspect="equal")
