"""Pictures of chapter 13: glyphs and names, trained encoders, held-out retrieval, a locked tower."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from companion.figures.style import COLOURS, LINES, MARKERS, band, new_figure

NAMES = {"bias": "trained $t, b$", "relative_bias": "trained $t, b_{rel}$"}


def contact_sheet(images: Any, captions: Sequence[str], *, columns: int = 3) -> Figure:
    """Pictures ``[N, h, w]`` with their captions beside them."""
    rows = -(-len(captions) // columns)
    figure, axes = new_figure(
        n_rows=rows, n_columns=2 * columns, height=0.62 * rows, width_ratios=[1, 3.4] * columns
    )
    panels = np.ravel(np.asarray(axes, dtype=object))
    for panel in panels:
        panel.set_axis_off()
    for k, (picture, caption) in enumerate(zip(images, captions, strict=True)):
        _picture(panels[2 * k], picture)
        panels[2 * k + 1].text(0, 0.5, textwrap.fill(caption, 22), va="center", fontsize=7.8)
    return figure


def same_pictures(images: Any, captions: Sequence[Sequence[str]]) -> Figure:
    """One picture ``[h, w]`` per group, with the names of all the characters that look like it."""
    rows = -(-len(captions) // 2)
    figure, axes = new_figure(n_rows=rows, n_columns=4, height=0.78 * rows, width_ratios=[1, 4.2] * 2)
    panels = np.ravel(np.asarray(axes, dtype=object))
    for panel in panels:
        panel.set_axis_off()
    for k, (picture, names) in enumerate(zip(images, captions, strict=True)):
        _picture(panels[2 * k], picture)
        panels[2 * k + 1].text(0, 0.5, "\n".join(names), va="center", fontsize=8, linespacing=1.35)
    return figure


def _picture(panel: Any, picture: Any, *, colour: str | None = None, dash: str = "-") -> None:
    panel.set_axis_on()
    panel.imshow(1 - np.asarray(picture), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    panel.set(xticks=[], yticks=[])
    for spine in panel.spines.values():
        spine.set(
            visible=True,
            color=colour or "#CCCCCC",
            linewidth=2.2 if colour else 0.8,
            linestyle=dash,
        )


def histograms(
    titles: Sequence[str], matching: Any, non_matching: Any, relative_bias: Any, margin: Any, centre: Any
) -> Figure:
    """Matching and non-matching products of several runs, the trained ``b_rel``, and the gap (or the overlap)."""
    rows = -(-len(titles) // 2)
    figure, axes = new_figure(n_rows=rows, n_columns=2, height=2.35 * rows, sharex=True, sharey=True)
    bins = np.linspace(-1, 1, 121)
    for k, panel in enumerate(np.ravel(axes)[: len(titles)]):
        kinds = (("non_matching", non_matching[k], "//"), ("matching", matching[k], ""))
        for kind, values, hatch in kinds:
            label = kind.replace("_", "-")
            panel.hist(
                np.ravel(values), bins, density=True, log=True, histtype="stepfilled", alpha=0.55,
                color=COLOURS[kind], edgecolor="white", linewidth=0.3, hatch=hatch, label=label,
            )  # fmt: skip
        colour = COLOURS["ours"] if margin[k] > 0 else COLOURS["neutral"]
        low, high = centre[k] - abs(margin[k]), centre[k] + abs(margin[k])
        panel.axvspan(low, high, color=colour, alpha=0.25, linewidth=0)
        panel.axvline(np.clip(relative_bias[k], -1, 1), color="black", linestyle=LINES["bound"], linewidth=1)
        panel.set_title(f"{titles[k]}:  $m^*$ = {margin[k]:+.3f}", fontsize="small")
        panel.set(xlim=(-1, 1), ylim=(1e-4, 60))
    axes = np.reshape(axes, (rows, 2))
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), fontsize="small", loc="outside upper center", ncols=2
    )
    for panel in axes[-1]:
        panel.set_xlabel("inner product")
    for panel in axes[:, 0]:
        panel.set_ylabel("density")
    return figure


def training_curves(steps: Any, curves: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Loss, margin, relative bias and held-out recall over training: ``curves[parameterization][name]`` is ``[R, S]``."""
    figure, axes = new_figure(n_rows=2, n_columns=2, height=4.9, sharex=True)
    panels = dict(zip(("loss", "margin", "relative_bias", "held_out_recall"), np.ravel(axes), strict=True))
    for kind, values in curves.items():
        for name, panel in panels.items():
            x, y = (
                (steps[1:], np.asarray(values[name])[:, 1:])
                if name == "relative_bias"
                else (steps, values[name])
            )
            band(
                panel,
                x,
                y,
                colour=COLOURS[kind],
                linestyle=LINES[kind],
                label=NAMES[kind],
                log=name == "loss",
            )
    panels["loss"].set(yscale="log", ylabel="loss (sum)")
    panels["loss"].axhline(2 * np.log(2), color="black", linestyle=":", linewidth=1)
    panels["loss"].text(steps[-1], 2 * np.log(2) * 1.2, "$2\\log 2$", fontsize=8, ha="right")
    panels["loss"].legend(fontsize="small")
    panels["margin"].set(ylabel="training margin $m^*$")
    panels["margin"].axhline(0, color="black", linewidth=0.8)
    panels["relative_bias"].set(ylabel="trained $b_{rel}$", xlabel="step")
    panels["held_out_recall"].set(ylabel="held-out R@1", xlabel="step")
    panels["held_out_recall"].set_ylim(bottom=0)
    return figure


