"""Notebook pairs: equal in content, without outputs, parameters that explain themselves, profiles that fit."""

import os
import re
from pathlib import Path

import nbformat
import papermill
import pytest
import yaml

from companion.chapter import parameters
from companion.pages import pairs, profiles, rules, staging

ROOT = Path(__file__).resolve().parents[3]
CHAPTERS = profiles.notebooks(ROOT)
TEXTS = [ROOT / "notebooks" / f"{name}.md" for name in CHAPTERS]
TINY = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Title

Words.

```{code-cell} ipython3
:tags: [parameters]

dim: int = 3  # the dimension
```

```{code-cell} ipython3
dim + 1
```
"""


def parameter_cells(name):
    """The two first code cells of a chapter: its parameters, and the call that validates them."""
    cells = [
        cell.source for cell in pairs.from_text(ROOT / "notebooks" / f"{name}.md").cells if cell.cell_type == "code"
    ]
    return cells[0], cells[1]


def begin(name, tmp_path, **injected):
    """Run the first two cells as papermill would, without a kernel."""
    parameters, validation = parameter_cells(name)
    lines = "\n".join(["# Parameters", *(f"{key} = {value!r}" for key, value in injected.items())])
    variables = {"In": ["", parameters, lines]}
    exec(parameters, variables)
    exec(lines + f"\noutput_dir = {str(tmp_path)!r}", variables)
    exec(validation, variables)


def test_there_are_chapters_and_the_contents_list_them_all():
    listed = [entry.removeprefix("notebooks/") for entry in staging.contents(ROOT) if entry.startswith("notebooks/")]
    assert CHAPTERS and sorted(listed) == CHAPTERS


@pytest.mark.parametrize("text", TEXTS, ids=CHAPTERS)
def test_pairs_agree(text):
    assert pairs.mismatch(text) is None, "run make sync"


@pytest.mark.parametrize("name", CHAPTERS)
def test_parameters_explain_themselves(name):
    found = papermill.inspect_notebook(str(ROOT / "notebooks" / f"{name}.ipynb"))
    assert "output_dir" in found
    for parameter in found.values():
        assert parameter["inferred_type_name"] != "None", f"{parameter['name']} has no type"
        assert parameter["help"], f"{parameter['name']} has no comment"


@pytest.mark.parametrize("profile", profiles.PROFILES)
@pytest.mark.parametrize("name", CHAPTERS)
def test_profiles_hold_values_their_notebook_accepts(name, profile, tmp_path):
    values = yaml.safe_load((ROOT / "profiles" / profile / f"{name}.yml").read_text()) or {}
    begin(name, tmp_path, **values)


def printed_commands():
    """Every command of a page that runs a chapter: the page, the chapter's number, and the options."""
    for path in (ROOT / "README.md", *sorted((ROOT / "book").glob("*.md")), *TEXTS):
        text = path.read_text().replace("\\\n", " ")
        for number, options in re.findall(r"(?:make notebook NB=|(?:papermill|sweep) notebooks/)(\d\d)(.*)", text):
            yield pytest.param(number, options, id=f"{path.stem}:{number}{options}")


@pytest.mark.parametrize(("number", "options"), list(printed_commands()))
def test_printed_commands_name_parameters_that_their_chapter_accepts(number, options):
    (name,) = [name for name in CHAPTERS if name.startswith(number)]
    given = [{key: yaml.safe_load(value)} for key, value in re.findall(r"-p (\w+) ([^\s\"`]+)", options)]
    given += [yaml.safe_load(value) for value in re.findall(r'-y "([^"]+)"', options)]
    given += [{k: yaml.safe_load(v)} for k, vs in re.findall(r"--grid (\w+)=(\S+)", options) for v in vs.split(",")]
    values = {key: value for one in given for key, value in one.items()}
    cell = parameter_cells(name)[0]
    exec(cell, variables := {})
    injected = "\n".join(["# Parameters", *(f"{key} = {value!r}" for key, value in values.items())])
    parameters.validate(variables | values, variables["__annotations__"], cells=[cell, injected])


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_parameter_has_its_row_on_the_page_about_rerunning(name):
    rows = staging.parameters_of(pairs.from_text(ROOT / "notebooks" / f"{name}.md"))
    assert {row["parameter"] for row in rows} == set(papermill.inspect_notebook(
        str(ROOT / "notebooks" / f"{name}.ipynb")
    )) - {"output_dir"}  # fmt: skip
    assert all(row["value"] and row["meaning"] and " " in row["allowed"] for row in rows), "ranges in words"


