"""Glyphs and their names: what is drawn, what is dropped, features, splits, and a reader's own files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from companion.studies import glyphs, pairs


@pytest.fixture(scope="module")
def all_glyphs() -> glyphs.Glyphs:
    return glyphs.draw_glyphs(least_distance=0)


@pytest.fixture(scope="module")
def cleaned() -> glyphs.Glyphs:
    return glyphs.draw_glyphs()


def test_counts_and_shapes(all_glyphs, cleaned):
    assert 1600 < len(all_glyphs) < 1700
    assert 1350 < len(cleaned) < 1550
    assert cleaned.images.shape == (len(cleaned), 32, 32) and cleaned.images.dtype == np.float32
    assert cleaned.images.min() == 0 and 0.9 < cleaned.images.max() <= 1
    assert len(set(cleaned.captions)) == len(cleaned) == len(set(cleaned.characters))


def test_no_two_kept_pictures_are_close(cleaned):
    flat = cleaned.images.reshape(len(cleaned), -1).astype(np.float64)
    norms = (flat**2).sum(1)
    distance = norms[:, None] + norms - 2 * flat @ flat.T + 1e9 * np.eye(len(flat))
    assert distance.min() > 2 - 1e-3
    assert not glyphs.homoglyphs(cleaned)


def test_homoglyphs_are_found_and_identical(all_glyphs):
    groups = glyphs.homoglyphs(all_glyphs)
    assert 60 < len(groups) < 200
    letters = [{all_glyphs.characters[i] for i in group} for group in groups]
    assert any({"A", "Α", "А"} <= group for group in letters)
    for group in groups:
        assert all((all_glyphs.images[i] == all_glyphs.images[group[0]]).all() for i in group)


def test_nothing_is_cut_off_and_the_baseline_is_common(all_glyphs):
    edge = np.concatenate([all_glyphs.images[:, 0], all_glyphs.images[:, -1]])
    assert edge.sum() == 0
    by_name = dict(zip(all_glyphs.characters, all_glyphs.images, strict=True))
    rows = {c: np.flatnonzero(by_name[c].sum(1) > 0.5) for c in "Ooxp"}
    assert rows["O"][0] < rows["o"][0]  # the case shows
    assert abs(int(rows["o"][-1]) - int(rows["x"][-1])) <= 1 < rows["p"][-1] - rows["x"][-1]  # descender


@pytest.mark.parametrize("least_distance", [-1, float("nan")])
def test_bad_glyph_options(least_distance):
    with pytest.raises(ValueError, match="least_distance must be"):
        glyphs.draw_glyphs(least_distance=least_distance)


def test_word_order_needs_bigrams(cleaned):
    a, b = (f"LATIN CAPITAL LETTER U WITH {x}" for x in ("DIAERESIS AND MACRON", "MACRON AND DIAERESIS"))
    blind = pairs.text_features([a, b], bigrams=False)
    assert (blind[0] == blind[1]).all()
    seeing = pairs.text_features([a, b])
    assert (seeing[0] != seeing[1]).any()
    features = pairs.text_features(cleaned.captions)
    assert len(np.unique(features, axis=0)) == len(cleaned)
    assert len(np.unique(pairs.text_features(cleaned.captions, bigrams=False), axis=0)) < len(cleaned)


def test_the_hash_is_the_same_in_every_process():
    places = pairs.text_features(["ALPHA BETA"]).nonzero()[1].tolist()
    assert places == [145, 292, 320, 382, 487, 529, 537, 645, 776, 792, 879, 937]


def test_captions_must_be_given():
    with pytest.raises(ValueError, match="captions must not be empty"):
        pairs.text_features([])


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 40), st.integers(2, 12), st.integers(1, 15), st.integers(0, 10**6))
def test_whitening_decorrelates(n, dim, n_components, seed):
    x = np.random.default_rng(seed).normal(size=(n, dim)) @ np.random.default_rng(seed + 1).normal(size=(dim, dim))
    white = pairs.fit_whitening(x, n_components=n_components)
    y = white(x).astype(np.float64)
    assert y.shape[1] <= min(n_components, dim, n)
    np.testing.assert_allclose(y.mean(0), 0, atol=2e-2)
    np.testing.assert_allclose(y.T @ y / n, np.eye(y.shape[1]), atol=2e-2)


def test_whitening_pairs_looks_at_the_training_rows_alone():
    image, text = np.random.default_rng(0).normal(size=(2, 20, 4)).astype(np.float32)
    one = pairs.whiten_pairs(pairs.PairedFeatures(image, text, ("",) * 20), range(12), n_components=3)
    image[15] += 5
    two = pairs.whiten_pairs(pairs.PairedFeatures(image, text, ("",) * 20), range(12), n_components=3)
    assert (one[0][:12] == two[0][:12]).all() and (one[1] == two[1]).all()
    np.testing.assert_allclose(one[0][:12].mean(0), 0, atol=1e-5)


def test_bad_whitening():
    with pytest.raises(ValueError, match="constant"):
        pairs.fit_whitening(np.ones((5, 3)), n_components=2)
    with pytest.raises(ValueError, match="n_components must"):
        pairs.fit_whitening(np.eye(3), n_components=0)


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 300), st.floats(0.01, 0.99), st.integers(0, 10**6))
def test_random_split_is_a_partition(n, held_out, seed):
    split = pairs.random_split(n, held_out=held_out, seed=seed)
    assert sorted([*split.train, *split.test]) == list(range(n))
    assert min(len(split.train), len(split.test)) >= 2
    again = pairs.random_split(n, held_out=held_out, seed=seed)
    assert (again.test == split.test).all()


@pytest.mark.parametrize("part", ["base letter", "accent"])
def test_split_by_part_shares_no_group(cleaned, part):
    split = pairs.split_by(cleaned.captions, part, held_out=0.15, seed=0)
    assert sorted([*split.train, *split.test]) == list(range(len(cleaned)))
    key = pairs.base_letter if part == "base letter" else pairs.accent
    seen, unseen = ({key(cleaned.captions[i]) for i in side} for side in (split.train, split.test))
    assert not seen & unseen and unseen == set(split.held_out_groups)
    assert 0.15 <= len(split.test) / len(cleaned) < 0.4


def test_parts_of_a_caption():
    for case in ("SMALL", "CAPITAL"):
        caption = f"LATIN {case} LETTER O WITH GRAVE AND DOT"
        assert (pairs.base_letter(caption), pairs.accent(caption)) == ("LATIN O", "GRAVE AND DOT")
    assert pairs.accent("GREEK SMALL LETTER PI") == ""


def test_bad_splits(cleaned):
    with pytest.raises(ValueError, match="held_out in"):
        pairs.random_split(10, held_out=1.0, seed=0)
    with pytest.raises(ValueError, match="part must be"):
        pairs.split_by(cleaned.captions, "colour", held_out=0.2, seed=0)
    with pytest.raises(ValueError, match="more groups"):
        pairs.split_by(["A WITH B"] * 6, "accent", held_out=0.5, seed=0)


def test_read_features_in_every_format(tmp_path):
    rng = np.random.default_rng(0)
    image, text = (rng.normal(size=(9, d)).astype(np.float32) for d in (5, 3))
    np.savez(tmp_path / "p.npz", image=image, text=text)
    save_file({"image": torch.from_numpy(image), "text": torch.from_numpy(text)}, tmp_path / "p.safetensors")
    pd.DataFrame({"image": list(image), "text": list(text)}).to_parquet(tmp_path / "p.parquet")
    np.save(tmp_path / "a.npy", image)
    np.save(tmp_path / "b.npy", text)
    found = [pairs.read_features(tmp_path / f"p.{end}") for end in ("npz", "safetensors", "parquet")]
    found.append(pairs.read_features(tmp_path / "a.npy", tmp_path / "b.npy"))
    found.append(pairs.read_features(f"{tmp_path}/p.npz:image", f"{tmp_path}/p.npz:text"))
    for one in found:
        assert (one.image == image).all() and (one.text == text).all() and len(one) == 9


def test_read_features_refuses(tmp_path):
    good, bad = np.ones((9, 2), np.float32), np.full((9, 2), np.nan, np.float32)
    np.savez(tmp_path / "p.npz", image=good, text=good[:8], nan=bad, flat=good[0], few=good[:3])
    file = f"{tmp_path}/p.npz"
    for a, b, message in [
        (file, "", "the same N >= 8 rows, got 9 and 8"),
        (f"{file}:few", f"{file}:few", "the same N >= 8 rows"),
        (f"{file}:nan", f"{file}:image", "must be finite"),
        (f"{file}:flat", f"{file}:image", r"shape \[N, D\]"),
        (f"{file}:other", f"{file}:image", "choose one"),
        (f"{tmp_path}/none.npz", "", "no such file"),
    ]:
        with pytest.raises(ValueError, match=message):
            pairs.read_features(a, b)
