"""Numbers as arguments: one wording for every error, and plain numbers out."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def plain(value: ArrayLike) -> Any:
    """A NumPy scalar or 0-dimensional array as a Python number; larger arrays as they are."""
    array = np.asarray(value)
    return array.item() if array.ndim == 0 else array


def require(right: object, name: str, allowed: str, got: object) -> None:
    """A ValueError that names an argument, what is allowed and what was given, unless the argument is right."""
    if not right:
        raise ValueError(f"{name} must be {allowed}, got {got!r}")


def finite(value: ArrayLike, name: str) -> np.ndarray:
    """As a float array, or a ValueError that names the argument."""
    array = np.asarray(value, dtype=float)
    require(np.all(np.isfinite(array)), name, "finite", value)
    return array


def positive(value: ArrayLike, name: str) -> np.ndarray:
    """As :func:`finite`, and above 0 everywhere."""
    array = finite(value, name)
    require(np.all(array > 0), name, "above 0", value)
    return array


def nonnegative(value: ArrayLike, name: str) -> np.ndarray:
    """As :func:`finite`, and at least 0 everywhere."""
    array = finite(value, name)
    require(np.all(array >= 0), name, "at least 0", value)
    return array


def integer(value: Any, name: str, at_least: int) -> int:
    """As an ``int``, or a ValueError that names the argument and its least value."""
    right = not isinstance(value, (bool, str)) and int(value) == value and value >= at_least
    require(right, name, f"an integer of at least {at_least}", value)
    return int(value)


def choice(value: Any, name: str, allowed: Iterable[Any]) -> None:
    """A ValueError unless ``value`` is one of those allowed."""
    allowed = tuple(allowed)
    require(value in allowed, name, f"one of {', '.join(map(repr, allowed))}", value)


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def exit_status(command: Callable[..., int | None], *given: Any) -> int:
    """What a command for a terminal returns, 0 for None; 2 for bad input, which is told in one line."""
    try:
        return command(*given) or 0
    except ValueError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2


def number(text: str) -> float:
    """A number as people type it, whole ones as ``int``; a type for argparse.

    >>> number("1e9"), number("10^9"), number("1,000"), number("0.07")
    (1000000000, 1000000000, 1000, 0.07)
    """
    text = text.strip()
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}([,_]\d{3})+(\.\d*)?", text):
        text = re.sub("[,_]", "", text)
    base, caret, power = text.partition("^")
    value = float(base) ** float(power) if caret else float(base)
    return int(value) if value.is_integer() and abs(value) < 2**63 else value
