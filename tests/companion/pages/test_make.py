"""The Makefile at work on a book of two tiny chapters: what is rerun, what an error says, what an interruption leaves."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from companion.pages import profiles, staging

ROOT = Path(__file__).resolve().parents[3]
CHAPTER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Chapter {number}

Found by {{cite}}`someone2020work`.

```{{code-cell}} ipython3
:tags: [parameters]

from companion.chapter import Folder, Real

seconds: Real = 0.0  # how long to sleep
output_dir: Folder = "_build/local"  # where results are written
```

```{{code-cell}} ipython3
from companion import chapter
{line}
run = chapter.begin("{name}", globals())
```

```{{code-cell}} ipython3
import time

time.sleep(seconds)
run.holds("a/holds", "one < two & $x$", 1.0, "<=", 2.0)
run.share("a/fails", "never", [False], published="yes")
run.finish()
```
"""
WORK = "@book{someone2020work, title={A work}, author={Some One}, year={2020}, publisher={A house}}\n"
CONTENTS = """format: jb-book
root: book/index
parts:
  - caption: Chapters
    chapters:
      - file: notebooks/01_first
      - file: notebooks/02_second
  - caption: Back
    chapters:
      - file: book/scoreboard
"""


def make(project, *arguments):
    """Run make in a project as from a shell; returns status and everything printed."""
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", "READY=requirements.lock", "PROFILE=quick", *arguments]
    done = subprocess.run(command, cwd=project, env=environment, text=True, capture_output=True, check=False)
    return done.returncode, done.stdout + done.stderr


def ran(output):
    return [line.removeprefix("running ") for line in output.splitlines() if line.startswith("running ")]


def small_book(folder):
    """A book of two tiny chapters with this project's source, environment, Makefile and configuration."""
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("Makefile", "_config.yml", "requirements.lock"):
        shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (folder / "notebooks").mkdir()
    for number, name, line in ((1, "01_first", "from constellations import sphere"), (2, "02_second", "")):
        (folder / "notebooks" / f"{name}.md").write_text(CHAPTER.format(number=number, name=name, line=line))
        for profile in profiles.PROFILES:
            (folder / "profiles" / profile).mkdir(parents=True, exist_ok=True)
            (folder / "profiles" / profile / f"{name}.yml").write_text("{}\n")
    for name in ("_static", "_templates"):
        shutil.copytree(ROOT / "book" / name, folder / "book" / name)
    (folder / "book" / "references.bib").write_text(WORK)
    text = "# Book\n\n```{include} generated/glance.md\n```\n\n```{bibliography}\n```\n"
    (folder / "book" / "index.md").write_text(text)
    (folder / "book" / "scoreboard.md").write_text("# Scores\n\n```{include} generated/scoreboard.md\n```\n")
    (folder / "_toc.yml").write_text(CONTENTS)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return small_book(tmp_path_factory.mktemp("project"))


@pytest.mark.notebooks
def test_a_book_is_built_once_and_only_what_changed_is_built_again(project):
    status, output = make(project, "book")
    assert status == 0, output
    assert sorted(ran(output)) == ["01_first", "02_second"]
    html = project / "_build" / "quick" / "html"
    assert "a/fails" in (html / "book" / "scoreboard.html").read_text()
    assert "one &lt; two &amp; $x$" in (html / "book" / "scoreboard.html").read_text()
    assert "claims of the paper: 0 of 2 hold, 2 differ" in (html / "book" / "index.html").read_text()
    written = (html / "book" / "index.html").stat().st_mtime_ns
    status, output = make(project, "book")
    assert status == 0 and ran(output) == [] and (html / "book" / "index.html").stat().st_mtime_ns == written
    for touched, expected in {
        "notebooks/02_second.md": ["02_second"],
        "notebooks/01_first.ipynb": ["01_first"],
        "profiles/quick/01_first.yml": ["01_first"],
        "src/constellations/sphere.py": ["01_first"],
        "src/companion/chapter/records.py": ["01_first", "02_second"],
        "src/constellations/modality_gap/fixed_side.py": [],
    }.items():
        (project / touched).touch()
        status, output = make(project, "executed")
        assert status == 0 and sorted(ran(output)) == expected, (touched, output)


@pytest.mark.notebooks
def test_a_module_that_becomes_a_package_is_followed(project):
    status, output = make(project, "executed")
    assert status == 0, output
    module = project / "src" / "constellations" / "sphere.py"
    package = module.with_suffix("") / "__init__.py"
    package.parent.mkdir()
    module.rename(package)
    package.touch()
    status, output = make(project, "executed")
    package.rename(module)
    package.parent.rmdir()
    assert status == 0 and ran(output) == ["01_first"], output


@pytest.mark.notebooks
def test_an_interrupted_or_failed_notebook_leaves_nothing_that_is_trusted(project):
    profile = project / "profiles" / "quick" / "02_second.yml"
    executed = project / "_build" / "quick" / "executed" / "02_second.ipynb"
    assert make(project, "executed")[0] == 0 and executed.exists()
    profile.write_text("seconds: 600\n")
    command = ["make", "READY=requirements.lock", "PROFILE=quick", "executed"]
    process = subprocess.Popen(command, cwd=project, start_new_session=True, stderr=subprocess.DEVNULL)
    until = time.perf_counter() + 60
    while not executed.with_name(".02_second.unfinished.ipynb").exists() and time.perf_counter() < until:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()
    assert not executed.exists()
    profile.write_text("seconds: minus one\n")
    status, output = make(project, "executed")
    assert status != 0 and not executed.exists()
    assert "parameter seconds must be a finite number, got 'minus one'" in output
    profile.write_text("n_pears: 3\n")
    status, output = make(project, "executed")
    assert status != 0 and "unknown parameter n_pears: this notebook has output_dir, seconds" in output
    profile.write_text("{}\n")
    status, output = make(project, "executed")
    assert status == 0 and ran(output) == ["02_second"] and executed.exists()


