"""The staging tree: a mirror of the repository that holds only pages, executed notebooks and the generated scoreboard."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat import NotebookNode

from companion.chapter import parameters
from companion.figures.style import minus
from companion.pages import gallery, hero, profiles, scoreboard, statements
from companion.pages.templates import render

REPOSITORY_VARIABLE, ADDRESS_VARIABLE = "BOOK_REPOSITORY", "BOOK_ADDRESS"
BUTTONS = ("use_repository_button", "use_edit_page_button", "use_issues_button")
CHAPTER = re.compile(r"(?<![`[])\b([Cc]hapter) (\d\d)\b")
PROMPTS = {"parameters": "Parameters of this run", "injected-parameters": "Parameters changed in this run"}


def stage(root: Path, build: Path) -> None:
    """Lay out ``build/stage`` for Jupyter Book from the repository and from ``build/executed`` and ``build/results``.

    Raises
    ------
    ValueError
        If the table of contents and the notebooks disagree, or a chapter has no executed notebook or results.
    """
    chapters = profiles.notebooks(root)
    _check_contents(root, chapters)
    target = _frame(root, build, contents(root))
    shutil.copy(root / "_toc.yml", target / "_toc.yml")
    results, figures, declared, titles = [], {}, {}, {}
    for name in chapters:
        executed = _existing(build / "executed" / f"{name}.ipynb")
        notebook = presented(nbformat.read(executed, as_version=4), chapters)
        titles[name] = title_of(name, notebook)
        figures[name] = gallery.figures_of(name, notebook, build / "figures")
        declared[name] = parameters_of(notebook)
        nbformat.write(notebook, target / "notebooks" / f"{name}.ipynb")
        results.append(_results(_existing(build / "results" / f"{name}.json"), executed))
    gallery.copy_files(build / "figures", target / "book")
    known = statements.as_data(statements.read(root, contents(root)), scoreboard.verdicts(results))
    places = {one["name"].lower().replace(" ", "-"): f"{one['page']}.html#{one['label']}" for one in known}
    heads = {f"notebooks/{name}": f"{profiles.number(name)} {title}" for name, title in titles.items()}
    for name, text in {
        "glance": scoreboard.glance(results, profile=build.name),
        "hero": hero.interactive(),
        "scoreboard": scoreboard.page(results, titles, profile=build.name, places=places),
        "left_to_gpu": render("left_to_gpu.md", left=profiles.left_to_gpu(root), titles=titles),
        "gallery": render("gallery.md", chapters=figures, titles=titles),
        "parameters": minus(render("parameters.html", chapters=declared, titles=titles)),
        "statements": statements.page(known, heads),
    }.items():
        (target / "book" / "generated" / f"{name}.md").write_text(text, encoding="utf-8")
    _write_statements(target, known)


def stage_page(root: Path, build: Path, name: str) -> None:
    """Lay out ``build/stage`` for one executed notebook, ``build/<name>.ipynb``, as a book of a single page."""
    target = _frame(root, build, [])
    notebook = nbformat.read(_existing(build / f"{name}.ipynb"), as_version=4)
    if any("{cite}" in cell.source for cell in notebook.cells):
        notebook.cells.append(nbformat.v4.new_markdown_cell("## Works cited\n\n```{bibliography}\n```"))
    gallery.figures_of(name, presented(notebook, []), build / "figures")
    gallery.copy_files(build / "figures", target / "book")
    nbformat.write(notebook, target / "notebooks" / f"{name}.ipynb")
    (target / "_toc.yml").write_text(f"format: jb-book\nroot: notebooks/{name}\n", encoding="utf-8")
    _write_statements(target, statements.as_data(statements.read(root, contents(root)), {}))


def presented(notebook: NotebookNode, chapters: Sequence[str]) -> NotebookNode:
    """An executed notebook as readers see it: every fold says what it holds, chapters are links, tools leave no trace.

    Parameters are folded; the cell that only sets the folder is left out, and so is one whose values ``begin`` shows.
    """
    notebook.metadata.pop("papermill", None)
    told = any({"parameters", "remove-cell"} <= set(cell.metadata.get("tags", [])) for cell in notebook.cells)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "markdown":
            cell.source = CHAPTER.sub(lambda found: _linked(found, chapters), cell.source)
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            kept = [line for line in cell.source.splitlines() if not line.startswith("output_dir =")]
            cell.source = "\n".join(kept)
            tags = [*tags, "remove-cell"] if told or len(kept) <= 1 else tags
        prompt = next((PROMPTS[tag] for tag in tags if tag in PROMPTS), None)
        options = cell.metadata.get("mystnb", {})
        if prompt:
            tags = [*dict.fromkeys([*tags, "hide-input"])]
        elif "figure" in options:
            prompt, figure = "Code for this figure", options["figure"]
            figure["caption"] = CHAPTER.sub(lambda found: _linked(found, chapters), figure["caption"])
        if prompt and "hide-input" in tags:
            cell.metadata["mystnb"] = {"code_prompt_show": prompt, "code_prompt_hide": prompt} | options
        if tags:
            cell.metadata["tags"] = tags
    return notebook


def _linked(words: re.Match[str], chapters: Sequence[str]) -> str:
    """The words "chapter 04" as a link to that chapter, by the number that it shows."""
    name = next((name for name in chapters if name.startswith(words[2])), None)
    return f"[{words[1]} {profiles.number(name)}]({name})" if name else words[0]


def title_of(name: str, notebook: NotebookNode) -> str:
    """The title of a chapter: its first heading.

    Raises
    ------
    ValueError
        If there is none.
    """
    found = (
        re.search(r"^# (.+)$", cell.source, re.MULTILINE) for cell in notebook.cells if cell.cell_type == "markdown"
    )
    title = next(filter(None, found), None)
    if title is None:
        raise ValueError(f"{name}.ipynb must begin with a heading '# Title'")
    return title[1].strip()


def parameters_of(notebook: NotebookNode) -> list[dict[str, str]]:
    """What a chapter's parameters cell declares: name, default, meaning and what is allowed."""
    cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    variables: dict[str, Any] = {}
    exec(compile(cell.source, "parameters", "exec", dont_inherit=True), variables)
    return parameters.told(variables["__annotations__"], variables, cell.source).to_dict("records")