@pytest.mark.parametrize("name", CHAPTERS)
def test_bad_parameters_stop_a_notebook(name, tmp_path):
    with pytest.raises(ValueError, match="unknown parameter n_pears: this notebook has"):
        begin(name, tmp_path, n_pears=3)
    with pytest.raises(ValueError, match="output_dir"):
        begin(name, "")
    parameter = next(iter(papermill.inspect_notebook(str(ROOT / "notebooks" / f"{name}.ipynb"))))
    with pytest.raises(ValueError, match=f"parameter {parameter} must be"):
        begin(name, tmp_path, **{parameter: {"neither": "number nor text"}})


def test_a_label_belongs_to_one_place():
    named = re.compile(r"^\s*(?:name|:name|:label): (\S+)$", re.MULTILINE)
    texts = [
        path.read_text(encoding="utf-8") for folder in ("notebooks", "book") for path in (ROOT / folder).glob("*.md")
    ]
    labels = [label for text in texts for label in named.findall(text) if label != "python3"]
    assert len(labels) > 150
    assert len(set(labels)) == len(labels), sorted({label for label in labels if labels.count(label) > 1})


def test_a_record_belongs_to_one_chapter():
    asked = re.compile(r'run\.(?:holds|share|agrees|untested)\(\s*f?"([^"]+)"')
    texts = {name: (ROOT / "notebooks" / f"{name}.md").read_text(encoding="utf-8") for name in CHAPTERS}
    where = [(record, name) for name, text in texts.items() for record in set(asked.findall(text))]
    assert len(where) > 100
    assert len(dict(where)) == len(where), sorted(pair for pair in where if pair not in dict(where).items())


@pytest.mark.parametrize("name", CHAPTERS)
def test_cells_stay_short_and_do_not_scroll(name):
    for cell in pairs.from_text(ROOT / "notebooks" / f"{name}.md").cells:
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            assert len(lines) <= 25
            # A parameter and its comment, which papermill shows, stay on one line.
            widest = 120 if "parameters" in cell.metadata.get("tags", []) else 100
            assert not [line for line in lines if len(line) > widest]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_cell_with_a_caption_displays_its_figure_alone(name):
    """Sphinx would give the caption and the label to every output of the cell."""
    for cell in pairs.from_text(ROOT / "notebooks" / f"{name}.md").cells:
        if "figure" in cell.metadata.get("mystnb", {}):
            assert len(re.findall(r"run\.figure\(|run\.show\(|display\(", cell.source)) == 1, cell.source
            several = r"run\.(say|holds|share|agrees|paper_and_this_run|finish)\("
            assert not re.search(several, cell.source), cell.source


@pytest.fixture
def pair(tmp_path):
    """A text and its notebook, just paired."""
    text = tmp_path / "01_tiny.md"
    text.write_text(TINY)
    assert "has no" in pairs.mismatch(text)
    assert pairs.synchronise(tmp_path) == ["01_tiny.md -> 01_tiny.ipynb"]
    assert pairs.mismatch(text) is None and pairs.synchronise(tmp_path) == []
    return text, text.with_suffix(".ipynb")


def edit(notebook, source="dim + 2"):
    node = nbformat.read(notebook, as_version=4)
    node.cells[-1].source = source
    node.cells[-1].outputs = [nbformat.v4.new_output("stream", text="5")]
    nbformat.write(node, notebook)


