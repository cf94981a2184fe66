"""The reference names every room of the library, citations have entries, the landing page its picture and number."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import yaml
from sphinx.ext.napoleon import NumpyDocstring

import constellations
from constellations import bounds, sphere, training

ROOT = Path(__file__).parents[1]
# Tables are read by name.
NOT_LISTED = {"data"}


def test_reference_lists_every_module() -> None:
    pages = "\n".join(path.read_text() for path in (ROOT / "book").glob("api_*.md"))
    listed = re.findall(r"automodule:: constellations\.(\S+)", pages)
    assert len(listed) == len(set(listed))
    modules = {module.name for module in pkgutil.iter_modules(constellations.__path__)} - NOT_LISTED
    assert modules <= set(listed), f"the reference lacks {sorted(modules - set(listed))}"
    assert {name for name in listed if "." not in name} <= modules


def test_the_reference_begins_with_ten_public_names() -> None:
    names = re.findall(r"^   ~(\S+)\.(\w+)$", (ROOT / "book" / "api.md").read_text(), flags=re.MULTILINE)
    assert len(names) == 10
    for module, name in names:
        assert name in importlib.import_module(module).__dict__, f"{module}.{name}"


def test_every_citation_has_its_entry_and_every_entry_is_cited() -> None:
    keys = re.findall(r"^@\w+\{(\w+),", (ROOT / "book" / "references.bib").read_text(), flags=re.MULTILINE)
    assert len(keys) == len(set(keys))
    texts = [path.read_text() for folder in ("notebooks", "book") for path in (ROOT / folder).glob("*.md")]
    groups = [group for text in texts for group in re.findall(r"\{cite\w*(?::\w+)?\}`([^`]+)`", text)]
    cited = {key.strip() for group in groups for key in group.split(",")}
    assert cited == set(keys), f"missing: {sorted(cited - set(keys))}; not cited: {sorted(set(keys) - cited)}"


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


def test_commands_of_the_readme_exist() -> None:
    """Each prints its help, and the one that needs no file runs as it is printed."""
    lines = re.findall(r"^python -m ([^#\n]+)", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert len(lines) >= 3
    for words in map(str.split, lines):
        given = words if words[0] == "constellations.bounds" else [*words[:1], "--help"]
        done = subprocess.run([sys.executable, "-m", *given], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and done.stdout, (words, done.stderr)


def reference() -> Iterator[tuple[str, Callable[..., object]]]:
    """The public functions and classes that the reference shows, without the internals."""
    pages = [path.read_text() for path in (ROOT / "book").glob("api_*.md") if path.stem != "api_internals"]
    for name in re.findall(r"automodule:: (\S+)", "\n".join(pages)):
        for public, one in vars(importlib.import_module(name)).items():
            if not public.startswith("_") and callable(one) and getattr(one, "__module__", "").startswith(name):
                yield f"{name}.{public}", one


def test_every_parameter_of_the_reference_is_described() -> None:
    """In its docstring, or by what its name means throughout."""
    known = yaml.safe_load((ROOT / "book" / "_templates" / "parameters.yml").read_text())
    for name, function in reference():
        if inspect.isfunction(function):
            words = set(re.findall(r"\w+", function.__doc__ or ""))
            lost = set(inspect.signature(function).parameters) - words - set(known)
            assert not lost, f"{name} says nothing of {sorted(lost)}"


def test_every_parameter_that_is_described_exists() -> None:
    """An example under the head of the parameters would be read as more of them."""
    found = 0
    for name, one in reference():
        fields = str(NumpyDocstring(inspect.getdoc(one) or ""))
        listed = [word.lstrip("*") for word in re.findall(r"^:param (.*?):", fields, re.MULTILINE)]
        taken = inspect.signature(one).parameters if listed else ()
        assert set(listed) <= set(taken), f"{name} describes {listed}"
        assert not re.search(r"^:\w.*>>>", fields.replace("\n  ", " "), re.MULTILINE), name
        found += len(listed)
    assert found > 50


def test_the_landing_page_gives_the_dimension_of_a_billion_pairs() -> None:
    low, high = bounds.required_dimension(1e9, 0.07, 0.07)
    text = (ROOT / "book" / "index.md").read_text()
    assert f"a billion, at margin and relative bias 0.07, need between {low} and {high} dimensions" in text