def contents(root: Path) -> list[str]:
    """Every file named by ``_toc.yml``, in order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"]]
    for part in toc.get("parts", []):
        files += [entry["file"] for entry in part["chapters"]]
    return files


def _check_contents(root: Path, chapters: list[str]) -> None:
    listed = [entry.removeprefix("notebooks/") for entry in contents(root) if entry.startswith("notebooks/")]
    if sorted(listed) != chapters:
        odd = sorted(set(listed) ^ set(chapters)) or listed
        raise ValueError(f"_toc.yml must list every notebook once: look at {', '.join(odd)}")


def _frame(root: Path, build: Path, pages: Sequence[str]) -> Path:
    """The pages and the configuration of the book, and empty folders for notebooks and generated pages."""
    target = build / "stage"
    (target / "notebooks").mkdir(parents=True)
    shutil.copytree(root / "book", target / "book")
    for page in (target / "book").rglob("*.md"):
        if str(page.relative_to(target).with_suffix("")) not in pages:
            page.unlink()
    (target / "book" / "generated").mkdir()
    configuration = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    address = configured(configuration)
    published(configuration)
    (target / "_config.yml").write_text(yaml.safe_dump(configuration, sort_keys=False))
    text = f"The source of this book is at <{address}>.\n" if address else ""
    (target / "book" / "generated" / "repository.md").write_text(text, encoding="utf-8")
    return target


def configured(configuration: dict) -> str:
    """Buttons that lead to the repository where its address is known: in ``_config.yml`` or the environment. Returns it.

    Binder opens repositories at GitHub, and has their environment; Colab would lack the library and has no button.
    """
    given = configuration.pop("repository", None) or {}
    address = (os.environ.get(REPOSITORY_VARIABLE) or given.get("url") or "").removesuffix(".git").rstrip("/")
    if address:
        configuration["repository"] = {"url": address, "branch": given.get("branch", "main")}
        configuration["html"] |= dict.fromkeys(BUTTONS, True)
        if address.startswith("https://github.com/"):
            configuration["launch_buttons"] = {"binderhub_url": "https://mybinder.org"}
    return address


def published(configuration: dict) -> None:
    """The address of the published book for its pages, where it is known: in ``_config.yml`` or the environment.

    Raises
    ------
    ValueError
        If the address is none of a web page.
    """
    address = os.environ.get(ADDRESS_VARIABLE) or configuration["html"].pop("baseurl", "")
    if address:
        if not re.match(r"https?://\w", address):
            raise ValueError(f"html: baseurl of _config.yml must begin with https://, got {address!r}")
        configuration["html"]["baseurl"] = address.rstrip("/") + "/"
        configuration["sphinx"]["config"]["html_context"]["address"] = configuration["html"]["baseurl"]


def _write_statements(target: Path, known: list[dict]) -> None:
    """For the extension, which names statements, and for readers."""
    for folder in (target, target / "book" / "_static"):
        (folder / "statements.json").write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def _results(path: Path, executed: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: delete {executed}, and make book runs this chapter again") from error


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"{path} is missing: run its notebook first (make book does)")
    return path
