"""The report on large embedding sets: against brute force, as a command, with bad input, and with every file format."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from constellations import bounds, geometry, losses, sphere
from constellations.geometry import __main__ as report_command
from constellations.geometry.averages import (
    averages,
    loss_at_best_bias,
    nearest_others,
    non_matching_histogram,
)
from constellations.geometry.files import read_array, read_labels, read_points
from constellations.geometry.large import extremes
from constellations.geometry.report import measure


def labelled(n_images: int, n_texts: int, dim: int, seed: int, *, signal: float = 1.0):
    """Images that lean towards their texts, in float64."""
    texts = sphere.random_points(n_texts, dim, seed=seed)
    labels = torch.from_numpy(np.random.default_rng(seed).integers(0, n_texts, n_images))
    images = sphere.normalize(
        signal * texts[labels] + sphere.random_points(n_images, dim, seed=seed, stream=1)
    )
    return images, texts, labels


def brute(images, texts, labels):
    """Matching [M] and the [M, N-1] non-matching products."""
    s = images.double() @ texts.double().T
    own = torch.zeros_like(s, dtype=torch.bool)
    own[torch.arange(len(images)), labels] = True
    return s[own], s[~own].reshape(len(images), -1)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(2, 40),
    st.integers(2, 40),
    st.integers(0, 10**6),
    st.floats(0, 3),
    st.booleans(),
)
def test_extremes_equal_brute_force_with_and_without_screen(m, n, dim, seed, signal, screen):
    images, texts, labels = labelled(m, n, dim, seed, signal=signal)
    images, texts = images.float(), texts.float()
    matching, others = brute(images, texts, labels)
    found = extremes(images, texts, labels, screen=screen)
    i, j = found.non_matching_index
    assert j != labels[i]
    assert found.max_non_matching == pytest.approx(others.max().item(), abs=1e-12)
    assert (images[i].double() @ texts[j].double()).item() == pytest.approx(found.max_non_matching, abs=1e-12)
    np.testing.assert_allclose(found.matching, matching, atol=1e-12)
    clear = (others.max(1).values - matching).abs() > 1e-5
    assert (torch.from_numpy(found.beaten) == (others.max(1).values >= matching))[clear].all()


@pytest.mark.parametrize("screen", [True, False])
def test_blocks_do_not_matter(screen, monkeypatch):
    images, texts, labels = labelled(300, 70, 48, 0)
    expected = extremes(images, texts, labels, screen=False)
    monkeypatch.setattr("constellations.geometry.large.IMAGE_BLOCK", 17)
    monkeypatch.setattr("constellations.geometry.large.TEXT_BLOCK", 13)
    found = extremes(images, texts, labels, screen=screen)
    assert found.max_non_matching == expected.max_non_matching
    assert found.non_matching_index == expected.non_matching_index
    assert (found.beaten == expected.beaten).all()


@pytest.mark.parametrize("screen", [True, False])
def test_extremes_with_ties_and_collapse(screen):
    """All products equal 1: every image is beaten, the maximum is 1, and no matching pair is taken for another."""
    points = torch.ones(600, 16) / 4
    found = extremes(points, points, torch.arange(600), screen=screen)
    assert found.max_non_matching == 1 and found.beaten.all()
    assert found.non_matching_index[0] != found.non_matching_index[1]


def test_report_agrees_with_geometry():
    u = sphere.random_points(80, 12, seed=3)
    v = sphere.normalize(u + 0.4 * sphere.random_points(80, 12, seed=4))
    found, exact = measure(u, v), geometry.separation(u, v)
    assert found.extreme.margin == pytest.approx(exact.margin, abs=1e-12)
    assert found.extreme.relative_bias == pytest.approx(exact.relative_bias, abs=1e-12)
    assert (found.matching_index, found.non_matching_index) == (
        exact.matching_index,
        exact.non_matching_index,
    )
    assert (found.mean.margin, found.mean.relative_bias) == pytest.approx(
        geometry.mean_margin(u, v), abs=1e-12
    )
    trimmed = (found.trimmed.margin, found.trimmed.relative_bias)
    assert trimmed == pytest.approx(geometry.trimmed_margin(u, v), abs=2e-4)
    shift = geometry.linear_representation_gap(u, v)
    assert found.xi == pytest.approx(shift.xi, abs=1e-12)
    assert found.mean_of_norms - found.norm_of_mean == pytest.approx(found.xi, abs=1e-12)
    assert found.retrieval_accuracy == geometry.nearest_neighbour_accuracy(u, v)
    assert found.unmatched_mean_of_norms == pytest.approx((2 - 2 * (u @ v.T)).mean().item(), abs=1e-12)


@pytest.mark.parametrize("signal", [0.0, 3.0])
def test_many_images_per_text(signal):
    images, texts, labels = labelled(500, 30, 24, 1, signal=signal)
    matching, others = brute(images, texts, labels)
    found = measure(images, texts, labels=labels, inverse_temperature=20.0)
    assert found.mean.matching == pytest.approx(matching.mean().item(), abs=1e-12)
    assert found.mean.non_matching == pytest.approx(others.mean().item(), abs=1e-12)
    assert found.retrieval_accuracy == (matching > others.max(1).values).double().mean().item()
    x = images - texts[labels]
    assert found.xi == pytest.approx((x - x.mean(0)).square().sum(1).mean().item(), abs=1e-12)
    t, bias = 20.0, found.loss.bias
    total = losses_of(matching, others, t, bias)
    assert found.loss.infimum == pytest.approx(total, rel=1e-3)
    nearby = [losses_of(matching, others, t, bias + step) for step in (-0.2, 0.2)]
    assert min(nearby) > total
    assert found.loss.lower <= total <= found.loss.upper


def losses_of(matching, others, t, bias):
    softplus = torch.nn.functional.softplus
    return (softplus(bias - t * matching).sum() + softplus(t * others - bias).sum()).item()


def test_loss_agrees_with_the_loss_module_and_certifies():
    u = sphere.random_points(40, 64, seed=0)
    found = measure(u, u, inverse_temperature=30.0)
    exact = losses.optimal_bias(u, u, inverse_temperature=30.0)
    assert found.loss.infimum == pytest.approx(exact.loss, rel=1e-3)
    assert found.loss.bias == pytest.approx(exact.bias, abs=2e-3)
    assert found.loss.certified_margin <= found.extreme.margin


def test_brackets_and_guarantee():
    found = measure(torch.eye(6), torch.eye(6))
    assert found.required_dimension == bounds.required_dimension(6, 0.5, 0.5)
    assert found.required_dimension[0] <= 6 and not found.modality_gap_guaranteed
    assert measure(torch.eye(4), -torch.eye(4)).required_dimension is None


def test_sampled_histogram_is_close_and_reproducible():
    images, texts, labels = labelled(4000, 50, 16, 2)
    full = non_matching_histogram(images, texts, labels)
    sampled = non_matching_histogram(images, texts, labels, most=50_000, seed=5)
    again = non_matching_histogram(images, texts, labels, most=50_000, seed=5)
    assert full.exact and full.counts.sum() == 4000 * 49
    assert sampled.n_images == 1000 and not sampled.exact and (sampled.counts == again.counts).all()
    assert sampled.quantile(0.95) == pytest.approx(full.quantile(0.95), abs=0.02)
    one, other = (
        loss_at_best_bias(np.full(4000, 0.5), h, inverse_temperature=5.0)[0] for h in (full, sampled)
    )
    assert one == pytest.approx(other, rel=0.05)


def test_histogram_counts_products_of_plus_and_minus_one():
    texts = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    found = non_matching_histogram(texts, texts, torch.arange(3))
    assert found.counts.sum() == 6 and found.counts[-1] == 2 and found.counts[0] == 4


def test_averages_and_nearest_others():
    images, texts, labels = labelled(90, 20, 8, 7)
    _, others = brute(images, texts, labels)
    assert averages(images, texts, labels).non_matching == pytest.approx(others.mean().item(), abs=1e-12)
    index, value = nearest_others(images, texts, labels)
    assert (index != labels).all()
    np.testing.assert_allclose(value, others.max(1).values, atol=1e-6)
    np.testing.assert_allclose((images * texts[index]).sum(1), value, atol=1e-6)


WRITERS = {
    "npy": lambda path, x: np.save(path, x),
    "npz": lambda path, x: np.savez(path, embeddings=x),
    "safetensors": lambda path, x: save_file({"embeddings": torch.from_numpy(x)}, path),
    "parquet": lambda path, x: pyarrow.parquet.write_table(pyarrow.table({"vector": list(x)}), path),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_formats(suffix, tmp_path):
    points = sphere.random_points(7, 5, seed=0).float().numpy()
    WRITERS[suffix](tmp_path / f"x.{suffix}", points)
    np.testing.assert_array_equal(read_points(tmp_path / f"x.{suffix}"), points)


def test_parquet_of_numeric_columns_and_a_named_entry(tmp_path):
    points = sphere.random_points(7, 3, seed=0).numpy()
    pyarrow.parquet.write_table(
        pyarrow.table({str(k): points[:, k] for k in range(3)}), tmp_path / "x.parquet"
    )
    np.testing.assert_array_equal(read_points(tmp_path / "x.parquet"), points)
    np.savez(tmp_path / "two.npz", u=points, v=-points)
    np.testing.assert_array_equal(read_array(f"{tmp_path}/two.npz:v"), -points)
    with pytest.raises(ValueError, match=r"holds u, v: choose one"):
        read_array(tmp_path / "two.npz")


def test_half_precision_is_renormalised(tmp_path):
    points = sphere.random_points(9, 700, seed=0)
    save_file({"x": points.bfloat16()}, tmp_path / "x.safetensors")
    read = read_points(tmp_path / "x.safetensors")
    assert read.dtype == torch.float32 and (read.norm(dim=1) - 1).abs().max() < 1e-6


def save(folder, **arrays):
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return [str(folder / f"{name}.npy") for name in arrays]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((3, 2), np.nan), "must be finite"),
        (np.zeros((3, 2)), "no zero rows"),
        (2 * np.eye(3), "--normalize"),
        (np.ones(3), r"shape \[N, d\]"),
        (np.eye(3, dtype=complex), "real numbers"),
        (np.empty((0, 4)), r"shape \[N, d\]"),
    ],
)
def test_bad_points_stop_the_command(array, message, tmp_path, capsys):
    paths = save(tmp_path, u=array, v=np.eye(3))
    assert report_command.main(["report", *paths, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "Traceback" not in error
    assert re.search(message, error)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], "one label per image"),
        ([0, 1, 7], "0 to 2"),
        ([0, 1, -1], "0 to 2"),
        ([0.0, 0.5, 1.0], "integers"),
        (None, None),
    ],
)
def test_bad_labels(labels, message, tmp_path):
    if labels is None:
        with pytest.raises(ValueError, match="give labels"):
            measure(torch.eye(3), torch.eye(3)[:2])
        return
    (path,) = save(tmp_path, labels=np.array(labels))
    with pytest.raises(ValueError, match=message):
        read_labels(path, n_images=3, n_texts=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inverse_temperature": 0.0}, "inverse_temperature"),
        ({"sampled_products": 0}, "sampled_products"),
        ({"max_passes": -1}, "max_passes"),
        ({"labels": torch.tensor([0, 1])}, "one label per image"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        measure(torch.eye(3), torch.eye(3), **options)


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        read_points(tmp_path / "nothing.npy")
    with pytest.raises(ValueError, match="must end in one of"):
        read_points(tmp_path / "x.csv")
    (tmp_path / "torn.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(ValueError, match=r"torn\.npy"):
        read_points(tmp_path / "torn.npy")
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match="cannot be read"):
        read_points(tmp_path / "torn.npz")
    (tmp_path / "torn.safetensors").write_bytes(b"123")
    with pytest.raises(ValueError, match="cannot be read"):
        read_points(tmp_path / "torn.safetensors")


def test_the_command(tmp_path):
    images, texts, labels = labelled(60, 12, 16, 0, signal=4.0)
    paths = save(tmp_path, u=images, v=texts, labels=labels)
    command = [sys.executable, "-m", "constellations.geometry", "report", *paths[:2], "--pairs", paths[2]]
    out = tmp_path / "report.json"
    done = subprocess.run(
        [*command, "--inverse-temperature", "50", "--json", out, "--quiet"],
        capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "60 images, 12 texts, d = 16" in done.stdout and "loss at t = 50" in done.stdout
    content = json.loads(out.read_text())
    matching, others = brute(images, texts, labels)
    assert content["extreme"]["margin"] == pytest.approx((matching.min() - others.max()).item() / 2, abs=1e-9)
    assert 0 <= content["retrieval_accuracy"] <= 1


def test_no_matrix_is_made(monkeypatch):
    """A block never holds more than 512 x 8,192 products, whatever the number of pairs."""
    largest = 0
    original = torch.Tensor.__matmul__

    def counted(a, b):
        nonlocal largest
        product = original(a, b)
        largest = max(largest, product.numel())
        return product

    monkeypatch.setattr(torch.Tensor, "__matmul__", counted)
    points = sphere.random_points(9000, 4, seed=0).float()
    measure(points, points, sampled_products=10**6, max_passes=1)
    assert 0 < largest <= 2**22
