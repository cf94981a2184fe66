"""A sweep on a local cluster: what runs, what a failing or killed cell leaves, and what a rerun does."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from companion import sweep

PARAMETERS = 'size: int = 1  # a size\nfails: int = 0  # the size that fails\noutput_dir: str = "."  # results'
WORK = """
import json, os, pathlib, signal
if size == fails:
    raise RuntimeError("this size fails")
if size == -fails:
    os.kill(os.getpid(), signal.SIGKILL)
folder = pathlib.Path(output_dir) / "results"
folder.mkdir()
record = {"id": "a/square", "measured": float(size**2), "spread": None, "n_seeds": None, "verdict": "reproduced"}
(folder / "01_tiny.json").write_text(json.dumps({"records": [record], "numbers": {"ch01-size": str(size)}}))
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cells = [nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), nbformat.v4.new_code_cell(WORK)]
    node = nbformat.v4.new_notebook(cells=cells)
    node.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(node, tmp_path / "01_tiny.ipynb")
    return tmp_path / "01_tiny.ipynb"


def run(notebook: Path, *arguments: str) -> int:
    return sweep.main([str(notebook), *arguments, "--workers", "2", "--out", str(notebook.parent / "out")])


@pytest.mark.notebooks
def test_others_finish_when_one_fails_and_one_is_killed_and_a_rerun_does_only_what_is_missing(notebook, capsys):
    assert run(notebook, "--grid", "size=2,3,-3", "--set", "fails=3") == 1
    told = capsys.readouterr().err
    assert 'failed: {"size": 3, "fails": 3}: RuntimeError: this size fails' in told
    assert 'failed: {"size": -3, "fails": 3}' in told
    table = pd.read_parquet(notebook.parent / "out" / "table.parquet")
    assert list(table["size"]) == [2, 2] and list(table["value"]) == [4.0, 2.0]

    (done,) = (notebook.parent / "out" / "cells").glob("[!.]*")
    before = done.stat().st_mtime_ns
    assert run(notebook, "--grid", "size=2,5", "--set", "fails=3") == 0
    assert done.stat().st_mtime_ns == before
    table = pd.read_csv(notebook.parent / "out" / "table.csv")
    assert list(table["size"]) == [2, 2, 5, 5] and (notebook.parent / "out" / "sweep.svg").exists()


def test_a_cell_half_done_is_not_trusted(notebook, tmp_path):
    folder = tmp_path / "cells" / "key"
    unfinished = folder.with_name(".key.unfinished")
    unfinished.mkdir(parents=True)
    (unfinished / "parameters.json").write_text("{}")
    assert sweep.run_cell(str(notebook), str(folder), {"size": 7, "fails": 0}) == ""
    assert json.loads((folder / "parameters.json").read_text()) == {"size": 7, "fails": 0}
    assert not unfinished.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--grid", "size"], "grid must be name=value,value"),
        (["--grid", "size=1,,2"], "grid must be name=value,value"),
        (["--grid", "size=1,1"], "once"),
        (["--grid", "size=1", "--grid", "size=2"], "once"),
        (["--grid", "width=1,2"], "unknown parameter width: 01_tiny.ipynb has fails, output_dir, size"),
    ],
)
def test_bad_grids_stop_in_one_line(notebook, capsys, arguments, message):
    assert run(notebook, *arguments) == 2
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1


def test_the_key_follows_text_and_parameters(notebook):
    first = sweep.key_of(notebook, {"size": 1})
    assert first == sweep.key_of(notebook, {"size": 1}) != sweep.key_of(notebook, {"size": 2})
    notebook.write_text(notebook.read_text().replace("square", "cube"))
    assert first != sweep.key_of(notebook, {"size": 1})
