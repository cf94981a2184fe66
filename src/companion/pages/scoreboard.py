"""The state of the reproduction, made from results files alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from companion.chapter.records import VERDICTS, Record, records_frame

Results = Mapping[str, Any]
SCALES = {
    "paper": ", the scale of the paper",
    "gpu": ", the scale of the paper and beyond",
    "quick": ", which is far smaller than the paper: **it tests the book, and its verdicts are not about the paper**",
}
CLASSES = {"reproduced": "yes", "differs": "no", "corrected": "fixed", "not tested here": "open"}


def glance(results: Sequence[Results], titles: Mapping[str, str], *, profile: str) -> str:
    """A few lines for the landing page: how many claims, how many reproduced, chapter by chapter.

    Parameters
    ----------
    results:
        Contents of results files, in the order of the chapters.
    titles:
        The title of each chapter, by notebook name.
    profile:
        The profile of the build, which is named so that nobody takes a quick build for the paper's scale.
    """
    counts = _counts([record for entry in results for record in entry["records"]])
    rows = [[_link(entry, titles), *_cells(entry)] for entry in results]
    return "\n".join(
        [_summary(results, counts, profile), "", _bar(counts), "", _table(["chapter", *VERDICTS], rows), ""]
    )


def page(results: Sequence[Results], titles: Mapping[str, str], *, profile: str) -> str:
    """The scoreboard page: every disagreement first, then all records chapter by chapter, then what it took."""
    counts = _counts([record for entry in results for record in entry["records"]])
    lines = [
        _summary(results, counts, profile),
        "",
        _bar(counts),
        "",
        "## Where this run and the paper disagree",
        "",
    ]
    lines += _disagreements(results, titles)
    lines += ["", "## Every record", ""]
    for entry in results:
        lines += [_details(entry, titles), ""]
    return "\n".join([*lines, "## What it took", "", _effort(results, titles), ""])


def _disagreements(results: Sequence[Results], titles: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    for entry in results:
        chosen = [r for r in entry["records"] if r["verdict"] in ("differs", "corrected")]
        if chosen:
            lines += [f"<p><strong>{_link(entry, titles)}</strong></p>", _records(chosen), ""]
    return lines or ["Nowhere: every claim that was tested held."]


def _details(entry: Results, titles: Mapping[str, str]) -> str:
    title = escape(titles[entry["notebook"]])
    if not entry["records"]:
        return f"<p>{title}: no records.</p>"
    summary = ", ".join(f"{n} {verdict}" for verdict, n in _counts(entry["records"]).items() if n)
    head = f"<summary>{entry['notebook'][:2]} {title}: {summary}</summary>"
    return f'<details class="scoreboard-chapter">{head}{_records(entry["records"])}</details>'


def _records(records: Sequence[Mapping[str, Any]]) -> str:
    frame = records_frame([Record(**record) for record in records])
    rows = []
    for values in frame.itertuples(index=False):
        record, claim, published, here, seeds, verdict, comment = map(str, values)
        badge = f'<span class="verdict verdict-{CLASSES[verdict]}">{escape(verdict)}</span>'
        plain = [escape(text) for text in (claim, published, here, seeds)]
        rows.append([f"<code>{escape(record)}</code>", *plain, badge, escape(comment)])
    return _table(list(frame.columns), rows, style="constellations-table constellations-records")


def _effort(results: Sequence[Results], titles: Mapping[str, str]) -> str:
    rows = []
    for entry in results:
        where, run = entry["environment"], entry["run"]
        device = (
            where["gpu"]
            or f"CPU ({where['machine']}, {where['threads']} thread{'s'[: where['threads'] != 1]})"
        )
        versions = f"Python {where['python']}, torch {where['torch']}, numpy {where['numpy']}"
        rows.append(
            [_link(entry, titles), f"{run['seconds']:.0f}", run["finished"], escape(device), escape(versions)]
        )
    total = sum(entry["run"]["seconds"] for entry in results)
    rows.append(["all chapters", f"{total:.0f}", "", "", ""])
    return _table(["chapter", "seconds", "finished (UTC)", "device", "versions"], rows)


def _counts(records: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    counted = Counter(record["verdict"] for record in records)
    return {verdict: counted[verdict] for verdict in VERDICTS}


def _summary(results: Sequence[Results], counts: Mapping[str, int], profile: str) -> str:
    total, when = sum(counts.values()), max(entry["run"]["finished"] for entry in results)
    return (
        f"This build holds **{total} records**: {counts['reproduced']} reproduced, {counts['corrected']} corrected, "
        f"{counts['differs']} that differ, {counts['not tested here']} not tested here. "
        f"It was computed on {when[:10]} with the profile `{profile}`{SCALES[profile]}."
    )


def _bar(counts: Mapping[str, int]) -> str:
    total = max(1, sum(counts.values()))
    pieces = [
        f'<span class="bar-{CLASSES[verdict]}" style="width:{100 * n / total:.2f}%" title="{n} {verdict}"></span>'
        for verdict, n in counts.items()
        if n
    ]
    label = ", ".join(f"{n} {verdict}" for verdict, n in counts.items())
    return f'<div class="scoreboard-bar" role="img" aria-label="{label}">{"".join(pieces)}</div>'


def _cells(entry: Results) -> list[str]:
    return [str(n) if n else "–" for n in _counts(entry["records"]).values()]


def _link(entry: Results, titles: Mapping[str, str]) -> str:
    name = entry["notebook"]
    return f'<a href="../notebooks/{name}.html">{name[:2]} {escape(titles[name])}</a>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, style: str = "constellations-table") -> str:
    header = "".join(f"<th>{escape(text)}</th>" for text in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<thead><tr>{header}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="table-scroll"><table class="table {style}">{table}</table></div>'
