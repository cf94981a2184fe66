"""The synchroniser against a plain loop of torch and against its bare products: ``python benchmarks/training.py``.

Times are microseconds of processor time per run and step (the least of several repetitions); what counts are the ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch.nn.functional import logsigmoid, normalize

from constellations import sphere, training


def least(call: Callable[[], None], repetitions: int = 5) -> float:
    """Seconds of processor time of the fastest of a few calls."""
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def plain(n_pairs: int, dim: int, n_steps: int) -> float:
    """One run as one would write it: torch's functions, automatic differentiation, ``torch.optim.Adam``."""
    u, v = (sphere.random_points(n_pairs, dim, seed=0, stream=k).float().requires_grad_() for k in (0, 1))
    log_t, b_rel = torch.tensor(10.0).log().requires_grad_(), torch.zeros((), requires_grad=True)
    optimiser = torch.optim.Adam([u, v, log_t, b_rel], lr=0.01)
    sign = 2 * torch.eye(n_pairs) - 1

    def loop() -> None:
        for _ in range(n_steps):
            optimiser.zero_grad()
            logits = log_t.exp() * (normalize(u) @ normalize(v).T - b_rel)
            (-logsigmoid(sign * logits).mean()).backward()
            optimiser.step()
            with torch.no_grad():
                for x in (u, v):
                    x.div_(x.norm(dim=-1, keepdim=True))

    return least(loop) / n_steps


def floor(n_pairs: int, dim: int, n_runs: int, n_steps: int) -> float:
    """The three products and one sigmoid of a step, and nothing else."""
    a, b, c = (torch.randn(n_runs, dim + 1, n_pairs) for _ in range(3))
    z = torch.empty(n_runs, n_pairs, n_pairs)

    def products() -> None:
        for _ in range(n_steps):
            torch.bmm(a.transpose(1, 2), b, out=z)
            z.sigmoid_()
            torch.bmm(b, z.transpose(1, 2), out=c)
            torch.bmm(a, z, out=c)

    return least(products) / (n_steps * n_runs)


def ours(n_steps: int, **given: int) -> float:
    """:func:`training.synchronize`, without what it costs to begin and to end."""
    runs = range(given.pop("n_runs"))
    pair = [least(lambda n=n: training.synchronize(seeds=runs, n_steps=n, n_threads=1, **given)) for n in (0, n_steps)]
    return (pair[1] - pair[0]) / (n_steps * len(runs))


def costs(sizes: list[dict[str, int]], n_steps: int) -> None:
    """A table: cost against N, d, k and R."""
    print(f"{'N':>5} {'d':>4} {'k':>3} {'R':>4} {'plain':>9} {'ours':>9} {'floor':>9} plain/ours ours/floor")
    for size in sizes:
        n, d, k, runs = (
            size.get(name, x) for name, x in (("n_pairs", 100), ("dim", 10), ("n_modalities", 2), ("n_runs", 26))
        )
        steps = max(20, min(n_steps, n_steps * 10**4 // (n * n)))
        edges = k * (k - 1) // 2
        times = [
            1e6 * x
            for x in (
                edges * plain(n, d, steps),
                ours(steps, n_pairs=n, dim=d, n_modalities=k, n_runs=runs),
                edges * floor(n, d, min(runs, max(1, 2**18 // n**2)), steps),
            )
        ]
        ratios = times[0] / times[1], times[1] / times[2]
        print(
            f"{n:5} {d:4} {k:3} {runs:4} " + " ".join(f"{x:9.1f}" for x in times), "{:10.1f} {:10.2f}".format(*ratios)
        )


def threads(counts: list[int], n_runs: int, n_steps: int) -> None:
    """Seconds by the clock of a run of 10,000 steps, against the number of threads."""
    print(f"{'threads':>8} {'s per 10,000-step run, R = ' + str(n_runs):>36} speed")
    first = None
    for count in counts:
        start = time.perf_counter()
        training.synchronize(seeds=range(n_runs), n_steps=n_steps, n_threads=count)
        spent = (time.perf_counter() - start) * 10_000 / (n_steps * n_runs)
        first = first or spent
        print(f"{count:8} {spent:36.3f} {first / spent:5.2f}")


def main() -> None:
    """Print both tables and the load of the machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--runs", type=int, default=104)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    torch.set_num_threads(1)
    by_size = [{"n_pairs": n} for n in (20, 50, 100)] + [{"dim": d} for d in (3, 30, 100)]
    large = [{"n_pairs": 300, "n_runs": 2}, {"n_pairs": 1000, "n_runs": 1}]
    costs([*by_size, *large, {"n_modalities": 4, "n_runs": 6}, {"n_runs": 5}, {"n_runs": 104}], given.steps)
    threads(given.threads, given.runs, given.steps)


if __name__ == "__main__":
    main()
