"""Records counted by kind and verdict, and laid out as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from companion.chapter.page import number_text, with_spread
from companion.chapter.records import KINDS, ORIGIN, VERDICTS, Kind, Record, Verdict


def counts(records: Sequence[Record]) -> dict[Kind, dict[Verdict, int]]:
    """How many of each kind have each verdict: single published values for numbers, records for the other kinds."""
    table: dict[Kind, dict[Verdict, int]] = {kind: dict.fromkeys(VERDICTS, 0) for kind in KINDS}
    for record in records:
        number = record.kind == "number" and record.of is not None
        matched = (record.matched or 0) * (number and record.verdict != "reproduced")
        table[record.kind]["reproduced"] += matched
        table[record.kind][record.verdict] += (record.of or 1) - matched if number else 1
    return table


def summary(records: Sequence[Record]) -> str:
    """How many records of each kind hold: ``"2 of 2 claims reproduced, 5 of 5 self-tests hold"``."""
    words = ("numbers matched", "claims reproduced", "self-tests hold", "findings of ours hold")
    counted = zip(counts(records).values(), words, strict=True)
    return ", ".join(f"{n['reproduced']} of {sum(n.values())} {word}" for n, word in counted if any(n.values()))


def records_frame(records: Sequence[Record]) -> pd.DataFrame:
    """Records as a table for people."""
    return pd.DataFrame({
        "record": [record.id for record in records],
        "claim": [record.claim for record in records],
        "published": [number_text(record.published, 4) for record in records],
        "this run": [with_spread(record.measured, record.spread) for record in records],
        "seeds": ["–" if record.n_seeds is None else str(record.n_seeds) for record in records],
        "verdict": [record.word for record in records],
        "comment": ["; ".join(filter(None, (ORIGIN[record.source], record.comment))) for record in records],
    })  # fmt: skip
