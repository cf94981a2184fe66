"""Typed, range-checked notebook parameters.

Papermill injects whatever it is given and only warns about names a notebook does not have. A chapter therefore states
what each parameter may be, and :func:`validate` stops with one clear message before anything is computed.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


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
