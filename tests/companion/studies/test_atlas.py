"""The atlas: exact certificates, the search behind it, and the codes it is compared with."""

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from companion.studies import atlas
from companion.studies.atlas import starts
from companion.studies.atlas.__main__ import main
from companion.studies.atlas.polish import anneal, margin_at, polish
from companion.studies.atlas.search import best_of
from companion.studies.atlas.table import _at_least
from constellations import bounds, constructions, geometry

ENTRIES = atlas.load_atlas()


def random_pair(n, dim, seed=0):
    rng = np.random.default_rng(seed)
    u, v = (rng.normal(size=(n, dim)) for _ in range(2))
    return tuple(x / np.linalg.norm(x, axis=1, keepdims=True) for x in (u, v))


def test_every_shipped_entry_is_certified_in_exact_arithmetic():
    assert len(ENTRIES) >= 10
    assert all(entry.is_certified() for entry in ENTRIES)
    assert all(entry.margin > 0 for entry in ENTRIES)
    cells = [(e.dim, e.n_pairs, e.relative_bias) for e in ENTRIES]
    assert len(set(cells)) == len(cells) and cells == sorted(cells)


def test_the_midpoints_of_every_entry_are_a_code_in_exact_arithmetic_and_none_passes_the_ceiling():
    assert all(entry.midpoints_are_a_code() for entry in ENTRIES)
    spoilt = [dataclasses.replace(e, margin=e.margin + Fraction(1, 1000)) for e in ENTRIES]
    refused = sum(not entry.midpoints_are_a_code() for entry in spoilt)
    assert refused >= len(ENTRIES) / 2  # most entries are tight: a larger margin would contradict their midpoints
    room = np.array([e.ceiling() - float(e.margin) for e in ENTRIES])
    assert room.min() >= -1e-9
    flat = [x for x, e in zip(room, ENTRIES, strict=True) if e.dim == 2 and e.relative_bias >= Fraction(1, 2)]
    assert min(flat) < 1e-9  # the circle, where the best codes are known


def test_shipped_entries_hold_in_floating_point_and_obey_the_bounds():
    for e in ENTRIES:
        b, m = float(e.relative_bias), float(e.margin)
        u, v = e.points()
        assert u.shape == v.shape == (e.n_pairs, e.dim) and u.dtype == torch.float64
        assert geometry.is_constellation(u, v, margin=m - 1e-12, relative_bias=b)
        assert m <= bounds.margin_upper_bound(b, n_pairs=e.n_pairs) + 1e-12
    n, dim, b, m = (
        np.array([float(getattr(e, name)) for e in ENTRIES]) for name in ("n_pairs", "dim", "relative_bias", "margin")
    )
    assert np.all(m <= bounds.margin_bracket(n, dim, b)[1] + 1e-9)


def test_shipped_entries_are_no_worse_than_codes_antiprisms_and_each_other():
    best = {(e.dim, e.n_pairs, e.relative_bias): float(e.margin) for e in ENTRIES}
    for (dim, n, b), margin in best.items():
        assert margin >= atlas.margin_from_codes(dim, n, float(b)) - 1e-6
        largest = 1 / (3 - 2 * math.cos(2 * math.pi / n))
        if dim == 3 and n % 2 == 0 and 0 < b <= largest:
            u, v = constructions.antiprism(n, relative_bias=float(b))
            assert margin >= geometry.separation(u, v).margin - 1e-6
        assert best.get((dim + 1, n, b), 1.0) >= margin - 1e-9  # a further dimension may be left unused


@pytest.mark.parametrize("change", ["margin", "point", "short", "zero"])
def test_a_spoilt_certificate_is_refused(change):
    entry = ENTRIES[-1]
    spoilt = {
        "margin": {"margin": entry.margin + Fraction(1, 10**6)},
        "point": {"u": (entry.v[1], *entry.u[1:])},
        "short": {"u": entry.u[1:]},
        "zero": {"u": ((0,) * entry.dim, *entry.u[1:])},
    }[change]
    assert not dataclasses.replace(entry, **spoilt).is_certified()


@given(
    st.lists(st.integers(-9, 9), min_size=3, max_size=3),
    st.lists(st.integers(-9, 9), min_size=3, max_size=3),
    st.fractions(-1, 1, max_denominator=30),
)
def test_the_integer_comparison_is_that_of_real_numbers(x, y, bound):
    scale = math.sqrt(sum(a * a for a in x) * sum(b * b for b in y))
    difference = sum(a * b for a, b in zip(x, y, strict=True)) - float(bound) * scale
    if abs(difference) > 1e-9:
        assert _at_least(x, y, bound) == (difference > 0)


def test_the_integer_comparison_decides_equality():
    assert _at_least((3, 4), (5, 0), Fraction(3, 5))
    assert not _at_least((3, 4), (5, 0), Fraction(3, 5) + Fraction(1, 10**30))
    assert _at_least((3, 4), (-5, 0), Fraction(-3, 5))
    assert not _at_least((3, 4), (-5, 0), Fraction(-3, 5) + Fraction(1, 10**30))


def test_certify_rounds_down_and_refuses_negative_margins():
    u, v = constructions.antiprism(8, relative_bias=0.25)
    entry = atlas.certify(u, v, relative_bias=Fraction(1, 4), found_from="antiprism")
    exact = 0.5 * (1 - math.cos(math.pi / 4))
    assert entry.is_certified() and 0 <= exact - float(entry.margin) < 3e-10
    with pytest.raises(ValueError, match="must have a margin of at least 0 at b_rel = 0"):
        atlas.certify(*random_pair(6, 3), relative_bias=Fraction(0), found_from="random")


