"""Seconds and memory of the report on two large sets of embeddings: ``python benchmarks/report.py --pairs 100000``."""

from __future__ import annotations

import argparse
import resource
import time

import torch

from constellations.geometry import report
from constellations.geometry.large import hardest
from constellations.geometry.matches import matches


def points(n_pairs: int, dim: int, signal: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Pairs with matching inner products around ``signal / sqrt(1 + signal^2)``, float32."""
    generator = torch.Generator().manual_seed(0)
    v = torch.nn.functional.normalize(torch.randn(n_pairs, dim, generator=generator), dim=1)
    noise = torch.nn.functional.normalize(torch.randn(n_pairs, dim, generator=generator), dim=1)
    return torch.nn.functional.normalize(signal * v + noise, dim=1), v


def main() -> None:
    """Time the whole report, and its search for the hardest pairs with and without the bfloat16 screen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--signal", type=float, default=0.6)
    options = parser.parse_args()
    u, v = points(options.pairs, options.dim, options.signal)
    pairs = matches(None, options.pairs, options.pairs)
    tasks = {
        "report": lambda: report.measure(u, v),
        "hardest, screened": lambda: hardest(u, v, pairs, most=5, screen=True),
        "hardest, float32": lambda: hardest(u, v, pairs, most=5, screen=False),
    }
    print(f"{options.pairs:,} pairs, d = {options.dim}, {torch.get_num_threads()} threads")
    for name, task in tasks.items():
        wall, processor = time.perf_counter(), time.process_time()
        task()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{name:<20} {wall:7.1f} s   {processor:7.1f} s of processor   {memory:5.2f} GiB at most so far")


if __name__ == "__main__":
    main()
