"""A report as one self-contained page: words in ``data/report.html``, looks in ``report.css``, two pictures from here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

import numpy as np

from constellations.geometry.describe import Names, call, describe_rows, dimension, separability
from constellations.geometry.report import Report

Lines = Iterable[Sequence[str]]


def page(r: Report, *, title: str, names: Names | None = None, moved: Lines | None = None) -> str:
    """The report as HTML; ``names`` of images and texts stand beside their indices, ``moved`` is a table of changes."""
    kinds = {"matching": r.hardest_matching, "not matching": r.hardest_non_matching}
    listed = ((kind, p) for kind, several in kinds.items() for p in several)
    pairs = [(f"{p.product:+.5f}", k, call(0, p.image, names), call(1, p.text, names)) for k, p in listed]
    gap, kind = abs(r.extreme.gap), "overlap of"
    verdict = f"No constellation: the worst matching product lies {gap:.4g} below the largest other one."
    if r.extreme.margin >= 0:
        kind = "gap between"
        verdict = f"A constellation: every matching product exceeds every other by at least {gap:.4g}."
    data = files("constellations.data")
    text, style = ((data / f"report.{suffix}").read_text("utf-8") for suffix in ("html", "css"))
    return text.format(
        r=r, style=style, title=escape(title), verdict=verdict, kind=kind, separability=separability(r),
        ends=sorted((r.extreme.matching, r.extreme.non_matching)), histogram=_histogram(r), plane=_plane(r),
        sample="" if r.histogram.exact else f"Others of a sample of {r.histogram.n_images:,} images.",
        moved="" if moved is None else "<h2>What moved</h2>" + _table(("", "before", "now", "change"), moved),
        pairs=_table(("product", "pair", "image", "text"), pairs, kind="pairs"),
        dimension="".join(f"<li>{line}</li>" for line in dimension(r)),
        numbers=_table((), describe_rows(r, names)),
    )  # fmt: skip


def _table(head: Sequence[str], lines: Lines, kind: str = "numbers") -> str:
    top = "<tr>" + "".join(f'<th scope="col">{cell}</th>' for cell in head) + "</tr>" if head else ""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
    return f'<div class="scroll" tabindex="0"><table class="{kind}">{top}{body}</table></div>'


def _histogram(r: Report, n_bins: int = 60) -> str:
    """Densities of both kinds, the extremes as lines, and what lies between them shaded."""
    centres = r.histogram.centres
    seen = centres[r.histogram.counts > 0]
    low, high = min(r.matching.min(), seen[0]), max(r.matching.max(), seen[-1])
    pad = max(0.04 * (high - low), 1e-3)
    edges = np.linspace(low - pad, high + pad, n_bins + 1)
    densities = {
        "matching": np.histogram(r.matching, edges)[0] / len(r.matching),
        "other": np.histogram(centres, edges, weights=r.histogram.counts)[0] / r.histogram.counts.sum(),
    }
    top = 1.1 * max(density.max() for density in densities.values())
    ends = {"matching": r.extreme.matching, "other": r.extreme.non_matching}
    shade = "open" if r.extreme.margin >= 0 else "overlap"
    body = _path(shade, ends["other"], 0, "V", top, "H", ends["matching"], "V0")
    for kind, density in densities.items():
        steps = [x for step in zip("V" * n_bins, density, "H" * n_bins, edges[1:], strict=True) for x in step]
        body += _path(f"area {kind}", edges[0], 0, *steps, "V0") + _path(f"edge {kind}", ends[kind], 0, "V", top)
    alt = "Histograms of matching and other inner products"
    return _plot(body, "", (edges[0], edges[-1]), (0.0, top), "inner product", alt)


def _plane(r: Report) -> str:
    """The set in the plane of relative bias and margin, with the region that holds ``n_groups`` pairs."""
    gaps = {"●": r.extreme, "■": r.trimmed, "▲": r.mean}
    k = 3 - 4 / max(r.n_groups, 2)  # (3 - 4/N) m <= 1 + b_rel and m + b_rel <= 1
    y = min(0.0, *(gap.margin for gap in gaps.values())) - 0.06, 2 / (k + 1) + 0.06
    body = _path("region", -1, 0, "L", (k - 1) / (k + 1), 2 / (k + 1), "L", 1, 0) + _path("axis", -1, 0, "H", 1)
    if r.allowed_margin is not None:
        body += _path("bar", r.extreme.relative_bias, r.allowed_margin[0], "V", r.allowed_margin[1])
    labels = "".join(_label("left", -1, m) for m in _round_numbers(*y))
    labels += "".join(_label("mark", gap.relative_bias, gap.margin, mark) for mark, gap in gaps.items())
    labels += _label("corner", -1, y[1], "margin m")
    alt = "The set in the plane of relative bias and margin"
    return _plot(body, labels, (-1.0, 1.0), y, "relative bias b<sub>rel</sub>", alt)


def _path(kind: str, *steps: float | str) -> str:
    words = " ".join(step if isinstance(step, str) else f"{step:.6g}" for step in steps)
    return f'<path class="{kind}" d="M{words}"/>'


def _label(kind: str, x: float, y: float, text: str = "") -> str:
    return f'<span class="{kind}" style="--x:{x:.6g};--y:{y:.6g}">{text or f"{y:g}"}</span>'


def _round_numbers(low: float, high: float) -> list[float]:
    """At most seven."""
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if high - low <= 6 * s)
    return [round(k * step, 2) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _plot(body: str, labels: str, x: tuple[float, float], y: tuple[float, float], title: str, alt: str) -> str:
    """A picture in units of the data; the style sheet puts its labels in place."""
    labels += "".join(_label("below", value, y[0], f"{value:g}") for value in _round_numbers(*x))
    box = f"{x[0]:.6g} {-y[1]:.6g} {x[1] - x[0]:.6g} {y[1] - y[0]:.6g}"
    ends = f"--low:{x[0]:.6g};--high:{x[1]:.6g};--bottom:{y[0]:.6g};--top:{y[1]:.6g}"
    svg = f'<svg viewBox="{box}" preserveAspectRatio="none"><g transform="scale(1 -1)">{body}</g></svg>'
    return f'<div class="plot" role="img" aria-label="{alt}" style="{ends}">{svg}{labels}<i>{title}</i></div>'