def test_saving_and_loading_keeps_every_integer(tmp_path, monkeypatch):
    atlas.save_atlas(ENTRIES[:4], tmp_path / "atlas.csv")
    lines = (tmp_path / "atlas.csv").read_text().splitlines()
    assert len(lines) == 1 + len(ENTRIES[:4])
    numbers = [int(z) for z in lines[1].split(",")[5].split()]
    assert numbers == [z for x in ENTRIES[0].u for z in x]


@given(st.integers(3, 7), st.integers(2, 4), st.floats(-0.5, 0.7), st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_polishing_never_loses_margin_and_keeps_unit_vectors(n, dim, b, seed):
    u, v = random_pair(n, dim, seed)
    before = margin_at(u, v, b)
    u, v, after = polish(u, v, relative_bias=b, n_programs=5, radius=0.1)
    assert after >= before and after == margin_at(u, v, b)
    assert np.allclose(np.linalg.norm(u, axis=1), 1, atol=1e-12)


def test_margin_at_is_the_definition():
    u, v = random_pair(5, 3)
    s = u @ v.T
    off = s[~np.eye(5, dtype=bool)]
    assert margin_at(u, v, 0.1) == min(s.diagonal().min() - 0.1, 0.1 - off.max())


def test_descent_and_polish_find_known_optima():
    rng = np.random.default_rng(0)
    u, v = anneal(*starts.random_pairs(12, 4, 4, rng), relative_bias=0.0, n_steps=600)
    k = margin_at(u, v, 0.0).argmax()
    assert polish(u[k], v[k], relative_bias=0.0)[2] == pytest.approx(0.5, abs=1e-9)  # Theorem 3.4 for N = 4
    x, _ = starts.random_pairs(12, 6, 3, rng)
    x, _ = anneal(x, x, relative_bias=-1.0, n_steps=600, tied=True)
    k = margin_at(x, x, -1.0).argmax()
    assert polish(x[k], x[k], relative_bias=-1.0, tied=True)[2] == pytest.approx(-1.0, abs=1e-9)  # the octahedron


@pytest.mark.parametrize(("n", "b"), [(6, 0.3), (8, 0.25), (10, 0.4)])
def test_cyclic_starts_contain_the_antiprism(n, b):
    exact = 2 * b * (1 - math.cos(2 * math.pi / n))
    found = [margin_at(u, v, b) for u, v in starts.cyclic(n, 3, relative_bias=b)]
    assert max(found) >= exact - 1e-9


@given(st.integers(4, 12), st.lists(st.floats(-1, 1), min_size=2, max_size=2))
@example(4, [0.5, 1e-6])
@settings(deadline=None)
def test_realised_waves_have_the_inner_products_asked_for(n, weights):
    weights = np.array(weights) / max(1.0, np.abs(weights).sum())
    if np.abs(weights).min() < 1e-9:
        return
    pair = starts.realise(n, (1, 0), weights)
    assert pair is not None
    steps = np.arange(n)[:, None] - np.arange(n)
    expected = weights[0] * np.cos(2 * np.pi * steps / n) + weights[1]
    assert np.abs(pair[0] @ pair[1].T - expected).max() < 1e-7


def test_neighbours_have_the_shape_and_the_lift_the_relative_bias():
    u, v = (x.numpy() for x in constructions.antiprism(8, relative_bias=0.25))
    shapes = starts.neighbours({(3, 8, 0.25): (u, v)}, 3, 7, 0.25)
    assert len(shapes) == 8 and all(x.shape == (7, 3) for pair in shapes for x in pair)
    for b in (-0.5, 0.25, 0.6):
        ((x, y),) = starts.neighbours({(3, 8, 0.25): (u, v)}, 4, 8, b)
        found = geometry.separation(x, y)
        assert found.relative_bias == pytest.approx(b, abs=1e-12) and found.margin > 0
        assert np.allclose(np.linalg.norm(x, axis=1), 1)


def test_best_of_keeps_what_is_known_unless_beaten():
    known = atlas.certify(*constructions.antiprism(6, relative_bias=0.25), relative_bias=Fraction(1, 4), found_from="x")
    worse = starts.from_codes([constructions.regular_polygon(6).numpy()], dim=3, relative_bias=0.25)
    assert best_of([], b=Fraction(1, 4), known=known) is known
    assert best_of([("code", worse[0])], b=Fraction(1, 4), known=None).margin > 0


def test_listed_codes_agree_with_the_codes_that_are_known_to_be_optimal():
    table = atlas.load_codes()
    known = {(c.dim, c.n_points): c.max_inner_product for c in constructions.known_spherical_codes() if c.optimal}
    both = set(table) & set(known)
    assert len(both) >= 10
    for key in both:
        assert table[key] == pytest.approx(known[key], abs=2e-9), key
    assert all(table[2, n] == pytest.approx(math.cos(2 * math.pi / n)) for d, n in table if d == 2)
    with pytest.raises(ValueError, match="codes are listed for"):
        atlas.margin_from_codes(5, 8, 0.0)


def test_the_command_verifies_and_explains_bad_input(capsys, tmp_path):
    assert main(["verify"]) == 0
    assert f"{len(ENTRIES)} of {len(ENTRIES)} entries certified" in capsys.readouterr().out
    assert main(["search", "--output", str(tmp_path / "x.csv"), "--relative-biases", "half"]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_the_command_searches(tmp_path):
    arguments = ["search", "--dims", "2", "--sizes", "3", "--relative-biases", "1/4", "--runs", "6"]
    assert main([*arguments, "--output", str(tmp_path / "found.csv")]) == 0
    rows = (tmp_path / "found.csv").read_text().splitlines()
    assert len(rows) == 2 and float(Fraction(rows[1].split(",")[3])) >= 0.74
