"""Parameters of a chapter: types that carry their ranges, clear errors, and what papermill makes of them."""

from typing import Literal

import nbformat
import papermill
import pytest

from companion import chapter
from companion.chapter import parameters as p

CELL = """from companion.chapter import Count, Folder, Size, Sizes

n_pairs: Size = 100  # number of pairs N
dims: Sizes = [3, 10]  # embedding dimensions d
n_modalities: Integer[2, 10] = 4  # number of modalities
output_dir: Folder = "_build/local"  # where results go"""


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (p.Integer[2, 9], [2, 9], [1, 10, 2.0, "3", True, None]),
        (p.Size, [2, 10**9], [1, 2.5, False]),
        (p.Positive, [0.5, 1, 1e-9], [0, -1.0, float("nan"), float("inf"), "1", True, None]),
        (p.Bias, [-0.99, 0, 0.99], [1, -1.0, 1.5]),
        (p.NonzeroCosine, [-1.0, 1], [0, 0.0, -1.01]),
        (p.Folder, ["a"], ["", 3]),
        (p.Text, ["", "a"], [1, None]),
        (Literal["exact", "published"], ["exact"], ["clamped", None, 1]),
        (p.Switch, [True, False], [0, 1, "True"]),
        (p.Integers[0, 5], [[0, 1], [5]], [[], [0.5], [-1], 3, "12"]),
        (p.Positives, [[0.1, 2]], [[], [0.0], [float("nan")], 0.1]),
    ],
)
def test_types_accept_what_they_say(kind, good, bad):
    for value in good:
        assert p.validate({"x": value}, {"x": kind}) == {"x": value}
    for value in bad:
        with pytest.raises(ValueError, match="parameter x must be") as error:
            p.validate({"x": value}, {"x": kind})
        assert p.describe(kind) in str(error.value) and repr(value) in str(error.value)
        assert "\n" not in str(error.value)


def test_wording_names_parameter_value_and_what_is_allowed():
    with pytest.raises(ValueError, match=r"^parameter dim must be an integer at least 2, got 0.5 \(float\)$"):
        p.validate({"dim": 0.5}, {"dim": p.Size})
    with pytest.raises(ValueError, match="parameter dim is missing: it must be an integer at least 2"):
        p.validate({}, {"dim": p.Size})
    assert p.describe(p.NonzeroCosine) == "a finite number at least -1 and at most 1 and not 0"
    assert p.describe(Literal["a", "b"]) == "one of 'a', 'b'"


def test_unknown_injected_names_stop_with_the_names_there_are():
    cells = [CELL, "# Parameters\nn_pairs = 64\ndimension = 5"]
    with pytest.raises(ValueError, match="unknown parameter dimension: this notebook has dim, n_pairs"):
        p.validate({"dim": 3, "n_pairs": 64}, {"dim": p.Size, "n_pairs": p.Size}, cells=cells)


def test_values_that_the_defaults_overwrite_stop_the_chapter():
    """Papermill injects before the first cell where the tag 'parameters' is lost."""
    cells = ["# Parameters\nn_pairs = 5", CELL]
    with pytest.raises(ValueError, match=r"n_pairs was given but is overwritten .* lost its tag 'parameters'"):
        p.validate({"n_pairs": 100}, {"n_pairs": p.Size}, cells=cells)
    assert p.validate({"n_pairs": 5}, {"n_pairs": p.Size}, cells=cells[::-1]) == {"n_pairs": 5}


def test_papermill_reads_the_typed_lines_and_skips_the_import(tmp_path):
    cell = nbformat.v4.new_code_cell(CELL, metadata={"tags": ["parameters"]})
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
    nbformat.write(notebook, tmp_path / "n.ipynb")
    read = papermill.inspect_notebook(tmp_path / "n.ipynb")
    assert list(read) == ["n_pairs", "dims", "n_modalities", "output_dir"]
    assert read["n_pairs"]["inferred_type_name"] == "Size" and read["n_pairs"]["help"] == "number of pairs N"
    assert read["n_modalities"]["inferred_type_name"] == "Integer[2, 10]"


def test_begin_reads_the_annotations_of_the_notebook(tmp_path):
    variables = {"Integer": chapter.Integer}
    exec(CELL, variables)
    variables |= {"output_dir": str(tmp_path), "In": [CELL]}
    run = chapter.begin("00_test", variables)
    assert run.parameters["n_modalities"] == 4 and run.parameters["dims"] == [3, 10]
    with pytest.raises(ValueError, match="parameter dims must be a non-empty list, each entry an integer at least 2"):
        chapter.begin("00_test", variables | {"dims": [1]})
    with pytest.raises(ValueError, match=r"declares output_dir"):
        chapter.begin("00_test", {"n_pairs": 3})
