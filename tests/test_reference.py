"""The reference names every room of the library, citations have entries, and the landing page's picture is right."""

from __future__ import annotations

import functools
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import constellations
from companion.figures.hero import hero
from constellations import constructions, sphere, training

ROOT = Path(__file__).parents[1]
# Tables are read by name.
NOT_LISTED = {"data"}


def test_reference_lists_every_module() -> None:
    listed = re.findall(r"automodule:: constellations\.(\S+)", (ROOT / "book" / "api.md").read_text())
    assert len(listed) == len(set(listed))
    modules = {module.name for module in pkgutil.iter_modules(constellations.__path__)} - NOT_LISTED
    assert modules <= set(listed), f"book/api.md lacks {sorted(modules - set(listed))}"
    assert {name for name in listed if "." not in name} <= modules


def test_every_citation_has_its_entry() -> None:
    keys = set(
        re.findall(r"^@\w+\{(\w+),", (ROOT / "book" / "references.bib").read_text(), flags=re.MULTILINE)
    )
    texts = [*sorted((ROOT / "notebooks").glob("*.md")), *sorted((ROOT / "book").glob("*.md"))]
    for path in texts:
        for group in re.findall(r"\{cite\w*(?::\w+)?\}`([^`]+)`", path.read_text(encoding="utf-8")):
            for key in group.split(","):
                assert key.strip() in keys, (
                    f"{path.name} cites {key.strip()}, which book/references.bib lacks"
                )


def test_bibliography_keys_are_unique() -> None:
    keys = re.findall(r"^@\w+\{(\w+),", (ROOT / "book" / "references.bib").read_text(), flags=re.MULTILINE)
    assert len(keys) == len(set(keys))


def test_hero_shows_every_inner_product_outside_the_gap() -> None:
    u, v = constructions.antiprism(8, relative_bias=0.3)
    number_line = hero(u, v).axes[1]
    marks = {line.get_label(): np.asarray(line.get_xdata()) for line in number_line.lines}
    matching, non_matching = marks["matching pairs"], marks["non-matching pairs"]
    assert (len(matching), len(non_matching)) == (8, 56)
    (span,) = number_line.patches
    low, high = span.get_x(), span.get_x() + span.get_width()
    assert matching.min() == pytest.approx(high) and non_matching.max() == pytest.approx(low)
    assert low < high


def test_hero_refuses_points_off_the_sphere() -> None:
    with pytest.raises(ValueError, match="norm 1"):
        hero(np.ones((4, 3)), np.ones((4, 3)))


def examples(page: str) -> list[str]:
    """The Python examples of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "book/rerun.md", "book/api.md", "book/extend.md"])
def test_examples_run(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With stand-ins for what the reader brings, and with short training."""
    short = functools.partial(training.synchronize, n_steps=20)
    monkeypatch.setattr(training, "synchronize", short)
    names = {
        "image_encoder": torch.nn.Linear(5, 4),
        "text_encoder": torch.nn.Linear(6, 4),
        "image_embeddings": sphere.random_points(8, 4, seed=0, stream=0),
        "text_embeddings": sphere.random_points(8, 4, seed=0, stream=1),
    }
    assert examples(page)
    for example in examples(page):
        exec(compile(example, page, "exec", dont_inherit=True), names)
