"""Reading embeddings, labels and names from files as people keep them; what is wrong with a file is one line."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
import torch
from safetensors.torch import save_file

from constellations import sphere
from constellations.geometry.files import read_array, read_labels, read_names, read_points
from constellations.geometry.matches import matches

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
    pyarrow.parquet.write_table(pyarrow.table({str(k): points[:, k] for k in range(3)}), tmp_path / "x.parquet")
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


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.where(np.arange(6).reshape(3, 2) == 3, np.nan, 0.5), "finite, got norm nan in row 1"),
        (np.array([[1.0, 0.0], [0.0, 0.0]]), "no zero rows, got norm 0 in row 1"),
        (np.diag([1.0, 1.0, 2.0]), r"norm 1 \(pass --normalize.*\), got norm 2 in row 2"),
        (np.ones(3), r"shape \[N, d\]"),
        (np.eye(3, dtype=complex), "real numbers"),
        (np.empty((0, 4)), r"shape \[N, d\]"),
        (np.array([["a", "b"]]), "must hold numbers, got dtype <U1"),
    ],
)
def test_bad_points_are_named_by_file_and_row(array, message, tmp_path):
    np.save(tmp_path / "u.npy", array)
    with pytest.raises(ValueError, match=rf"u\.npy.*{message}"):
        read_points(tmp_path / "u.npy")


def test_rows_are_named_beyond_the_first_block(tmp_path):
    points = np.tile([1.0, 0.0], (9000, 1))
    points[8500, 0] = np.inf
    np.save(tmp_path / "u.npy", points)
    with pytest.raises(ValueError, match="in row 8500"):
        read_points(tmp_path / "u.npy")


@pytest.mark.parametrize("dtype", [">f4", ">f8", "<f2", np.longdouble])
def test_foreign_byte_order_and_wide_types(dtype, tmp_path):
    points = sphere.random_points(7, 5, seed=0).numpy()
    np.save(tmp_path / "u.npy", points.astype(dtype))
    np.savez(tmp_path / "u.npz", points=points.astype(dtype))
    for file in ("u.npy", "u.npz"):
        np.testing.assert_allclose(read_points(tmp_path / file), points, atol=1e-3)
    np.save(tmp_path / "labels.npy", np.arange(7).astype(">i8"))
    assert read_labels([tmp_path / "labels.npy"], n_images=7, n_texts=7)[0].tolist() == list(range(7))


DAMAGED = {
    "pointer.npz": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n",
    "empty.parquet": b"",
    "empty.npy": b"",
    "torn.npy": b"\x93NUMPY",
    "torn.npz": b"PK\x03\x04 and no more",
    "torn.safetensors": b"123",
    "torn.parquet": b"PAR1 and no more",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_one_line_that_names_them(name, tmp_path):
    (tmp_path / name).write_bytes(DAMAGED[name])
    with pytest.raises(ValueError, match=rf"{name} cannot be read: .") as error:
        read_points(tmp_path / name)
    assert "\n" not in str(error.value)


def test_missing_foreign_and_pickled_files(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        read_points(tmp_path / "nothing.npy")
    with pytest.raises(ValueError, match="must end in one of"):
        read_points(tmp_path / "x.csv")
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        read_points(tmp_path / "folder.npy")
    np.savez(tmp_path / "object.npz", image=np.array([np.eye(2), None], dtype=object))
    with pytest.raises(ValueError, match=r"object\.npz cannot be read: Object arrays"):
        read_points(tmp_path / "object.npz")


def write_parquet(path, **columns):
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def test_the_index_of_pandas_is_no_coordinate(tmp_path):
    points = sphere.random_points(9, 3, seed=0).numpy()
    frame = pd.DataFrame(points, columns=["0", "1", "2"])
    frame.sample(frac=1, random_state=0).sort_index().to_parquet(tmp_path / "sorted.parquet")
    frame.set_index(pd.Index(range(9), name="id")).to_parquet(tmp_path / "named.parquet")
    for name in ("sorted", "named"):
        np.testing.assert_array_equal(read_points(tmp_path / f"{name}.parquet"), points)


@pytest.mark.parametrize(
    "extra",
    [
        {"label": np.arange(4)},
        {"split": ["a", "b", "a", "b"]},
        {"Unnamed: 0": np.arange(4.0)},
        {"index": np.arange(4.0)},
    ],
)
def test_columns_that_are_no_coordinates_are_refused(extra, tmp_path):
    path = write_parquet(tmp_path / "x.parquet", **extra, a=np.ones(4), b=np.zeros(4))
    with pytest.raises(ValueError, match=rf"must hold coordinates alone, got columns {next(iter(extra))}"):
        read_points(path)


def test_column_types(tmp_path):
    """Categories beside vectors, tensors of a fixed shape, lists of a fixed size; vectors of no or several lengths."""
    points = sphere.random_points(6, 4, seed=0).float().numpy()
    frame = pd.DataFrame({"split": pd.Categorical(["val"] * 6), "emb": list(points)})
    frame.to_parquet(tmp_path / "a.parquet")
    storage = pyarrow.array(points.tolist(), pyarrow.list_(pyarrow.float32(), 4))
    tensor = pyarrow.ExtensionArray.from_storage(pyarrow.fixed_shape_tensor(pyarrow.float32(), [4]), storage)
    for name, column in (("b", storage), ("c", tensor), ("d", pyarrow.array(points.tolist()))):
        write_parquet(tmp_path / f"{name}.parquet", emb=column)
    for name in "abcd":
        np.testing.assert_allclose(read_points(tmp_path / f"{name}.parquet"), points, atol=1e-7)
    write_parquet(tmp_path / "e.parquet", emb=pyarrow.array([[1.0], [1.0, 2.0]]))
    write_parquet(tmp_path / "f.parquet", emb=pyarrow.array([], pyarrow.list_(pyarrow.float32())))
    for name, lengths in (("e", "1, 2"), ("f", "")):
        with pytest.raises(
            ValueError, match=rf"{name}\.parquet must hold vectors of one length, got lengths \[{lengths}\]"
        ):
            read_points(tmp_path / f"{name}.parquet")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], "one label per image"),
        ([0, 1, 7], "rows of the texts, 0 to 2, got 7 in row 2"),
        ([0, 1, -1], "0 to 2, got -1 in row 2"),
        ([0.0, 0.5, 1.0], "integers"),
    ],
)
def test_bad_labels_are_named_by_their_file(labels, message, tmp_path):
    np.save(tmp_path / "own.npy", np.array(labels))
    with pytest.raises(ValueError, match=rf"own\.npy must .*{message}"):
        read_labels([tmp_path / "own.npy"], n_images=3, n_texts=3)


def test_labels_of_either_side_relevance_and_groups_mean_the_same(tmp_path):
    """Two images with three captions each, said in four ways."""
    own, relevant = np.repeat(np.arange(2), 3), np.kron(np.eye(2), np.ones((1, 3))).astype(int)
    for name, array in {"texts": own, "matrix": relevant, "images": np.array([5, 9]), "groups": 5 + 4 * own}.items():
        np.save(tmp_path / f"{name}.npy", array)
    expected = torch.from_numpy(relevant).bool().nonzero()
    for files in (["texts"], ["matrix"], ["images", "groups"]):
        labels = read_labels([str(tmp_path / f"{name}.npy") for name in files], n_images=2, n_texts=6)
        found = matches(labels, 2, 6)
        assert torch.equal(torch.stack([found.rows, found.columns], dim=1), expected)
    found = matches(read_labels([tmp_path / "texts.npy"], n_images=6, n_texts=2), 6, 2)
    assert found.rows.tolist() == list(range(6)) and found.columns.tolist() == own.tolist()


def test_names(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo é\n", encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps(["one", 2]))
    assert read_names(tmp_path / "a.txt", n_rows=2) == ["one", "two é"]
    assert read_names(tmp_path / "a.json", n_rows=2) == ["one", "2"]
    with pytest.raises(ValueError, match=r"a\.txt must hold one name per row, 3, got 2"):
        read_names(tmp_path / "a.txt", n_rows=3)
