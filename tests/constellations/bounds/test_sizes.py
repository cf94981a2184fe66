"""How many pairs fit: known codes, the midpoint theorem, monotonicity, bad input."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import bounds, constructions, geometry

CODES = constructions.known_spherical_codes()


def points_of_the_region(seed, count, *, many=True):
    """Margins and relative biases all over the region, a tenth of them on its edge."""
    rng = np.random.default_rng(seed)
    b, share = rng.uniform(-0.95, 0.95, count), np.minimum(rng.uniform(0.01, 1.1, count), 1.0)
    return np.minimum(1 - b, (1 + b) / (3 if many else 1)) * share, b


def test_lower_below_upper_and_both_grow_with_dimension():
    m, b = points_of_the_region(0, 400, many=False)
    dim = np.random.default_rng(1).integers(2, 3000, 400) + np.array([[0], [1]])
    low, high = bounds.log_max_pairs_lower(dim, m, b), bounds.log_max_pairs_upper(dim, m, b)
    assert np.all(low <= high + 1e-12) and np.all(low >= math.log(2) - 1e-12)
    assert np.all(low[1] >= low[0] - 1e-12) and np.all(high[1] >= high[0] - 1e-12)


@pytest.mark.parametrize("dim", [2, 3, 10, 300])
def test_a_smaller_margin_admits_more_pairs(dim):
    m, b = points_of_the_region(2, 300)
    share = np.random.default_rng(3).uniform(0.5, 1.0, 300)
    for size in (bounds.log_max_pairs_upper, bounds.log_max_pairs_lower):
        assert np.all(size(dim, share * m, b) >= size(dim, m, b) - 1e-12)


@pytest.mark.parametrize("b", [-0.5, 0.0, 0.3])
@pytest.mark.parametrize("dim", [2, 3, 10, 1000])
def test_the_number_of_pairs_has_no_bound_as_the_margin_vanishes(dim, b):
    m = 10.0 ** np.arange(-2, -21, -1)
    lower, upper = bounds.log_max_pairs_lower(dim, m, b), bounds.log_max_pairs_upper(dim, m, b)
    assert np.all(lower <= upper) and np.all(upper[1:] >= upper[:-1]) and upper[-1] == math.inf


def test_the_finite_bounds_approach_the_exponents():
    (m, b), d = points_of_the_region(4, 200), 1_000_000
    lower, upper = bounds.exponent_lower(m, b), bounds.exponent_kabatiansky_levenshtein(m, b)
    published = bounds.exponent_upper(m, b)
    assert np.all((lower >= -1e-12) & (lower <= upper + 1e-12) & (upper <= published + 1e-12))
    assert np.all(lower - 3e-5 <= bounds.log_max_pairs_lower(d, m, b) / d)
    rate = bounds.log_max_pairs_upper(d, m, b) / d
    assert np.all((upper - 3e-5 <= rate) & (rate <= published + 3e-5))
    near = bounds.alpha(m, b) <= 0.45  # beyond, the exponent comes from a wider angle
    assert near.sum() > 50 and np.all(rate[near] <= upper[near] + 3e-3)


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_every_known_code_lies_inside_the_bracket(code):
    a, n = code.max_inner_product, code.n_points
    for b in (-0.6, -0.2, 0.0, 0.3, (1 + a) / 2):
        dim, m = (code.dim + 1, (1 - a) * (1 + b) / (3 + a)) if b < (1 + a) / 2 else (code.dim, (1 - a) / 2)
        if m + b > 1:
            continue
        assert math.log(n) <= bounds.log_max_pairs_upper(dim, m, b) + 1e-12
        low, high = bounds.required_dimension(n, m, b)
        assert low <= dim and low <= high
        if code.optimal and b == (1 + a) / 2:  # U = V: the code's size is the maximum
            assert bounds.log_max_pairs_lower(dim, m, b) <= math.log(n) + 1e-12


@pytest.mark.parametrize("dim", [3, 4, 8, 24])
def test_the_bracket_closes_on_simplices(dim):
    a = -1 / dim
    for b in (-0.5, 0.0, (1 + a) / 2):
        m = bounds.code_margin(a, b)
        at = dim if b == (1 + a) / 2 else dim + 1
        low, high = bounds.log_max_pairs_lower(at, m, b), bounds.log_max_pairs_upper(at, m, b)
        assert low == pytest.approx(math.log(dim + 1)) and high == pytest.approx(math.log(dim + 1))


def test_no_measured_constellation_exceeds_the_bounds():
    rng, measured = np.random.default_rng(0), []
    for _ in range(300):
        n, dim = rng.integers(2, 12), rng.integers(2, 7)
        x = rng.normal(size=(n, dim))
        y = x + rng.uniform(0, 0.3) * rng.normal(size=x.shape)
        found = geometry.separation(*(z / np.linalg.norm(z, axis=1, keepdims=True) for z in (x, y)))
        if found.margin > 1e-6:
            measured.append((n, dim, found.margin, found.relative_bias))
    n, dim, m, b = np.array(measured).T
    assert len(n) > 100
    assert np.all(np.log(n) <= bounds.log_max_pairs_upper(dim, m, b) + 1e-9)
    assert np.all(bounds.required_dimension(n, m * (1 - 1e-9), b)[0] <= dim)
    assert np.all(m <= bounds.margin_bracket(n, dim, b)[1] + 1e-9)


@pytest.mark.parametrize(
    ("dim", "a", "n", "by"),
    [
        (8, 1 / 2, 240, "Levenshtein"), (24, 1 / 2, 196560, "Levenshtein"), (23, 1 / 5, 552, "Levenshtein"),
        (3, 1 / math.sqrt(5), 12, None), (7, 1 / 3, 56, None), (6, 1 / 4, 27, None), (22, 1 / 6, 275, None),
        (3, 0.0, 6, "Rankin"), (9, -0.05, 10, "Rankin"), (9, -0.25, 5, "simplex"), (2, 0.5, 6, "circle"),
        (2, math.cos(2 * math.pi / 7), 7, "circle"), (1, 0.9, 2, "pigeonhole"), (3, 0.999999, None, "Fejes Toth"),
        (4, 0.999999, None, "caps"), (3, 1 / 8, 6, "Levenshtein"),
    ],
)  # fmt: skip
def test_known_sizes_are_met_exactly_and_say_which_bound_decided(dim, a, n, by):
    """As ``U = V``, where constellations are codes: ``m + b_rel = 1`` and ``alpha = 1 - 2m``."""
    value, decided = bounds.log_max_pairs_upper(dim, (1 - a) / 2, (1 + a) / 2, explain=True)
    if n is not None:
        assert round(math.exp(value)) == n and value == pytest.approx(math.log(n), rel=1e-14)
    if by is not None:
        assert decided == by


def test_the_lower_bound_says_what_it_is_made_of():
    names = {
        (4, 0.25, 0.0): "cross-polytope with one more dimension",
        (5, 0.4545, 0.0): "simplex with one more dimension",
        (1, 0.4, 0.0): "two points as U = V",
        (5, 0.5, -0.5): "two points as U = V",
        (30, 0.1, 0.0): "covering with one more dimension",
        (30, 0.1, 0.9): "covering as U = V",
    }
    for question, name in names.items():
        assert bounds.log_max_pairs_lower(*question, explain=True)[1] == name
    assert bounds.log_max_pairs_lower(9, 0.1, 0.0, n_modalities=4, explain=True)[1].endswith("3 more dimensions")


@given(st.integers(2, 7), st.integers(2, 8), st.integers(1, 5), st.floats(0, 2), st.integers(0, 10_000))
@settings(deadline=None, max_examples=150)
def test_midpoints_of_k_modalities_are_a_code(k, n, dim, noise, seed):
    """Item 17, for either sign of the margin; for two modalities the midpoint theorem."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dim)) + noise * rng.normal(size=(k, n, dim))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    products = np.einsum("aid,bjd->abij", x, x)
    apart, same = ~np.eye(k, dtype=bool)[:, :, None, None], np.eye(n, dtype=bool)
    low, high = (
        products[np.broadcast_to(apart & same, products.shape)],
        products[np.broadcast_to(apart & ~same, products.shape)],
    )
    m, b = (low.min() - high.max()) / 2, (low.min() + high.max()) / 2
    if 1 + (k - 1) * (b - m) < 0 or 1 + (k - 1) * (b + m) < 1e-3:
        return
    w = x.sum(0)
    cosines = (w @ w.T) / np.outer(*[np.linalg.norm(w, axis=1)] * 2)
    a = 1 - 2 * k * m / (1 + (k - 1) * (b + m))
    assert cosines[~same].max() <= a + 1e-9
    if m > 1e-6:
        assert math.log(n) <= bounds.log_max_pairs_upper(dim, m * (1 - 1e-9), b, n_modalities=k) + 1e-9


