"""One notebook over a grid of parameters: ``python -m companion.sweep NOTEBOOK --grid dim=8,16 --grid n_pairs=100,200``.

Papermill runs each cell of the grid as a task of dask.distributed, on this machine or on a cluster (``--scheduler``). A
cell that fails is reported with its parameters while the others finish; a rerun, after whatever interrupted the first,
does only what is missing. At the end stand ``table.csv`` and ``table.parquet``, one row for every record and number of
every cell, and ``sweep.svg``. Needs the extras ``book`` and ``sweep``.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import papermill
import yaml
from distributed import Client, as_completed
from tqdm import tqdm

from companion.figures import style
from constellations.atomic import replace_on_success

Value = int | float | str | bool | list[int] | list[float]
MOST_PANELS = 6
KEPT = ("measured", "spread", "n_seeds", "verdict")  # of every record


def read_grid(axes: Sequence[str]) -> list[dict[str, Value]]:
    """The cells of a grid given as ``name=value,value`` per axis.

    >>> read_grid(["dim=8,16", "loss=exact"])
    [{'dim': 8, 'loss': 'exact'}, {'dim': 16, 'loss': 'exact'}]
    """
    names, values = [], []
    for axis in axes:
        name, _, listed = axis.partition("=")
        found = [yaml.safe_load(part) for part in listed.split(",")]
        if not name.isidentifier() or None in found:
            raise ValueError(f"grid must be name=value,value like dim=8,16, got {axis!r}")
        if name in names or len(set(found)) < len(found):
            raise ValueError(f"grid must name each parameter and each value once, got {axis!r}")
        names.append(name)
        values.append(found)
    return [dict(zip(names, cell, strict=True)) for cell in itertools.product(*values)]


def key_of(notebook: Path, parameters: Mapping[str, Value]) -> str:
    """A name for one cell: it changes with the notebook's text and with the parameters, and with nothing else."""
    text = notebook.read_text(encoding="utf-8") + json.dumps(parameters, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_cell(notebook: str, folder: str, parameters: Mapping[str, Value]) -> str:
    """Execute a notebook into ``folder``, which appears only when it is done; returns what went wrong, or nothing."""
    target = Path(folder)
    work = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        given = dict(parameters) | {"output_dir": str(work)}
        out = work / Path(notebook).name
        papermill.execute_notebook(notebook, out, parameters=given, kernel_name="python3", progress_bar=False)
        (work / "parameters.json").write_text(json.dumps(dict(parameters)))
        work.replace(target)
    except Exception as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[-1]
    return ""


def collect(folders: Sequence[Path]) -> pd.DataFrame:
    """Every record and number of the finished cells, one row each, with the parameters of its cell."""
    rows: list[dict[str, object]] = []
    for folder in folders:
        parameters = json.loads((folder / "parameters.json").read_text())
        (results,) = (json.loads(path.read_text()) for path in (folder / "results").glob("*.json"))
        found = [{"kind": "record", "name": x["id"], **{key: x[key] for key in KEPT}} for x in results["records"]]
        found += [{"kind": "number", "name": name, "measured": x} for name, x in results["numbers"].items()]
        rows += [parameters | row for row in found]
    frame = pd.DataFrame(rows, columns=None if rows else ["name", "measured"])
    value = pd.to_numeric(frame["measured"], errors="coerce")
    return frame.assign(value=value, measured=frame["measured"].astype(str))


def draw(table: pd.DataFrame, axes: Sequence[str], target: Path) -> None:
    """The numbers that vary most over the grid, against its first parameter; a line for each value of the others."""
    style.apply_style()
    numeric = table.dropna(subset=["value"])
    spread = numeric.groupby("name")["value"].agg(lambda x: x.std() / (x.abs().mean() or 1.0)).dropna()
    names = list(spread[spread > 0].sort_values(ascending=False).index[:MOST_PANELS])
    if not names:
        return
    figure, panels = style.new_figure(n_rows=len(names), height=2.0 * len(names))
    for panel, name in zip(panels.ravel(), names, strict=True):
        chosen = numeric[numeric["name"] == name]
        for values, part in chosen.groupby(list(axes[1:]) or "name"):
            label = ", ".join(f"{axis} = {x}" for axis, x in zip(axes[1:], values, strict=False))
            panel.plot(part[axes[0]].astype(str), part["value"], "o-", label=label)
        panel.set(ylabel=name, xlabel=axes[0])
    style.save_figure(style.finish(figure), target.parent, target.stem)


def sweep(
    notebook: Path, grid: Sequence[Mapping[str, Value]], out: Path, *, scheduler: str = "", workers: int = 0
) -> dict[str, str]:
    """Run the cells that are missing below ``out``; returns what went wrong, by cell."""
    cells = {key_of(notebook, cell): cell for cell in grid}
    missing = [key for key in cells if not (out / "cells" / key).exists()]
    failures: dict[str, str] = {}
    if not missing:
        return failures
    local = {"n_workers": min(workers or os.cpu_count() or 1, len(missing)), "threads_per_worker": 1}
    with Client(scheduler, timeout=30) if scheduler else Client(**local, dashboard_address=None) as client:
        tasks = [
            client.submit(run_cell, str(notebook.resolve()), str((out / "cells" / key).resolve()), cells[key], key=key)
            for key in missing
        ]
        for task in tqdm(as_completed(tasks), total=len(tasks), desc="cells", disable=None):
            wrong = str(task.exception()) if task.status == "error" else task.result()
            if wrong:
                failures[task.key] = wrong
    return failures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sweep; errors of the user are one line and exit status 2, failing cells exit status 1."""
    parser = argparse.ArgumentParser(prog="python -m companion.sweep", description=__doc__)
    parser.add_argument("notebook", type=Path, help="for example notebooks/09_steering_the_relative_bias.ipynb")
    parser.add_argument("--grid", action="append", required=True, metavar="NAME=VALUES", help="values, comma between")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one value for all cells")
    parser.add_argument("--out", type=Path, default=Path("_build/sweep"), help="folder of cells, tables and picture")
    parser.add_argument("--scheduler", default="", help="address of a dask cluster, tcp://...; a local one by default")
    parser.add_argument("--workers", type=int, default=0, help="processes of the local cluster; all cores by default")
    options = parser.parse_args(arguments)
    try:
        notebook = options.notebook.with_suffix(".ipynb")
        if not notebook.exists():
            raise ValueError(f"notebook must be an .ipynb file, found none at {notebook}")
        grid = read_grid([*options.grid, *options.set])
        known = papermill.inspect_notebook(str(notebook))
        for name in grid[0]:
            if name not in known:
                raise ValueError(f"unknown parameter {name}: {notebook.name} has {', '.join(sorted(known))}")
        failures = sweep(notebook, grid, options.out, scheduler=options.scheduler, workers=options.workers)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    cells = {key_of(notebook, cell): cell for cell in grid}
    table = collect([options.out / "cells" / key for key in cells if key not in failures])
    if len(table):
        for ending, write in ((".csv", table.to_csv), (".parquet", table.to_parquet)):
            with replace_on_success(options.out / f"table{ending}") as path:
                write(path, index=False)
        draw(table, list(grid[0])[: len(options.grid)], options.out / "sweep.svg")
    for key, wrong in failures.items():
        print(f"failed: {json.dumps(cells[key])}: {wrong}", file=sys.stderr)
    print(f"{len(grid) - len(failures)} of {len(grid)} cells done; {len(table)} rows in {options.out / 'table.csv'}")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
