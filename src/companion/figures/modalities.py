"""Figures of the many-modalities chapter: synchronisation graphs, margins against k, and the k-modality bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from companion.figures import style
from companion.figures.runs import as_label

MARKERS = "osD^vPX*"
DASHES = ("-", "--", "-.", ":")


def synchronization_graphs(n_modalities: int) -> Figure:
    """The complete graph and the star on ``k`` modalities, each edge one pairwise loss."""
    figure, axes = style.new_figure(n_columns=2, height=2.5, width=5.6)
    angles = np.pi / 2 + 2 * np.pi * np.arange(n_modalities) / n_modalities
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    hub = np.vstack([[0.0, 0.0], ring[: n_modalities - 1]])
    if n_modalities > 2:
        leaves = 2 * np.pi * np.arange(n_modalities - 1) / (n_modalities - 1) + np.pi / 2
        hub[1:] = np.stack([np.cos(leaves), np.sin(leaves)], axis=1)
    drawings = (
        ("complete graph", ring, list(combinations(range(n_modalities), 2))),
        ("star", hub, [(0, a) for a in range(1, n_modalities)]),
    )
    for panel, (title, places, edges) in zip(axes, drawings, strict=True):
        for a, c in edges:
            panel.plot(*places[[a, c]].T, color=style.COLOURS["neutral"], linewidth=1.3, zorder=1)
        for a, place in enumerate(places):
            colour = style.COLOURS["v" if title == "star" and a == 0 else "u"]
            panel.scatter(*place, s=330, color=colour, zorder=2)
            panel.text(*place, str(a + 1), color="white", ha="center", va="center", fontsize=9, zorder=3)
        plural = "s" if len(edges) > 1 else ""
        panel.set_title(f"{title}: {len(edges)} pairwise loss{'es' if plural else ''}", fontsize="small")
        panel.set(xlim=(-1.35, 1.35), ylim=(-1.25, 1.3), aspect="equal")
        panel.set_axis_off()
    return figure


def gap_against_modalities(
    modalities: Sequence[int], published: Any, candidates: Mapping[str, tuple[Any, Any, Any]]
) -> Figure:
    """Final gap over the number of modalities: published as squares, each candidate setting as a line with bars.

    A candidate is ``(modalities, mean, spread)``; it may cover part of the modalities only.
    """
    figure, axes = style.new_figure(height=4.0)
    axes.plot(
        modalities, published, color=style.COLOURS["published"], marker="s", linestyle="--", linewidth=1.2,
        label="published (Table 1)",
    )  # fmt: skip
    colours = style.swept_colours(len(candidates))
    for index, (name, (k, mean, spread)) in enumerate(candidates.items()):
        axes.errorbar(
            k, mean, spread, color=colours[index], marker="oD^vPX*"[index % 7], capsize=3,
            linestyle=DASHES[index % len(DASHES)], linewidth=1.4, markersize=5, label=as_label(name),
        )  # fmt: skip
    axes.set(xlabel="modalities $k$", ylabel="final gap $2m^*$")
    axes.set_xticks(list(modalities))
    axes.axhline(0.0, color=style.COLOURS["neutral"], linewidth=0.8)
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure


def bound_over_margins(
    relative_biases: Any,
    bounds: Mapping[str, Mapping[int, Any]],
    points: Mapping[str, Mapping[int, tuple[Any, Any]]],
) -> Figure:
    """Bounds on the margin over ``b_rel`` by graph and k, with trained ``(b*_rel, m*)``; one panel per graph.

    Colour and marker say k, the same for a bound and its points. Bounds of a k without points are drawn black.
    """
    figure, axes = style.new_figure(n_columns=len(points), height=4.0, sharey=True, squeeze=False)
    every = sorted({k for measured in points.values() for k in measured})
    looks = {
        k: (colour, MARKERS[i % len(MARKERS)])
        for i, (k, colour) in enumerate(zip(every, style.swept_colours(len(every)), strict=True))
    }
    for panel, (title, measured) in zip(np.ravel(axes), points.items(), strict=True):
        for k, values in bounds[title].items():
            lone = len(bounds[title]) == 1
            panel.plot(relative_biases, values, color="black" if lone else looks[k][0], linewidth=1.2)
        for k, (relative_bias, margin) in sorted(measured.items()):
            colour, marker = looks[k]
            panel.plot(
                relative_bias, margin, linestyle="", marker=marker, color=colour, markeredgecolor="black",
                markeredgewidth=0.4, label=f"k = {k}", markersize=6,
            )  # fmt: skip
        panel.set(title=title, xlabel="relative bias $b^*_{rel}$", xlim=(-1, 1), ylim=(-0.02, 0.58))
        panel.set_xticks([-1, -0.5, 0, 0.5, 1], ["−1", "−0.5", "0", "0.5", "1"])
    axes[0, 0].set(ylabel="margin $m^*$")
    axes[0, 0].legend(fontsize=8, title="lines: bound; marks: trained", title_fontsize=8, loc="upper left")
    return figure
