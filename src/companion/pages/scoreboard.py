"""The state of the reproduction, made from results files alone: item by item, by three counts, and record by record."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

import pandas as pd

from companion.chapter.records import VERDICTS, Record
from companion.chapter.tally import counts, records_frame
from companion.figures.style import minus
from companion.pages.templates import render

Results = Mapping[str, Any]
ITEM = re.compile(
    r"(theorem|observation|proposition|corollary|construction|definition|problem|figure|table)s?-?([\d.]+)(?:-(\d+))?/?"
)


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


def spoken(results: Sequence[Results]) -> dict[str, list[tuple[str, Record]]]:
    """For each item of the paper the records that speak of it, with their chapters; findings of our own do not."""
    found: dict[str, list[tuple[str, Record]]] = {}
    for entry in results:
        for record in (Record(**record) for record in entry["records"] if record.get("kind") != "ours"):
            for item in items_of(record.id):
                found.setdefault(item, []).append((entry["notebook"], record))
    return found


def verdicts(results: Sequence[Results]) -> dict[str, str]:
    """For each item of the paper with records: its verdict, or how many records have which.

    >>> shown = dict(claim="c", published=1, measured=1, spread=None, n_seeds=1, rule="r")
    >>> records = [{"id": f"table1/{v}", "verdict": v, **shown} for v in ("reproduced", "differs")]
    >>> verdicts([{"notebook": "01_x", "records": records}])
    {'table-1': '1 reproduced, 1 differs'}
    """
    return {item: said(record.verdict for _, record in each) for item, each in spoken(results).items()}


def said(words: Iterable[str]) -> str:
    """The one verdict, or how many there are of each."""
    each = Counter(words)
    order = [word for word in (*VERDICTS, "holds", "fails") if word in each]
    return order[0] if len(order) == 1 else ", ".join(f"{each[word]} {word}" for word in order)


def glance(results: Sequence[Results], *, profile: str) -> str:
    """A few lines for the landing page: the three counts, never added up, and what was computed when."""
    records = [Record(**record) for entry in results for record in entry["records"]]
    when = max(entry["run"]["finished"] for entry in results)
    return render("glance.html", counts=counts(records), verdicts=VERDICTS, when=when[:10], profile=profile)


def page(
    results: Sequence[Results], titles: Mapping[str, str], *, profile: str, places: Mapping[str, str] | None = None
) -> str:
    """The scoreboard page: every item of the paper, every disagreement, all records, then what it took.

    ``places`` maps items of the paper to addresses; an item without one leads to the chapter of its first record.
    """
    records = {entry["notebook"]: [Record(**record) for record in entry["records"]] for entry in results}
    apart = {
        name: chosen for name, each in records.items()
        if (chosen := [one for one in each if one.verdict in ("differs", "corrected") and one.kind != "ours"])
    }  # fmt: skip
    with (files("companion") / "data" / "items.csv").open(encoding="utf-8") as file:
        items = list(pd.read_csv(file).itertuples(index=False))
    return glance(results, profile=profile) + minus(render(
        "scoreboard.html", results=results, titles=titles, places=places or {}, records=records, items=items,
        disagreeing=apart, spoken=spoken(results), verdicts=verdicts(results), said=said,
        rows=lambda each: records_frame(each).to_dict("records"),
    ))  # fmt: skip
