"""Seconds and memory of the report on two large sets of embeddings: ``python benchmarks/report.py --pairs 100000``."""

from __future__ import annotations

import argparse
import resource

import torch
from tables import least, load, machine, markdown

from constellations.geometry import report
from constellations.geometry.large import hardest
from constellations.geometry.matches import matches


def points(n_pairs: int, dim: int, signal: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Pairs with matching inner products around ``signal / sqrt(1 + signal^2)``, float32."""
    generator = torch.Generator().manual_seed(0)
    v = torch.nn.functional.normalize(torch.randn(n_pairs, dim, generator=generator), dim=1)
    noise = torch.nn.functional.normalize(torch.randn(n_pairs, dim, generator=generator), dim=1)
    return torch.nn.functional.normalize(signal * v + noise, dim=1), v


def table(n_pairs: int, *, dim: int = 768, signal: float = 0.6) -> str:
    """The whole report, and its search for the hardest pairs with and without the bfloat16 screen."""
    u, v = points(n_pairs, dim, signal)
    pairs = matches(None, n_pairs, n_pairs)
    tasks = {
        "the whole report": lambda: report.measure(u, v),
        "hardest pairs, screened in bfloat16": lambda: hardest(u, v, pairs, most=5, screen=True),
        "hardest pairs in float32": lambda: hardest(u, v, pairs, most=5, screen=False),
    }
    rows = [(name, *(f"{x:.2f}" for x in least(task, 1)), load()) for name, task in tasks.items()]
    return markdown((f"{n_pairs:,} pairs, d = {dim}", "seconds", "of processor", "load"), rows)


def main() -> None:
    """Print the machine, the table and the most memory that was held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--signal", type=float, default=0.6)
    given = parser.parse_args()
    print(machine(), table(given.pairs, dim=given.dim, signal=given.signal), sep="\n\n")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB at most")


if __name__ == "__main__":
    main()
