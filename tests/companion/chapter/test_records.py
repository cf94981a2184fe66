"""Records and their verdicts."""

import numpy as np
import pandas as pd
import pytest
import torch

from companion.chapter import Match, Record, counts, published_table, records


@pytest.fixture
def ledger():
    return records.Ledger()


def runs(mean, *, spread, n_seeds=2):
    """Values of an even number of seeds with this mean and this sample deviation."""
    values = np.tile([-1.0, 1.0], n_seeds // 2)
    return mean + spread * values / values.std(ddof=1)


def test_match_takes_the_largest_tolerance():
    rule = Match(absolute=0.01, relative=0.1, sigmas=2)
    assert rule.fits(1.0, np.array([1.09]))
    assert not rule.fits(1.0, runs(1.11, spread=0.05))
    assert rule.fits(1.0, runs(1.19, spread=0.1))
    assert rule.fits(0.0, np.array([0.01]))
    assert "10%" in str(rule) and "2 standard deviations" in str(rule)


def test_standard_errors_shrink_with_the_number_of_seeds():
    rule = Match(standard_errors=3)
    assert not rule.fits(0.0, runs(0.29, spread=0.1, n_seeds=4))
    assert rule.fits(0.0, runs(0.29, spread=0.2, n_seeds=4))
    assert rule.fits(0.0, runs(0.14, spread=0.1, n_seeds=4))


@pytest.mark.parametrize("options", [{}, {"absolute": -1.0}, {"sigmas": -0.5}])
def test_a_match_needs_a_tolerance_and_none_below_zero(options):
    with pytest.raises(ValueError, match="tolerance"):
        Match(**options)


def test_an_inequality_is_judged_by_its_worst_case(ledger):
    made = ledger.holds("a/1", "c", torch.tensor([1.0, 2.0]), "<=", 2.5)
    assert (made.verdict, made.measured, made.matched, made.of, made.kind) == ("reproduced", 0.5, 2, 2, "self-test")
    made = ledger.holds("a/2", "c", np.array([[1.0, 2.0], [3.0, 4.0]]), ">=", 2)
    assert (made.verdict, made.measured, made.matched, made.of) == ("differs", -1.0, 3, 4)
    assert ledger.holds("a/3", "c", -1e-9, ">=", 0, atol=1e-8, kind="claim").verdict == "reproduced"
    assert ledger.holds("a/4", "c", [], "<=", 1).verdict == "not tested here"
    with pytest.raises(ValueError, match="nan in 1 cases"):
        ledger.holds("a/5", "c", [np.nan, 1], "<=", 1)
    with pytest.raises(ValueError, match="relation must be"):
        ledger.holds("a/6", "c", 1, "<", 1)


def test_a_share_counts_and_explains_only_a_difference(ledger):
    said = {"published": "always", "reason": "the clamped loss"}
    made = ledger.share("a/1", "c", [True, True], **said)
    assert (made.verdict, made.measured, made.kind, made.comment) == ("reproduced", "2 of 2", "claim", "")
    made = ledger.share("a/2", "c", torch.tensor([True, False]), **said)
    assert (made.verdict, made.measured, made.comment) == ("differs", "1 of 2", "the clamped loss")
    assert "(published: always, this run: 1 of 2) – the clamped loss" in made.line()
    made = ledger.share("a/3", "c", [True, False], at_least=0.5, **said)
    assert made.verdict == "reproduced" and "clamped" not in made.line()
    assert ledger.share("a/4", "c", [True]).kind == "ours"


def test_a_number_is_matched_or_differs_or_was_a_slip(ledger):
    rule = Match(absolute=0.05)
    made = ledger.agrees("a/1", "c", published=0.5, measured=[0.49, 0.53], rule=rule)
    assert (made.verdict, made.n_seeds, made.kind) == ("reproduced", 2, "number")
    assert made.measured == pytest.approx(0.51) and made.spread == pytest.approx(np.std([0.49, 0.53], ddof=1))
    assert ledger.agrees("a/2", "c", published=0.5, measured=0.6, rule=rule).verdict == "differs"
    slip = (0.11, "the sign")
    made = ledger.agrees("a/3", "c", published=-0.11, measured=0.11, rule=rule, corrected=slip)
    assert made.verdict == "corrected" and made.comment == "the sign"
    made = ledger.agrees("a/4", "c", published=-0.11, measured=0.5, rule=rule, corrected=slip, reason="unknown")
    assert made.verdict == "differs" and made.comment == "unknown"


def test_a_table_is_one_record_that_counts_its_published_rows(ledger):
    frame = pd.DataFrame({"k": [2, 4, 6], "published": [0.5, 0.7, np.nan]})
    runs = [np.array([0.5, 0.52]), np.array([0.9, 0.92]), np.array([0.1, 0.2])]
    made = ledger.agrees("table1/gaps", frame, published="published", measured=runs, rule=Match(absolute=0.02))
    assert (made.matched, made.of, made.verdict, made.n_seeds) == (1, 2, "differs", 2)
    frame["here"] = [0.5, 0.7, 3.0]
    made = ledger.agrees("table1/b", frame, published="published", measured="here", rule=Match(absolute=0.02))
    assert (made.matched, made.of, made.verdict) == (2, 2, "reproduced")
    with pytest.raises(ValueError, match="measured must have 3 rows"):
        ledger.agrees("table1/c", frame, published="published", measured=runs[:2], rule=Match(absolute=1))


def test_kinds_are_counted_apart_and_numbers_one_by_one(ledger):
    frame = pd.DataFrame({"published": [0.5, 0.7, 0.9], "here": [0.5, 0.7, 0.1]})
    ledger.agrees("table1/a", frame, published="published", measured="here", rule=Match(absolute=0.01))
    ledger.holds("theorem/x", "c", [1, 2, 3], "<=", 3)
    ledger.share("figure5/x", "c", [True, False], published="all")
    ledger.untested("table2/x", "c", published=0.0, why="needs images")
    counted = counts(ledger.records)
    assert (counted["number"]["reproduced"], counted["number"]["differs"]) == (2, 1)
    assert counted["number"]["not tested here"] == 1
    assert counted["self-test"]["reproduced"] == 1 and counted["claim"]["differs"] == 1
    assert sum(counted["ours"].values()) == 0


def test_ids_are_unique(ledger):
    ledger.holds("theorem/x", "c", 1, "<=", 2)
    with pytest.raises(ValueError, match="already made"):
        ledger.share("theorem/x", "c", [True])


@pytest.mark.parametrize(
    "change", [{"verdict": "fine"}, {"source": "guess"}, {"kind": "twin"}, {"id": ""}, {"measured": float("nan")}]
)
def test_a_record_refuses_what_it_cannot_mean(change):
    fields = {
        "id": "a", "claim": "c", "published": 1.0, "measured": 1.0, "spread": None, "n_seeds": None,
        "verdict": "reproduced", "rule": "r",
    }  # fmt: skip
    with pytest.raises(ValueError):
        Record(**(fields | change))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-1e-17, "-10⁻¹⁷"), (0.1234, "0.123"), (2.6e-7, "2.6 × 10⁻⁷"), (12_345, "12,345"),
     ("-0.000", "0.000"), ("2.6e-03", "2.6 × 10⁻³"), ("1.2e+05 to -0.01", "1.2 × 10⁵ to -0.01"), (None, "–")],
)  # fmt: skip
def test_numbers_are_written_as_people_write_them(value, text):
    assert records.number_text(value) == text


def test_published_tables_are_the_ones_in_the_package():
    table = published_table("table1_modalities")
    assert list(table["modalities"]) == [2, 4, 6, 8, 14, 20]
    with pytest.raises(ValueError, match="table2_fixed_relative_bias"):
        published_table("table7")
