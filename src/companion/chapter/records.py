"""Records: one claim beside what a run found, with a verdict from a rule stated beforehand.

What a record speaks of is its ``kind``: a published *number*, a *claim* of the paper, a *self-test* (a proved inequality,
evaluated: it tests the code, not the paper), or a finding that is *ours*. They are counted apart and never added up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from io import StringIO
from typing import Annotated, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pydantic import Field
from pydantic.dataclasses import dataclass as checked_dataclass

from companion.chapter import page
from companion.chapter.page import number_text, with_spread
from constellations.data import read_csv_text

Verdict = Literal["reproduced", "differs", "corrected", "not tested here"]
Kind = Literal["number", "claim", "self-test", "ours"]
Source = Literal["run", "published values", "live"]
Name = Annotated[str, Field(min_length=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
KINDS: tuple[Kind, ...] = get_args(Kind)
ORIGIN = {"run": "", "published values": "from published values", "live": "measured on released models"}
_CLASSES = dict(zip(VERDICTS, ("yes", "no", "fixed", "open"), strict=True))


@checked_dataclass(frozen=True)
class Record:
    """One claim: what was published, what was measured here (mean over seeds, with its spread), and the verdict.

    ``matched`` of ``of`` values or cases agree. The part of ``id`` before the slash names the item of the paper:
    ``theorem-3.2/rate``, ``figure5/separation``, ``table1/gaps``.
    """

    id: Name
    claim: Name
    published: Finite | str | None
    measured: Finite | str | None
    spread: Finite | None
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

    @property
    def word(self) -> str:
        """The verdict as shown: what is not the paper's holds or fails, it is not reproduced."""
        words = {"reproduced": "holds", "differs": "fails"} if self.kind in ("self-test", "ours") else {}
        return words.get(self.verdict, self.verdict)

    def line(self) -> str:
        """The record in one line; where it differs, with what explains it."""
        badge = f'<span class="verdict verdict-{_CLASSES[self.verdict]}">{self.word}</span>'
        found = f"this run: {with_spread(self.measured, self.spread)}"
        if self.published == "holds":
            found = f"{self.of or 1:,} cases, smallest slack {number_text(self.measured, 2)}"
        elif self.published is not None:
            found = f"published: {number_text(self.published, 4)}, {found}"
        why = f" – {escape(self.comment)}" if self.verdict == "differs" and self.comment else ""
        return f'<p class="constellations-check">{badge} {escape(self.claim)} <small>({escape(found)}){why}</small></p>'


@dataclass(frozen=True)
class Match:
    """A number reproduces if it is within the largest of the given tolerances of the published one.

    ``absolute`` and ``relative`` are plain; ``sigmas`` counts standard deviations over seeds, ``standard_errors`` those of
    their mean.

    >>> str(Match(absolute=0.01, standard_errors=3))
    'within 0.01 or 3 standard errors of the published value'
    """

    absolute: float | None = None
    relative: float | None = None
    sigmas: float | None = None
    standard_errors: float | None = None

    def __post_init__(self) -> None:
        given = [tolerance for tolerance in vars(self).values() if tolerance is not None]
        if not given or min(given) < 0:
            raise ValueError(f"give at least one tolerance, none below 0, got {self}")

    def fits(self, published: float, sample: np.ndarray) -> bool:
        """Whether the mean of a sample, one value per seed, reproduces ``published``."""
        spread = _spread(sample) or 0.0
        units = (1.0, abs(published), spread, spread / math.sqrt(len(sample)))
        given = zip(vars(self).values(), units, strict=True)
        return bool(abs(sample.mean() - published) <= max((tolerance or 0.0) * unit for tolerance, unit in given))

    def __str__(self) -> str:
        forms = ("{:g}", "{:.0%} of it", "{:g} standard deviations", "{:g} standard errors")
        given = [form.format(x) for form, x in zip(forms, vars(self).values(), strict=True) if x is not None]
        return f"within {' or '.join(given)} of the published value"


