"""Checks and times everything on a GPU: ``python benchmarks/gpu.py [--device cuda] [--small]``.

Needs torch, numpy, scipy and this tree alone (``PYTHONPATH=src``), and takes a few minutes. Parity of the engine and of the
loss with the CPU at stated tolerances; a thousand runs at once; the loss against the plain formula, eager and compiled, in
float32 and bfloat16, with its peak memory. ``--small --device cpu`` runs every line of it in seconds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from constellations import losses, sphere, training

# Largest difference from the CPU that is allowed: points after 200 steps, and loss and gradients relative to their size.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-4, torch.bfloat16: 1e-2}
Loss = Callable[[Tensor, Tensor], Tensor]


def engine_parity(device: str, dtype: torch.dtype) -> dict[str, float]:
    """The largest difference between runs on ``device`` and on the CPU, for each kind of run."""
    common = {"n_pairs": 40, "dim": 6, "seeds": range(4), "n_steps": 200, "dtype": dtype}
    kinds = {
        "relative bias": {"relative_bias": 0.3},
        "bias": {"bias": 0.0},
        "4 modalities": {"n_modalities": 4, "graph": "star"},
        "locked": {"locked": 0},
        "adapter": {"locked": 0, "adapter": 0.5},
        "published loss": {"loss": "published"},
    }
    return {
        name: (
            training.synchronize(**common, **kind, device=device).points
            - training.synchronize(**common, **kind, device="cpu").points
        ).abs().max().item()
        for name, kind in kinds.items()
    }  # fmt: skip


def value_and_gradient(loss: Loss, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """The loss and its gradient by ``u``, in float64 on the CPU."""
    u = u.detach().requires_grad_()
    value = loss(u, v)
    (gradient,) = torch.autograd.grad(value, u)
    return value.detach().double().cpu(), gradient.double().cpu()


def plain(u: Tensor, v: Tensor, t: float = 10.0, b_rel: float = 1.0) -> Tensor:
    """The loss as it is usually written: minus log-sigmoid of the signed logits, by autograd. SigLIP's start."""
    logits = t * (u @ v.mT - b_rel)
    return -F.logsigmoid((2 * torch.eye(len(u), device=u.device, dtype=u.dtype) - 1) * logits).sum()


def loss_parity(device: str, dtype: torch.dtype, *, n_pairs: int, chunk_size: int | None) -> float:
    """The largest relative difference of value and gradient from the plain formula in float64, over three temperatures."""
    u, v = (sphere.random_points(n_pairs, 64, seed=0, stream=k).to(dtype) for k in (0, 1))
    worst = 0.0
    for t in (1.0, 10.0, 100.0):
        ours = partial(losses.sigmoid_loss, inverse_temperature=t, relative_bias=0.2, chunk_size=chunk_size)
        exact = value_and_gradient(partial(plain, t=t, b_rel=0.2), u.double(), v.double())
        found = value_and_gradient(ours, u.to(device), v.to(device))
        worst = max(worst, *(((a - b).norm() / b.norm()).item() for a, b in zip(found, exact, strict=True)))
    return worst


def products(u: Tensor, v: Tensor) -> Tensor:
    """The three bare products that a loss with its two gradients cannot do without."""
    s = u @ v.mT
    return (s @ v).sum() + (s.mT @ u).sum()


def timed(call: Callable[[], object], device: str, *, repeats: int = 3) -> tuple[float, float]:
    """Seconds of the fastest of some calls after a first one, and the peak memory of a call in GiB (0 on the CPU)."""
    cuda = device.startswith("cuda")
    synchronise = torch.cuda.synchronize if cuda else lambda: None
    call()
    synchronise()
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        synchronise()
        seconds.append(time.perf_counter() - start)
    return min(seconds), torch.cuda.max_memory_allocated() / 2**30 if cuda else 0.0


def backward(loss: Loss, u: Tensor, v: Tensor) -> None:
    """One forward and backward pass."""
    u, v = (x.detach().requires_grad_() for x in (u, v))
    loss(u, v).backward()


def loss_table(device: str, sizes: list[int], dim: int) -> None:
    """Time and peak memory of every way to evaluate the loss, by size and precision."""
    ways: dict[str, Loss] = {
        "plain": plain,
        "plain, compiled": torch.compile(plain),
        "ours": partial(losses.sigmoid_loss, inverse_temperature=10.0, relative_bias=1.0),
        "ours, 4,096 rows": partial(losses.sigmoid_loss, inverse_temperature=10.0, relative_bias=1.0, chunk_size=4096),
    }
    print(f"{'N':>7s} {'dtype':>8s} {'way':18s} {'ms':>9s} {'x products':>10s} {'GiB':>7s}")
    for n_pairs in sizes:
        for dtype in (torch.float32, torch.bfloat16):
            u, v = (F.normalize(torch.randn(n_pairs, dim, device=device), dim=-1).to(dtype) for _ in "uv")
            floor, _ = timed(partial(products, u, v), device)
            for name, loss in ways.items():
                try:
                    seconds, memory = timed(partial(backward, loss, u, v), device)
                    told = f"{1e3 * seconds:9.2f} {seconds / floor:10.2f} {memory:7.2f}"
                except torch.OutOfMemoryError:
                    told = f"{'out of memory':>28s}"
                print(f"{n_pairs:7d} {str(dtype)[6:]:>8s} {name:18s} {told}", flush=True)


def engine_table(device: str, runs: list[int], n_steps: int) -> None:
    """Seconds for a 10,000-step run of N = 100, d = 10, by the number of runs at once."""
    for n_runs in runs:
        seconds, _ = timed(
            partial(training.synchronize, seeds=range(n_runs), n_steps=n_steps, device=device), device, repeats=1
        )
        print(f"{n_runs:6d} runs at once: {seconds / n_runs * 10_000 / n_steps:8.4f} s per 10,000-step run", flush=True)


def check_parity(device: str) -> list[str]:
    """Every parity of engine and loss, as lines; those beyond their tolerance begin with FAILED."""
    lines = []
    for dtype in (torch.float64, torch.float32):
        lines += [(f"engine, {name}", dtype, value) for name, value in engine_parity(device, dtype).items()]
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        for chunk_size in (None, 37):
            value = loss_parity(device, dtype, n_pairs=300, chunk_size=chunk_size)
            lines.append((f"loss, chunk_size {chunk_size}", dtype, value))
    return [
        f"{'ok    ' if value <= TOLERANCE[dtype] else 'FAILED'} {name:28s} {str(dtype)[6:]:9s} "
        f"{value:.1e} <= {TOLERANCE[dtype]:.0e}"
        for name, dtype, value in lines
    ]


def main() -> int:
    """Print everything; exit status 1 if a parity fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="seconds instead of minutes")
    given = parser.parse_args()
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        print("error: device must be one this machine has, got cuda; --device cpu --small runs here", file=sys.stderr)
        return 2
    card = torch.cuda.get_device_name() if given.device.startswith("cuda") else "CPU"
    print(f"{card}, torch {torch.__version__}, CUDA {torch.version.cuda}")
    start = time.perf_counter()
    lines = check_parity(given.device)
    print("\n".join(lines), flush=True)
    engine_table(given.device, [4, 16] if given.small else [10, 100, 1000], 100 if given.small else 2_000)
    loss_table(given.device, [256, 512] if given.small else [4096, 16384, 32768, 65536], 64 if given.small else 768)
    print(f"{time.perf_counter() - start:.0f} s in all")
    return int(any(line.startswith("FAILED") for line in lines))


if __name__ == "__main__":
    raise SystemExit(main())
