"""What training settings did, side by side: histograms of the inner products they end with, and their loss curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from companion.figures import style

BINS = np.linspace(-1, 1, 61)


def as_label(name: str) -> str:
    """The name of a setting with ``b_rel`` set as mathematics."""
    return name.replace("b_rel", "$b_{rel}$")


def on_log_axis(steps: Any) -> np.ndarray:
    """Recorded steps for a logarithmic axis: step 0 is placed at half the next one."""
    x = np.array(steps, dtype=float)
    if len(x) > 1 and x[0] == 0:
        x[0] = x[1] / 2
    return np.maximum(x, 0.5)


def _filled(axes: Any, values: np.ndarray, key: str, hatch: str | None) -> None:
    """A histogram scaled to a peak of 1: matching products may crowd into one bin."""
    counts, _ = np.histogram(values, bins=BINS)
    axes.bar(
        BINS[:-1], counts / max(counts.max(), 1), width=np.diff(BINS), align="edge", color=style.COLOURS[key],
        alpha=0.75, hatch=hatch, edgecolor="white", linewidth=0.2, label=key.replace("_", "-"),
    )  # fmt: skip


def inner_product_panels(
    samples: Mapping[str, tuple[Any, Any]],
    relative_biases: Mapping[str, float],
    margins: Mapping[str, tuple[float, float]],
    *,
    columns: int = 2,
) -> Figure:
    """One panel per setting: histograms of its matching and non-matching inner products, each scaled to its own peak.

    Parameters
    ----------
    samples:
        ``(matching, non-matching)`` inner products by setting, any shape.
    relative_biases:
        The relative bias of the loss (a mean over runs), drawn as a line. Outside ``[-1, 1]`` it is left out.
    margins:
        Mean and standard deviation of ``m*`` over runs, written in the panel.
    columns:
        Panels per row.
    """
    rows = -(-len(samples) // columns)
    figure, axes = style.new_figure(
        n_rows=rows, n_columns=columns, height=1.75 * rows + 0.5, sharex=True, squeeze=False
    )
    panels = np.ravel(axes)
    for panel, (name, (matching, non_matching)) in zip(panels, samples.items(), strict=False):
        _filled(panel, np.ravel(non_matching), "non_matching", "////")
        _filled(panel, np.ravel(matching), "matching", None)
        if abs(relative_biases[name]) <= 1:
            panel.axvline(
                relative_biases[name], color="black", linestyle="--", linewidth=1.1, label="$b_{rel}$"
            )
        mean, spread = margins[name]
        panel.set_title(f"{as_label(name)}\n$m^*$ = {mean:.3f} ± {spread:.3f}", fontsize=8.5)
        panel.set(xlim=(-1.02, 1.02), ylim=(0, 1.08), xticks=[-1, -0.5, 0, 0.5, 1], yticks=[])
        panel.tick_params(labelsize=8)
    for unused in panels[len(samples) :]:
        unused.set_axis_off()
    for panel in axes[-1]:
        panel.set_xlabel("inner product", fontsize=8.5)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=8.5)
    return figure


def loss_curves(
    steps: Any,
    losses: Mapping[str, Any],
    *,
    colours: Mapping[str, str],
    lines: Mapping[str, Any],
    reference: tuple[float, str] | None = None,
) -> Figure:
    """Summed loss over training (``[R, S]`` by setting), both axes logarithmic: mean and spread of its logarithm.

    ``reference`` draws a labelled level.
    """
    figure, axes = style.new_figure(height=3.6)
    x = on_log_axis(steps)
    for name, values in losses.items():
        style.band(
            axes, x, values, colour=colours[name], linestyle=lines[name], label=as_label(name), log=True
        )
    if reference is not None:
        axes.axhline(
            reference[0], color=style.COLOURS["bound"], linewidth=1, linestyle=(0, (1, 2)), label=reference[1]
        )
    axes.set(xscale="log", yscale="log", xlabel="training step", ylabel="summed loss")
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure
