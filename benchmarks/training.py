"""Seconds per run of the synchroniser and of a plain automatic-differentiation loop: ``python benchmarks/training.py``."""

from __future__ import annotations

import argparse
import time

import torch

from constellations import losses, sphere, training


def autograd_loop(n_pairs: int, dim: int, seed: int, n_steps: int) -> float:
    """The paper's optimisation of one run, written with ``torch.optim.Adam``; seconds for ``n_steps``."""
    u, v = (
        sphere.random_points(n_pairs, dim, seed=seed, stream=k, dtype=torch.float32).requires_grad_()
        for k in (0, 1)
    )
    log_t, b_rel = torch.tensor(10.0).log().requires_grad_(), torch.zeros((), requires_grad=True)
    optimiser = torch.optim.Adam([u, v, log_t, b_rel], lr=0.01)
    start = time.perf_counter()
    for _ in range(n_steps):
        optimiser.zero_grad()
        losses.sigmoid_loss(
            sphere.normalize(u),
            sphere.normalize(v),
            inverse_temperature=log_t.exp(),
            relative_bias=b_rel,
            reduction="mean",
        ).backward()
        optimiser.step()
        with torch.no_grad():
            for x in (u, v):
                x.div_(x.norm(dim=-1, keepdim=True))
    return time.perf_counter() - start


def main() -> None:
    """Time both and print their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("runs", 128), ("steps", 10_000), ("pairs", 100), ("dim", 10), ("threads", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default=training.default_device())
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    sample = min(given.steps, 500)
    autograd_loop(given.pairs, given.dim, 0, 20)
    plain = autograd_loop(given.pairs, given.dim, 0, sample) * given.steps / sample
    start = time.perf_counter()
    training.synchronize(
        n_pairs=given.pairs, dim=given.dim, seeds=range(given.runs), relative_bias=0.0, n_steps=given.steps,
        device=given.device,
    )  # fmt: skip
    ours = (time.perf_counter() - start) / given.runs
    print(
        f"N = {given.pairs}, d = {given.dim}, {given.steps} steps, {torch.get_num_threads()} threads, {given.device}"
    )
    print(f"automatic differentiation, one run at a time: {plain:8.3f} s per run (from {sample} steps)")
    print(f"training.synchronize, {given.runs} runs at once: {ours:8.3f} s per run")
    print(f"ratio: {plain / ours:.0f}")


if __name__ == "__main__":
    main()
