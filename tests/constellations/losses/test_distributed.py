"""A batch spread over processes: value and gradients are those of the whole, whatever the shards."""

import datetime
import json
import tempfile
import warnings
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import losses
from constellations.sphere import random_points

SIZES = {1: [7], 2: [4, 3], 3: [3, 1, 4]}
CASES = {
    "matched": {},
    "chunks": {"chunk_size": 2},
    "mean": {"reduction": "mean"},
    "published": {"variant": "published"},
    "ids": {"labels": "ids"},
    "matrix": {"labels": "matrix"},
}


def problem(n_processes):
    n = sum(SIZES[n_processes])
    u, v = (random_points(n, 3, seed=1, stream=k) for k in (0, 1))
    ids = torch.arange(n) % 3
    return u, v, {"ids": ids, "matrix": (ids[:, None] == ids) ^ torch.eye(n, dtype=torch.bool)}


def scalars():
    return [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (40.0, 0.6)]


def spawn(function, n_processes, folder):
    """Run a function in some processes; torch is imported once, by the server that they are forked from."""
    torch.multiprocessing.set_forkserver_preload(["constellations.losses", "constellations.sphere", "pytest"])
    options = {"nprocs": n_processes, "start_method": "forkserver"}
    torch.multiprocessing.start_processes(function, args=(n_processes, str(folder)), **options)
    return [torch.load(folder / f"{rank}.pt") for rank in range(n_processes)]


def near_zero(n_processes):
    """``M != N`` points of three orthogonal groups: every logit of ``scalars()`` is right by 16 or more."""
    ids = [torch.arange(sum(SIZES[n_processes]) + extra) % 3 for extra in (0, n_processes)]
    u, v = (torch.eye(3, 4, dtype=torch.float64)[side] for side in ids)
    return u, v, ids


def brute_force(u, v, t, relative_bias, matching):
    """The summed loss from all its logits at once."""
    z = t * (u @ v.T - relative_bias)
    x = torch.where(matching, -z, z)
    return (x.clamp_min(0) + torch.log1p(torch.exp(-x.abs()))).sum()


def start(rank, n_processes, folder):
    torch.set_num_threads(1)
    store = dist.FileStore(f"{folder}/store", n_processes)
    limit = datetime.timedelta(seconds=60)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=n_processes, timeout=limit)


def one_process(rank, n_processes, folder):
    start(rank, n_processes, folder)
    warnings.simplefilter("error", FutureWarning)
    u, v, labels = problem(n_processes)
    rows = slice(sum(SIZES[n_processes][:rank]), sum(SIZES[n_processes][: rank + 1]))
    results = {}
    for name, case in CASES.items():
        for averaged in (False, True):
            mine = [x[rows].clone().requires_grad_() for x in (u, v)] + scalars()
            options = {key: labels[value][rows] if key == "labels" else value for key, value in case.items()}
            loss = losses.distributed_sigmoid_loss(
                *mine[:2], inverse_temperature=mine[2], relative_bias=mine[3], averaged=averaged, **options
            )
            loss.backward()
            results[name, averaged] = [loss.detach(), *(x.grad for x in mine)]
    u, v, ids = near_zero(n_processes)
    more = slice(rows.start + rank, rows.stop + rank + 1)
    for chunk_size in (None, 2):
        mine = [x[part].clone().requires_grad_() for x, part in ((u, rows), (v, more))] + scalars()
        loss = losses.distributed_sigmoid_loss(
            *mine[:2], inverse_temperature=mine[2], relative_bias=mine[3], labels=(ids[0][rows], ids[1][more]),
            chunk_size=chunk_size,
        )  # fmt: skip
        loss.backward()
        results["near zero", chunk_size] = [loss.detach(), *(x.grad for x in mine)]
    torch.save(results, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.parametrize("n_processes", [1, 2, 3])
def test_processes_add_up_to_the_whole_loss_and_gradient(n_processes, tmp_path):
    parts = spawn(one_process, n_processes, tmp_path)
    u, v, labels = problem(n_processes)
    for name, case in CASES.items():
        whole = [x.clone().requires_grad_() for x in (u, v)] + scalars()
        options = {key: labels[value] if key == "labels" else value for key, value in case.items()}
        loss = losses.sigmoid_loss(*whole[:2], inverse_temperature=whole[2], relative_bias=whole[3], **options)
        loss.backward()
        for averaged, factor in ((False, 1), (True, n_processes)):
            values = [part[name, averaged] for part in parts]
            torch.testing.assert_close(sum(x[0] for x in values), loss.detach(), rtol=1e-12, atol=0)
            for k in (0, 1):
                found = torch.cat([x[1 + k] for x in values])
                torch.testing.assert_close(found, factor * whole[k].grad, rtol=1e-11, atol=1e-13)
            for k in (2, 3):
                found = sum(x[1 + k] for x in values)
                torch.testing.assert_close(found, factor * whole[k].grad, rtol=1e-11, atol=1e-13)

    u, v, ids = near_zero(n_processes)
    whole = [x.clone().requires_grad_() for x in (u, v)] + scalars()
    loss = brute_force(*whole, ids[0][:, None] == ids[1])
    assert 0 < loss.item() < 1e-5
    loss.backward()
    for chunk_size in (None, 2):
        values = [part["near zero", chunk_size] for part in parts]
        torch.testing.assert_close(sum(x[0] for x in values), loss.detach(), rtol=1e-12, atol=0)
        for k, collect in enumerate((torch.cat, torch.cat, sum, sum)):
            found = collect([x[1 + k] for x in values])
            torch.testing.assert_close(found, whole[k].grad, rtol=1e-12, atol=1e-24)


SIZES_OF_TWO = st.tuples(st.integers(1, 5), st.integers(1, 5))
CASE = st.fixed_dictionaries({
    "seed": st.integers(0, 10**6), "rows": SIZES_OF_TWO, "columns": SIZES_OF_TWO, "groups": st.integers(1, 4),
    "t": st.floats(0.1, 300), "b": st.floats(-0.5, 1), "chunk_size": st.none() | st.integers(1, 4),
    "apart": st.booleans(),
})  # fmt: skip


def drawn(case):
    """Points, group ids and scalars of a case; ``apart``: orthogonal groups at a threshold between, near zero loss."""
    generator = torch.Generator().manual_seed(case["seed"])
    ids = [torch.randint(case["groups"], (sum(case[side]),), generator=generator) for side in ("rows", "columns")]
    points = [torch.eye(4, dtype=torch.float64)[of] for of in ids]
    if not case["apart"]:
        points = [random_points(len(of), 4, seed=case["seed"], stream=k) for k, of in enumerate(ids)]
    t, b = (case["t"] + 30, 0.5) if case["apart"] else (case["t"], case["b"])
    return points, ids, [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (t, b)]


def one_of_two(rank, n_processes, folder):
    start(rank, n_processes, folder)
    found = []
    for case in json.loads(Path(folder, "cases.json").read_text()):
        points, ids, scalars = drawn(case)
        parts = [list(x.split(case[side])) for x, side in zip(points + ids, ("rows", "columns") * 2, strict=True)]
        u, v, *labels = (part[rank] for part in parts)
        mine = [u.clone().requires_grad_(), v.clone().requires_grad_(), *scalars]
        loss = losses.distributed_sigmoid_loss(
            *mine[:2], inverse_temperature=mine[2], relative_bias=mine[3], labels=tuple(labels),
            chunk_size=case["chunk_size"],
        )  # fmt: skip
        loss.backward()
        found.append([loss.detach(), *(x.grad for x in mine)])
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@settings(max_examples=3)
@given(cases=st.lists(CASE, min_size=12, max_size=12))
def test_any_groups_on_two_processes_are_brute_force(cases):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "cases.json").write_text(json.dumps(cases))
        parts = spawn(one_of_two, 2, Path(folder))
    for k, case in enumerate(cases):
        (u, v), ids, scalars = drawn(case)
        whole = [u.clone().requires_grad_(), v.clone().requires_grad_(), *scalars]
        loss = brute_force(*whole, ids[0][:, None] == ids[1])
        loss.backward()
        expected = [loss.detach(), *(x.grad for x in whole)]
        found, size = zip(*(part[k] for part in parts), strict=True), max(x.abs().max().item() for x in expected)
        for collect, right, shares in zip((sum, torch.cat, torch.cat, sum, sum), expected, found, strict=True):
            torch.testing.assert_close(collect(shares), right, rtol=1e-12, atol=1e-12 * size)


