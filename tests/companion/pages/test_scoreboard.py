"""The scoreboard: three counts that are never added up, every item of the paper, and text that stays text."""

import pytest

from companion.pages import scoreboard

TITLES = {"01_first": "A & B"}


def entry(*records):
    shown = {"claim": "<script>", "published": 1.0, "measured": 1.0, "spread": None, "n_seeds": None, "rule": "r"}
    return {
        "notebook": "01_first",
        "records": [shown | {"verdict": "reproduced"} | record for record in records],
        "environment": {"python": "3", "torch": "2", "numpy": "2", "gpu": None, "machine": "x", "threads": 1},
        "run": {"seconds": 2.0, "finished": "2026-01-01T00:00:00+00:00"},
    }


def test_kinds_are_counted_apart_and_text_is_escaped():
    results = [entry({"id": "table1/b"}, {"id": "table1/c", "verdict": "differs"}, {"id": "x/t", "kind": "self-test"})]
    page = scoreboard.page(results, TITLES, profile="quick")
    assert "claims of the paper: 1 of 2 hold, 1 differ" in page and "self-tests: 1 of 1 hold" in page
    assert "3 of" not in page
    assert "<script>" not in page and "&lt;script&gt;" in page and "A &amp; B" in page
    assert "width:50.00%" in scoreboard.glance(results, profile="paper")
    assert "its verdicts are not about the paper" in page


def test_every_item_of_the_paper_has_a_row_with_its_verdict_reason_and_place():
    records = [{"id": "figures15-18/x"}, {"id": "table3/x", "verdict": "differs", "comment": "the clamped loss"}]
    page = scoreboard.page([entry(*records)], TITLES, profile="paper", places={"table-3": "notebooks/01_first.html#t"})
    for kind, count in (("Figure", 19), ("Table", 6), ("Observation", 4), ("Proposition", 6), ("Construction", 3)):
        assert all(f"{kind} {number}<" in page for number in range(1, count + 1)), kind
    assert all(f"Theorem 3.{number}<" in page for number in range(1, 7))
    assert 'href="../notebooks/01_first.html#t">Table 3' in page and "Differs: the clamped loss" in page
    assert 'href="../notebooks/01_first.html">Figure 16' in page


def test_findings_of_our_own_hold_and_are_never_called_reproduced():
    page = scoreboard.page([entry({"id": "table1/b", "kind": "ours"})], TITLES, profile="paper")
    assert '<span class="verdict verdict-yes">holds</span>' in page and ">reproduced<" not in page
    assert "Table 1</a>" not in page and "1 record, holds" in page


def test_says_so_where_nothing_disagrees():
    assert "every claim that was tested held" in scoreboard.page([entry({"id": "a/b"})], TITLES, profile="gpu")


@pytest.mark.parametrize(("given", "items"), [
    ("theorem-3.1/limit", ["theorem-3.1"]), ("figure5/a", ["figure-5"]), ("figure-5/a", ["figure-5"]),
    ("figures15-17", ["figure-15", "figure-16", "figure-17"]), ("beyond-3/x", []), ("locked/x", []),
])  # fmt: skip
def test_ids_name_items(given, items):
    assert scoreboard.items_of(given) == items