@pytest.mark.notebooks
def test_one_notebook_is_run_with_its_profile_and_other_parameters(project):
    profile = project / "profiles" / "quick" / "01_first.yml"
    page = project / "_build" / "local" / "html" / "notebooks" / "01_first.html"
    profile.write_text("seconds: 0.125\n")
    for given, shown in (("", "0.125"), ("-p seconds 0.25", "0.25")):
        status, output = make(project, "notebook", "NB=01", f"PARAMS={given}")
        assert status == 0, output
        assert f"Open {page.relative_to(project)}" in output and shown in page.read_text()
    profile.write_text("{}\n")
    assert re.search(r'<a [^>]*href="#[^"]+"[^>]*>One, 2020', page.read_text()), "a work that is cited"


@pytest.mark.notebooks
@pytest.mark.parametrize(("given", "expected"), [
    ("-p second 5", "unknown parameter second: this notebook has output_dir, seconds"),
    ("-p seconds no", "parameter seconds must be a finite number, got 'no'"),
    ("-p seconds", "requires 2 arguments"),
])  # fmt: skip
def test_a_notebook_refuses_parameters_in_one_line(project, given, expected):
    status, output = make(project, "notebook", "NB=01", f"PARAMS={given}")
    (line,) = [line for line in output.splitlines() if line.startswith("error:")]
    assert status != 0 and expected in line and "Traceback" not in output


@pytest.mark.notebooks
def test_a_published_book_knows_its_address_and_another_claims_none(project, monkeypatch):
    html = project / "_build" / "quick" / "html"
    for address in ("", "https://pages.example/my-book"):
        monkeypatch.setenv(staging.ADDRESS_VARIABLE, address)
        (html / ".complete").unlink(missing_ok=True)
        status, output = make(project, "book")
        assert status == 0, output
        head = (html / "notebooks" / "01_first.html").read_text().partition("</head>")[0]
        links = re.findall(r'(?:property="og:(?:image|url)" content|rel="canonical" href)="([^"]*)"', head)
        assert set(links) == (
            {f"{address}/notebooks/01_first.html", f"{address}/_static/hero.png"} if address else set()
        )
        assert (html / "sitemap.xml").exists() == (html / "404.html").exists() == bool(address)
    listed = re.findall(r"<loc>(.*)</loc>", (html / "sitemap.xml").read_text())
    pages = ("book/index", "book/scoreboard", "notebooks/01_first", "notebooks/02_second")
    assert listed == [f"{address}/{page}.html" for page in pages]
    assert f'<base href="{address}/" />' in (html / "404.html").read_text().partition("<link")[0]


@pytest.mark.notebooks
def test_a_missing_kernel_is_named(project, tmp_path):
    command = [
        sys.executable,
        "-m",
        "papermill",
        "-k",
        "fortran",
        "notebooks/02_second.ipynb",
        str(tmp_path / "out.ipynb"),
    ]
    assert make(project, "notebooks/02_second.ipynb")[0] == 0
    done = subprocess.run(command, cwd=project, text=True, capture_output=True, check=False)
    assert done.returncode != 0 and "No such kernel named fortran" in done.stderr


def test_targets_explain_themselves_and_refuse_what_they_cannot_do(project):
    status, output = make(project, "help")
    assert status == 0
    for target in ("book", "test", "sync", "serve", "clean", "notebook", "lock"):
        assert f"make {target} " in output
    assert "NB=99 must begin the name of a notebook: 01_first 02_second" in make(project, "notebook", "NB=99")[1]
    assert "run make book PROFILE=gpu" in make(project, "serve", "PROFILE=gpu")[1]
    assert "PROFILE must be one of paper, quick, gpu, got 'fast'" in make(project, "book", "PROFILE=fast")[1]


def test_profiles_must_fit_the_notebooks(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "profiles" / "quick").mkdir(parents=True)
    (tmp_path / "notebooks" / "01_first.md").write_text("")
    with pytest.raises(ValueError, match=r"profiles/quick/01_first\.yml is missing"):
        profiles.check(tmp_path, "quick")
    (tmp_path / "profiles" / "quick" / "01_first.yml").write_text("{}")
    profiles.check(tmp_path, "quick")
    (tmp_path / "profiles" / "quick" / "07_gone.yml").write_text("{}")
    with pytest.raises(ValueError, match=r"profiles/quick/07_gone\.yml names no notebook: there are 01_first"):
        profiles.check(tmp_path, "quick")


def test_staging_refuses_contents_that_do_not_fit(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_first.md").write_text("")
    (tmp_path / "_toc.yml").write_text(CONTENTS)
    with pytest.raises(ValueError, match="look at 02_second"):
        staging.stage(tmp_path, tmp_path / "_build")
