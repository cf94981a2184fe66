"""Notebook parameters: kinds, clear errors, names that papermill injects."""

import pytest

from companion.chapter import parameters as p


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (p.integer(at_least=2, at_most=9), [2, 9], [1, 10, 2.0, "3", True, None]),
        (p.real(above=0, at_most=1), [0.5, 1, 1e-9], [0, 1.1, float("nan"), float("inf"), "1", False, None]),
        (p.real(at_least=-1, below=1), [-1, 0.99], [1, -1.01]),
        (p.text(), ["", "a"], [1, None]),
        (p.text(nonempty=True), ["a"], ["", 3]),
        (p.choice("exact", "published"), ["exact"], ["clamped", None, 1]),
        (p.flag(), [True, False], [0, 1, "True"]),
        (p.integers(at_least=0), [[0, 1], (3,)], [[], [0.5], [-1], 3, "12"]),
        (p.reals(above=0), [[0.1, 2]], [[], [0.0], [float("nan")], 0.1]),
        (p.optional(p.integer(at_least=1)), [None, 1], [0, "x"]),
    ],
)
def test_kinds_accept_what_they_say(kind, good, bad):
    assert all(kind.accepts(value) for value in good)
    assert not any(kind.accepts(value) for value in bad)


def test_errors_name_parameter_value_and_what_is_allowed():
    with pytest.raises(ValueError, match=r"parameter dim must be an integer at least 2, got '3' \(str\)"):
        p.validate({"dim": "3"}, {"dim": p.integer(at_least=2)})
    with pytest.raises(ValueError, match="parameter dim is missing"):
        p.validate({}, {"dim": p.integer()})


def test_unknown_injected_names_stop_with_the_names_there_are():
    with pytest.raises(ValueError, match="unknown parameter dimension: this notebook has dim, n_pairs"):
        p.validate(
            {"dim": 3, "n_pairs": 4, "dimension": 5},
            {"dim": p.integer(), "n_pairs": p.integer()},
            injected=["n_pairs", "dimension"],
        )


def test_only_papermills_cell_counts_as_injected():
    cells = ["", "n_pairs: int = 3", "# Parameters\nn_pairs = 64\nrelative_bias = 0.3\n", "x = 1"]
    assert p.injected_names(cells) == ["n_pairs", "relative_bias"]
