"""Tables as pictures: annotated heat maps, and percentages in cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    differences: Collection[str] = (),
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
    differences:
        Titles of tables that are differences: they have a scale and a bar of their own.
    """
    tables = {title: np.asarray(table, dtype=float) for title, table in panels.items()}
    means = {title: table.mean(-1) if table.ndim == 3 else table for title, table in tables.items()}
    n, with_runs = len(tables), any(table.ndim == 3 for table in tables.values())
    spec = ".3f" if len(columns[1]) < 8 else ".2f"
    cell = 0.5 if with_runs else 0.3
    height = (cell * len(rows[1]) + 0.55) * (n if stacked else 1) + 0.6
    shape: dict[str, Any] = {"n_rows": n} if stacked else {"n_columns": n}
    figure, axes = style.new_figure(**shape, height=max(height, 2.6), share="x" if stacked else "y")
    groups = {False: [t for t in means if t not in differences], True: [t for t in means if t in differences]}
    panel_of = dict(zip(tables, axes.flat, strict=True))
    for apart, titles in groups.items():
        if not titles:
            continue
        found = np.concatenate([means[t].ravel() for t in titles])
        low, high = (float(max(np.nanmax(sign * found, initial=0.0), 0.0)) for sign in (-1, 1))
        widest = max(low, high) or 1.0
        for title in titles:
            deviations = style.spread(tables[title]) if tables[title].ndim == 3 else None
            image = numbers(
                panel_of[title],
                means[title],
                limits=(-widest, widest) if apart else (-(low or widest), high or widest),
                spec=spec,
                spreads=deviations,
                map="PuOr" if apart else style.SIGNED,
            )
        bar = figure.colorbar(image, ax=[panel_of[t] for t in titles], shrink=0.95, pad=0.015, aspect=30)
        bar.set_label("difference" if apart else value)
        if low != high and not apart:
            bar.ax.set_ylim(-low, high)
    for title, panel in panel_of.items():
        panel.set_title(style.as_label(title), loc="left")
        panel.set_xticks(range(len(columns[1])), [f"{c:g}".replace("-", "−") for c in columns[1]])
        panel.set_yticks(range(len(rows[1])), [f"{r:g}".replace("-", "−") for r in rows[1]])
    style.label_outer(axes, n, xlabel=columns[0], ylabel=rows[0])
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
                panel.add_patch(
                    frame(
                        least - 0.5,
                        row - 0.5,
                        columns - least,
                        1,
                        facecolor="#F0F0F0",
                        hatch="//",
                        lw=0,
                        edgecolor=COLOURS["impossible"],
                    )
                )
                panel.plot([least - 0.5] * 2, [row - 0.5, row + 0.5], color=COLOURS["bound"], linewidth=1.6)
            numbers = np.asarray(cases.get(case, ()), dtype=int)
            shares = np.bincount(numbers) / max(len(numbers), 1)
            for count in np.flatnonzero(shares):
                strength = 0.15 + 0.85 * float(shares[count])
                panel.add_patch(
                    frame(count - 0.5, row - 0.5, 1, 1, facecolor=style.pale(COLOURS["measured"], strength), lw=0)
                )
                text = f"{100 * shares[count]:.0f}" if shares[count] >= 0.01 else "<1"
                colour = "white" if strength > 0.6 else "black"
                panel.text(count, row, text, ha="center", va="center", fontsize=SMALL, color=colour)
        panel.set(
            xlim=(-0.5, columns - 0.5),
            ylim=(len(forbidden_from) - 0.5, -0.5),
            xlabel=xlabel,
            title=style.as_label(title),
        )
        panel.set_xticks(range(columns))
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


def frame(x: float, y: float, width: float, height: float, **look: str | float) -> Rectangle:
    """A rectangle, empty unless ``facecolor`` says otherwise."""
    return Rectangle((x, y), width, height, **{"facecolor": "none", **look})  # type: ignore[arg-type]


def matrix(axes: Axes, products: ArrayLike) -> None:
    """The matrix of inner products with its numbers, matching ones framed."""
    s = np.asarray(products)
    numbers(axes, s, limits=(-1, 1), spec=".2f")
    for i in range(len(s)):
        axes.add_patch(frame(i - 0.5, i - 0.5, 1, 1, edgecolor=COLOURS["matching"], linewidth=2))
    axes.set_xticks(range(len(s)), [f"$V_{j + 1}$" for j in range(len(s))])
    axes.set_yticks(range(len(s)), [f"$U_{i + 1}$" for i in range(len(s))])
    axes.set(title=r"$s_{ij} = \langle U_i, V_j \rangle$", aspect="equal")
