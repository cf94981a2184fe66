"""Pretrained models: histograms, sides of a hyperplane, models in the region, margin budgets and dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from companion.figures.region import draw_region
from companion.figures.style import COLOURS, LINES, new_figure

FAMILIES = (("so400m", "s", "#CC79A7"), ("large", "^", "#E69F00"), ("base", "o", "#0072B2"))


def family(model: str) -> tuple[str, str, str]:
    """Name, marker and colour of a model's family."""
    return next((entry for entry in FAMILIES if entry[0] in model), ("other", "D", "#666666"))


def short_name(model: str) -> str:
    """``siglip-base-patch16-224`` as ``B/16-224``."""
    for long, short in (("so400m-patch", "So400m/"), ("large-patch", "L/"), ("base-patch", "B/")):
        model = model.replace(long, short)
    return model.removeprefix("siglip-")


def inner_products(
    matching: Any, non_matching: Any, edges: Any, *, percentiles: tuple[float, float], n_bins: int = 160
) -> Figure:
    """Figure 1: densities of matching products (values) and non-matching ones (counts between ``edges``).

    ``percentiles`` are the 5th of the matching and the 95th of the non-matching products.
    """
    matching, counts, edges = (np.asarray(x, dtype=float) for x in (matching, non_matching, edges))
    seen = edges[:-1][counts > 0]
    low, high = min(matching.min(), seen.min()), max(matching.max(), seen.max())
    coarse = np.linspace(low, high, n_bins + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    figure, axes = new_figure(height=3.2)
    for values, weights, key, hatch in (
        (centres, counts, "non_matching", "//"),
        (matching, np.ones_like(matching), "matching", None),
    ):
        axes.hist(
            values, bins=coarse, weights=weights / weights.sum(), color=COLOURS[key], alpha=0.7, hatch=hatch,
            histtype="stepfilled", edgecolor="white", linewidth=0.3, label=key.replace("_", "-"),
        )  # fmt: skip
    top = 1.1 * axes.get_ylim()[1]
    for value, key, text in zip(
        percentiles, ("matching", "non_matching"), ("5th pct.", "95th pct."), strict=True
    ):
        axes.axvline(value, color=COLOURS[key], linestyle=LINES["bound"], linewidth=1.2)
        side = 1 if value == max(percentiles) else -1
        axes.annotate(
            f"{text} {value:.3f}", (value, 0.97 * top), (6 * side, 0), textcoords="offset points", va="top",
            ha="left" if side > 0 else "right", fontsize="small", color=COLOURS[key],
        )  # fmt: skip
    axes.set(xlabel="inner product of image and text", ylabel="share per bin", ylim=(0, top))
    axes.legend(fontsize="small", loc="center left")
    return figure


def sides(images: Any, texts: Any) -> Figure:
    """Figure 3: signed distances of all images and all texts from one hyperplane."""
    images, texts = np.asarray(images), np.asarray(texts)
    figure, axes = new_figure(height=2.8)
    bins = np.linspace(min(images.min(), texts.min()), max(images.max(), texts.max()), 120)
    for values, key, label, hatch in ((images, "u", "images", None), (texts, "v", "texts", "//")):
        axes.hist(
            values, bins=bins, weights=np.full(len(values), 1 / len(values)), color=COLOURS[key], alpha=0.75,
            histtype="stepfilled", edgecolor="white", linewidth=0.3, hatch=hatch, label=f"{len(values):,} {label}",
        )  # fmt: skip
    axes.axvline(0, color=COLOURS["bound"], linewidth=1.2)
    axes.set(xlabel="signed distance from the hyperplane", ylabel="share per bin")
    figure.legend(loc="outside upper center", ncols=2, fontsize="small")
    return figure


def models_in_region(models: pd.DataFrame) -> Figure:
    """Figure 6: models at their mean margins, in all of Figure 2 and enlarged."""
    figure, axes = new_figure(n_columns=2, height=3.9, gridspec_kw={"width_ratios": [1, 1.5]})
    b, m = models["relative_bias"], models["margin"]
    x0, x1 = b.min() - 0.2 * np.ptp(b) - 0.005, b.max() + 0.45 * np.ptp(b) + 0.01
    y0, y1 = m.min() - 0.35 * np.ptp(m) - 0.002, m.max() + 0.35 * np.ptp(m) + 0.002
    regions = draw_region(axes[0], legend=False, margin_limits=(min(0.0, y0), 0.62))
    draw_region(axes[1], relative_bias_limits=(x0, x1), margin_limits=(y0, y1), legend=False)
    axes[0].add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor="black", linewidth=1.2))
    for model, row in models.iterrows():
        _, marker, colour = family(str(model))
        axes[1].scatter(
            row["relative_bias"],
            row["margin"],
            s=40,
            marker=marker,
            color=colour,
            edgecolor="white",
            zorder=3,
        )
    _place_labels(axes[1], models)
    axes[1].set_ylabel("")
    axes[0].set_title("the region of Figure 2", fontsize="small")
    axes[1].set_title("the box on the left, enlarged", fontsize="small")
    handles = [*regions, *_family_handles(models)]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize="small")
    return figure


