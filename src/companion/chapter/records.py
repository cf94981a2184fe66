"""Records: one claim of the paper beside what a run found, with a verdict from a rule stated beforehand."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from typing import Literal

import numpy as np
import pandas as pd

from constellations.data import read_csv_text

Verdict = Literal["reproduced", "differs", "corrected", "not tested here"]
VERDICTS: tuple[Verdict, ...] = ("reproduced", "differs", "corrected", "not tested here")
Source = Literal["run", "published values", "live"]
SOURCES: tuple[Source, ...] = ("run", "published values", "live")


@dataclass(frozen=True)
class Record:
    """One claim: what was published, what was measured here (mean over seeds, with its spread), and the verdict."""

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

    def _ipython_display_(self) -> None:
        """Show nothing where a cell ends with a record: the chapter shows all of them in one table."""

    def __post_init__(self) -> None:
        if not self.id or not self.claim:
            raise ValueError(f"id and claim must be non-empty, got {self.id!r} and {self.claim!r}")
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict must be one of {VERDICTS}, got {self.verdict!r}")
        if self.source not in SOURCES:
            raise ValueError(f"source must be one of {SOURCES}, got {self.source!r}")
        for name in ("published", "measured", "spread"):
            value = getattr(self, name)
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} of record {self.id} must be finite, got {value}")


@dataclass(frozen=True)
class Match:
    """A number reproduces if it is within the largest of the given tolerances of the published one.

    ``absolute`` and ``relative`` are plain; ``sigmas`` counts standard deviations over seeds.

    Examples
    --------
    >>> Match(absolute=0.01).accepts(0.50, 0.505, spread=0.0)
    True
    """

    absolute: float | None = None
    relative: float | None = None
    sigmas: float | None = None

    def __post_init__(self) -> None:
        given = [x for x in (self.absolute, self.relative, self.sigmas) if x is not None]
        if not given or any(x < 0 for x in given):
            raise ValueError(f"give at least one tolerance, none below 0, got {self}")

    def accepts(self, published: float, measured: float, *, spread: float) -> bool:
        """Whether ``measured`` reproduces ``published``."""
        allowed = (
            self.absolute or 0.0,
            (self.relative or 0.0) * abs(published),
            (self.sigmas or 0.0) * spread,
        )
        return abs(measured - published) <= max(allowed)

    def __str__(self) -> str:
        parts = [
            f"{self.absolute:g}" if self.absolute is not None else "",
            f"{self.relative:.0%} of it" if self.relative is not None else "",
            f"{self.sigmas:g} standard deviations" if self.sigmas is not None else "",
        ]
        return "within " + " or ".join(part for part in parts if part) + " of the published value"


def compare(
    id: str,
    claim: str,
    *,
    published: float,
    rule: Match,
    values: Sequence[float] | None = None,
    measured: float | None = None,
    comment: str = "",
    corrected: tuple[float, str] | None = None,
    source: Source = "run",
) -> Record:
    """Compare a published number with a measured one, or with the mean of per-seed ``values``.

    ``corrected=(value, why)`` states what the published number becomes once a known slip is mended: a measurement that
    matches it, but not the published number, gets the verdict ``corrected``.

    Examples
    --------
    >>> compare("x", "a number", published=1.0, values=[0.9, 1.1], rule=Match(sigmas=2)).verdict
    'reproduced'
    """
    if (values is None) == (measured is None):
        raise ValueError(f"give exactly one of values and measured for record {id}")
    sample = np.asarray([measured] if values is None else values, dtype=float).ravel()
    mean = float(sample.mean())
    spread = float(sample.std(ddof=1)) if len(sample) > 1 else None
    verdict: Verdict = "differs"
    if rule.accepts(float(published), mean, spread=spread or 0.0):
        verdict = "reproduced"
    elif corrected is not None and rule.accepts(float(corrected[0]), mean, spread=spread or 0.0):
        verdict, comment = "corrected", f"{corrected[1]}. {comment}".strip()
    n_seeds = None if values is None else len(sample)
    return Record(id, claim, float(published), mean, spread, n_seeds, verdict, str(rule), comment, source)


def check(
    id: str,
    claim: str,
    *,
    slack: float,
    atol: float = 0.0,
    comment: str = "",
    n_seeds: int | None = None,
    source: Source = "run",
) -> Record:
    """An inequality of a theorem, evaluated: it holds if the ``slack`` (the worst case) is at least ``-atol``."""
    verdict: Verdict = "reproduced" if slack >= -atol else "differs"
    rule = f"slack at least {-atol:g}" if atol else "slack at least 0"
    return Record(id, claim, "holds", float(slack), None, n_seeds, verdict, rule, comment, source)


def claim(
    id: str,
    claim: str,
    *,
    holds: bool | float,
    published: str,
    measured: str,
    at_least: float = 1.0,
    comment: str = "",
    n_seeds: int | None = None,
    corrected: str | None = None,
    source: Source = "run",
) -> Record:
    """A qualitative claim: ``holds`` is a truth value, or the fraction of cases where it holds (needs ``at_least``).

    ``corrected="why"`` marks a claim of the published record that fails as stated for an established reason.
    """
    verdict: Verdict = "reproduced" if float(holds) >= at_least else "differs"
    if verdict == "differs" and corrected is not None:
        verdict, comment = "corrected", f"{corrected}. {comment}".strip()
    rule = "holds in every case" if at_least == 1.0 else f"holds in at least {at_least:.0%} of cases"
    return Record(id, claim, published, measured, None, n_seeds, verdict, rule, comment, source)


def untested(id: str, claim: str, *, published: float | str | None, comment: str) -> Record:
    """A claim that this run leaves alone, with the reason."""
    return Record(id, claim, published, None, None, None, "not tested here", "not tested", comment)


def published_table(name: str) -> pd.DataFrame:
    """A published table by the stem of its file, for example ``table1_modalities``.

    Raises
    ------
    ValueError
        For an unknown name, listing those there are.
    """
    return pd.read_csv(StringIO(read_csv_text(name)))


def to_json(record: Record) -> dict[str, object]:
    """The record as plain JSON data."""
    return json.loads(json.dumps(asdict(record), allow_nan=False))


def _number(value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return value or "–"
    return f"{value:.4g}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.2e}"


_ORIGIN = {"run": "", "published values": "From published values.", "live": "Measured on released models."}


def records_frame(records: Sequence[Record]) -> pd.DataFrame:
    """Records as a table for people."""
    rows = []
    for record in records:
        here = _number(record.measured)
        if record.spread is not None:
            here += f" ± {record.spread:.2g}"
        rows.append(
            {
                "record": record.id,
                "claim": record.claim,
                "published": _number(record.published),
                "this run": here,
                "seeds": "–" if record.n_seeds is None else str(record.n_seeds),
                "verdict": record.verdict,
                "comment": f"{_ORIGIN[record.source]} {record.comment}".strip(),
            }
        )
    return pd.DataFrame(
        rows, columns=["record", "claim", "published", "this run", "seeds", "verdict", "comment"]
    )
