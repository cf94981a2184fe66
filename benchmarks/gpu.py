"""Checks and times everything on a GPU: ``python benchmarks/gpu.py [--device cuda] [--small] [--chapter NAME]``.

Needs what the library needs and this tree (``PYTHONPATH=src``), and takes a few minutes. Parity of the engine and of the
loss with the CPU at stated tolerances; a thousand runs at once; the loss against the plain formula, eager and compiled, in
float32 and bfloat16, with its peak memory; and, where the packages of notebooks are there, a chapter with its profile
``gpu``. Writes ``book/benchmarks_gpu.txt``, which the page of benchmarks includes, where it ran on a GPU in full.
``--small --device cpu`` runs every line of it in seconds.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

import torch
from tables import markdown
from torch import Tensor
from torch.nn import functional as F

from constellations import losses, sphere, training
from constellations.training.state import State

ROOT = Path(__file__).resolve().parents[1]
# Largest difference that is allowed: of points after 200 steps from those of the CPU, of the loss and of its gradient,
# relative to their size, from float64. Gradients of bfloat16 points are bfloat16, the loss itself is not.
TOLERANCES = {
    "points": {torch.float64: 1e-9, torch.float32: 2e-4},
    "loss": {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 1e-5},
    "gradient": {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 4e-3},
}
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
        "batches": {"batch_size": 16},
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


def loss_parity(device: str, dtype: torch.dtype, *, n_pairs: int, chunk_size: int | None) -> tuple[float, float]:
    """Largest relative differences of value and gradient from the plain formula in float64, over three temperatures."""
    u, v = (sphere.random_points(n_pairs, 64, seed=0, stream=k).to(dtype) for k in (0, 1))
    worst = [0.0, 0.0]
    for t in (1.0, 10.0, 100.0):
        ours = partial(losses.sigmoid_loss, inverse_temperature=t, relative_bias=0.2, chunk_size=chunk_size)
        exact = value_and_gradient(partial(plain, t=t, b_rel=0.2), u.double(), v.double())
        found = value_and_gradient(ours, u.to(device), v.to(device))
        errors = [((a - b).norm() / b.norm()).item() for a, b in zip(found, exact, strict=True)]
        worst = [max(pair) for pair in zip(worst, errors, strict=True)]
    return worst[0], worst[1]


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


def loss_table(device: str, sizes: list[int], dim: int) -> str:
    """Time and peak memory of every way to evaluate the loss, by size and precision."""
    scalars = {"inverse_temperature": 10.0, "relative_bias": 1.0}
    ours = losses.SigmoidLoss(**scalars, reduction="sum").to(device)
    ways: dict[str, Loss] = {
        "plain": plain,
        "ours": ours,
        "ours, 4,096 rows": losses.SigmoidLoss(**scalars, reduction="sum", chunk_size=4096).to(device),
        "plain, compiled": torch.compile(plain, dynamic=False),
        "ours, compiled": torch.compile(ours, dynamic=False),
    }
    rows = []
    for n_pairs in sizes:
        torch._dynamo.reset()
        for dtype in (torch.float32, torch.bfloat16):
            u, v = (F.normalize(torch.randn(n_pairs, dim, device=device), dim=-1).to(dtype) for _ in "uv")
            floor, _ = timed(partial(products, u, v), device)
            for name, loss in ways.items():
                try:
                    seconds, memory = timed(partial(backward, loss, u, v), device)
                    told = f"{1e3 * seconds:.2f}", f"{seconds / floor:.2f}", f"{memory:.2f}"
                except RuntimeError as error:  # most of all, where the whole matrix does not fit the card
                    told = type(error).__name__, "", ""
                rows.append((f"{n_pairs:,}", str(dtype)[6:], name, *told))
    return markdown(("N", "precision", "loss", "ms", "of the products", "GiB"), rows)


def engine_table(device: str, runs: list[int], n_steps: int) -> str:
    """Microseconds of a step of N = 100, d = 10, by the number of runs at once; replayed, and kernel by kernel."""
    rows = []
    for n_runs in runs:
        call = partial(training.synchronize, seeds=range(n_runs), device=device)
        each = []
        for record in (State.record, lambda _: None):
            with patch.object(State, "record", record):
                few, _ = timed(partial(call, n_steps=2), device, repeats=1)
                many, _ = timed(partial(call, n_steps=2 + n_steps), device, repeats=1)
            each.append((many - few) / n_steps)
        told = [f"{1e6 * x:.0f}" for x in each]
        rows.append((f"{n_runs:,}", *told, f"{1e4 * each[0] / n_runs:.4f}", f"{each[1] / each[0]:.1f}"))
    return markdown(("runs at once", "us a step", "kernel by kernel", "s per run of 10,000", "ratio"), rows)


def check_parity(device: str) -> list[tuple[str, str, str, str, str]]:
    """Every parity of engine and loss: what, of what, precision, the difference and what is allowed, or FAILED."""
    found = []
    for dtype in (torch.float64, torch.float32):
        found += [(name, "points", dtype, value) for name, value in engine_parity(device, dtype).items()]
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        for size in (None, 37):
            name = f"loss, {'whole' if size is None else f'{size} rows at a time'}"
            errors = loss_parity(device, dtype, n_pairs=300, chunk_size=size)
            found += [(name, of, dtype, value) for of, value in zip(("loss", "gradient"), errors, strict=True)]
    rows = []
    for name, of, dtype, value in found:
        most = TOLERANCES[of][dtype]
        rows.append(
            (name, of, str(dtype)[6:], f"{value:.1e}", f"{most:.0e}" if value <= most else f"FAILED: {most:.0e}")
        )
    return rows


def chapter(name: str) -> str:
    """One sentence on a chapter that ran with its profile ``gpu``."""
    for package in ("papermill", "ipykernel", "seaborn"):
        if importlib.util.find_spec(package) is None:
            return f"No chapter was run: {package} is not installed."
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        given = ["-f", ROOT / "profiles" / "gpu" / f"{name}.yml", "-p", "output_dir", folder]
        asked = [sys.executable, "-m", "papermill", "-k", "python3", "--no-progress-bar", "--log-level", "WARNING"]
        command = [*asked, *given, ROOT / "notebooks" / f"{name}.ipynb", Path(folder) / "executed.ipynb"]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
        records = json.loads((Path(folder) / "results" / f"{name}.json").read_text())["records"]
    outcomes = Counter(record["verdict"] for record in records)
    told = ", ".join(f"{n} {verdict}" for verdict, n in outcomes.most_common())
    return f"The chapter `{name}` with its profile `gpu` took {time.perf_counter() - start:.0f} s; its records: {told}."


def main() -> int:
    """Print everything; exit status 1 if a parity fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--chapter", default="09_steering_the_relative_bias", help="a notebook to run; '' for none")
    given = parser.parse_args()
    cuda = given.device.startswith("cuda")
    if cuda and not torch.cuda.is_available():
        print("error: device must be one this machine has, got cuda; --device cpu --small runs here", file=sys.stderr)
        return 2
    card = f"one {torch.cuda.get_device_name()} (CUDA {torch.version.cuda})" if cuda else "the CPU"
    parts = [f"Measured on {card} with torch {torch.__version__}, {time.strftime('%Y-%m-%d')}."]
    start = time.perf_counter()

    def tell(text: str) -> None:
        print(text, end="\n\n", flush=True)
        parts.append(text)

    rows = check_parity(given.device)
    tell("**Differences from the CPU**\n\n" + markdown(("what", "of", "precision", "difference", "allowed"), rows))
    runs, steps = ([4, 16], 50) if given.small else ([1, 10, 100, 1000], 1000)
    tell("**Training on a GPU**\n\n" + engine_table(given.device, runs, steps))
    sizes, dim = ([256, 512], 64) if given.small else ([4096, 16384, 32768, 65536], 768)
    tell(f"**The loss on a GPU**, d = {dim}\n\n" + loss_table(given.device, sizes, dim))
    if given.chapter:
        tell(chapter(given.chapter))
    print(f"{time.perf_counter() - start:.0f} s in all")
    if cuda and not given.small:
        (ROOT / "book" / "benchmarks_gpu.txt").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return int(any(row[-1].startswith("FAILED") for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