def _place_labels(axes: Any, models: pd.DataFrame) -> None:
    """Names to the right of the models, moved apart where they would overlap."""
    width, spacing = np.ptp(axes.get_xlim()), 0.052 * np.ptp(axes.get_ylim())
    labelled: list[tuple[float, float]] = []
    for model, row in models.sort_values("margin").iterrows():
        x, y = row["relative_bias"], row["margin"]
        near = [height for across, height in labelled if abs(across - x) < 0.25 * width]
        height = max([y, *(taken + spacing for taken in near)])
        labelled.append((x, height))
        across = models["relative_bias"]
        beside = across[(across - x).abs() < 0.25 * width].max() + 0.05 * width
        axes.annotate(
            short_name(str(model)), (x, y), (beside, height), fontsize=8, va="center", zorder=4,
            arrowprops={"arrowstyle": "-", "color": "#666666", "lw": 0.7, "shrinkB": 3},
        )  # fmt: skip


def _family_handles(models: pd.DataFrame) -> list[Any]:
    present = {family(str(model)) for model in models.index}
    return [
        Line2D([], [], ls="", marker=marker, color=colour, label=name)
        for name, marker, colour in sorted(present)
    ]


def _count(n: int) -> str:
    """1000 as 1,000 and ten billion as a power of ten, where it is one."""
    digits = len(str(n)) - 1
    return f"$10^{{{digits}}}$" if n == 10**digits and digits > 5 else f"{n:,}"


def budgets(shares: pd.DataFrame) -> Figure:
    """Where ``1 + b_rel`` goes, one bar per model: margin, xi, and the centre that both modalities share."""
    figure, axes = new_figure(height=0.8 + 0.36 * len(shares))
    labels = {
        "margin": "margin",
        "xi": r"$\xi$: no single shift",
        "centre": r"$|\bar U + \bar V|^2$: shared centre",
    }
    looks = {"margin": (COLOURS["ours"], None), "xi": (COLOURS["fixed"], "//"), "centre": ("#BBBBBB", "..")}
    left, rows = np.zeros(len(shares)), np.arange(len(shares))
    for column, label in labels.items():
        width = shares[column].to_numpy()
        colour, hatch = looks[column]
        axes.barh(
            rows, width, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5, label=label
        )
        for row, start, size in zip(rows, left, width, strict=True):
            if size > 0.06:
                box = {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85}
                axes.text(
                    start + size / 2, row, f"{size:.0%}", ha="center", va="center", fontsize=8, bbox=box
                )
        left = left + width
    axes.set_yticks(rows, [short_name(str(model)) for model in shares.index])
    axes.set(xlim=(0, 1), xlabel=r"share of $1 + b_{\mathrm{rel}}$")
    axes.grid(False)
    figure.legend(loc="outside upper center", ncols=3, fontsize="small")
    return figure


def dimensions(models: pd.DataFrame, brackets: Mapping[int, Any]) -> Figure:
    """Left: margins against dimension. Right: the dimension each model has, beside brackets of what its margin needs.

    ``brackets`` maps a number of pairs to integers ``[models, 2]``.
    """
    figure, axes = new_figure(n_columns=2, height=3.5, gridspec_kw={"width_ratios": [1, 1.35]})
    for model, row in models.iterrows():
        _, marker, colour = family(str(model))
        axes[0].scatter(row["dim"], row["margin"], marker=marker, color=colour, s=34, zorder=3)
        axes[0].scatter(
            row["dim"],
            row["trimmed_margin"],
            marker=marker,
            color="white",
            edgecolor=colour,
            linewidth=1.2,
            s=34,
        )
    axes[0].set(xlabel="embedding dimension $d$", ylabel="margin $m$ (half gap)")
    axes[0].set_ylim(min(0.0, axes[0].get_ylim()[0]), None)
    faces = (("#444444", "by means"), ("white", "by percentiles"))
    kinds = [Line2D([], [], ls="", marker="o", markerfacecolor=face, markeredgecolor="#444444", label=label)
             for face, label in faces]  # fmt: skip
    axes[0].legend(
        handles=[*_family_handles(models), *kinds], fontsize=8, loc="center", bbox_to_anchor=(0.45, 0.52)
    )
    rows = np.arange(len(models))
    axes[1].scatter(models["dim"], rows, marker="D", color="black", s=24, label="dimension it has", zorder=3)
    looks = ((0.16, COLOURS["ours"], "|"), (-0.16, COLOURS["bias"], "o"))
    for (n_pairs, pairs), (shift, colour, marker) in zip(brackets.items(), looks, strict=False):
        for row, pair in zip(rows, np.asarray(pairs), strict=True):
            axes[1].plot(
                pair, [row + shift] * 2, color=colour, lw=2.5, marker=marker, ms=4 if marker == "o" else 8,
                label=f"needed for N = {_count(n_pairs)}" if row == 0 else None,
            )  # fmt: skip
    axes[1].set_yticks(rows, [short_name(str(model)) for model in models.index])
    axes[1].set(xscale="log", xlabel="dimension", ylim=(-0.6, len(models) - 0.4))
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside upper right", ncols=3, fontsize="small")
    return figure