@dataclass
class Ledger:
    """The records of a run with ``n_seeds`` seeds; each call makes one, keeps it and shows it in a line."""

    records: list[Record] = field(default_factory=list, kw_only=True)
    n_seeds: int | None = field(default=None, kw_only=True)

    def add(self, record: Record) -> Record:
        """Keep a record; ids are unique within a chapter."""
        if record.id in [kept.id for kept in self.records]:
            raise ValueError(f"record {record.id!r} was already made in this run: names must be unique")
        self.records.append(record)
        return record

    def holds(
        self, id: str, claim: str, left: object, relation: str, right: object, *, atol: float = 0.0,
        comment: str = "", kind: Kind = "self-test", source: Source = "run",
    ) -> Record:  # fmt: skip
        """Record that ``left <= right`` (or ``>=``) in every case, up to ``atol``; ``kind="claim"`` where it could fail.

        >>> Ledger().holds("theorem/x", "a <= b", [1.0, 2.0], "<=", 2.5).measured
        <IPython.core.display.HTML object>
        0.5
        """
        if relation not in ("<=", ">="):
            raise ValueError(f"relation must be '<=' or '>=', got {relation!r}")
        slack = np.atleast_1d(array(right) - array(left)) * (1 if relation == "<=" else -1)
        if np.isnan(slack).any():
            raise ValueError(f"sides of record {id} must be numbers, got nan in {np.isnan(slack).sum()} cases")
        least, rule = float(slack.min(initial=math.inf)) + 0.0, f"slack at least {0.0 - atol:g}"
        n_seeds, fits = self._seeds(slack), slack >= -atol
        return self._judged(id, claim, "holds", least, fits, rule, n_seeds, comment=comment, kind=kind, source=source)

    def share(
        self, id: str, claim: str, cases: object, *, published: str = "", at_least: float = 1.0, reason: str = "",
        comment: str = "", kind: Kind | None = None, source: Source = "run",
    ) -> Record:  # fmt: skip
        """Record in how many ``cases`` a claim is true: it holds if at least the share ``at_least`` of them is.

        Without ``published``, what the paper says, the finding is ours. ``reason`` explains a verdict ``differs``.
        """
        true, kind = array(cases).astype(bool), kind or ("claim" if published else "ours")
        rule = "holds in every case" if at_least == 1.0 else f"holds in at least {at_least:.0%} of cases"
        return self._judged(
            id, claim, published or None, f"{true.sum()} of {true.size}", true, rule, self._seeds(true), comment=comment,
            at_least=at_least, otherwise=("differs", reason), kind=kind, source=source,
        )  # fmt: skip

    def _seeds(self, values: np.ndarray) -> int | None:
        return self.n_seeds if values.shape[-1:] == (self.n_seeds,) else None

    def _judged(
        self, id: str, claim: str, published: float | str | None, measured: float | str, fits: np.ndarray, rule: str,
        n_seeds: int | None, *, spread: float | None = None, at_least: float = 1.0, kind: Kind, source: Source,
        otherwise: tuple[Verdict, str] = ("differs", ""), comment: str = "",
    ) -> Record:  # fmt: skip
        """Keep and show a record that is reproduced if enough of ``fits`` are true; ``otherwise`` a verdict and why."""
        matched, size = int(fits.sum()), fits.size
        if size == 0:
            return self.untested(id, claim, published=published, why="no case in this run", kind=kind)
        kept: tuple[Verdict, str] = ("reproduced", "")
        verdict, why = kept if matched >= at_least * size else otherwise
        said = (verdict, rule, ". ".join(filter(None, (why.rstrip("."), comment))), source, kind, matched, size)
        record = self.add(Record(id, claim, published, measured, spread, n_seeds, *said))
        page.show(record.line())
        return record

    def agrees(
        self, id: str, what: pd.DataFrame | str, *, published: str | float, measured: str | float | ArrayLike, rule: Match,
        claim: str = "", reason: str = "", corrected: tuple[float, str] | None = None, source: Source = "run",
    ) -> Record:  # fmt: skip
        """Record published numbers beside measured ones: a whole table, which is shown, or a single number.

        For a table ``what`` is a frame, ``published`` one of its columns, ``measured`` another, or a sequence that holds
        the values of all seeds for each row; rows without a published value are shown, not counted. For a number ``what``
        says what it is. ``corrected=(value, why)``: what a single published number becomes once a slip is mended.
        """
        if isinstance(what, str):
            wanted, rows = array([published]), [measured]
        else:
            wanted, rows = array(what[published]), what[measured] if isinstance(measured, str) else measured  # type: ignore[assignment]
        samples = [np.atleast_1d(array(row)).ravel() for row in rows]
        if len(samples) != len(wanted):
            raise ValueError(f"measured must have {len(wanted)} rows, as the table of {id}, got {len(samples)}")
        fits = np.array([rule.fits(value, sample) for value, sample in zip(wanted, samples, strict=True)])
        known = np.isfinite(wanted)
        n_seeds = min(map(len, samples)) if min(map(len, samples)) > 1 else None
        if isinstance(what, str):
            mended = corrected if corrected and rule.fits(corrected[0], samples[0]) else None
            return self._judged(
                id, what, float(wanted[0]), float(samples[0].mean()), fits[known], str(rule), n_seeds, kind="number",
                spread=_spread(samples[0]), otherwise=("corrected", mended[1]) if mended else ("differs", reason),
                source=source,
            )  # fmt: skip
        here = page.column([sample.mean() for sample in samples], [_spread(sample) for sample in samples])
        agree = np.where(known, np.where(fits, "yes", "no"), "")
        beside = what.drop(columns=[measured] if isinstance(measured, str) else [])
        page.show(page.table(beside.assign(**{"this run": here, "agrees": agree})))
        size, matched = known.sum(), fits[known].sum()
        return self._judged(
            id, claim or f"{size} values of {id}", f"{size} values", f"{matched} of {size} match", fits[known], str(rule),
            n_seeds, otherwise=("differs", reason), kind="number", source=source,
        )  # fmt: skip

    def untested(
        self, id: str, claim: str, *, published: float | str | None = None, why: str = "", kind: Kind | None = None,
    ) -> Record:  # fmt: skip
        """Record that a claim or a published number is left alone, and ``why``."""
        kind = kind or ("number" if isinstance(published, float) else "claim")
        return self.add(Record(
            id, claim, published, None, None, None, "not tested here", "not tested", why, "run", kind, 0, 1
        ))  # fmt: skip


def array(values: object) -> np.ndarray:
    """Numbers as an array of float64, tensors on any device included."""
    return np.asarray(values.cpu() if hasattr(values, "cpu") else values, dtype=np.float64)


def _spread(sample: np.ndarray) -> float | None:
    return float(sample.std(ddof=1)) if len(sample) > 1 else None


def published_table(name: str) -> pd.DataFrame:
    """A published table by the stem of its file, for example ``table1_modalities``; an unknown one lists all."""
    return pd.read_csv(StringIO(read_csv_text(name)))
