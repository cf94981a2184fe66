"""Records and their verdicts, results files, figures on disk."""

import numpy as np
import pandas as pd
import pytest

from companion import chapter
from companion.chapter import parameters as p
from companion.chapter import records
from companion.figures import style
from constellations.atomic import replace_on_success


def test_match_takes_the_largest_tolerance():
    rule = records.Match(absolute=0.01, relative=0.1, sigmas=2)
    assert rule.accepts(1.0, 1.09, spread=0.0)
    assert not rule.accepts(1.0, 1.11, spread=0.05)
    assert rule.accepts(1.0, 1.19, spread=0.1)
    assert rule.accepts(0.0, 0.01, spread=0.0)
    assert "10%" in str(rule) and "2 standard deviations" in str(rule)


@pytest.mark.parametrize("options", [{}, {"absolute": -1.0}, {"sigmas": -0.5}])
def test_a_match_needs_a_tolerance_and_none_below_zero(options):
    with pytest.raises(ValueError, match="tolerance"):
        records.Match(**options)


def test_verdicts_of_numbers():
    rule = records.Match(absolute=0.05)
    made = records.compare("a", "c", published=0.5, values=[0.49, 0.53], rule=rule)
    assert (made.verdict, made.n_seeds) == ("reproduced", 2)
    assert made.measured == pytest.approx(0.51) and made.spread == pytest.approx(np.std([0.49, 0.53], ddof=1))
    assert records.compare("a", "c", published=0.5, measured=0.6, rule=rule).verdict == "differs"
    mended = records.compare(
        "a", "c", published=-0.11, measured=0.11, rule=rule, corrected=(0.11, "the sign")
    )
    assert mended.verdict == "corrected" and mended.comment.startswith("the sign")
    with pytest.raises(ValueError, match="exactly one of values and measured"):
        records.compare("a", "c", published=0.5, rule=rule)


def test_verdicts_of_theorems_and_claims():
    assert records.check("a", "c", slack=0.0).verdict == "reproduced"
    assert records.check("a", "c", slack=-1e-9).verdict == "differs"
    assert records.check("a", "c", slack=-1e-9, atol=1e-8).verdict == "reproduced"
    options = {"published": "always", "measured": "mostly"}
    assert records.claim("a", "c", holds=True, **options).verdict == "reproduced"
    assert records.claim("a", "c", holds=0.8, **options).verdict == "differs"
    assert records.claim("a", "c", holds=0.8, at_least=0.75, **options).verdict == "reproduced"
    assert records.claim("a", "c", holds=0.8, corrected="clamped loss", **options).verdict == "corrected"
    assert records.untested("a", "c", published=1.0, comment="needs images").verdict == "not tested here"


@pytest.mark.parametrize(
    "change", [{"verdict": "fine"}, {"source": "guess"}, {"id": ""}, {"measured": float("nan")}]
)
def test_a_record_refuses_what_it_cannot_mean(change):
    fields = {
        "id": "a", "claim": "c", "published": 1.0, "measured": 1.0, "spread": None, "n_seeds": None,
        "verdict": "reproduced", "rule": "r",
    }  # fmt: skip
    with pytest.raises(ValueError):
        records.Record(**(fields | change))


def test_published_tables_are_the_ones_in_the_package():
    table = records.published_table("table1_modalities")
    assert list(table["modalities"]) == [2, 4, 6, 8, 14, 20]
    with pytest.raises(ValueError, match="table2_fixed_relative_bias"):
        records.published_table("table7")


@pytest.fixture
def variables(tmp_path):
    return {"dim": 3, "output_dir": str(tmp_path), "In": ["", "# Parameters\ndim = 3"]}


def begin(variables):
    return chapter.begin("00_test", variables, dim=p.integer(at_least=2))


def test_a_run_writes_its_results_in_one_move(variables, tmp_path):
    run = begin(variables)
    run.check("theorem", "it holds", slack=0.25)
    run.compare("table/x", "a number", published=1.0, values=[1.0, 1.1], rule=records.Match(sigmas=3))
    run.finish()
    (results,) = chapter.read_results(tmp_path / "results")
    assert results["notebook"] == "00_test" and results["parameters"] == {"dim": 3}
    assert [record["verdict"] for record in results["records"]] == ["reproduced", "reproduced"]
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["00_test.json"]


def test_the_digest_ignores_wall_time_and_environment_only(variables, tmp_path):
    digests = []
    for slack in (0.25, 0.25, 0.5):
        run = begin(variables)
        run.check("theorem", "it holds", slack=slack)
        run.finish()
        (results,) = chapter.read_results(tmp_path / "results")
        results["run"]["seconds"] += len(digests)
        digests.append(chapter.results_digest(results))
    assert digests[0] == digests[1] != digests[2]


def test_begin_stops_before_anything_is_computed(variables, tmp_path):
    with pytest.raises(ValueError, match="unknown parameter dimm"):
        begin(variables | {"In": ["# Parameters\ndimm = 3"]})
    with pytest.raises(ValueError, match="parameter dim must be"):
        begin(variables | {"dim": 1})
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot write"):
        begin(variables | {"output_dir": str(tmp_path / "file" / "below")})


def test_record_and_figure_names_are_unique(variables):
    run = begin(variables)
    run.check("theorem", "it holds", slack=0.25)
    with pytest.raises(ValueError, match="already made"):
        run.check("theorem", "it holds", slack=0.25)
    with pytest.raises(ValueError, match="prefix"):
        run.paper_and_this_run(prefix="table9")
    with pytest.raises(ValueError, match="formats must name columns"):
        run.table(pd.DataFrame({"a": [1]}), formats={"b": ".3f"})


def test_figures_are_saved_with_their_data_and_byte_for_byte_again(tmp_path):
    style.apply_style()
    contents = []
    for _ in range(2):
        figure, axes = style.new_figure()
        axes.plot([0, 1], [0, 1], color=style.COLOURS["matching"])
        style.add_note(figure, "N = 2")
        svg = style.save_figure(figure, tmp_path, "line", data={"x": [0, 1]})
        contents.append((svg.read_bytes(), svg.with_suffix(".png").read_bytes()))
    assert contents[0] == contents[1]
    assert np.load(tmp_path / "line.npz")["x"].tolist() == [0, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["line.npz", "line.png", "line.svg"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "results.json"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="interrupted"), replace_on_success(target) as path:
        path.write_text("half")
        raise RuntimeError("interrupted")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_reading_an_empty_folder_says_so(tmp_path):
    with pytest.raises(ValueError, match="found none"):
        chapter.read_results(tmp_path)
