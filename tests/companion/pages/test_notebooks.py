"""The chapters as papermill ran them: complete, quiet, with their records, and the same when run again."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from companion.pages import profiles

ROOT = Path(__file__).resolve().parents[3]
CHAPTERS = profiles.notebooks(ROOT)
pytestmark = pytest.mark.notebooks


def executed(build, name):
    return nbformat.read(build / "executed" / f"{name}.ipynb", as_version=4)


def results(build, name):
    return json.loads((build / "results" / f"{name}.json").read_text())


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_cell_ran_in_order_and_in_silence(build, name):
    code = [cell for cell in executed(build, name).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.get("text")


@pytest.mark.parametrize("name", CHAPTERS)
def test_outputs_name_no_folder_of_this_machine(build, name):
    shown = json.dumps([cell.get("outputs", []) for cell in executed(build, name).cells])
    assert str(ROOT) not in shown and str(Path.home() / "") not in shown.replace(str(ROOT), "")


@pytest.mark.parametrize("name", CHAPTERS)
def test_results_hold_records_parameters_and_every_figure(build, name):
    content = results(build, name)
    assert content["notebook"] == name and content["records"] and content["run"]["seconds"] > 0
    ids = [record["id"] for record in content["records"]]
    assert len(set(ids)) == len(ids)
    for figure in content["figures"]:
        stem = build / "figures" / f"{name[:2]}_{figure}"
        endings = (".html",) if stem.with_suffix(".html").exists() else (".svg", ".png", ".npz")
        assert all(stem.with_suffix(ending).stat().st_size > 0 for ending in endings), figure


@pytest.mark.parametrize("name", CHAPTERS)
def test_theorems_held_on_what_was_computed(build, name):
    """Checks evaluate proved inequalities: a broken one is a fault of ours, whatever the profile."""
    for record in results(build, name)["records"]:
        if record["kind"] == "self-test":
            assert record["verdict"] == "reproduced", (record["id"], record["measured"])


def test_a_rerun_gives_the_same_results(build, tmp_path):
    name = CHAPTERS[0]
    command = [sys.executable, "-m", "papermill", "-k", "python3", "--no-progress-bar", "--log-level", "ERROR"]
    command += ["-f", f"profiles/{build.name}/{name}.yml", "-p", "output_dir", str(tmp_path)]
    subprocess.run([*command, f"notebooks/{name}.ipynb", str(tmp_path / "out.ipynb")], cwd=ROOT, check=True)
    before, again = (results(folder, name) for folder in (build, tmp_path))
    assert before | dict.fromkeys(("run", "environment")) == again | dict.fromkeys(("run", "environment"))


def test_the_profile_is_what_ran(build):
    for name in CHAPTERS:
        wanted = yaml.safe_load((ROOT / "profiles" / build.name / f"{name}.yml").read_text()) or {}
        used = results(build, name)["parameters"]
        assert {key: used[key] for key in wanted} == wanted
