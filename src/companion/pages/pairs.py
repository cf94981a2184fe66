"""Notebook pairs: ``NN_name.md`` (MyST text, the source) and ``NN_name.ipynb`` (no outputs), equal in content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from constellations.atomic import replace_on_success

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}
TEXT_FORMAT = {"extension": ".md", "format_name": "myst"}
HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""
HIDDEN_CELL_METADATA = frozenset({"execution", "papermill", "collapsed", "scrolled", "id", "trusted"})


def from_text(text: Path) -> NotebookNode:
    """The notebook that a MyST text describes: no outputs, ids made from the content of the cells.

    Raises
    ------
    ValueError
        If the text is not a MyST notebook.
    """
    content = text.read_text(encoding="utf-8")
    if not content.startswith("---\njupytext:"):
        raise ValueError(f"{text} must be a MyST notebook: its first lines must be '---' and 'jupytext:'")
    return _normalised(jupytext.reads(content, fmt="md:myst"))


def from_notebook(notebook: Path) -> NotebookNode:
    """The same from an ``.ipynb``: outputs, execution counts and tools' metadata are dropped."""
    return _normalised(nbformat.read(notebook, as_version=4))


def has_outputs(notebook: Path) -> bool:
    """Whether an ``.ipynb`` carries outputs or execution counts."""
    cells = nbformat.read(notebook, as_version=4).cells
    return any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def write_notebook(text: Path) -> bool:
    """Make ``NN_name.ipynb`` from ``NN_name.md``; touch it if it is already right. Returns whether it changed."""
    target = text.with_suffix(".ipynb")
    wanted = nbformat.writes(from_text(text)) + "\n"
    if target.exists() and target.read_text(encoding="utf-8") == wanted:
        os.utime(target)
        return False
    with replace_on_success(target) as path:
        path.write_text(wanted, encoding="utf-8")
    return True


def write_text(notebook: Path) -> None:
    """Make ``NN_name.md`` from an edited ``NN_name.ipynb``, then tidy the ``.ipynb`` itself."""
    node = from_notebook(notebook)
    node.metadata = nbformat.from_dict({"kernelspec": dict(KERNEL), "language_info": dict(LANGUAGE)})
    _, _, body = jupytext.writes(node, fmt="md:myst")[4:].partition("---\n")
    with replace_on_success(notebook.with_suffix(".md")) as path:
        path.write_text(HEADER + body, encoding="utf-8")
    write_notebook(notebook.with_suffix(".md"))


def mismatch(text: Path) -> str | None:
    """What is wrong with the pair of a text, in words; ``None`` if nothing is."""
    notebook = text.with_suffix(".ipynb")
    if not notebook.exists():
        return f"{text.name} has no {notebook.name}"
    if has_outputs(notebook):
        return f"{notebook.name} holds outputs"
    if nbformat.writes(from_text(text)) + "\n" != notebook.read_text(encoding="utf-8"):
        return f"{text.name} and {notebook.name} differ"
    return None


def synchronise(folder: Path) -> list[str]:
    """Make every pair of a folder equal: where two differ in content, the one changed last wins. Returns what was done."""
    done = []
    stems = {path.stem for path in folder.glob("[0-9][0-9]_*") if path.suffix in (".md", ".ipynb")}
    for stem in sorted(stems):
        text, notebook = folder / f"{stem}.md", folder / f"{stem}.ipynb"
        if text.exists() and mismatch(text) is None:
            continue
        if not text.exists() or (notebook.exists() and _edited_notebook(text, notebook)):
            write_text(notebook)
            done.append(f"{notebook.name} -> {text.name}")
        else:
            write_notebook(text)
            done.append(f"{text.name} -> {notebook.name}")
    return done


def _edited_notebook(text: Path, notebook: Path) -> bool:
    same = from_text(text) == from_notebook(notebook)
    return not same and notebook.stat().st_mtime > text.stat().st_mtime


def _normalised(node: NotebookNode) -> NotebookNode:
    seen: set[str] = set()
    cells = []
    for index, cell in enumerate(node.cells):
        identity = _identity(cell, index, seen)
        metadata = {
            key: cell.metadata[key] for key in sorted(cell.metadata) if key not in HIDDEN_CELL_METADATA
        }
        cells.append(_cell(cell, identity, metadata))
    jupyter: dict[str, Any] = {
        "jupytext": {"formats": "ipynb,md:myst", "text_representation": dict(TEXT_FORMAT)},
        "kernelspec": dict(KERNEL),
        "language_info": dict(LANGUAGE),
    }
    return nbformat.from_dict({"cells": cells, "metadata": jupyter, "nbformat": 4, "nbformat_minor": 5})


def _cell(cell: NotebookNode, identity: str, metadata: dict[str, Any]) -> dict[str, Any]:
    kept = {"cell_type": cell.cell_type, "id": identity, "metadata": metadata, "source": cell.source}
    return kept | {"execution_count": None, "outputs": []} if cell.cell_type == "code" else kept


def _identity(cell: NotebookNode, index: int, seen: set[str]) -> str:
    identity = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
    if identity in seen:
        identity = f"{identity}-{index}"
    seen.add(identity)
    return identity
