"""The staging tree: a mirror of the repository that holds only pages, executed notebooks and the generated scoreboard."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

from companion import chapter
from companion.pages import profiles, scoreboard

REPOSITORY_VARIABLE = "BOOK_REPOSITORY"
BUTTONS = ("use_repository_button", "use_edit_page_button", "use_issues_button")


def stage(root: Path, build: Path) -> None:
    """Lay out ``build/stage`` for Jupyter Book from the repository and from ``build/executed`` and ``build/results``.

    Raises
    ------
    ValueError
        If the table of contents and the notebooks disagree, or a chapter has no executed notebook or results.
    """
    chapters = profiles.notebooks(root)
    _check_contents(root, chapters)
    target = _frame(root, build)
    shutil.copy(root / "_toc.yml", target / "_toc.yml")
    for name in chapters:
        notebook = nbformat.read(_existing(build / "executed" / f"{name}.ipynb"), as_version=4)
        nbformat.write(presented(notebook), target / "notebooks" / f"{name}.ipynb")
        _existing(build / "results" / f"{name}.json")
    results = [entry for entry in chapter.read_results(build / "results") if entry["notebook"] in chapters]
    generated = target / "book" / "generated"
    generated.mkdir()
    titles = {name: title_of(target / "notebooks" / f"{name}.ipynb") for name in chapters}
    (generated / "glance.md").write_text(
        scoreboard.glance(results, titles, profile=build.name), encoding="utf-8"
    )
    (generated / "scoreboard.md").write_text(
        scoreboard.page(results, titles, profile=build.name), encoding="utf-8"
    )
    (generated / "left_to_gpu.md").write_text(profiles.left_to_gpu(root, titles), encoding="utf-8")


def stage_page(root: Path, build: Path, name: str) -> None:
    """Lay out ``build/stage`` for one executed notebook, ``build/<name>.ipynb``, as a book of a single page."""
    target = _frame(root, build)
    notebook = nbformat.read(_existing(build / f"{name}.ipynb"), as_version=4)
    nbformat.write(presented(notebook), target / "notebooks" / f"{name}.ipynb")
    (target / "_toc.yml").write_text(f"format: jb-book\nroot: notebooks/{name}\n", encoding="utf-8")


def presented(notebook: NotebookNode) -> NotebookNode:
    """An executed notebook as readers see it: without tools' metadata and without the cell that only sets the folder."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            kept = [line for line in cell.source.splitlines() if not line.startswith("output_dir =")]
            cell.source = "\n".join(kept)
            if len(kept) <= 1:
                cell.metadata["tags"] = [*cell.metadata["tags"], "remove-cell"]
    return notebook


def title_of(notebook: Path) -> str:
    """The title of a chapter: its first heading.

    Raises
    ------
    ValueError
        If there is none.
    """
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("# "):
                    return line[2:].strip()
    raise ValueError(f"{notebook.name} must begin with a heading '# Title'")


def contents(root: Path) -> list[str]:
    """Every file named by ``_toc.yml``, in order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"]]
    for part in toc.get("parts", []):
        files += [entry["file"] for entry in part["chapters"]]
    return files


def _check_contents(root: Path, chapters: list[str]) -> None:
    listed = [entry.removeprefix("notebooks/") for entry in contents(root) if entry.startswith("notebooks/")]
    if listed != chapters:
        odd = sorted(set(listed) ^ set(chapters)) or listed
        raise ValueError(f"_toc.yml must list the notebooks in order, each once: look at {', '.join(odd)}")


def _frame(root: Path, build: Path) -> Path:
    """The pages and the configuration of the book, and an empty folder for notebooks."""
    target = build / "stage"
    (target / "notebooks").mkdir(parents=True)
    shutil.copytree(root / "book", target / "book")
    configuration = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    (target / "_config.yml").write_text(yaml.safe_dump(_configured(configuration), sort_keys=False))
    return target


def _configured(configuration: dict) -> dict:
    """The configuration, with buttons that lead to the repository where its address is known."""
    address = os.environ.get(REPOSITORY_VARIABLE, "")
    if address:
        configuration["repository"] = {"url": address, "branch": "main"}
        configuration["html"] |= dict.fromkeys(BUTTONS, True)
        configuration["launch_buttons"] = {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        }
    return configuration


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"{path} is missing: run its notebook first (make book does)")
    return path
