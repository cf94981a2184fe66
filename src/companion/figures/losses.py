"""Pictures of losses: what one pair pays, bands around an optimal loss, the rate of Theorem 3.2, regimes of a minimiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke
from numpy.typing import ArrayLike

from companion.figures import curves, style
from companion.figures.style import COLOURS, SMALL

TEMPERATURE = "inverse temperature $t$"


def pair_losses(
    s: ArrayLike,
    matching: ArrayLike,
    non_matching: ArrayLike,
    inverse_temperatures: Sequence[float],
    relative_bias: float,
) -> Figure:
    """Loss of one pair against its inner product ``s`` ([S]); ``matching``, ``non_matching`` are ``[T, S]``."""
    rows = {
        r"matching pair: $\ell(-t(s - b_{\mathrm{rel}}))$": np.asarray(matching),
        r"non-matching pair: $\ell(t(s - b_{\mathrm{rel}}))$": np.asarray(non_matching),
    }
    panels = {
        title: {f"t = {t:g}": loss for t, loss in zip(inverse_temperatures, values, strict=True)}
        for title, values in rows.items()
    }
    figure = curves.curves(s, panels, xlabel="inner product $s$", ylabel="loss of the pair", log_x=False)
    for panel in figure.axes:
        panel.set(ylim=(-0.2, 8), xlim=(-1, 1), xticks=[-1, -0.5, 0, 0.5, 1])
        curves.mark(panel, relative_bias, style.B_REL)
    return style.carry(figure, t=inverse_temperatures, relative_bias=relative_bias)


def bands(
    t: ArrayLike,
    measured: Mapping[str, ArrayLike],
    lower: Sequence[ArrayLike],
    upper: Sequence[ArrayLike],
    *,
    name: str,
    others: Mapping[str, Sequence[ArrayLike | None]],
) -> Figure:
    """A loss over ``t`` ``[T]`` inside its proved band, one panel per configuration; ``name`` says what is measured.

    ``others`` are more curves, one per panel each (``None``: not in this one).
    """
    figure, axes = style.grid(len(measured), columns=2 if len(measured) == 4 else 3, height=2.1, rest=0.8)
    for k, (panel, (title, values)) in enumerate(zip(axes.flat, measured.items(), strict=False)):
        face, edge = style.pale(COLOURS["ours"], 0.12), style.pale(COLOURS["ours"], 0.7)
        panel.fill_between(np.asarray(t), lower[k], upper[k], facecolor=face, edgecolor=edge, lw=0, hatch="///")
        for edges in (lower[k], upper[k]):
            panel.plot(t, edges, color=COLOURS["ours"], lw=1.2, label="proved bounds")
        panel.plot(t, values, lw=0, marker="o", markevery=3, ms=4, color=COLOURS["measured"], label=name)
        for other, rows in others.items():
            if rows[k] is not None:
                panel.plot(t, rows[k], color="#8A5A00", linestyle="--", label=other)
        panel.set(yscale="log", xscale="log", title=style.as_label(title))
        panel.set_ylim(max(panel.get_ylim()[0], 1e-30), None)
    style.label_outer(axes, len(measured), xlabel=TEMPERATURE, ylabel="summed loss")
    nothing = np.full(np.shape(t), np.nan)
    extra = {other: [nothing if row is None else row for row in rows] for other, rows in others.items()}
    return style.finish(figure, extra, t=t, lower=lower, upper=upper, measured=list(measured.values()))


def rates(
    t: ArrayLike, loss_rate: Mapping[str, ArrayLike], best_bias: Mapping[str, ArrayLike], margins: Sequence[float],
    relative_biases: Sequence[float], *, budget: float,
) -> Figure:  # fmt: skip
    """Theorem 3.2: ``-log(inf_b L)/t`` tends to ``m*``, within ``budget / t``, and ``argmin_b / t`` to ``b*_rel``."""
    panels = {r"$-\log(\inf_b L)\,/\,t$": loss_rate, "minimising $b$, divided by $t$": best_bias}
    figure = curves.curves(t, panels, xlabel=TEMPERATURE)
    left, right = figure.axes[:2]
    for look, m, b in zip(style.looks(loss_rate).values(), margins, relative_biases, strict=True):
        left.fill_between(np.asarray(t), m - budget / np.asarray(t), m, color=look.colour, alpha=0.12, lw=0)
        for panel, limit, symbol in ((left, m, "$m^*$"), (right, b, style.BEST_B_REL)):
            curves.level(panel, limit, f"{symbol} = {style.signed_zero_free(limit)}", right=panel is left)
    left.set_ylim(-1.2 * max(margins), 1.3 * max(margins))
    return style.carry(figure, t=t, margin=margins, relative_bias=relative_biases)


def regimes(t: ArrayLike, b: ArrayLike, x: ArrayLike, boundaries: Mapping[str, ArrayLike], runs: ArrayLike) -> Figure:
    """The minimiser ``x*`` ``[B, T]`` at fixed ``t`` ``[T]`` and ``b`` ``[B]``; ``runs`` ``[R, 3]``: trained (t, b, x)."""
    figure, ((axes,),) = style.new_figure(height=3.7)
    shade: dict[str, Any] = {"cmap": style.SEQUENTIAL, "vmin": 0, "vmax": 1}
    ts, bs, trained = np.asarray(t), np.asarray(b), np.asarray(runs)
    image = axes.pcolormesh(ts, bs, np.asarray(x), shading="gouraud", rasterized=True, **shade)
    outline = [Stroke(linewidth=2.8, foreground="black"), Normal()]  # white alone is lost on yellow
    for (name, values), dash in zip(boundaries.items(), ("--", "-."), strict=True):
        axes.plot(ts, values, color="white", ls=dash, lw=1.6, label=name, path_effects=outline)
    axes.scatter(*trained[:, :2].T, c=trained[:, 2], s=64, edgecolors="white", zorder=3, **shade)
    axes.set(xlabel=TEMPERATURE, ylabel="bias $b$", ylim=(bs[0], bs[-1]), xlim=(ts[0], ts[-1]))
    place: dict[str, Any] = {"fontsize": SMALL + 0.5, "transform": axes.transAxes}
    axes.text(0.03, 0.05, "antipodal: $x^* = 0$", color="white", **place)
    axes.text(0.03, 0.92, "aligned: $x^* = 1$", color="black", **place)
    axes.grid(False)
    figure.colorbar(image, ax=axes, label="$x^*$")
    return style.carry(figure, {"t": ts, "b": bs, "x": x, "runs": trained, **boundaries})
