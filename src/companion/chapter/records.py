"""Records: one claim beside what a run found, with a verdict from a rule stated beforehand.

What a record speaks of is its ``kind``: a published *number*, a *claim* of the paper, a *self-test* (a proved inequality,
evaluated: it tests the code, not the paper), or a finding that is *ours*. They are counted apart and never added up.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from io import StringIO
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from constellations.data import read_csv_text

Verdict = Literal["reproduced", "differs", "corrected", "not tested here"]
VERDICTS: tuple[Verdict, ...] = ("reproduced", "differs", "corrected", "not tested here")
Kind = Literal["number", "claim", "self-test", "ours"]
KINDS: tuple[Kind, ...] = ("number", "claim", "self-test", "ours")
Source = Literal["run", "published values", "live"]
SOURCES: tuple[Source, ...] = ("run", "published values", "live")
_ORIGIN = {"run": "", "published values": "From published values.", "live": "Measured on released models."}
_POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Record:
    """One claim: what was published, what was measured here (mean over seeds, with its spread), and the verdict.

    ``matched`` of ``of`` values or cases agree. The part of ``id`` before the slash names the item of the paper:
    ``theorem-3.2/rate``, ``figure5/separation``, ``table1/gaps``.
    """

    id: str
    claim: str
    published: float | str | None
    measured: float | str | None
    spread: float | None
    n_seeds: int | None
    verdict: Verdict
    rule: str
    comment: str = ""
    source: Source = "run"
    kind: Kind = "claim"
    matched: int | None = None
    of: int | None = None

    def _ipython_display_(self) -> None:
        """Show nothing where a cell ends with a record: the call that made it has shown its line."""

    def __post_init__(self) -> None:
        if not self.id or not self.claim:
            raise ValueError(f"id and claim must be non-empty, got {self.id!r} and {self.claim!r}")
        for name, allowed in (("verdict", VERDICTS), ("source", SOURCES), ("kind", KINDS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")
        for name in ("published", "measured", "spread"):
            value = getattr(self, name)
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} of record {self.id} must be finite, got {value}")


@dataclass(frozen=True)
class Match:
    """A number reproduces if it is within the largest of the given tolerances of the published one.

    ``absolute`` and ``relative`` are plain; ``sigmas`` counts standard deviations over seeds, ``standard_errors`` those of
    their mean.

    >>> Match(absolute=0.01).accepts(0.50, 0.505, spread=0.0)
    True
    """

    absolute: float | None = None
    relative: float | None = None
    sigmas: float | None = None
    standard_errors: float | None = None

    def __post_init__(self) -> None:
        given = [
            x for x in (self.absolute, self.relative, self.sigmas, self.standard_errors) if x is not None
        ]
        if not given or any(x < 0 for x in given):
            raise ValueError(f"give at least one tolerance, none below 0, got {self}")

    def fits(self, published: float, sample: np.ndarray) -> bool:
        """Whether the mean of a sample, one value per seed, reproduces ``published``."""
        return self.accepts(
            published, float(sample.mean()), spread=_spread(sample) or 0.0, n_seeds=len(sample)
        )

    def accepts(self, published: float, measured: float, *, spread: float, n_seeds: int = 1) -> bool:
        """Whether ``measured``, a mean over ``n_seeds`` that scatter by ``spread``, reproduces ``published``."""
        allowed = (
            self.absolute or 0.0,
            (self.relative or 0.0) * abs(published),
            (self.sigmas or 0.0) * spread,
            (self.standard_errors or 0.0) * spread / math.sqrt(n_seeds),
        )
        return abs(measured - published) <= max(allowed)

    def __str__(self) -> str:
        parts = [
            f"{self.absolute:g}" if self.absolute is not None else "",
            f"{self.relative:.0%} of it" if self.relative is not None else "",
            f"{self.sigmas:g} standard deviations" if self.sigmas is not None else "",
            f"{self.standard_errors:g} standard errors" if self.standard_errors is not None else "",
        ]
        return "within " + " or ".join(part for part in parts if part) + " of the published value"


def array(values: object) -> np.ndarray:
    """Numbers as an array of float64, tensors on any device included."""
    return np.asarray(values.cpu() if hasattr(values, "cpu") else values, dtype=np.float64)


@dataclass
class Ledger:
    """The records of a run; each call makes one, keeps it and tells it (:meth:`tell`)."""

    records: list[Record] = field(default_factory=list, kw_only=True)

    def add(self, record: Record) -> Record:
        """Keep a record; ids are unique within a chapter."""
        if record.id in [kept.id for kept in self.records]:
            raise ValueError(f"record {record.id!r} was already made in this run: names must be unique")
        self.records.append(record)
        return record

    def tell(self, record: Record) -> Record:
        """Keep a record, and show it where there is a page."""
        return self.add(record)

    def seeds(self, *sides: object) -> int | None:
        """How many seeds the arrays of a record speak of, if that can be told."""
        return None

    def holds(
        self, id: str, claim: str, left: object, relation: str, right: object, *, atol: float = 0.0,
        comment: str = "", kind: Kind = "self-test", source: Source = "run",
    ) -> Record:  # fmt: skip
        """Record that ``left <= right`` (or ``>=``) in every case, up to ``atol``; ``kind="claim"`` where it could fail.

        >>> Ledger().holds("theorem/x", "a <= b", [1.0, 2.0], "<=", 2.5).measured
        0.5
        """
        if relation not in ("<=", ">="):
            raise ValueError(f"relation must be '<=' or '>=', got {relation!r}")
        slack = np.atleast_1d(array(right) - array(left)) * (1 if relation == "<=" else -1)
        if slack.size == 0:
            return self.untested(id, claim, published="holds", why="no case in this run", kind=kind)
        if np.isnan(slack).any():
            raise ValueError(
                f"sides of record {id} must be numbers, got nan in {np.isnan(slack).sum()} cases"
            )
        matched = int((slack >= -atol).sum())
        verdict: Verdict = "reproduced" if matched == slack.size else "differs"
        rule = f"slack at least {-atol:g}" if atol else "slack at least 0"
        return self.tell(Record(
            id, claim, "holds", float(slack.min()), None, self.seeds(left, right), verdict, rule, comment,
            source, kind, matched, slack.size,
        ))  # fmt: skip

    def share(
        self, id: str, claim: str, cases: object, *, published: str = "", at_least: float = 1.0, reason: str = "",
        comment: str = "", kind: Kind | None = None, source: Source = "run",
    ) -> Record:  # fmt: skip
        """Record in how many ``cases`` a claim is true: it holds if at least the share ``at_least`` of them is.

        Without ``published``, what the paper says, the finding is ours. ``reason`` explains a verdict ``differs``.

        >>> Ledger().share("figure5/x", "points separate", [True, True], published="they do").measured
        '2 of 2'
        """
        true, kind = array(cases).astype(bool), kind or ("claim" if published else "ours")
        if true.size == 0:
            return self.untested(id, claim, published=published, why="no case in this run", kind=kind)
        matched, size = int(true.sum()), true.size
        verdict: Verdict = "reproduced" if matched >= at_least * size else "differs"
        rule = "holds in every case" if at_least == 1.0 else f"holds in at least {at_least:.0%} of cases"
        comment = _explained(reason, comment) if verdict == "differs" else comment
        return self.tell(Record(
            id, claim, published or None, f"{matched} of {size}", None, self.seeds(cases), verdict, rule, comment,
            source, kind, matched, size,
        ))  # fmt: skip

    def agrees(
        self, id: str, what: pd.DataFrame | str, *, published: str | float, measured: str | ArrayLike | Sequence[object],
        rule: Match, claim: str = "", reason: str = "", comment: str = "",
        corrected: tuple[float, str] | None = None, source: Source = "run",
    ) -> Record:  # fmt: skip
        """Record published numbers beside measured ones: a whole table, which is shown, or a single number.

        For a table ``what`` is a frame, ``published`` one of its columns, ``measured`` another, or a sequence that holds
        the values of all seeds for each row; rows without a published value are shown, not counted. For a number ``what``
        says what it is. ``corrected=(value, why)``: what a single published number becomes once a slip is mended.

        >>> Ledger().agrees("x", "a number", published=1.0, measured=[0.9, 1.1], rule=Match(sigmas=2)).verdict
        'reproduced'
        """
        frame = what if isinstance(what, pd.DataFrame) else pd.DataFrame({"published": [published]})
        wanted = frame[published if isinstance(what, pd.DataFrame) else "published"].to_numpy(float)
        found = (
            frame[measured]
            if isinstance(measured, str)
            else measured
            if isinstance(what, pd.DataFrame)
            else [measured]
        )
        samples = [np.atleast_1d(array(values)).ravel() for values in found]  # type: ignore[union-attr]
        if len(samples) != len(wanted):
            raise ValueError(
                f"measured must have {len(wanted)} rows, as the table of {id}, got {len(samples)}"
            )
        matches = [rule.fits(value, sample) for value, sample in zip(wanted, samples, strict=True)]
        counted = np.isfinite(wanted)
        matched, size = int(np.sum(np.array(matches)[counted])), int(counted.sum())
        verdict: Verdict = "reproduced" if matched == size else "differs"
        if (
            verdict == "differs"
            and corrected
            and isinstance(what, str)
            and rule.fits(corrected[0], samples[0])
        ):
            verdict, comment = "corrected", _explained(corrected[1], comment)
        elif verdict == "differs":
            comment = _explained(reason, comment)
        lengths = {len(sample) for sample in samples}
        n_seeds = max(lengths) if len(lengths) == 1 and lengths != {1} else None
        record = Record(
            id, claim or f"{size} values of {id.split('/')[0]}", f"{size} values", f"{matched} of {size} match", None,
            n_seeds, verdict, str(rule), comment, source, "number", matched, size,
        )  # fmt: skip
        if isinstance(what, str):
            spread = _spread(samples[0])
            return self.tell(
                replace(
                    record,
                    claim=what,
                    published=float(wanted[0]),
                    measured=float(samples[0].mean()),
                    spread=spread,
                )
            )
        self.beside(
            frame.drop(columns=[measured] if isinstance(measured, str) else []),
            [with_spread(sample.mean(), _spread(sample)) for sample in samples],
            [
                ("yes" if match else "no") if known else ""
                for match, known in zip(matches, counted, strict=True)
            ],
        )
        return self.tell(record)

    def beside(self, frame: pd.DataFrame, here: Sequence[str], agrees: Sequence[str]) -> None:
        """Show a published table beside what this run found, where there is a page."""

    def untested(
        self, id: str, claim: str, *, published: float | str | None = None, why: str = "", kind: Kind | None = None,
        comment: str = "",
    ) -> Record:  # fmt: skip
        """Record that a claim or a published number is left alone, and ``why`` (``comment``, in the first edition)."""
        kind = kind or ("claim" if published is None or isinstance(published, str) else "number")
        published = None if published == "" else published
        return self.add(Record(
            id, claim, published, None, None, None, "not tested here", "not tested", why or comment, "run", kind, 0, 1
        ))  # fmt: skip


def _explained(reason: str, comment: str) -> str:
    return f"{reason.rstrip('.')}. {comment}".strip(" .")


def _spread(sample: np.ndarray) -> float | None:
    return float(sample.std(ddof=1)) if len(sample) > 1 else None


def with_spread(mean: float | str | None, spread: float | None) -> str:
    """A mean with the standard deviation over seeds."""
    return number_text(mean, 4) + (f" ± {number_text(spread, 2)}" if spread is not None else "")


def counts(records: Sequence[Record]) -> dict[Kind, dict[Verdict, int]]:
    """How many of each kind have each verdict: single published values for numbers, records for the other kinds.

    >>> counts([Ledger().holds("theorem/x", "a <= b", 1, "<=", 2)])["self-test"]["reproduced"]
    1
    """
    table: dict[Kind, dict[Verdict, int]] = {kind: dict.fromkeys(VERDICTS, 0) for kind in KINDS}
    for record in records:
        size, matched = (record.of or 1, record.matched or 0) if record.kind == "number" else (1, 0)
        if record.verdict in ("differs", "corrected"):
            table[record.kind]["reproduced"] += matched
            size -= matched
        table[record.kind][record.verdict] += size
    return table


def published_table(name: str) -> pd.DataFrame:
    """A published table by the stem of its file, for example ``table1_modalities``; an unknown one lists all."""
    return pd.read_csv(StringIO(read_csv_text(name)))


def to_json(record: Record) -> dict[str, object]:
    """The record as plain JSON data."""
    return json.loads(json.dumps(asdict(record), allow_nan=False))


def tidy(text: str) -> str:
    """Numbers in a text as people write them.

    >>> tidy("from -0.000 to 2.6e-03")
    'from 0.000 to 2.6 × 10⁻³'
    """
    text = re.sub(r"(\d)e([+-]?\d+)", lambda x: f"{x[1]} × 10{str(int(x[2])).translate(_POWERS)}", text)
    return re.sub(r"-(0(?:\.0*)?)(?![\d.])", r"\1", text)


def number_text(value: object, digits: int = 3) -> str:
    """A number to so many digits, large and small ones as powers of ten; texts are tidied, nothing is a dash.

    >>> number_text(0.0026), number_text(2.6e-7, 2), number_text(10_000)
    ('0.0026', '2.6 × 10⁻⁷', '10,000')
    """
    if value is None or isinstance(value, str):
        return tidy(value or "–")
    if isinstance(value, (int, np.integer)):
        return f"{value:,}"
    number = float(array(value))
    plain = number == 0 or 1e-3 <= abs(number) < 1e5
    return tidy(f"{number:.{digits}g}" if plain else re.sub(r"\.?0*e", "e", f"{number:.{digits - 1}e}"))


def records_frame(records: Sequence[Record]) -> pd.DataFrame:
    """Records as a table for people."""
    rows = [
        {
            "record": record.id,
            "claim": record.claim,
            "published": number_text(record.published, 4),
            "this run": with_spread(record.measured, record.spread),
            "seeds": "–" if record.n_seeds is None else str(record.n_seeds),
            "verdict": record.verdict,
            "comment": f"{_ORIGIN[record.source]} {record.comment}".strip(),
        }
        for record in records
    ]
    return pd.DataFrame(
        rows, columns=["record", "claim", "published", "this run", "seeds", "verdict", "comment"]
    )
