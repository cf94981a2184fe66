"""Processor seconds and memory of the sigmoid loss with gradients, side by side: ``python benchmarks/losses.py``."""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, normalize

from constellations.losses import sigmoid_loss


def plain(u: Tensor, v: Tensor, t: Tensor, b: Tensor) -> None:
    """SigLIP's formula, left to automatic differentiation."""
    signs = 2 * torch.eye(len(u)) - 1
    (-logsigmoid(signs * (t * (u @ v.T) - b)).sum()).backward()


def ours(chunk_size: int | None) -> Callable[..., None]:
    def run(u: Tensor, v: Tensor, t: Tensor, b: Tensor) -> None:
        sigmoid_loss(u, v, inverse_temperature=t, bias=b, chunk_size=chunk_size).backward()

    return run


@torch.no_grad()
def products(u: Tensor, v: Tensor, t: Tensor, b: Tensor) -> None:
    """The three products that no loss with gradients does without, in blocks of 1,024 rows."""
    for x in u.split(1024):
        z = x @ v.T
        z @ v
        z.T @ x


def open_clip() -> Callable[..., None] | None:
    """open_clip's loss, where it is installed."""
    try:
        from open_clip.loss import SigLipLoss
    except ImportError:
        return None
    loss = SigLipLoss()
    return lambda u, v, t, b: loss(u, v, t, -b).backward()


def points(n_pairs: int, dim: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    v, noise = (normalize(torch.randn(n_pairs, dim, generator=generator), dim=1) for _ in range(2))
    u = normalize(v + noise, dim=1)
    return [x.requires_grad_() for x in (u, v, torch.tensor(10.0), torch.tensor(10.0))]


def seconds(task: Callable[..., None], inputs: list[Tensor], repeats: int) -> float:
    """The least processor time of some runs after a first, which a busy machine disturbs less than a clock."""
    taken = []
    for _ in range(repeats + 1):
        for x in inputs:
            x.grad = None
        start = time.process_time()
        task(*inputs)
        taken.append(time.process_time() - start)
    return min(taken[1:])


def main() -> None:
    """Print seconds and their ratios to the three products, the leanest first so that memory can be read off."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, nargs="+", default=[2048, 8192])
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--chunk", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    tasks = {"three bare products": products, f"ours, {given.chunk} rows": ours(given.chunk)}
    tasks |= {"ours, whole": ours(None), "plain formula": plain}
    if (reference := open_clip()) is not None:
        tasks["open_clip"] = reference
    for n_pairs in given.pairs:
        inputs = points(n_pairs, given.dim)
        print(f"N = {n_pairs:,}, d = {given.dim}, {given.threads} threads")
        least = seconds(products, inputs, given.repeats)
        for name, task in tasks.items():
            taken = seconds(task, inputs, given.repeats)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(f"  {name:<22}{taken:9.3f} s  {taken / least:5.2f}  {memory:6.2f} GiB at most so far")


if __name__ == "__main__":
    main()
