"""The state of the reproduction, made from results files alone: item by item, by three counts, and record by record."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import pandas as pd

from companion.chapter.records import VERDICTS, Record, counts, records_frame

Results = Mapping[str, Any]
SCALES = {
    "paper": ", the scale of the paper",
    "gpu": ", the scale of the paper and beyond",
    "quick": ", which is far smaller than the paper: **it tests the book, and its verdicts are not about the paper**",
}
CLASSES = {"reproduced": "yes", "differs": "no", "corrected": "fixed", "not tested here": "open"}
COUNTED = {
    "number": "published numbers",
    "claim": "claims of the paper",
    "self-test": "self-tests",
    "ours": "findings of our own",
}
ITEM = re.compile(
    r"(theorem|observation|proposition|corollary|construction|definition|problem|figure|table)s?-?([\d.]+)(?:-(\d+))?/?"
)
WHERE = "notebooks/{}.html"


def items_of(record_id: str) -> list[str]:
    """The items of the paper that a record speaks of.

    >>> items_of("figures15-17/margins"), items_of("theorem-3.1/limit"), items_of("beyond-2/x")
    (['figure-15', 'figure-16', 'figure-17'], ['theorem-3.1'], [])
    """
    match = ITEM.match(record_id)
    if match is None:
        return []
    kind, first, last = match.groups()
    return [f"{kind}-{number}" for number in (range(int(first), int(last) + 1) if last else [first])]


def verdicts(results: Sequence[Results]) -> dict[str, str]:
    """For each item of the paper with records: its verdict, or how many records have which.

    >>> verdicts([{"records": [{"id": "table1/a", "verdict": "reproduced"}, {"id": "table1/b", "verdict": "differs"}]}])
    {'table-1': '1 reproduced, 1 differs'}
    """
    found: dict[str, Counter[str]] = {}
    for _, record in _all(results):
        for item in items_of(record["id"]):
            found.setdefault(item, Counter())[record["verdict"]] += 1
    return {item: _said(each) for item, each in found.items()}


def glance(results: Sequence[Results], *, profile: str) -> str:
    """A few lines for the landing page: the three counts, never added up, and what was computed when."""
    return f"{_counted(results)}\n{_computed(results, profile)}\n"


def page(
    results: Sequence[Results], titles: Mapping[str, str], *, profile: str, places: Mapping[str, str] | None = None
) -> str:
    """The scoreboard page: every item of the paper, every disagreement, all records, then what it took.

    ``places`` maps items of the paper to addresses; an item without one leads to the chapter of its first record.
    """
    apart = [(entry, _chosen(entry, "differs", "corrected")) for entry in results]
    lines = [_counted(results), _computed(results, profile), "\n## Item by item\n", _map(results, titles, places or {})]
    lines += ["\n## Where this run and the paper disagree\n"]
    lines += [f"<p><strong>{_link(e, titles)}</strong></p>{_records(chosen)}\n" for e, chosen in apart if chosen]
    lines += [] if any(chosen for _, chosen in apart) else ["Nowhere: every claim that was tested held."]
    lines += ["\n## Every record\n", *(_details(entry, titles) + "\n" for entry in results)]
    return "\n".join([*lines, "\n## What it took\n", _effort(results, titles), ""])


def table(rows: Sequence[Mapping[str, str]], label: str, style: str = "") -> str:
    """Rows of HTML as a table that scrolls, by keyboard too."""
    frame = pd.DataFrame(rows)
    text = frame.to_html(index=False, border=0, escape=False, classes=f"table constellations-table {style}".rstrip())
    text = text.replace("<th>", '<th scope="col">').replace("\n", "")
    return f'<div class="table-scroll" tabindex="0" role="region" aria-label="{escape(label)}">{text}</div>'


def _all(results: Sequence[Results]) -> Iterator[tuple[Results, Mapping[str, Any]]]:
    return ((entry, record) for entry in results for record in entry["records"])


def _chosen(entry: Results, *wanted: str) -> list[Mapping[str, Any]]:
    return [
        record for record in entry["records"] if record["verdict"] in wanted and record.get("kind", "claim") != "ours"
    ]


def _said(each: Mapping[str, int]) -> str:
    if len(each) == 1:
        return next(iter(each))
    return ", ".join(f"{each[verdict]} {verdict}" for verdict in VERDICTS if each.get(verdict))


def _map(results: Sequence[Results], titles: Mapping[str, str], places: Mapping[str, str]) -> str:
    found = verdicts(results)
    first: dict[str, Results] = {}
    reasons: dict[str, str] = {}
    for entry, record in _all(results):
        for item in items_of(record["id"]):
            first.setdefault(item, entry)
            if record["verdict"] == "differs" and record.get("comment"):
                reasons.setdefault(item, f" Differs: {record['comment']}")
    rows = []
    for item, sentence in _items().itertuples(index=False):
        name = item.replace("-", " ").capitalize()
        where = WHERE.format(first[item]["notebook"]) if item in first else ""
        place = places.get(item) or where
        rows.append({
            "item": f'<a href="../{place}">{name}</a>' if place else name,
            "verdict": _badge(found.get(item, "not tested here")),
            "what it says": escape(sentence + reasons.get(item, "")),
            "where": _link(first[item], titles) if item in first else "",
        })  # fmt: skip
    return table(rows, "Every item of the paper", "constellations-items")


def _items() -> pd.DataFrame:
    with (files("companion") / "data" / "items.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)


def _badge(verdict: str) -> str:
    style = CLASSES.get(verdict, "part")
    return f'<span class="verdict verdict-{style}">{escape(verdict)}</span>'


def _details(entry: Results, titles: Mapping[str, str]) -> str:
    title = escape(titles[entry["notebook"]])
    if not entry["records"]:
        return f"<p>{title}: no records.</p>"
    summary = _said(Counter(record["verdict"] for record in entry["records"]))
    head = f"<summary>{entry['notebook'][:2]} {title}: {len(entry['records'])} records, {summary}</summary>"
    return f'<details class="scoreboard-chapter">{head}{_records(entry["records"])}</details>'


def _records(records: Sequence[Mapping[str, Any]]) -> str:
    rows = records_frame([Record(**record) for record in records]).to_dict("records")
    shown = {"verdict": _badge, "record": lambda text: f"<code>{escape(text)}</code>"}
    return table(
        [{str(key): shown.get(str(key), escape)(str(value)) for key, value in row.items()} for row in rows],
        "Records", "constellations-records",
    )  # fmt: skip


def _effort(results: Sequence[Results], titles: Mapping[str, str]) -> str:
    rows = []
    for entry in results:
        where, run = entry["environment"], entry["run"]
        threads = f"{where['threads']} thread{'s'[: where['threads'] != 1]}"
        gpu = " ".join(str(where.get(key) or "") for key in ("gpu", "driver")).strip()
        rows.append({
            "chapter": _link(entry, titles), "seconds": f"{run['seconds']:.0f}", "finished (UTC)": run["finished"],
            "device": escape(gpu or f"CPU ({where['machine']}, {threads})"),
            "versions": escape(f"Python {where['python']}, torch {where['torch']}, numpy {where['numpy']}"),
        })  # fmt: skip
    total = sum(entry["run"]["seconds"] for entry in results)
    rows.append(dict.fromkeys(rows[0], "") | {"chapter": "all chapters", "seconds": f"{total:.0f}"})
    return table(rows, "What each chapter took")


def _counted(results: Sequence[Results]) -> str:
    """One bar for each kind of record."""
    lines = []
    records = [Record(**record) for _, record in _all(results)]
    for kind, each in counts(records).items():
        total = sum(each.values())
        if total:
            label = f"{COUNTED[kind]}: {each['reproduced']} of {total} {'hold' if kind != 'number' else 'matched'}"
            label += "".join(f", {each[v]} {v.replace('differs', 'differ')}" for v in VERDICTS[1:] if each[v])
            bar = "".join(
                f'<span class="bar-{CLASSES[v]}" style="width:{100 * n / total:.2f}%"></span>'
                for v, n in each.items()
                if n
            )
            lines.append(
                f'<p class="scoreboard-count">{label}</p><div class="scoreboard-bar" aria-hidden="true">{bar}</div>'
            )
    return "\n".join(lines) + "\n"


def _computed(results: Sequence[Results], profile: str) -> str:
    when = max(entry["run"]["finished"] for entry in results)
    return f"\nComputed on {when[:10]} with the profile `{profile}`{SCALES[profile]}."


def _link(entry: Results, titles: Mapping[str, str]) -> str:
    name = entry["notebook"]
    return f'<a href="../{WHERE.format(name)}">{name[:2]} {escape(titles[name])}</a>'