@pytest.mark.parametrize(("n", "dim"), [(3, 2), (5, 3), (8, 3), (6, 4)])
def test_ascent_comes_up_to_the_midpoint_theorem_and_not_beyond(n, dim):
    """Configurations climb towards a counterexample: ``cos(M_i, M_j) - alpha(m*, b*_rel)``, margins of either sign."""
    draw, own = torch.Generator().manual_seed(0), torch.eye(n, dtype=torch.bool)
    x = torch.randn(2, 40, n, dim, generator=draw, dtype=torch.float64)
    x[1] += 3 * x[0] * torch.rand(40, 1, 1, generator=draw, dtype=torch.float64)
    adam, highest = torch.optim.Adam([x.requires_grad_()], lr=0.02), []
    for _ in range(400):
        u, v = torch.nn.functional.normalize(x, dim=-1)
        s, middle = u @ v.mT, torch.nn.functional.normalize(u + v, dim=-1)
        least, most = s.diagonal(dim1=1, dim2=2).amin(1), s.masked_fill(own, -2).amax((1, 2))
        cosine = (middle @ middle.mT).masked_fill(own, -2).amax((1, 2))
        excess = cosine - (2 * (1 + most) / (1 + least) - 1)
        highest.append(excess.max().item())
        adam.zero_grad()
        excess.sum().neg().backward()
        adam.step()
    assert -1e-3 < max(highest) < 1e-12


