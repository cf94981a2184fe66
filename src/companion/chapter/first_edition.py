"""To be deleted with the first edition's last chapter: its kinds of parameters, records and calls.

Chapters not yet rewritten call ``chapter.begin(name, globals(), n_pairs=p.integer(at_least=2))``, ``run.check``,
``run.claim``, ``run.compare``, ``run.figure`` and ``run.number``.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from companion.chapter import records as rules
from companion.chapter.records import Match, Record, Source, Verdict


@dataclass(frozen=True)
class Kind:
    """What a parameter may be: a description for people and a test."""

    description: str
    accepts: Callable[[Any], bool]


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_real(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def integer(*, at_least: int | None = None, at_most: int | None = None) -> Kind:
    """An integer within inclusive limits.

    >>> integer(at_least=2).accepts(1)
    False
    """
    return Kind(
        "an integer" + _limits(at_least=at_least, at_most=at_most),
        lambda x: _is_integer(x) and _within(x, None, at_least, None, at_most),
    )


def real(
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> Kind:
    """A finite number within limits."""
    return Kind(
        "a finite number" + _limits(above=above, at_least=at_least, below=below, at_most=at_most),
        lambda x: _is_real(x) and _within(x, above, at_least, below, at_most),
    )


def text(*, nonempty: bool = False) -> Kind:
    """A string."""
    return Kind(
        "a non-empty string" if nonempty else "a string",
        lambda x: isinstance(x, str) and (bool(x) or not nonempty),
    )


def choice(*allowed: str) -> Kind:
    """One of the given strings."""
    return Kind("one of " + ", ".join(map(repr, allowed)), lambda x: isinstance(x, str) and x in allowed)


def flag() -> Kind:
    """``True`` or ``False``."""
    return Kind("True or False", lambda x: isinstance(x, bool))


def integers(*, at_least: int | None = None, at_most: int | None = None) -> Kind:
    """A non-empty list of integers within inclusive limits."""
    return _list_of(integer(at_least=at_least, at_most=at_most))


def reals(
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> Kind:
    """A non-empty list of finite numbers within limits."""
    return _list_of(real(above=above, at_least=at_least, below=below, at_most=at_most))


def optional(kind: Kind) -> Kind:
    """``None``, or what ``kind`` accepts."""
    return Kind(f"None or {kind.description}", lambda x: x is None or kind.accepts(x))


def nonzero(kind: Kind) -> Kind:
    """What ``kind`` accepts, but not 0.

    >>> nonzero(real(at_least=-1, at_most=1)).description
    'a finite number at least -1 and at most 1 and not 0'
    """
    return Kind(f"{kind.description} and not 0", lambda x: kind.accepts(x) and x != 0)


def _list_of(kind: Kind) -> Kind:
    return Kind(
        f"a non-empty list, each entry {kind.description}",
        lambda x: isinstance(x, (list, tuple)) and len(x) > 0 and all(map(kind.accepts, x)),
    )


def _within(
    x: float, above: float | None, at_least: float | None, below: float | None, at_most: float | None
) -> bool:
    return (
        (above is None or x > above)
        and (at_least is None or x >= at_least)
        and (below is None or x < below)
        and (at_most is None or x <= at_most)
    )


def _limits(**limits: float | None) -> str:
    stated = [f"{name.replace('_', ' ')} {value:g}" for name, value in limits.items() if value is not None]
    return " " + " and ".join(stated) if stated else ""


def validate(
    values: Mapping[str, Any], kinds: Mapping[str, Kind], *, injected: Sequence[str] = ()
) -> dict[str, Any]:
    """Check the parameters of a notebook and return them by name.

    Parameters
    ----------
    values:
        The notebook's variables (``globals()``).
    kinds:
        What each parameter may be.
    injected:
        Names set from outside; each must be one of ``kinds``.

    Raises
    ------
    ValueError
        Naming the parameter, the value it got and what is allowed; for an unknown name, the names there are.

    Examples
    --------
    >>> validate({"dim": 3}, {"dim": integer(at_least=2)})
    {'dim': 3}
    >>> validate({"dim": 0.5}, {"dim": integer(at_least=2)})
    Traceback (most recent call last):
        ...
    ValueError: parameter dim must be an integer at least 2, got 0.5 (float)
    """
    unknown = sorted(set(injected) - set(kinds))
    if unknown:
        raise ValueError(
            f"unknown parameter {', '.join(unknown)}: this notebook has {', '.join(sorted(kinds))}"
        )
    for name, kind in kinds.items():
        if name not in values:
            raise ValueError(f"parameter {name} is missing: it must be {kind.description}")
        if not kind.accepts(values[name]):
            got = values[name]
            raise ValueError(
                f"parameter {name} must be {kind.description}, got {got!r} ({type(got).__name__})"
            )
    return {name: values[name] for name in kinds}


def injected_names(cells: Sequence[str]) -> list[str]:
    """Names assigned in the cells papermill injects: those that open with its comment ``# Parameters``.

    >>> injected_names(["import os", "# Parameters\\nn_pairs = 64\\ndim = 5"])
    ['n_pairs', 'dim']
    """
    names: list[str] = []
    for cell in cells:
        if cell.lstrip().startswith("# Parameters"):
            for node in ast.parse(cell).body:
                if isinstance(node, ast.Assign):
                    names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return names


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
    return Record(
        id, claim, float(published), mean, spread, n_seeds, verdict, str(rule), comment, source, "number",
        int(verdict == "reproduced"), 1,
    )  # fmt: skip


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
    return Record(
        id, claim, "holds", float(slack), None, n_seeds, verdict, rule, comment, source, "self-test"
    )


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
    kind: rules.Kind = "ours" if id.startswith("beyond") else "claim"
    return Record(id, claim, published, measured, None, n_seeds, verdict, rule, comment, source, kind)


def checked(variables: Mapping[str, Any], kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The parameters of a chapter whose ``begin`` states their kinds."""
    return validate(
        variables,
        {**kinds, "output_dir": text(nonempty=True)},
        injected=injected_names(variables.get("In", [])),
    )


class Calls:
    """The first edition's calls, mixed into :class:`companion.chapter.run.Run`."""

    add: Callable[[Record], Record]
    show: Callable[..., None]
    keep_number: Callable[[str, str], None]

    def figure(
        self, name: str, figure: Figure, *, data: Mapping[str, Any] | None = None, note: str = ""
    ) -> None:
        self.show(figure, name, note=note, data=data)

    def number(self, name: str, value: Any, spec: str = "") -> None:
        self.keep_number(name, format(value, spec))

    def compare(self, id: str, claim: str, **options: Any) -> Record:
        return self.add(compare(id, claim, **options))

    def check(self, id: str, claim: str, **options: Any) -> Record:
        return self.add(check(id, claim, **options))

    def claim(self, id: str, *words: str, **options: Any) -> Record:
        return self.add(claim(id, *words, **options))
