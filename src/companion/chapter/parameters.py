"""The parameters of a chapter: typed in its parameters cell, checked before anything is computed.

A notebook declares ``n_pairs: Size = 100  # number of pairs N``; the annotation carries the range, papermill's help shows
the line as it stands. Other ranges: ``Integer[3, 40]``, or any annotation that pydantic understands, such as
``Literal["bare", "photo"]``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from types import GenericAlias
from typing import Annotated, Literal, get_args, get_origin

import pandas as pd
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from companion.chapter.page import number_text

Whole = Annotated[int, Field(strict=True)]
Size = Annotated[Whole, Field(ge=2)]
Count = Annotated[Whole, Field(ge=1)]
Steps = Annotated[Whole, Field(ge=100)]
Seed = Annotated[Whole, Field(ge=0)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[Real, Field(gt=0)]
Temperature = Rate = Margin = Positive  # an inverse temperature t, a learning rate, a margin m (half the gap)
Share = Annotated[Real, Field(gt=0, lt=1)]
Bias = Annotated[Real, Field(gt=-1, lt=1)]  # a relative bias that some constellation has
Cosine = Annotated[Real, Field(ge=-1, le=1)]  # a relative bias anywhere between two inner products
Text = Annotated[str, Field(strict=True)]
Folder = Annotated[Text, Field(min_length=1)]
Switch = Annotated[bool, Field(strict=True)]
Sizes = Annotated[list[Size], Field(min_length=1)]
Counts = Annotated[list[Count], Field(min_length=1)]
Reals = Annotated[list[Real], Field(min_length=1)]
Positives = Annotated[list[Positive], Field(min_length=1)]
Temperatures = Rates = Margins = Positives
Biases = Annotated[list[Bias], Field(min_length=1)]
Cosines = Annotated[list[Cosine], Field(min_length=1)]


class Integer:
    """``Integer[low]`` and ``Integer[low, high]``: the type of an integer within inclusive limits.

    >>> describe(Integer[3, 40])
    'an integer at least 3 and at most 40'
    """

    def __class_getitem__(cls, limits: int | tuple[int, int]) -> object:
        low, high = limits if isinstance(limits, tuple) else (limits, None)
        return Annotated[Whole, Field(ge=low, le=high)]


class Integers:
    """``Integers[low]`` and ``Integers[low, high]``: the type of a non-empty list of such integers."""

    def __class_getitem__(cls, limits: int | tuple[int, int]) -> object:
        return Annotated[GenericAlias(list, (Integer[limits],)), Field(min_length=1)]  # type: ignore[misc]


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("must not be 0")
    return value


NonzeroCosine = Annotated[Cosine, AfterValidator(_not_zero)]
_LIMITS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
_NAMES = dict(
    zip((int, float, bool, str), ("an integer", "a finite number", "True or False", "a {}string"), strict=True)
)


def describe(kind: object) -> str:
    """What a type of parameter allows, in words.

    >>> describe(Size), describe(Biases)
    ('an integer at least 2', 'a non-empty list, each entry a finite number above -1 and below 1')
    """
    base, *notes = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    if get_origin(base) is Literal:
        return "one of " + ", ".join(map(repr, get_args(base)))
    if get_origin(base) is list:
        return f"a non-empty list, each entry {describe(*get_args(base))}"
    rules = [rule for note in notes if isinstance(note, FieldInfo) for rule in note.metadata]
    stated = [(word, getattr(rule, name)) for name, word in _LIMITS.items() for rule in rules if hasattr(rule, name)]
    words = " and ".join(f"{word} {limit:g}" for word, limit in stated)
    some = "non-empty " * any(hasattr(rule, "min_length") for rule in rules)
    not_zero = " and not 0" * any(isinstance(note, AfterValidator) for note in notes)
    return f"{_NAMES.get(base, str(base)).format(some)} {words}".strip() + not_zero


def validate(
    values: Mapping[str, object], declared: Mapping[str, object], *, cells: Sequence[str] = ()
) -> dict[str, object]:
    """Check the declared parameters of a notebook and return them by name.

    ``values`` are the notebook's variables, ``declared`` the type of each parameter by name, and ``cells`` the sources that
    ran so far: what papermill injected there must be declared, and declared *before* it was injected.

    >>> validate({"dim": 0.5}, {"dim": Size})
    Traceback (most recent call last):
        ...
    ValueError: parameter dim must be an integer at least 2, got 0.5 (float)
    """
    assigned = [_names(cell, ast.Assign) if cell.lstrip().startswith("# Parameters") else [] for cell in cells]
    injected = {name: place for place, names in enumerate(assigned) for name in names}
    unknown = sorted(set(injected) - set(declared))
    if unknown:
        raise ValueError(f"unknown parameter {', '.join(unknown)}: this notebook has {', '.join(sorted(declared))}")
    first = min(injected.values(), default=len(cells))
    lost = [name for cell in cells[first + 1 :] for name in _names(cell, ast.AnnAssign) if name in injected]
    if lost:
        cause = "the cell that declares it has lost its tag 'parameters'"
        raise ValueError(f"parameter {', '.join(lost)} was given but is overwritten by its default: {cause}")
    checked: dict[str, object] = {}
    for name, kind in declared.items():
        if name not in values:
            raise ValueError(f"parameter {name} is missing: it must be {describe(kind)}")
        try:
            checked[name] = TypeAdapter(kind).validate_python(values[name])  # type: ignore[arg-type]
        except ValidationError as error:
            got = f"{values[name]!r} ({type(values[name]).__name__})"
            raise ValueError(f"parameter {name} must be {describe(kind)}, got {got}") from error
    return checked


def told(declared: Mapping[str, object], values: Mapping[str, object], source: str) -> pd.DataFrame:
    """The parameters of a notebook as a table: name, value, the comment beside it in ``source``, and what is allowed."""
    comments = dict(re.findall(r"^(\w+)\s*:[^#\n]*=[^#\n]*#\s*(.*)$", source, flags=re.M))
    names = [name for name in declared if name != "output_dir"]
    return pd.DataFrame({
        "parameter": names,
        "value": [number_text(values[name]) for name in names],
        "meaning": [comments.get(name, "") for name in names],
        "allowed": [describe(declared[name]) for name in names],
    })  # fmt: skip


def _names(cell: str, assignment: type[ast.Assign] | type[ast.AnnAssign]) -> list[str]:
    """The names that a cell assigns, or declares."""
    found = [node for node in ast.parse(cell).body if isinstance(node, assignment)]
    targets = [node.target if isinstance(node, ast.AnnAssign) else node.targets[0] for node in found]
    return [target.id for target in targets if isinstance(target, ast.Name)]
