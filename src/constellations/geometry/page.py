"""A report as one self-contained HTML page: the words are in ``data/report.html``, two pictures are drawn here as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

import numpy as np

from constellations.geometry.describe import Names, call, describe_rows, dimension, separability
from constellations.geometry.report import Report

Lines = Iterable[Sequence[str]]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BASE = 480, 330, 46, 468, 14, 284
MARKS = "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0", "M-6-6H6V6H-6Z", "M0-8L8 6H-8Z"


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
    x = _Scale(edges[0], edges[-1], LEFT, RIGHT)
    y = _Scale(0.0, 1.1 * max(d.max() for d in densities.values()), BASE, TOP)
    ends = {"matching": x(r.extreme.matching), "other": x(r.extreme.non_matching)}
    left, right = sorted(ends.values())
    shade = "open" if r.extreme.margin >= 0 else "overlap"
    body = f'<path class="{shade}" d="M{left:.1f} {TOP}H{right + 0.5:.1f}V{BASE}H{left:.1f}Z"/>'
    for kind, density in densities.items():
        steps = "".join(f"V{y(h):.1f}H{x(b):.1f}" for b, h in zip(edges[1:], density, strict=True))
        body += f'<path class="area {kind}" d="M{LEFT} {BASE}{steps}V{BASE}Z"/>'
        body += f'<path class="edge {kind}" d="M{ends[kind]:.1f} {TOP}V{BASE}"/>'
    return _picture(body, x, "inner product", "Histograms of matching and other inner products")


def _plane(r: Report) -> str:
    """The set in the plane of relative bias and margin, with the region that holds ``n_groups`` pairs."""
    gaps = (r.extreme, r.trimmed, r.mean)
    k = 3 - 4 / max(r.n_groups, 2)  # (3 - 4/N) m <= 1 + b_rel and m + b_rel <= 1
    x = _Scale(-1.0, 1.0, LEFT, RIGHT)
    y = _Scale(min(0.0, *(gap.margin for gap in gaps)) - 0.06, 2 / (k + 1) + 0.06, BASE, TOP)
    apex = f"{x((k - 1) / (k + 1)):.1f} {y(2 / (k + 1)):.1f}"
    body = f'<path class="region" d="M{LEFT} {y(0):.1f}L{apex}L{RIGHT} {y(0):.1f}Z"/>'
    body += f'<path class="axis" d="M{LEFT} {y(0):.1f}H{RIGHT}"/><text x="{LEFT + 4}" y="{TOP + 12}">margin m</text>'
    for m in y.ticks():
        body += f'<text class="end" x="{LEFT - 6}" y="{y(m) + 5:.1f}">{m:.1f}</text>'
    if r.allowed_margin is not None:
        low, high = map(y, r.allowed_margin)
        body += f'<path class="bar" d="M{x(r.extreme.relative_bias):.1f} {low:.1f}V{high:.1f}"/>'
    for shape, gap in zip(MARKS, gaps, strict=True):
        at = f"translate({x(gap.relative_bias):.1f} {y(gap.margin):.1f})"
        body += f'<path class="mark" transform="{at}" d="{shape}"/>'
    label = 'relative bias b<tspan dy="4" font-size="11">rel</tspan>'
    return _picture(body, x, label, "The set in the plane of relative bias and margin")


class _Scale:
    """From numbers to places on the page."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.slope = low, high, start, (end - start) / (high - low)

    def __call__(self, value: float) -> float:
        return self.start + self.slope * (value - self.low)

    def ticks(self) -> np.ndarray:
        """Round numbers, at most seven."""
        step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if self.high - self.low <= 6 * s)
        return np.arange(np.ceil(self.low / step), np.floor(self.high / step) + 1) * step + 0.0


def _picture(body: str, x: _Scale, label: str, alt: str) -> str:
    body += f'<path class="axis" d="M{LEFT} {BASE}H{RIGHT}"/>'
    for value in x.ticks():
        body += f'<path class="axis" d="M{x(value):.1f} {BASE}v5"/>'
        body += f'<text class="middle" x="{x(value):.1f}" y="{BASE + 20}">{round(value, 2) + 0.0:g}</text>'
    body += f'<text class="middle" x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 6}">{label}</text>'
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{alt}">{body}</svg>'
