"""Seconds and memory of the sigmoid loss with gradients, side by side: ``python benchmarks/losses.py --pairs 1024 4096``.

The three products that no loss with gradients does without, ours in blocks of rows and whole, the plain formula left to
automatic differentiation, and open_clip's ``SigLipLoss`` where that package is installed. Each is measured in a process of
its own, so that its peak of memory is its own: what the process holds beyond the points.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import torch
from tables import least, load, machine, markdown
from torch import Tensor
from torch.nn.functional import logsigmoid, normalize

from constellations.losses import sigmoid_loss

Way = Callable[[Tensor, Tensor, Tensor, Tensor], object]


def plain(u: Tensor, v: Tensor, t: Tensor, b: Tensor) -> None:
    """SigLIP's formula, left to automatic differentiation."""
    signs = 2 * torch.eye(len(u)) - 1
    (-logsigmoid(signs * (t * (u @ v.T) - b)).sum()).backward()


def ours(chunk_size: int | None) -> Way:
    """Ours, whole or so many rows at a time."""
    return lambda u, v, t, b: sigmoid_loss(u, v, inverse_temperature=t, bias=b, chunk_size=chunk_size).backward()


@torch.no_grad()
def products(u: Tensor, v: Tensor, t: Tensor, b: Tensor) -> None:
    """The three products, in blocks of 1,024 rows."""
    for x in u.split(1024):
        z = x @ v.T
        z @ v
        z.T @ x


def ways(chunk_size: int) -> dict[str, Way]:
    """All of them by name; of open_clip only the file of its losses is read."""
    known = {"three products": products, f"ours, {chunk_size:,} rows": ours(chunk_size), "ours, whole": ours(None)}
    known["plain formula"] = plain
    if (package := importlib.util.find_spec("open_clip")) is not None and package.origin is not None:
        found = importlib.util.spec_from_file_location("open_clip_loss", Path(package.origin).with_name("loss.py"))
        found.loader.exec_module(module := importlib.util.module_from_spec(found))
        theirs = module.SigLipLoss()
        known["open_clip"] = lambda u, v, t, b: theirs(u, v, t, -b).backward()
    return known


def points(n_pairs: int, dim: int) -> list[Tensor]:
    """Pairs that match somewhat, and SigLIP's first scalars."""
    generator = torch.Generator().manual_seed(0)
    v, noise = (normalize(torch.randn(n_pairs, dim, generator=generator), dim=1) for _ in range(2))
    return [x.requires_grad_() for x in (normalize(v + noise, dim=1), v, torch.tensor(10.0), torch.tensor(10.0))]


def resident() -> float:
    """The most memory that this process has held so far, in GiB: its own, where ``ru_maxrss`` may be its parent's."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 2**20


def measured(
    name: str, n_pairs: int, dim: int, chunk_size: int, threads: int, repeats: int
) -> tuple[float, float, float]:
    """Seconds by the clock, seconds of processor, and GiB beyond the points, of one way in a process of its own."""
    torch.set_num_threads(threads)
    inputs, task = points(n_pairs, dim), ways(chunk_size)[name]
    task(*points(64, dim))
    before = resident()

    def call() -> None:
        for x in inputs:
            x.grad = None
        task(*inputs)

    return *least(call, repeats), resident() - before


def table(pairs: list[int], *, dim: int = 768, chunk_size: int = 1024, threads: int = 1, repeats: int = 3) -> str:
    """Every way at every size, as multiples of the three products; those that hold all logits while memory lasts."""
    rows, held, memory = [], 5 * 4, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")  # bytes a logit
    for n_pairs in pairs:
        floor = None
        for k, name in enumerate(ways(chunk_size)):
            if k > 1 and held * n_pairs**2 > memory:
                continue
            with multiprocessing.get_context("spawn").Pool(1) as process:
                wall, processor, most = process.apply(
                    measured, (name, n_pairs, dim, chunk_size, threads, repeats if n_pairs < 2**14 else 1)
                )
            floor = floor or (wall, processor)
            ratios = f"{wall / floor[0]:.2f}", f"{processor / floor[1]:.2f}"
            rows.append((f"{n_pairs:,}", name, f"{wall:.3f}", f"{processor:.3f}", *ratios, f"{most:.2f}", load()))
    columns = ("N", "loss", "seconds", "of processor", "seconds / products", "processor / products", "GiB", "load")
    return markdown(columns, rows)


def main() -> None:
    """Print the machine and the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, nargs="+", default=[1024, 4096])
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--chunk", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    print(machine(), f"{given.threads} threads, d = {given.dim}", sep="\n")
    print(table(given.pairs, dim=given.dim, chunk_size=given.chunk, threads=given.threads, repeats=given.repeats))


if __name__ == "__main__":
    main()
