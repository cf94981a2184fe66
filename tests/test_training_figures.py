"""Figures of the parameterisation, steering and linear-representation chapters are drawn from plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from companion.figures import linear_representation, parameterisation, steering, training_curves

RNG = np.random.default_rng(0)
STEPS = np.arange(0, 50, 10)
RUNS = RNG.random((3, 4, 5))
BIASES = [-1.0, 0.0, 1.0]
BOTH = {"bias": RUNS, "relative bias": RUNS + 0.1}
ENDS = {name: values[..., -1] for name, values in BOTH.items()}


def grid_of_curves():
    return training_curves.grid_of_curves(
        STEPS, {"loss": BOTH, "margin": BOTH}, ["a", "b", "c"], log_rows=["loss"], zero_rows=["margin"],
        colours=parameterisation.COLOURS, lines=parameterisation.LINES,
    )  # fmt: skip


def rows_of_a_table():
    published = {"gap": np.ones(3), "mean loss": np.array([0.0, 1e-3, 1.0])}
    whole = {name: RNG.random((3, 2)) for name in published}
    some = {name: np.array([[0.0], [0.5]]) for name in published}
    return steering.rows_of_a_table(BIASES, published, {"N = 10": whole, "N = 100 *": some})


DRAWN = {
    "grid of curves": grid_of_curves,
    "swept bands": lambda: training_curves.swept_bands(STEPS, RUNS, ["a", "b", "c"], ylabel="y", title="t"),
    "final values": lambda: parameterisation.final_values(BIASES, ENDS, ylabel="m"),
    "one run": lambda: parameterisation.final_values(
        BIASES, {k: x[:, :1] for k, x in ENDS.items()}, ylabel="m"
    ),
    "early movement": lambda: parameterisation.early_movement(STEPS, BOTH, BIASES),
    "contributions": lambda: parameterisation.contributions(BIASES, {k: ENDS["bias"] for k in "abcd"}),
    "where they end": lambda: parameterisation.where_they_end(ENDS, ENDS, BIASES, np.zeros((2, 3))),
    "steered": lambda: steering.steered(ENDS["bias"], ENDS["bias"], BIASES, np.zeros((2, 3)), n_pairs=10),
    "steered alone": lambda: steering.steered(ENDS["bias"], ENDS["bias"], BIASES, None, n_pairs=10),
    "rows of a table": rows_of_a_table,
    "tables": lambda: steering.annotated_tables(
        [1, 2], BIASES, {"a": np.eye(2, 3), "b": np.full((2, 3), np.nan)}, differences=["b"]
    ),
    "two definitions": lambda: linear_representation.two_definitions(STEPS, RUNS, RUNS, [2, 3, 4]),
    "stacked budget": lambda: linear_representation.stacked_budget(
        STEPS, RNG.random((3, 4, 5)), RNG.random((3, 5)), [2, 3, 4]
    ),
    "shares": lambda: linear_representation.shares(["a", "b"], RNG.random((2, 4))),
}


@pytest.mark.parametrize("name", DRAWN)
def test_figures_are_drawn_and_labelled(name, tmp_path):
    figure = DRAWN[name]()
    assert isinstance(figure, Figure)
    shown = [panel for panel in figure.axes if panel.get_visible()]
    assert all(panel.has_data() for panel in shown)
    assert any(panel.get_xlabel() for panel in shown)
    figure.savefig(tmp_path / "figure.svg")