def test_edits_of_the_text_reach_the_notebook_and_other_cells_keep_their_identity(pair):
    text, notebook = pair
    before = [cell.id for cell in nbformat.read(notebook, as_version=4).cells]
    text.write_text(TINY.replace("dim + 1", "dim + 3"))
    assert "differ" in pairs.mismatch(text)
    pairs.write_notebook(text)
    node = nbformat.read(notebook, as_version=4)
    assert node.cells[-1].source == "dim + 3" and [cell.id for cell in node.cells][:-1] == before[:-1]
    assert pairs.mismatch(text) is None


def test_edits_of_a_notebook_reach_the_text_without_other_changes(pair):
    text, notebook = pair
    long = "A caption of one long line, " * 8
    text.write_text(TINY.replace(":tags: [parameters]", f"---\ntags: [parameters]\nnote: |\n  {long}\n---"))
    pairs.write_notebook(text)
    before = text.read_text()
    edit(notebook)
    assert "holds outputs" in pairs.mismatch(text)
    assert pairs.synchronise(text.parent) == ["01_tiny.ipynb -> 01_tiny.md"]
    assert text.read_text() == before.replace("dim + 1", "dim + 2")
    assert pairs.mismatch(text) is None


def test_outputs_alone_are_dropped(pair):
    text, notebook = pair
    edit(notebook, "dim + 1")
    pairs.synchronise(text.parent)
    assert pairs.mismatch(text) is None and text.read_text() == TINY


def test_an_edited_notebook_is_never_overwritten(pair):
    text, notebook = pair
    edit(notebook)
    later = notebook.stat().st_mtime + 10
    os.utime(text, (later, later))
    with pytest.raises(ValueError, match=r"01_tiny\.ipynb was edited and 01_tiny\.md lacks the edit: make sync"):
        pairs.write_notebook(text)
    assert "dim + 2" in notebook.read_text()


def test_two_edited_files_are_refused_until_one_is_deleted(pair):
    text, notebook = pair
    edit(notebook)
    text.write_text(TINY.replace("Words", "Other words"))
    with pytest.raises(ValueError, match="both edited since they were paired: delete the one to drop"):
        pairs.synchronise(text.parent)
    assert "dim + 2" in notebook.read_text() and "Other words" in text.read_text()
    text.unlink()
    assert pairs.synchronise(text.parent) == ["01_tiny.ipynb -> 01_tiny.md"]
    assert "dim + 2" in text.read_text() and pairs.mismatch(text) is None


def test_a_damaged_notebook_is_named(pair):
    text, notebook = pair
    notebook.write_text(notebook.read_text()[:100])
    with pytest.raises(ValueError, match=r"01_tiny\.ipynb must be a notebook, but it cannot be read"):
        pairs.write_notebook(text)


def test_a_text_without_header_is_refused(tmp_path):
    (tmp_path / "01_x.md").write_text("# Just words\n")
    with pytest.raises(ValueError, match=r"01_x\.md must be a MyST notebook"):
        pairs.from_text(tmp_path / "01_x.md")


def test_dependencies_follow_imports_and_named_data(tmp_path):
    src = tmp_path / "src"
    package = src / "constellations"
    (package / "sub").mkdir(parents=True)
    (package / "data").mkdir()
    for name, code in {
        "__init__": "",
        "a": "from constellations import b\n",
        "b": "import numpy\nimport constellations.sub.c\n",
        "alone": "",
        "sub/__init__": "",
        "sub/c": 'TABLE = "known"\n',
        "sub/__main__": "import constellations.alone\n",
    }.items():
        (package / f"{name}.py").write_text(code)
    (package / "data" / "known.csv").write_text("")
    (package / "data" / "other.csv").write_text("")
    text = tmp_path / "01_x.md"
    text.write_text(TINY.replace("dim + 1", "from constellations import a"))
    found = {str(path.relative_to(package)) for path in rules.sources_of(text, src)}
    assert found == {"__init__.py", "a.py", "b.py", "sub/__init__.py", "sub/c.py", "data/known.csv"}
    text.write_text(TINY.replace("dim + 1", "dim +"))
    with pytest.raises(ValueError, match=r"01_x\.md must hold valid Python"):
        rules.sources_of(text, src)