def test_scalars_give_numbers_and_arrays_broadcast():
    assert bounds.required_dimension(1e10, 0.07, 0.07) == (28, 51)
    low, high = bounds.required_dimension([[100], [10_000]], [0.1, 0.2, 0.3], 0.0)
    assert low.shape == high.shape == (2, 3) and low.dtype == np.int64
    assert (low[1, 2], high[1, 2]) == bounds.required_dimension(10_000, 0.3, 0.0)
    assert isinstance(bounds.log_max_pairs_upper(10, 0.1, 0.0), float)
    assert bounds.log_max_pairs_lower([3, 9], 0.1, [[0.0], [0.5]]).shape == (2, 2)
    guaranteed, impossible = bounds.margin_bracket([10, 1000], 16, 0.0)
    assert (guaranteed[1], impossible[1]) == bounds.margin_bracket(1000, 16, 0.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bounds.exponent_lower(0.4, 0.0), r"3m <= 1 \+ b_rel; the nearest margin allowed is 0.333333"),
        (lambda: bounds.exponent_upper(0.3, 0.9), r"m \+ b_rel <= 1; the nearest margin allowed is 0.1"),
        (lambda: bounds.log_max_pairs_upper(5, 0.0, 0.0), "margin must be above 0"),
        (lambda: bounds.log_max_pairs_lower(0, 0.1, 0.0), "dim must be an integer of at least 1, got 0"),
        (lambda: bounds.log_max_pairs_lower(2.5, 0.1, 0.0), "dim must be an integer"),
        (lambda: bounds.log_max_pairs_upper(5, 0.1, -1.0), "relative_bias must be between -1 and 1"),
        (lambda: bounds.log_cap_measure(3, 1.5), r"x must be in \[-1, 1\], got 1.5"),
        (lambda: bounds.required_dimension(1, 0.1, 0.0), "n_pairs must be an integer from 2 to 1e.15, got 1"),
        (lambda: bounds.required_dimension(10, 0.5, 0.0), "for N = 10 pairs; the nearest margin allowed is 0.384615"),
        (lambda: bounds.required_dimension(10, float("nan"), 0.0), "margin must be finite"),
        (lambda: bounds.margin_bracket(10, 5, 1.2), r"relative_bias must be in \[-1, 1\]"),
        (lambda: bounds.margin_upper_bound(2.0), "relative_bias must be in"),
        (lambda: bounds.margin_upper_bound(0.0, n_modalities=1), "n_modalities must be an integer"),
        (lambda: bounds.margin_upper_bound(0.0, n_pairs=1), "n_pairs must be at least 2, got 1"),
        (lambda: bounds.code_margin([0.0, 1.0], 0.0), "max_inner_product must be in"),
        (lambda: bounds.code_margin([0.0, -1.1], 0.0), "max_inner_product must be in"),
        (lambda: bounds.code_margin(0.0, 1.0), "relative_bias must be between -1 and 1"),
        (lambda: bounds.linear_program(1, 0.5), "dim must be an integer of at least 2, got 1"),
        (lambda: bounds.linear_program(3, 1.0), "max_inner_product must be in"),
    ],
)
def test_bad_input_names_the_parameter_and_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call()
