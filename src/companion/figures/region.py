"""The plane of relative bias and margin: where constellations can exist (Figure 2 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from companion.figures import style
from constellations.bounds import margin_upper_bound

# Corners (relative_bias, margin) of the regions of Theorems 3.3 and 3.4 and of m > |b_rel| within them.
EXISTENCE = ((-1.0, 0.0), (0.5, 0.5), (1.0, 0.0))
MODALITY_GAP = ((0.0, 0.0), (-0.25, 0.25), (0.5, 0.5))
# Opaque, because a hatch drawn over a transparent face is lost in SVG.
GAP_FACE, GAP_EDGE = "#B2E1E0", "#4FB79C"
SCATTER_MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")


def draw_region(
    axes: Any,
    *,
    relative_bias_limits: tuple[float, float] = (-1.05, 1.05),
    margin_limits: tuple[float, float] = (0.0, 0.62),
    n_pairs: int | None = None,
    legend: bool = True,
    modality_gap: bool = True,
) -> list[Any]:
    """Paint the regions of Figure 2 on ``axes`` and set its limits and labels.

    Grey and hatched: no constellation of many pairs exists (Theorem 3.4). Blue: exponentially many pairs fit
    (Theorem 3.3). Green and hatched: ``m > |b_rel|``, where Theorem 3.6 gives a modality gap.

    Parameters
    ----------
    axes:
        The axes to paint; points are scattered over it afterwards as ``axes.scatter(relative_bias, margin)``.
    relative_bias_limits, margin_limits:
        What is visible; zoom as you like.
    n_pairs:
        Also draw, dashed, the slightly larger limit ``(3 - 4/N) m = 1 + b_rel`` of that many pairs.
    legend:
        Draw the legend of the regions at the upper left; ``False`` when the figure makes its own.
    modality_gap:
        Paint the part ``m > |b_rel|`` too.

    Returns
    -------
    list
        Legend handles of what was painted, for a legend of the caller's own.
    """
    b = np.unique(np.concatenate([np.linspace(*relative_bias_limits, 401), [0.0, 0.5]]))
    b = b[(b >= relative_bias_limits[0]) & (b <= relative_bias_limits[1])]
    inside = b.clip(-1, 1)
    limit = margin_upper_bound(inside)
    top = np.full_like(b, margin_limits[1])
    colours = style.COLOURS
    axes.fill_between(
        b,
        limit,
        np.maximum(top, limit),
        facecolor="#F0F0F0",
        edgecolor=colours["impossible"],
        hatch="//",
        lw=0,
    )
    axes.fill_between(b, 0, limit, facecolor=colours["exponential"], alpha=0.22, lw=0)
    if modality_gap:
        axes.fill_between(
            b, np.minimum(np.abs(b), limit), limit, facecolor=GAP_FACE, edgecolor=GAP_EDGE, hatch="..", lw=0
        )
    axes.plot(b, limit, color=colours["bound"], lw=1.2)
    handles = _region_handles() if modality_gap else _region_handles()[:2]
    if n_pairs is not None:
        axes.plot(b, margin_upper_bound(inside, n_pairs=n_pairs), color=colours["bound"], lw=1.0, ls="--")
        handles.append(
            Line2D([], [], color=colours["bound"], lw=1.0, ls="--", label=f"limit for N = {n_pairs:,}")
        )
    axes.set(
        xlim=relative_bias_limits,
        ylim=margin_limits,
        xlabel=r"relative bias $b_{\mathrm{rel}}$",
        ylabel=r"margin $m$ (half gap)",
    )
    axes.grid(False)
    if legend:
        axes.legend(handles=handles, loc="upper left", fontsize="small", frameon=True, framealpha=0.92)
    return handles


def _region_handles() -> list[Any]:
    colours = style.COLOURS
    return [
        Patch(
            facecolor="#F0F0F0",
            edgecolor=colours["impossible"],
            hatch="//",
            label="impossible for many pairs",
        ),
        Patch(facecolor=colours["exponential"], alpha=0.3, label="exponentially many pairs fit"),
        Patch(
            facecolor=GAP_FACE,
            edgecolor=GAP_EDGE,
            hatch="..",
            label=r"modality gap: $m > |b_{\mathrm{rel}}|$",
        ),
    ]


def existence_region() -> Figure:
    """Figure 2 of the paper, from the formulas: the three regions with their boundary lines named."""
    figure, axes = style.new_figure(height=4.2)
    draw_region(axes)
    axes.annotate(
        r"$3m = 1 + b_{\mathrm{rel}}$",
        (-0.45, 0.183),
        (-0.72, 0.27),
        fontsize="small",
        arrowprops=_ARROW,
        bbox=_BOX,
    )
    axes.annotate(
        r"$m + b_{\mathrm{rel}} = 1$",
        (0.75, 0.25),
        (0.78, 0.36),
        fontsize="small",
        arrowprops=_ARROW,
        bbox=_BOX,
    )
    axes.plot(0.5, 0.5, "ko", ms=4)
    axes.annotate(
        "orthonormal pairs\n$U = V$", (0.5, 0.5), (0.6, 0.52), fontsize="small", va="center", bbox=_BOX
    )
    return figure


_BOX = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
_ARROW = {"arrowstyle": "-", "color": "#444444", "lw": 0.8}


def placed_configurations(groups: Mapping[str, tuple[Any, Any]], *, n_pairs: int | None = None) -> Figure:
    """Configurations placed in the region; ``groups`` maps a label to arrays ``(relative_bias, margin)``."""
    figure, axes = style.new_figure(height=4.6)
    regions = draw_region(axes, n_pairs=n_pairs, legend=False)
    handles = scatter_groups(axes, groups)
    axes.legend(handles=regions, loc="upper left", fontsize="small", frameon=True, framealpha=0.92)
    figure.legend(handles=handles, loc="outside right center", fontsize="small")
    return figure


def scatter_groups(axes: Any, groups: Mapping[str, tuple[Any, Any]], *, size: float = 22) -> Sequence[Any]:
    """Scatter ``(relative_bias, margin)`` groups, each with its own colour and marker; returns legend handles."""
    colours = style.swept_colours(len(groups))
    handles = []
    for index, (label, (b, m)) in enumerate(groups.items()):
        marker = SCATTER_MARKERS[index % len(SCATTER_MARKERS)]
        axes.scatter(b, m, s=size, color=colours[index], marker=marker, edgecolor="white", lw=0.4, zorder=3)
        handles.append(Line2D([], [], ls="", marker=marker, color=colours[index], label=label))
    return handles
