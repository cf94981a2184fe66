"""All benchmarks of the processor in one table each, as the book shows them: ``make benchmarks``, minutes.

Writes ``book/benchmarks_measured.txt``, which the page of benchmarks includes.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import losses
import report
import torch
import training
from tables import machine

MEASURED = Path(__file__).resolve().parents[1] / "book" / "benchmarks_measured.txt"


def main() -> None:
    """Measure everything, one table after the other, and write them beside the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--pairs", type=int, nargs="+", default=[*(2**k for k in range(10, 15)), 2**16], help="sizes of the loss"
    )
    pairs, cores, begun = parser.parse_args().pairs, os.cpu_count() or 1, machine()
    torch.set_num_threads(1)
    parts = {
        "Training": training.costs(100),
        "Training on more threads": training.threads(sorted({1, 2, cores}), 104, 200),
    }
    parts["The report"] = report.table(20_000)
    parts[f"The loss, {cores} threads"] = losses.table(pairs, threads=cores)
    text = "\n\n".join([f"Measured on {begun}.", *(f"**{name}**\n\n{table}" for name, table in parts.items())])
    MEASURED.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
