"""Notebook pairs: ``NN_name.md`` (MyST text, the source) and ``NN_name.ipynb`` (no outputs), equal in content.

An ``.ipynb`` carries a mark of the content it was paired with, so that edits of either file are seen, and none is lost.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

import jupytext
import nbformat
from jupytext.combine import combine_inputs_with_outputs
from nbformat import NotebookNode

from constellations.atomic import replace_on_success

MARK = "paired"
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}
TOOLS_METADATA = {"execution", "papermill", "collapsed", "scrolled", "trusted"}


def from_text(text: Path) -> NotebookNode:
    """The notebook that a MyST text describes.

    Raises
    ------
    ValueError
        If the text is not a MyST notebook.
    """
    content = text.read_text(encoding="utf-8")
    if not content.startswith("---\njupytext:"):
        raise ValueError(f"{text} must be a MyST notebook: its first lines must be '---' and 'jupytext:'")
    node = jupytext.reads(content, fmt="md:myst")
    node.metadata["language_info"] = LANGUAGE
    return node


def from_notebook(notebook: Path) -> NotebookNode:
    """An ``.ipynb`` without its outputs.

    Raises
    ------
    ValueError
        If the file is no notebook.
    """
    try:
        node = nbformat.read(notebook, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError) as error:
        raise ValueError(f"{notebook} must be a notebook, but it cannot be read: delete it, it is made anew") from error
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return node


def mismatch(text: Path) -> str | None:
    """What is wrong with the pair of a text, in words; ``None`` if nothing is."""
    notebook = text.with_suffix(".ipynb")
    if not notebook.exists():
        return f"{text.name} has no {notebook.name}"
    if nbformat.writes(from_notebook(notebook)) != nbformat.writes(nbformat.read(notebook, as_version=4)):
        return f"{notebook.name} holds outputs"
    if _digest(from_text(text)) != _digest(from_notebook(notebook)):
        return f"{text.name} and {notebook.name} differ"
    return None


def write_notebook(text: Path) -> None:
    """Make ``NN_name.ipynb`` from ``NN_name.md``; cells that stay keep their identity.

    Raises
    ------
    ValueError
        If the ``.ipynb`` holds edits that the text lacks: they are never overwritten.
    """
    node, notebook = from_text(text), text.with_suffix(".ipynb")
    digest = _digest(node)
    if notebook.exists():
        old = from_notebook(notebook)
        if _edited(old) and _digest(old) != digest:
            raise ValueError(
                f"{notebook} was edited and {text.name} lacks the edit: "
                f"make sync takes it over; to drop it, delete {notebook.name}"
            )
        node = combine_inputs_with_outputs(node, old)
    node.metadata = {"kernelspec": node.metadata["kernelspec"], "language_info": LANGUAGE, MARK: digest}
    with replace_on_success(notebook) as path:
        nbformat.write(node, path)


def write_text(notebook: Path) -> None:
    """Take the edits of an ``.ipynb`` over into its text, line by line, and leave the other lines of the text alone."""
    text, edited = notebook.with_suffix(".md"), from_notebook(notebook)
    content = jupytext.writes(edited, fmt="md:myst")
    if text.exists():
        base = nbformat.reads(nbformat.writes(from_text(text)), as_version=4)
        content = _merged(text.read_text(encoding="utf-8"), jupytext.writes(base, fmt="md:myst"), content)
    with replace_on_success(text) as path:
        path.write_text(content, encoding="utf-8")
    if _digest(from_text(text)) != _digest(edited):
        with replace_on_success(text) as path:
            path.write_text(jupytext.writes(edited, fmt="md:myst"), encoding="utf-8")
    write_notebook(text)


def synchronise(folder: Path) -> list[str]:
    """Make every pair of a folder equal: the file that was edited wins. Returns what was done.

    Raises
    ------
    ValueError
        If both files of a pair were edited: neither edit is dropped.
    """
    done = []
    for stem in sorted({path.stem for path in folder.glob("[0-9][0-9]_*") if path.suffix in (".md", ".ipynb")}):
        text, notebook = folder / f"{stem}.md", folder / f"{stem}.ipynb"
        if text.exists() and mismatch(text) is None:
            continue
        if text.exists() and (not notebook.exists() or not _edited(old := from_notebook(notebook))):
            write_notebook(text)
            done.append(f"{text.name} -> {notebook.name}")
        elif text.exists() and old.metadata[MARK] != _digest(from_text(text)) != _digest(old):
            raise ValueError(
                f"{text} and {notebook.name} were both edited since they were paired: "
                "delete the one to drop, then make sync again"
            )
        else:
            write_text(notebook)
            done.append(f"{notebook.name} -> {text.name}")
    return done


def _digest(node: NotebookNode) -> str:
    cells = [
        [cell.cell_type, cell.source, {k: v for k, v in cell.metadata.items() if k not in TOOLS_METADATA}]
        for cell in node.cells
    ]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()[:16]


def _edited(node: NotebookNode) -> bool:
    return node.metadata.get(MARK, digest := _digest(node)) != digest


def _merged(mine: str, base: str, theirs: str) -> str:
    """The three-way merge of three texts; ``theirs`` where that is not possible."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("mine", "base", "theirs")]
        for path, content in zip(paths, (mine, base, theirs), strict=True):
            path.write_text(content, encoding="utf-8")
        command = ["git", "merge-file", "--stdout", *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return theirs if done.returncode else done.stdout
