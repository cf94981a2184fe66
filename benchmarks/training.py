"""The synchroniser against a plain loop of torch and against its bare products: ``python benchmarks/training.py``.

Times are microseconds of processor time per run and step (the least of several repetitions); what counts are the ratios.
"""

from __future__ import annotations

import argparse

import torch
from tables import least, load, machine, markdown
from torch.nn.functional import logsigmoid, normalize

from constellations import sphere, training

REPEATS = 5


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

    return least(loop, REPEATS)[1] / n_steps


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

    return least(products, REPEATS)[1] / (n_steps * n_runs)


def ours(n_steps: int, **given: int) -> float:
    """:func:`training.synchronize`, without what it costs to begin and to end."""
    runs = range(given.pop("n_runs"))
    none, some = (
        least(lambda n=n: training.synchronize(seeds=runs, n_steps=n, n_threads=1, **given), REPEATS)[1]
        for n in (0, n_steps)
    )
    return (some - none) / (n_steps * len(runs))


def costs(n_steps: int) -> str:
    """Cost against N, d, k and R; sizes that are not given are those of the paper, N = 100, d = 10, k = 2."""
    sizes = [{"n_pairs": n} for n in (20, 50, 100)] + [{"dim": d} for d in (3, 30, 100)]
    sizes += [{"n_pairs": 300, "n_runs": 2}, {"n_pairs": 1000, "n_runs": 1}, {"n_modalities": 4, "n_runs": 6}]
    sizes += [{"n_modalities": 20, "n_runs": 3}]
    rows = []
    for size in [*sizes, {"n_runs": 5}, {"n_runs": 104}]:
        usual = {"n_pairs": 100, "dim": 10, "n_modalities": 2, "n_runs": 26}
        n, d, k, runs = (usual | size).values()
        steps, edges = max(60, min(n_steps, n_steps * 10**4 // (n * n))), k * (k - 1) // 2
        loop = edges * plain(n, d, steps)
        us = ours(steps, n_pairs=n, dim=d, n_modalities=k, n_runs=runs)
        bare = edges * floor(n, d, min(runs, max(1, 2**18 // n**2)), steps)
        times = [f"{1e6 * x:.1f}" for x in (loop, us, bare)]
        rows.append((n, d, k, runs, *times, f"{loop / us:.1f}", f"{us / bare:.2f}", load()))
    columns = ("N", "d", "k", "R", "plain loop", "ours", "products", "plain / ours", "ours / products", "load")
    return markdown(columns, rows)


def threads(counts: list[int], n_runs: int, n_steps: int) -> str:
    """Seconds by the clock, and of processor, of a run of 10,000 steps, against the number of threads."""
    rows, first = [], None
    for count in counts:
        seconds = least(lambda n=count: training.synchronize(seeds=range(n_runs), n_steps=n_steps, n_threads=n), 2)
        wall, processor = (x * 10_000 / (n_steps * n_runs) for x in seconds)
        first = first or wall
        rows.append((count, f"{wall:.3f}", f"{processor:.3f}", f"{first / wall:.2f}", load()))
    return markdown(("threads", f"seconds a run, R = {n_runs}", "of processor", "speed", "load"), rows)


def main() -> None:
    """Print the machine and both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--runs", type=int, default=104)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(machine(), costs(given.steps), threads(given.threads, given.runs, given.steps), sep="\n\n")


if __name__ == "__main__":
    main()
