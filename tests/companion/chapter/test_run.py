"""One execution of a chapter: what is written, shown and refused."""

import json

import numpy as np
import pandas as pd
import pytest

from companion import chapter
from companion.chapter import Folder, Match, Size
from companion.figures import player, style
from constellations.atomic import replace_on_success


@pytest.fixture
def variables(tmp_path):
    declared = {"dim": Size, "n_seeds": Size, "relative_bias": float, "output_dir": Folder}
    values = {"dim": 3, "n_seeds": 2, "relative_bias": -0.0001, "output_dir": str(tmp_path)}
    return {**values, "__annotations__": declared, "In": ["", "# Parameters\ndim = 3"]}


def read(folder):
    return json.loads((folder / "results" / "00_test.json").read_text())


def begin(variables):
    return chapter.begin("00_test", variables)


def test_a_run_writes_its_results_in_one_move(variables, tmp_path):
    run = begin(variables)
    run.holds("theorem", "it holds", 0.25, ">=", 0)
    run.agrees("table/x", "a number", published=1.0, measured=[1.0, 1.1], rule=Match(sigmas=3))
    run.finish()
    results = read(tmp_path)
    assert results["notebook"] == "00_test" and results["parameters"]["dim"] == 3
    assert "output_dir" not in results["parameters"] and results["environment"]["torch"]
    assert [record["verdict"] for record in results["records"]] == ["reproduced", "reproduced"]
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["00_test.json"]


def test_a_rerun_writes_the_same_but_for_its_wall_time(variables, tmp_path):
    found = []
    for slack in (0.25, 0.25, 0.5):
        run = begin(variables)
        run.holds("theorem", "it holds", slack, ">=", 0)
        run.finish()
        found.append({key: value for key, value in read(tmp_path).items() if key != "run"})
    assert found[0] == found[1] != found[2]


def test_a_live_figure_is_saved_as_a_page_of_its_own(variables, tmp_path):
    run = begin(variables)
    live = player.player({"": [player.Frame(places=[(0.0, 0.1)])]}, panels=["plane"], description="a dot")
    run.show(live, "dot")
    with pytest.raises(ValueError, match="names must be unique"):
        run.show(live, "dot")
    run.finish()
    assert read(tmp_path)["figures"] == ["dot"]
    assert live.html in (tmp_path / "figures" / "00_dot.html").read_text()
    assert all((tmp_path / "figures" / f"00_dot.{ending}").exists() for ending in ("svg", "png"))


def test_begin_stops_before_anything_is_computed(variables, tmp_path):
    with pytest.raises(ValueError, match="unknown parameter dimm"):
        begin(variables | {"In": ["# Parameters\ndimm = 3"]})
    with pytest.raises(ValueError, match="parameter dim must be"):
        begin(variables | {"dim": 1})
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot write"):
        begin(variables | {"output_dir": str(tmp_path / "file" / "below")})


def test_an_interrupted_run_leaves_no_results_that_anyone_could_trust(variables, tmp_path):
    begin(variables).finish()
    begin(variables)
    assert list((tmp_path / "results").iterdir()) == []


def test_notes_name_the_parameters_of_the_run(variables):
    run = begin(variables)
    assert run.note("dim n_seeds") == "d = 3, 2 seeds"
    assert run.note("$b_{rel}$ free; {dim}, seed 0") == "$b_{rel}$ free; d = 3, seed 0"


def test_a_figure_is_saved_with_the_arrays_it_carries(variables, tmp_path):
    run = begin(variables)
    for name, data in (("attached", None), ("given", {"y": [5.0]})):
        figure, ((axes,),) = style.new_figure()
        axes.plot([0, 1])
        figure.arrays = {"x": [0, 1]}
        run.show(figure, name, note="dim", data=data)
    assert np.load(tmp_path / "figures" / "00_attached.npz")["x"].tolist() == [0, 1]
    assert np.load(tmp_path / "figures" / "00_given.npz").files == ["x", "y"]
    assert (tmp_path / "figures" / "00_attached.svg").exists() and run.figures == ["attached", "given"]
    with pytest.raises(ValueError, match="already made"):
        run.show(figure, "given")


def test_numbers_carry_the_chapters_prefix(variables, tmp_path):
    run = begin(variables)
    run.numbers(final_loss=2.6e-7, found="2 of 2", gap=format(-0.0001, ".3f"), b_rel=-0.5)
    run.finish()
    numbers = read(tmp_path)["numbers"]
    assert numbers.pop("ch00-b-rel") == "-0.5"  # in a file with the hyphen that programs read
    assert numbers == {"ch00-final-loss": "2.6 × 10⁻⁷", "ch00-found": "2 of 2", "ch00-gap": "0.000"}


def test_seeds_are_the_last_axis_of_what_was_measured(variables):
    run = begin(variables)
    assert run.share("a", "c", np.ones((5, 2)), published="x").n_seeds == 2
    assert run.share("b", "c", np.ones((2, 5)), published="x").n_seeds is None


def test_records_are_shown_in_a_line_and_in_a_fold(variables, capsys):
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("companion.chapter.page.show", shown.append)
        run = begin(variables)
        run.holds("theorem/x", "a < b", [1, 2], "<=", 3)
        frame = pd.DataFrame({"row": [1], "published": [0.5]})
        run.agrees("table1/x", frame, published="published", measured=[[0.5, 0.5]], rule=Match(absolute=0.1))
        run.table(pd.DataFrame({"x": [0.5, np.nan]}), formats={"x": ".1f"})
        run.paper_and_this_run()
    fold, line, table, number, own, checks = shown
    assert ">0.5<" in own and ">–<" in own
    assert "<summary>Parameters of this run</summary>" in fold and "an integer at least 2" in fold
    assert "a &lt; b" in line and "2 cases" in line and "holds" in line
    assert "this run" in table and "yes" in table and 'scope="col"' in table
    assert "1 of 1 numbers matched, 1 of 1 self-tests hold" in checks and "1 of 1 match" in number


def test_record_and_figure_names_are_unique(variables):
    run = begin(variables)
    run.holds("theorem", "it holds", 0.25, ">=", 0)
    with pytest.raises(ValueError, match="already made"):
        run.holds("theorem", "it holds", 0.25, ">=", 0)
    with pytest.raises(ValueError, match="formats must name columns"):
        run.table(pd.DataFrame({"a": [1]}), formats={"b": ".3f"})


def test_figures_are_saved_with_their_data_and_byte_for_byte_again(tmp_path):
    style.apply_style()
    contents = []
    for _ in range(2):
        figure, ((axes,),) = style.new_figure()
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
