"""The house: two packages with one arrow between them, floors without upward arrows, no circles, a light library."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"
FLOORS = (
    ("constellations.atomic", "constellations.checks", "constellations.data", "constellations.sphere"),
    ("constellations.bounds", "constellations.certificates", "constellations.losses", "constellations.modality_gap"),
    ("constellations.constructions", "constellations.geometry", "constellations.minima", "constellations.testing"),
    ("constellations.pretrained", "constellations.training"),
    ("companion.data", "companion.figures", "companion.studies"),
    ("companion.chapter",),
    ("companion.pages", "companion.sweep"),
)  # fmt: skip
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
HEAVY = ("matplotlib", "seaborn", "pandas", "faiss", "pyarrow", "safetensors", "transformers", "PIL", "IPython")


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(SRC.rglob("*.py"))}


def imported(name: str) -> Iterator[str]:
    """The modules of the house that a module imports, wherever in its code."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [
                full if (full := f"{node.module}.{alias.name}") in MODULES else node.module for alias in node.names
            ]
        else:
            continue
        yield from (found for found in names if found in MODULES and found != name)


def room(name: str) -> str:
    return ".".join(name.split(".")[:2])


def test_every_room_has_a_floor() -> None:
    assert {room(name) for name in MODULES if "." in name} == set(FLOOR_OF)


def test_no_arrow_runs_up_or_from_the_library_to_the_book() -> None:
    for name in MODULES:
        for other in imported(name):
            if "." in name and "." in other:
                assert FLOOR_OF[room(other)] <= FLOOR_OF[room(name)], f"{name} imports {other}, which stands above it"
            assert not (name.startswith("constellations") and other.startswith("companion")), (name, other)


def test_no_circle() -> None:
    tuple(graphlib.TopologicalSorter({name: set(imported(name)) for name in MODULES}).static_order())


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("constellations")])
def test_only_entry_points_print(name: str) -> None:
    if not name.endswith("__main__"):
        calls = [node.func for node in ast.walk(ast.parse(MODULES[name].read_text())) if isinstance(node, ast.Call)]
        assert not any(isinstance(call, ast.Name) and call.id == "print" for call in calls)


def test_the_library_runs_without_the_packages_of_the_book() -> None:
    """Every module imports, and points are trained and measured, where only numpy, scipy, torch and tqdm exist."""
    names = [name for name in MODULES if name.startswith("constellations") and not name.endswith("__main__")]
    code = f"""
import importlib, sys
for name in {HEAVY!r}:
    sys.modules[name] = None
for name in {names!r}:
    importlib.import_module(name)
from constellations import bounds, geometry, training
run = training.synchronize(n_pairs=6, dim=3, seeds=[0], n_steps=5, device="cpu")
print(geometry.separation(run.u[0], run.v[0]).margin, bounds.required_dimension(100, 0.1, 0.0))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
