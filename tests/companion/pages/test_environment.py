"""environment.yml, pyproject.toml and requirements.lock describe one environment."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
CONDA_NAMES = {"pytorch": "torch"}
PYTHONS = ("3.11", "3.12", "3.13")


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared(*extras: str) -> dict[str, SpecifierSet]:
    """Requirements of the project with some extras, as name -> range."""
    content = project()
    lines = content["dependencies"] + [line for extra in extras for line in content["optional-dependencies"][extra]]
    ranges: dict[str, SpecifierSet] = {}
    for requirement in map(Requirement, lines):
        name = canonicalize_name(requirement.name)
        assert ranges.setdefault(name, requirement.specifier) == requirement.specifier, f"two ranges for {name}"
    return ranges


def conda() -> tuple[list[str], list[str]]:
    """The conda lines and the pip lines of environment.yml."""
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    plain = [line for line in dependencies if isinstance(line, str)]
    nested = [line for part in dependencies if isinstance(part, dict) for line in part["pip"]]
    return plain, nested


def locked() -> list[Requirement]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_conda_and_pyproject_agree() -> None:
    plain, nested = conda()
    requirements = [Requirement(line) for line in plain + nested if not line.startswith("-")]
    found = {
        canonicalize_name(CONDA_NAMES.get(requirement.name, requirement.name)): requirement.specifier
        for requirement in requirements
        if requirement.name not in ("python", "pip")
    }
    assert found == declared("book", "pretrained")


def test_conda_installs_the_library_itself() -> None:
    assert "--editable ." in conda()[1]


def test_conda_python_is_what_the_lock_supports() -> None:
    (line,) = (line for line in conda()[0] if line.startswith("python"))
    allowed = Requirement(line).specifier
    assert [minor for minor in range(8, 20) if allowed.contains(f"3.{minor}.5")] == [11, 12, 13]
    assert SpecifierSet(project()["requires-python"]) == SpecifierSet(">=3.11")


@pytest.mark.parametrize("python", PYTHONS)
def test_lock_pins_every_requirement_inside_its_range(python: str) -> None:
    machine = {"python_version": python, "python_full_version": f"{python}.5", "sys_platform": "linux",
               "platform_machine": "x86_64", "implementation_name": "cpython"}  # fmt: skip
    pins: dict[str, str] = {}
    for requirement in locked():
        if requirement.marker is None or requirement.marker.evaluate(machine):
            name = canonicalize_name(requirement.name)
            assert name not in pins, f"{name} is pinned twice on Python {python}"
            pins[name] = next(iter(requirement.specifier)).version
    for name, allowed in declared("book", "pretrained", "sweep", "test").items():
        assert name in pins, f"requirements.lock lacks {name} on Python {python}"
        assert allowed.contains(pins[name]), f"{name}=={pins[name]} is outside {allowed}"
    assert pins["torch"] == "2.13.0"


def test_lock_holds_exact_pins_and_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text and "--" not in text and "@" not in text
    for requirement in locked():
        (specifier,) = requirement.specifier
        assert specifier.operator == "==" and "*" not in specifier.version, str(requirement)


def test_no_address_of_a_package_index_in_the_build_files() -> None:
    files = [ROOT / name for name in ("Makefile", "pyproject.toml", "environment.yml", "requirements.lock")]
    files += sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    for path in files:
        assert not re.search(
            r"index[-_]url|extra-index|pypi\.|simple/", path.read_text().replace("--no-emit-index-url", "")
        ), path.name


def test_citation_and_metadata_name_the_same_version_and_licences() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == project()["version"]
    assert " AND ".join(citation["license"]) == project()["license"]
    assert citation["preferred-citation"]["title"] == "Global Minimizers of Sigmoid Contrastive Loss"
    assert f"## {project()['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_citation_archive_and_package_name_one_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    archived = json.loads((ROOT / ".zenodo.json").read_text())
    assert cited["version"] == archived["version"] == project()["version"]
    assert cited["title"] == archived["title"]
    assert [one["name"] for one in cited["authors"]] == [one["name"] for one in archived["creators"]]