def one_faulty_process(rank, n_processes, folder):
    start(rank, n_processes, folder)
    u, v = (random_points(4, 3, seed=1, stream=k) for k in (0, 1))
    said = []
    for bad in ((u * 2, v), (u[:3], v), (u[:, :2] / u[:, :2].norm(dim=1, keepdim=True),) * 2, (u.float(), v.float())):
        try:
            losses.distributed_sigmoid_loss(*(bad if rank else (u, v)), inverse_temperature=9.0, relative_bias=0.2)
        except ValueError as error:
            said.append(str(error))
    torch.save(said, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_one_bad_process_is_a_value_error_on_all(tmp_path):
    said = spawn(one_faulty_process, 2, tmp_path)
    assert all("on every process, got" in message for message in said[0])
    assert len(said[0]) == len(said[1]) == 4
    assert "norm 1" in said[1][0]
    assert "same shape" in said[1][1]


def one_of_two_scales(rank, n_processes, folder):
    start(rank, n_processes, folder)
    u, v = (random_points(4, 3, seed=rank, stream=k).requires_grad_() for k in (0, 1))
    said = []
    for scale, twice in ((1 + rank, False), (1, True)):
        loss = scale * losses.distributed_sigmoid_loss(u, v, inverse_temperature=9.0, relative_bias=0.2)
        try:
            (gradient,) = torch.autograd.grad(loss, u, create_graph=twice)
            gradient.sum().backward()
        except (ValueError, RuntimeError) as error:
            said.append(str(error))
    torch.save(said, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_processes_that_scale_their_losses_differently_and_second_derivatives_are_refused(tmp_path):
    for scale, twice in spawn(one_of_two_scales, 2, tmp_path):
        assert scale == "the loss must be scaled alike on every process, got [1.0, 2.0]"
        assert twice == "create_graph must be False for the distributed loss, got True"


def test_the_distributed_loss_needs_a_process_group():
    u, v = (random_points(4, 3, seed=1, stream=k) for k in (0, 1))
    with pytest.raises(ValueError, match="process group"):
        losses.distributed_sigmoid_loss(u, v, inverse_temperature=9.0, relative_bias=0.2)


def one_sharded_process(rank, n_processes, folder):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    start(rank, n_processes, folder)
    x, y = (random_points(4, 3, seed=1, stream=k, dtype=torch.float32) for k in (0, 1))
    module = losses.SigmoidLoss(one_element=True)
    expected = module(x, y).item()
    fully_shard(module, mesh=init_device_mesh("cpu", (1,)))
    loss = module(x, y)
    loss.backward()
    torch.save((loss.item(), expected), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_one_element_scalars_can_be_sharded(tmp_path):
    [(found, expected)] = spawn(one_sharded_process, 1, tmp_path)
    assert found == expected
