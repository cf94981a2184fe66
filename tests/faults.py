"""What goes wrong on real machines: one clear line each, and the earlier book as it was. Run by ``make faults``."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("book_of_two", ROOT / "tests" / "companion" / "pages" / "test_make.py")
book_of_two = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(book_of_two)
make, small_book = book_of_two.make, book_of_two.small_book
KILLS = 10


def html(project: Path) -> dict[str, bytes]:
    folder = project / "_build" / "quick" / "html"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.html"))}


def computed(project: Path) -> list[dict[str, object]]:
    """What a rerun must reproduce: all of the results files but their wall time and environment."""
    paths = sorted((project / "_build" / "quick" / "results").glob("*.json"))
    return [json.loads(path.read_text()) | dict.fromkeys(("run", "environment")) for path in paths]


def started(project: Path, *goals: str, output=subprocess.DEVNULL) -> subprocess.Popen:
    command = ["make", "READY=requirements.lock", "PROFILE=quick", *goals]
    hidden = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.Popen(
        command, cwd=project, env=environment, start_new_session=True, text=True, stdout=output, stderr=subprocess.STDOUT,
    )  # fmt: skip


def one_line(output: str, expected: str) -> None:
    """Exactly one line of an error, which says what is expected, and no traceback."""
    errors = [line for line in output.splitlines() if re.match(r"error:|Error:", line)]
    assert "Traceback" not in output and len(errors) == 1 and re.search(expected, errors[0]), output


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A built book in a folder with spaces, accents and brackets."""
    folder = tmp_path_factory.mktemp("faults") / "mon étude [1]" / "a book"
    folder.mkdir(parents=True)
    small_book(folder)
    status, output = make(folder, "book")
    assert status == 0, output
    return folder


def test_killed_at_random_moments_the_results_are_the_same(project):
    expected, moments = computed(project), random.Random(0)
    for _ in range(KILLS):
        for path in (project / "notebooks").glob("*.md"):
            path.touch()
        process = started(project, "book")
        time.sleep(moments.uniform(0.5, 20))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert html(project), "the earlier book is gone"
    status, output = make(project, "book")
    assert status == 0 and computed(project) == expected, output


def test_two_builds_at_once_both_end_well(project):
    for goals in ((["notebook", "NB=01"], ["notebook", "NB=02"]), (["book"], ["book"])):
        (project / "notebooks" / "01_first.md").touch()
        both = [started(project, *each, output=subprocess.PIPE) for each in goals]
        outputs = [process.communicate()[0] for process in both]
        assert [process.returncode for process in both] == [0, 0], outputs
        assert any("another build of this checkout runs" in output for output in outputs)


def test_a_damaged_results_file_is_named_with_its_remedy(project):
    before = html(project)
    path = project / "_build" / "quick" / "results" / "02_second.json"
    kept = path.read_text()
    path.write_text(kept[:40])
    (project / "_toc.yml").touch()
    status, output = make(project, "book")
    path.write_text(kept)
    assert status != 0 and html(project) == before
    one_line(output, r"02_second\.json is damaged: delete .*02_second\.ipynb, and make book runs this chapter again")


def test_a_foreign_notebook_is_named(project):
    before = html(project)
    foreign = project / "notebooks" / "99_mine.md"
    shutil.copy(project / "notebooks" / "01_first.md", foreign)
    status, output = make(project, "book")
    foreign.unlink()
    assert status != 0 and html(project) == before
    one_line(output, r"profiles/quick/99_mine\.yml is missing: each notebook needs one")


@pytest.mark.parametrize(("values", "expected"), [
    ("seconds: '__import__(\"os\").system(\"touch owned\")'\n", "parameter seconds must be"),
    ("seconds: '0.0\\nopen(\"owned\", \"w\")'\n", "parameter seconds must be"),
    ("seconds: .nan\n", "parameter seconds must be"),
    ("n_pears: 1\n", "unknown parameter n_pears"),
    ("seconds: [unclosed\n", "01_first"),
])  # fmt: skip
def test_hostile_parameters_stop_in_one_line(project, values, expected):
    before, profile = html(project), project / "profiles" / "quick" / "01_first.yml"
    profile.write_text(values)
    status, output = make(project, "book")
    profile.write_text("{}\n")
    assert status != 0 and html(project) == before and not list(project.rglob("owned"))
    one_line(output, expected)


def test_an_incomplete_parameter_does_not_swallow_the_path(project):
    status, output = make(project, "notebook", "NB=1", "PARAMS=-p seconds=5")
    assert status != 0
    one_line(output, "Option '-p' requires 2 arguments")


def test_a_failed_page_leaves_the_earlier_book(project):
    before, page = html(project), project / "book" / "index.md"
    kept = page.read_text()
    page.write_text(kept + "\n{doc}`nowhere`\n")
    status, output = make(project, "book")
    page.write_text(kept)
    assert status != 0 and html(project) == before
    one_line(output, "the pages could not be made")


def test_a_full_disk_is_one_line(project, tmp_path):
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", tmp_path]).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        with open(tmp_path / "fill", "wb") as file, pytest.raises(OSError):
            while True:
                file.write(bytes(2**16))
                file.flush()
        before = html(project)
        (project / "_build").rename(project / "kept")
        (project / "_build").symlink_to(tmp_path)
        status, output = make(project, "book")
        (project / "_build").unlink()
        (project / "kept").rename(project / "_build")
        assert status != 0 and html(project) == before
        one_line(output, "cannot write to .*, where the book is built: No space left on device")
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_folder_that_cannot_be_written_is_one_line(project, tmp_path):
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", tmp_path]).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        (project / "_build").rename(project / "kept")
        (project / "_build").symlink_to(tmp_path)
        status, output = make(project, "book")
        (project / "_build").unlink()
        (project / "kept").rename(project / "_build")
        assert status != 0
        one_line(output, "cannot write to .*, where the book is built: Read-only file system")
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_missing_browser_is_one_line_and_no_failure(project, tmp_path):
    target = ROOT / "tests" / "companion" / "pages" / "test_browser.py"
    environment = os.environ | {"PATH": str(tmp_path), "CI": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-rs", str(target), "-k", "search"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and ("no Chromium found" in done.stdout or "build it with make book" in done.stdout)
