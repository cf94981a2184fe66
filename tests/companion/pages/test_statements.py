"""The statement map: labels, names, arrows; no dead and no circular reference in the book."""

import graphlib
import re

import pytest

from companion.pages import staging, statements

PAGE = """# Chapter

```{prf:theorem} Theorem 3.3 of the paper, with a number
:label: thm-3-3
% uses: lem-ours
Words.
```

```{prf:lemma} Nice (ours)
:label: lem-ours
% mentions: thm-3-3
Words {prf:ref}`def-x`.
```

```{prf:proof}
As in {prf:ref}`thm-3-3`.
```

```{prf:definition} Thing
:label: def-x
```

```{prf:conjecture}
:label: conj-x
% status: open
```
"""


def problems(found: list[statements.Statement]) -> list[str]:
    """Labels given twice, uses that lead nowhere, and circles, in words."""
    uses = {statement.label: set(statement.uses) for statement in found}
    labels = [statement.label for statement in found]
    said = [f"{label} is given twice" for label in sorted(uses) if labels.count(label) > 1]
    said += [f"{label} uses {used}: no such statement" for label in uses for used in sorted(uses[label] - set(uses))]
    try:
        tuple(graphlib.TopologicalSorter(uses).static_order())
    except graphlib.CycleError as error:
        said.append(f"a circle: {' uses '.join(reversed(error.args[1]))}")
    return said


@pytest.fixture
def read(tmp_path):
    def write_and_read(text):
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        (tmp_path / "notebooks" / "04_x.md").write_text(text)
        return statements.read(tmp_path, ["book/index", "notebooks/04_x"])

    return write_and_read


def test_the_book_has_no_dead_and_no_circular_reference(root):
    found = statements.read(root, staging.contents(root))
    assert len(found) > 40 and problems(found) == []
    assert {one.label: one.status for one in found}["thm-sandwich"] == "proved"  # its proof is in a fold


def test_names_uses_and_status_are_read(read):
    theorem, lemma, definition, conjecture = read(PAGE)
    assert (theorem.name, theorem.item, theorem.status, theorem.uses) == (
        "Theorem 3.3", "theorem-3.3", "cited", ("lem-ours",),
    )  # fmt: skip
    assert (lemma.name, lemma.heading, lemma.status) == ("Lemma 4A", "Lemma 4A. Nice (ours)", "proved")
    assert lemma.uses == ("def-x",) and definition.status == "defined"
    assert (conjecture.name, conjecture.heading, conjecture.status) == ("Conjecture 4C", "Conjecture 4C", "open")


def test_the_map_links_every_statement_and_draws_every_use(read):
    found = read(PAGE)
    data = statements.as_data(found, {"theorem-3.3": "reproduced"})
    assert data[1]["used_by"] == ["thm-3-3"] and data[0]["verdict"] == "reproduced"
    page = statements.page(data, {"notebooks/04_x": "A < B"})
    assert re.findall(r'href="([^"]+)"', page) == [f"../notebooks/04_x.html#{one.label}" for one in found]
    assert set(re.findall(r'data-from="(\S+)" data-to="(\S+)"', page)) == {
        ("lem-ours", "thm-3-3"),
        ("def-x", "lem-ours"),
    }
    assert "A &lt; B" in page and "\n\n" not in page


def test_examples_of_markup_are_no_statements(read):
    assert read("````md\n```{prf:theorem} T\n:label: thm-x\n```\n````\n" + PAGE) == read(PAGE)


def test_faults_are_named(read):
    assert problems(read(PAGE.replace("% uses: lem-ours", "% uses: gone"))) == ["thm-3-3 uses gone: no such statement"]
    assert "a circle" in problems(read(PAGE.replace("% mentions: thm-3-3\n", "")))[0]
    assert problems(read(PAGE.replace("conj-x", "def-x")))[0] == "def-x is given twice"
    with pytest.raises(ValueError, match=r"04_x\.md: the lemma 'Nice \(ours\)' must have a :label:"):
        read(PAGE.replace(":label: lem-ours\n", ""))
    with pytest.raises(ValueError, match=r"status of conj-x must be one of proved, .* got 'closed'"):
        read(PAGE.replace("status: open", "status: closed"))


def test_proofs_begin_with_words(root):
    """A comment in the first line would be printed after the word Proof."""
    for path in sorted((root / "notebooks").glob("*.md")):
        assert not re.search(r"^```\{prf:proof\}\n%", path.read_text(), re.MULTILINE), path.name
