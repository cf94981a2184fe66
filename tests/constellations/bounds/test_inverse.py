"""Dimension and margin brackets: where the bounds first reach N; the command that prints them."""

import json
import math

import numpy as np
import pytest

from constellations import bounds
from constellations.bounds.__main__ import main


@pytest.mark.parametrize(
    ("question", "low"),
    [
        ((1e12, 0.25, 0.0), 266), ((1e9, 0.2, 0.3), 54), ((1e10, 0.1, 0.0), 38), ((1e10, 0.07, 0.07), 28),
        ((1e4, 0.1, 0.0), 13), ((1e8, 0.1, 0.0), 29),
    ],
)  # fmt: skip
def test_the_least_dimension_that_is_not_excluded(question, low):
    (found, _), (why, _) = bounds.required_dimension(*question, explain=True)
    assert found == low and why == "Levenshtein"


def test_two_pairs_need_one_dimension_and_three_do_not_fit_there():
    assert bounds.required_dimension(2, 0.4, -0.5) == (1, 1)
    (bracket, why) = bounds.required_dimension(3, 1e-6, 0.0, explain=True)
    assert bracket == (2, 2) and why[0] == "pigeonhole"
    assert bounds.margin_bracket(2, 1, 0.25) == (0.75, 0.75)
    assert bounds.margin_bracket(3, 1, 0.0)[1] < 1e-15


def test_more_modalities_need_no_fewer_dimensions():
    rng = np.random.default_rng(0)
    n, b = rng.integers(2, 13, 300), rng.uniform(-0.9, 0.9, 300)
    most = [bounds.margin_upper_bound(b, n_pairs=n, n_modalities=k) for k in range(2, 7)]
    n, b, m = (x[most[-1] > 1e-9] for x in (n, b, 0.7 * np.min(most, axis=0)))
    low = [bounds.required_dimension(n, m, b, n_modalities=k)[0] for k in range(2, 7)]
    assert len(n) > 100 and np.all(np.diff(low, axis=0) >= 0)


def questions(seed: int, count: int) -> tuple[np.ndarray, ...]:
    """Numbers of pairs, dimensions, relative biases and a share of the largest margin, of every size."""
    rng = np.random.default_rng(seed)
    n, dim = (
        np.floor(np.exp(rng.uniform(math.log(low), math.log(high), count))) for low, high in ((2, 1e12), (1, 2e3))
    )
    return n, dim, rng.uniform(-0.95, 0.95, count), rng.uniform(0.01, 1.0, count)


def test_required_dimension_is_where_the_bounds_first_reach_n():
    n, _, b, share = questions(0, 200)
    m = share * np.minimum(1 - b, (1 + b - 1e-3) / 3)
    low, high = bounds.required_dimension(n, m, b)
    upper, lower = bounds.log_max_pairs_upper, bounds.log_max_pairs_lower
    assert np.all((low >= 1) & (low <= high))
    assert np.all(upper(low, m, b) >= np.log(n) - 1e-11) and np.all(lower(high, m, b) >= np.log(n) - 1e-11)
    assert np.all((low == 1) | (upper(np.maximum(low - 1, 1), m, b) < np.log(n)))
    assert np.all((high == 1) | (lower(np.maximum(high - 1, 1), m, b) < np.log(n)))


def test_margin_bracket_inverts_the_bounds():
    n, dim, b, _ = questions(1, 100)
    limit = bounds.margin_upper_bound(b, n_pairs=n)
    guaranteed, impossible = bounds.margin_bracket(n, dim, b)
    assert np.all((guaranteed >= 0) & (guaranteed <= impossible) & (impossible <= limit + 1e-12))
    some, beyond = guaranteed > 0, impossible * 1.000001 < limit
    assert some.sum() > 50 and beyond.sum() > 50
    assert np.all(bounds.required_dimension(n[some], guaranteed[some] * (1 - 1e-9), b[some])[1] <= dim[some])
    assert np.all(bounds.required_dimension(n[beyond], impossible[beyond] * 1.000001, b[beyond])[0] > dim[beyond])


def test_the_command_answers_all_three_questions(capsys):
    assert main(["--pairs", "1e10", "--margin", "0.07", "--relative-bias", "0.07"]) == 0
    assert "d = 28  (Levenshtein)" in (text := capsys.readouterr().out) and "d = 51" in text
    assert main(["--dim", "16", "--margin", "0.1", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["log_pairs_lower"] == bounds.log_max_pairs_lower(16, 0.1, 0.0)
    assert main(["--dim", "16", "--pairs", "100", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["margin_guaranteed"] == bounds.margin_bracket(100, 16, 0.0)[0]


@pytest.mark.parametrize("arguments", ["--pairs 100", "--pairs 100 --margin 0.9", "--dim 0 --margin 0.1", ""])
def test_the_command_explains_bad_input_in_one_line(arguments, capsys):
    assert main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1 and not captured.out
