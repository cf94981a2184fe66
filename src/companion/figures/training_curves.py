"""Curves over training: several quantities of several settings, mean and spread over runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from companion.figures import style


def grid_of_curves(
    steps: Any,
    rows: Mapping[str, Mapping[str, Any]],
    columns: Sequence[str],
    *,
    log_rows: Sequence[str] = (),
    colours: Mapping[str, str],
    lines: Mapping[str, str],
    zero_rows: Sequence[str] = (),
) -> Figure:
    """One row per quantity, one column per setting, one band per curve; rows share their vertical axis.

    ``rows[quantity][curve]`` holds ``[C, R, S]``: columns, runs, recorded ``steps`` ``[S]``. Rows in ``log_rows`` have
    a logarithmic axis (mean and spread of the logarithm), those in ``zero_rows`` a line at 0.
    """
    height = 0.5 + 1.75 * len(rows)
    figure, axes = style.new_figure(
        n_rows=len(rows), n_columns=len(columns), height=height, sharex=True, sharey="row", squeeze=False
    )
    x = np.maximum(np.asarray(steps, dtype=float), 1)
    for row, (quantity, curves) in zip(axes, rows.items(), strict=True):
        log = quantity in log_rows
        for c, panel in enumerate(row):
            for name, values in curves.items():
                style.band(
                    panel, x, np.asarray(values)[c], colour=colours[name], label=name,
                    linestyle=lines[name], log=log,
                )  # fmt: skip
            panel.set(xscale="log", yscale="log" if log else "linear")
            panel.tick_params(labelsize=8)
            if quantity in zero_rows:
                panel.axhline(0, color=style.COLOURS["neutral"], linewidth=0.7, zorder=0)
        row[0].set_ylabel(quantity, fontsize=8.5)
    for panel, title in zip(axes[0], columns, strict=True):
        panel.set_title(title, fontsize=9)
    for panel in axes[-1]:
        panel.set_xlabel("training step", fontsize=8.5)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=8.5)
    return figure


def swept_bands(
    steps: Any, values: Any, labels: Sequence[str], *, ylabel: str, title: str, xscale: str = "linear"
) -> Figure:
    """Mean and spread over runs of one quantity, ``values`` ``[C, R, S]``, one colour per swept setting."""
    figure, axes = style.new_figure(height=3.8)
    for colour, runs, label in zip(style.swept_colours(len(labels)), values, labels, strict=True):
        style.band(axes, steps, runs, colour=colour, label=label)
    axes.axhline(0, color=style.COLOURS["neutral"], linewidth=0.7, zorder=0)
    axes.set(xlabel="training step", ylabel=ylabel, xscale=xscale)
    figure.legend(loc="outside right center", fontsize=8, title=title, title_fontsize=8.5, reverse=True)
    return figure