def two_towers(titles: Sequence[str], u: Sequence[Any], v: Sequence[Any], *, shown: Any = ...) -> Figure:
    """Both modalities in a plane: along the difference of their means, and along the widest direction across it.

    The plane is that of all points; ``shown`` picks the pairs that are drawn.
    """
    figure, axes = new_figure(n_columns=len(titles), height=3.3, sharey=True)
    for panel, title, images, texts in zip(np.ravel(axes), titles, u, v, strict=True):
        a, b = _plane(np.asarray(images), np.asarray(texts))
        for points, kind, label in ((a, "u", "images"), (b, "v", "texts")):
            filled = {"facecolors": "none"} if kind == "v" else {"linewidths": 0, "alpha": 0.55}
            panel.scatter(
                *points[shown].T, s=16, marker=MARKERS[kind], color=None if kind == "v" else COLOURS[kind],
                edgecolors=COLOURS[kind] if kind == "v" else None, label=label, rasterized=True, **filled,
            )  # fmt: skip
        panel.set(title=title, xlabel="along the difference of the means", xlim=(-1.05, 1.05), aspect="equal")
    np.ravel(axes)[0].set(ylabel="widest direction across", ylim=(-1.05, 1.05))
    handles, labels = np.ravel(axes)[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize="small", loc="outside right upper", markerscale=1.5)
    return figure


def _plane(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    difference = u.mean(0) - v.mean(0)
    first = difference / max(float(np.linalg.norm(difference)), 1e-12)
    both = np.concatenate([u, v])
    across = both - np.outer(both @ first, first)
    _, _, axes = np.linalg.svd(across - across.mean(0), full_matrices=False)
    basis = np.stack([first, axes[0]], axis=1)
    return u @ basis, v @ basis


def margin_against_dimension(dims: Any, margin: Any, guaranteed: Any, impossible: Any) -> Figure:
    """Trained margins ``[D]`` against the dimension, between what is guaranteed and what is impossible."""
    figure, panel = new_figure(height=3.0)
    panel.fill_between(dims, impossible, 1, color=COLOURS["impossible"], alpha=0.5, linewidth=0)
    panel.plot(dims, impossible, color="black", linestyle=LINES["bound"], label="no constellation above")
    panel.plot(dims, guaranteed, color=COLOURS["ours"], linestyle="-.", label="some constellation reaches")
    panel.plot(dims, margin, color=COLOURS["measured"], marker="o", label="trained encoders")
    panel.axhline(0, color="black", linewidth=0.8)
    low, high = float(np.min(margin)), float(np.max(impossible))
    panel.set(
        xscale="log",
        xlabel="embedding dimension $d$",
        ylabel="margin $m^*$",
        ylim=(min(low, 0) - 0.03, high + 0.06),
    )
    panel.set_xticks(list(dims))
    panel.xaxis.set_major_formatter(ScalarFormatter())
    panel.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    figure.legend(fontsize="small", loc="outside right upper")
    return figure


def retrieval_examples(
    captions: Sequence[str], own: Any, ranked: Any, correct: Any, *, heading: str
) -> Figure:
    """Captions as queries (their own picture first, ``[M, h, w]``) and the pictures ranked best, ``[M, k, h, w]``."""
    rows, k = np.asarray(correct).shape
    figure, axes = new_figure(
        n_rows=rows, n_columns=k + 2, height=0.72 * rows + 0.4, width_ratios=[3.3, 1.1] + [1] * k
    )
    for r in range(rows):
        axes[r, 0].set_axis_off()
        axes[r, 0].text(0, 0.5, textwrap.fill(captions[r], 26), va="center", fontsize=8)
        _picture(axes[r, 1], own[r])
        for c in range(k):
            right = bool(correct[r][c])
            _picture(axes[r, 2 + c], ranked[r][c], colour=COLOURS["ours"] if right else None)
            if right:
                _tick(axes[r, 2 + c])
    axes[0, 1].set_title("its own", fontsize=8)
    for c in range(k):
        axes[0, 2 + c].set_title(f"{c + 1}", fontsize=8)
    axes[0, 0].set_title(heading, fontsize=8, loc="left")
    return figure


def _tick(panel: Any) -> None:
    place = {"transform": panel.transAxes, "ha": "right", "va": "top"}
    panel.text(0.97, 0.95, "✓", fontsize=9, color=COLOURS["ours"], **place)


def locked_tower(
    steps: Any, curves: Mapping[str, Mapping[str, Any]], *, copied: float, bound: float
) -> Figure:
    """Loss and margin of an image tower against locked texts; the margin of copying the texts, and an upper bound."""
    figure, axes = new_figure(n_columns=2, height=2.9)
    for kind, values in curves.items():
        style: dict[str, Any] = {"colour": COLOURS[kind], "linestyle": LINES[kind]}
        band(axes[0], steps, values["loss"], log=True, label=NAMES[kind], **style)
        band(axes[1], steps, values["margin"], **style)
    axes[0].set(yscale="log", xlabel="step", ylabel="loss (sum)")
    axes[0].legend(fontsize="small")
    axes[0].yaxis.set_minor_formatter(NullFormatter())
    lowest = min(
        float(np.min(np.asarray(values["margin"])[:, len(steps) // 5 :])) for values in curves.values()
    )
    axes[1].axhline(copied, color=COLOURS["neutral"], linestyle=":", label="images copy the texts, $U = V$")
    axes[1].axhline(bound, color="black", linestyle=LINES["bound"], label="bound, any image tower")
    axes[1].set(xlabel="step", ylabel="margin $m^*$", ylim=(min(lowest, copied) - 0.03, bound + 0.03))
    axes[1].legend(fontsize="small", loc="lower right")
    return figure
