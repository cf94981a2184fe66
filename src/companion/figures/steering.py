"""Figures of the steering chapter: margins against frozen relative biases, and tables beside their measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from companion.figures import style
from companion.figures.region import draw_region
from constellations.checks import spread

CANDIDATE_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def steered(
    relative_bias: Any, margin: Any, frozen: Sequence[float], published: Any | None, *, n_pairs: int
) -> Figure:
    """Achieved ``(b*_rel, m*)`` of every run, ``[B, R]`` each, in the region of Figure 2; published means ``[2, B]``."""
    figure, axes = style.new_figure(height=4.2)
    draw_region(axes, n_pairs=n_pairs, legend=False)
    colours = style.swept_colours(len(frozen))
    for colour, b, x, y in zip(colours, frozen, np.asarray(relative_bias), np.asarray(margin), strict=True):
        axes.scatter(x, y, color=colour, s=9, alpha=0.5, linewidth=0, zorder=3)
        axes.scatter(
            x.mean(),
            y.mean(),
            color=colour,
            s=36,
            edgecolor="black",
            linewidth=0.7,
            zorder=4,
            label=f"{b:+.2f}",
        )
    if published is not None:
        axes.plot(
            *published, "x", color=style.COLOURS["published"], markersize=9, zorder=5, label="published mean"
        )
    axes.set(xlabel="achieved relative bias $b^*_{rel}$", ylabel="achieved margin $m^*$")
    figure.legend(loc="outside right center", fontsize=8, title="frozen $b_{rel}$", title_fontsize=8.5)
    return figure


def rows_of_a_table(
    relative_biases: Sequence[float],
    published: Mapping[str, Any],
    candidates: Mapping[str, Mapping[str, Any]],
) -> Figure:
    """Columns of Table 2, published (black) and measured, over the frozen relative bias.

    ``published[quantity]`` is ``[B]``; ``candidates[name][quantity]`` is ``[B, R]``, or ``[2, M]`` pairs of a relative
    bias and a value when a candidate has only some of the rows (its name then ends in an asterisk).
    """
    figure, axes = style.new_figure(n_columns=len(published), height=3.6)
    colours = style.swept_colours(len(candidates))
    for panel, (quantity, values) in zip(np.ravel(axes), published.items(), strict=True):
        shown = np.maximum(values, 1e-8) if quantity.startswith("mean loss") else values
        panel.plot(
            relative_biases,
            shown,
            "x-",
            color="black",
            linewidth=1,
            markersize=5,
            label="published",
            zorder=4,
        )
        for index, (name, columns) in enumerate(candidates.items()):
            _candidate(panel, relative_biases, columns[quantity], name, colours[index], index)
        panel.set(xlabel="frozen $b_{rel}$", title=quantity)
        if not quantity.startswith("gap"):
            panel.set_yscale("log")
    figure.legend(
        *np.ravel(axes)[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8
    )
    return figure


def _candidate(panel: Any, rows: Any, values: Any, name: str, colour: Any, index: int) -> None:
    values = np.asarray(values, dtype=float)
    marker = CANDIDATE_MARKERS[index % len(CANDIDATE_MARKERS)]
    if name.endswith("*"):
        panel.plot(*values, marker, color=colour, markersize=8, label=name, markeredgecolor="black", zorder=5)
        return
    panel.errorbar(
        rows, values.mean(1), spread(values), fmt=marker + "--", color=colour, markersize=3.5, linewidth=1, capsize=2,
        label=name,
    )  # fmt: skip


def annotated_tables(
    rows: Sequence[float],
    columns: Sequence[float],
    tables: Mapping[str, Any],
    *,
    differences: Sequence[str] = (),
) -> Figure:
    """Tables over ``t_0`` and ``b_rel`` as annotated heat maps, one below the other.

    Tables named in ``differences`` have a diverging scale of their own. NaN cells are left empty.
    """
    figure, axes = style.new_figure(
        n_rows=len(tables), height=(0.3 * len(rows) + 0.5) * len(tables) + 0.6, sharex=True, squeeze=False
    )
    for panel, (title, table) in zip(axes[:, 0], tables.items(), strict=True):
        values = np.asarray(table, dtype=float)
        limit = 0.3 if title in differences else 1.2
        panel.imshow(
            values,
            cmap="PuOr" if title in differences else style.DIVERGING,
            vmin=-limit,
            vmax=limit,
            aspect="auto",
        )
        for (i, j), value in np.ndenumerate(values):
            if np.isfinite(value):
                colour = "white" if abs(value) > 0.7 * limit else "black"
                panel.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour)
        panel.set_yticks(range(len(rows)), [f"{r:g}" for r in rows], fontsize=8)
        panel.set_xticks(range(len(columns)), [f"{c:g}" for c in columns], fontsize=8)
        panel.set_title(title, fontsize=9, loc="left")
        panel.set_ylabel("$t_0$", fontsize=9)
        panel.grid(False)
    axes[-1, 0].set_xlabel("initial relative bias", fontsize=9)
    return figure
