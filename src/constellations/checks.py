"""Numbers as arguments: one wording for every error, and plain numbers out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def plain(value: ArrayLike) -> Any:
    """A NumPy scalar or 0-dimensional array as a Python number; larger arrays as they are."""
    array = np.asarray(value)
    return array.item() if array.ndim == 0 else array


def finite(value: ArrayLike, name: str) -> np.ndarray:
    """As a float array, or a ValueError that names the argument."""
    array = np.asarray(value, dtype=float)
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return array


def positive(value: ArrayLike, name: str) -> np.ndarray:
    """As :func:`finite`, and above 0 everywhere."""
    array = finite(value, name)
    if not np.all(array > 0):
        raise ValueError(f"{name} must be above 0, got {value!r}")
    return array


def nonnegative(value: ArrayLike, name: str) -> np.ndarray:
    """As :func:`finite`, and at least 0 everywhere."""
    array = finite(value, name)
    if not np.all(array >= 0):
        raise ValueError(f"{name} must be at least 0, got {value!r}")
    return array


def integer(value: Any, name: str, at_least: int) -> int:
    """As an ``int``, or a ValueError that names the argument and its least value."""
    if isinstance(value, (bool, str)) or int(value) != value or value < at_least:
        raise ValueError(f"{name} must be an integer of at least {at_least}, got {value!r}")
    return int(value)


def choice(value: Any, name: str, allowed: Iterable[Any]) -> None:
    """A ValueError unless ``value`` is one of those allowed."""
    if value not in (allowed := tuple(allowed)):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


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
