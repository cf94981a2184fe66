"""Notebook pairs: equal in content, without outputs, parameters that explain themselves, profiles that fit."""

import os
import re
from pathlib import Path

import nbformat
import papermill
import pytest
import yaml

from companion.pages import pairs, profiles, rules, staging

ROOT = Path(__file__).resolve().parents[1]
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
        cell.source
        for cell in pairs.from_text(ROOT / "notebooks" / f"{name}.md").cells
        if cell.cell_type == "code"
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
    listed = [
        entry.removeprefix("notebooks/") for entry in staging.contents(ROOT) if entry.startswith("notebooks/")
    ]
    assert CHAPTERS and listed == CHAPTERS


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


@pytest.mark.parametrize("name", CHAPTERS)
def test_bad_parameters_stop_a_notebook(name, tmp_path):
    with pytest.raises(ValueError, match="unknown parameter n_pears: this notebook has"):
        begin(name, tmp_path, n_pears=3)
    with pytest.raises(ValueError, match="output_dir"):
        begin(name, "")
    parameter = next(iter(papermill.inspect_notebook(str(ROOT / "notebooks" / f"{name}.ipynb"))))
    with pytest.raises(ValueError, match=f"parameter {parameter} must be"):
        begin(name, tmp_path, **{parameter: {"neither": "number nor text"}})


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
            assert cell.source.count("run.figure(") + cell.source.count("display(") == 1, cell.source
            assert not re.search(r"run\.(say|paper_and_this_run|finish)\(", cell.source), cell.source


def test_a_pair_is_made_kept_and_followed_both_ways(tmp_path):
    text, notebook = tmp_path / "01_tiny.md", tmp_path / "01_tiny.ipynb"
    text.write_text(TINY)
    assert "has no" in pairs.mismatch(text)
    assert pairs.synchronise(tmp_path) == ["01_tiny.md -> 01_tiny.ipynb"]
    first = notebook.read_text()
    assert pairs.mismatch(text) is None and not pairs.write_notebook(text)
    node = nbformat.read(notebook, as_version=4)
    node.cells[-1].source = "dim + 2"
    node.cells[-1].outputs = [nbformat.v4.new_output("stream", text="5")]
    nbformat.write(node, notebook)
    assert "holds outputs" in pairs.mismatch(text)
    later = text.stat().st_mtime + 10
    os.utime(notebook, (later, later))
    assert pairs.synchronise(tmp_path) == ["01_tiny.ipynb -> 01_tiny.md"]
    assert text.read_text() == TINY.replace("dim + 1", "dim + 2")
    assert pairs.mismatch(text) is None and notebook.read_text() != first


def test_cell_identities_do_not_depend_on_other_cells(tmp_path):
    text = tmp_path / "01_tiny.md"
    text.write_text(TINY)
    before = [cell.id for cell in pairs.from_text(text).cells]
    text.write_text(TINY.replace("Words.", "Other words."))
    after = [cell.id for cell in pairs.from_text(text).cells]
    assert before[0] != after[0] and before[1:] == after[1:] and len(set(before)) == len(before)


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
