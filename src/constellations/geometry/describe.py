"""A report in words and short lists of numbers: for a terminal, a page, a comparison or a gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from constellations.geometry.report import Report

Names = tuple[Sequence[str], Sequence[str]]


def call(kind: int, index: int, names: Names | None) -> str:
    """How an image (``kind`` 0) or a text (1) is called."""
    plain = f"{('image', 'text')[kind]} {index}"
    return plain if names is None else f"{plain} ({names[kind][index]})"


def describe_rows(r: Report, names: Names | None = None) -> list[tuple[str, str]]:
    """The report as labelled lines."""
    matching = "" if r.n_matching == r.n_images else f", {r.n_matching:,} matching pairs"
    lines = [("embeddings", f"{r.n_images:,} images, {r.n_texts:,} texts{matching}, d = {r.dim}")]
    sampled = "" if r.histogram.exact else f" (from {r.percentiles_from_images:,} images)"
    for label, gap in (("extremes", r.extreme), ("5th/95th pct." + sampled, r.trimmed), ("means", r.mean)):
        numbers = f"matching {gap.matching:+.5f}  non-matching {gap.non_matching:+.5f}"
        lines.append((label, f"{numbers}  m {gap.margin:+.5f}  b_rel {gap.relative_bias:+.5f}"))
    (i, j), (k, l) = r.extreme.matching_index, r.extreme.non_matching_index
    own = f"{call(0, i, names)} with its own {call(1, j, names)}"
    lines += [
        ("decided by", f"{own}; {call(0, k, names)} with {call(1, l, names)}"),
        ("constellation", "yes" if r.extreme.margin >= 0 else "no: some pair is on the wrong side"),
        ("retrieval", f"{r.retrieval_accuracy:.4%} of images find their own text first"),
        ("", f"{r.text_retrieval_accuracy:.4%} of texts find an image of theirs first"),
        ("linear shift", f"xi {r.xi:.5f} = {r.mean_of_norms:.5f} - {r.norm_of_mean:.5f}"),
        ("modality gap", f"means {r.distance_of_means:.5f} apart, relative gap {r.relative_modality_gap:.4f}"),
        ("", separability(r)),
        ("dimension", "; ".join(dimension(r))),
    ]
    if (loss := r.loss) is not None:
        kind, m = "" if loss.exact else " (estimated from a sample)", loss.certified_margin
        proven = f"m* >= {m:+.5f}" if m > -1 else "nothing: it is too large"
        value = f"inf_b L {loss.infimum:.4e}{kind} at b = {loss.bias:.4f}"
        box = f"the margin alone allows {loss.lower:.3e} to {loss.upper:.3e}"
        lines.append((f"loss at t = {loss.inverse_temperature:g}", f"{value}; {box}"))
        lines.append(("certificate", f"a loss of {loss.infimum:.3e} proves {proven}"))
    return lines


def describe(report: Report, names: Names | None = None) -> str:
    """The report as text for a terminal."""
    lines = describe_rows(report, names)
    width = max(len(label) for label, _ in lines)
    return "\n".join(f"{label:<{width}}  {text}" for label, text in lines)


def separability(r: Report) -> str:
    """Whether a hyperplane was found."""
    if r.separable:
        return f"a hyperplane separates all images from all texts (margin {r.hyperplane_margin:.5f})"
    wrong = f"{r.wrong_images} images and {r.wrong_texts} texts"
    return f"no separating hyperplane found; the best one leaves {wrong} on the wrong side"


def dimension(r: Report) -> list[str]:
    """The brackets, both ways."""
    brackets = {"margin": r.required_dimension, "margin by means": r.required_dimension_by_means}
    said = [
        f"{name} " + (f"needs d between {ends[0]} and {ends[1]}" if ends else "not positive: no bracket")
        for name, ends in brackets.items()
    ]
    if r.allowed_margin is not None:
        low, high = r.allowed_margin
        bracket = f"{low:.5f} at most" if high - low < 1e-5 else f"{low:.5f} surely and {high:.5f} at most"
        said.append(f"d = {r.dim} allows a margin of {bracket} at the b_rel of the extremes")
    return said


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Numbers of two reports' JSON that differ: name, before, now, change; indices and listed pairs do not count."""
    old = dict(_numbers(before))
    both = [(name, old[name], new) for name, new in _numbers(after) if name in old]
    moved = [(name, x, y) for name, x, y in both if abs(y - x) > 1e-7 * max(1.0, abs(y))]
    return [(name, f"{x:+.6g}", f"{y:+.6g}", f"{y - x:+.3g}") for name, x, y in moved]


def _numbers(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{key}.")
        elif isinstance(value, int | float):
            yield prefix + key, float(value)
