"""The report as a command and as a page: numbers, comparison, gates, names, bad input."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from constellations import bounds, geometry, sphere
from constellations.geometry import __main__ as command
from constellations.geometry.page import page
from constellations.geometry.report import measure


@pytest.fixture
def saved(tmp_path):
    """30 pairs that almost agree, on disk; their margin is positive."""
    v = sphere.random_points(30, 48, seed=0)
    u = sphere.normalize(3 * v + sphere.random_points(30, 48, seed=1))
    np.save(tmp_path / "u.npy", u)
    np.save(tmp_path / "v.npy", v)
    (tmp_path / "names.txt").write_text("\n".join(f"cat <{i}> & dog" for i in range(30)))
    return tmp_path, geometry.separation(u, v)


def run(folder, *more):
    return command.main(["report", str(folder / "u.npy"), str(folder / "v.npy"), "--quiet", *map(str, more)])


def test_the_command_in_a_terminal(saved):
    folder, exact = saved
    done = subprocess.run(
        [sys.executable, "-m", "constellations.geometry", "report", folder / "u.npy", folder / "v.npy", "--quiet",
         "--inverse-temperature", "5e1", "--json", folder / "out" / "r.json"],
        capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "30 images, 30 texts, d = 48" in done.stdout and "loss at t = 50" in done.stdout
    content = json.loads((folder / "out" / "r.json").read_text())
    assert content["extreme"]["margin"] == pytest.approx(exact.margin, abs=1e-12)
    assert content["text_retrieval_accuracy"] == 1.0
    assert content["hardest_matching"][0]["product"] == pytest.approx(exact.matching, abs=1e-12)


@pytest.mark.parametrize(
    ("gates", "status"),
    [
        (["margin=0"], 0),
        (["retrieval=1", "text_retrieval=1"], 0),
        (["margin=1,000"], 1),
        (["margin=0", "mean_margin=.9"], 1),
    ],
)
def test_gates(saved, gates, status, capsys):
    assert run(saved[0], *(word for gate in gates for word in ("--fail-under", gate))) == status
    assert ("failed: " in capsys.readouterr().err) == bool(status)


def test_what_moved(saved, capsys):
    folder, _ = saved
    assert run(folder, "--json", folder / "old.json") == 0
    assert run(folder, "--against", folder / "old.json") == 0
    assert "nothing moved" in capsys.readouterr().out
    np.save(folder / "u.npy", np.roll(np.load(folder / "u.npy"), 1, axis=0))
    assert run(folder, "--against", folder / "old.json", "--html", folder / "r.html") == 0
    assert re.search(r"^retrieval_accuracy +\+1 -> \+0 ", capsys.readouterr().out, flags=re.M)
    assert "What moved" in (folder / "r.html").read_text(encoding="utf-8")


class Reader(HTMLParser):
    """Text, tags and links of a page; complains where tags do not nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_stands_alone_and_shows_what_was_found(saved):
    folder, exact = saved
    assert run(folder, "--html", folder / "r.html", "--names", folder / "names.txt") == 0
    text = (folder / "r.html").read_text(encoding="utf-8")
    read = Reader(text)
    assert not read.open and not {"script", "link", "img"} & {tag for tag, _ in read.seen}
    assert not re.search(r"https?:|src=|url\(|\$[a-z]|nan", text)
    assert f"{exact.margin:+.4f}" in read.text and f"{exact.relative_bias:+.4f}" in read.text
    i, j = exact.non_matching_index
    assert f"image {i} (cat <{i}> & dog)" in read.text and f"text {j} (cat <{j}> & dog)" in read.text
    pictures = [attributes["aria-label"] for _, attributes in read.seen if attributes.get("role") == "img"]
    assert len(pictures) == 2 and sum(tag == "meter" for tag, _ in read.seen) == 2
    classes = [attributes.get("class", "") for tag, attributes in read.seen if tag in ("path", "span")]
    assert classes.count("mark") == 3 and "open" in classes and "overlap" not in classes


def test_the_pictures_of_the_page_are_drawn_in_units_of_the_data():
    """Columns of a kind add up to 1, the tallest leaves a tenth free; the apex has the largest margin of so many pairs."""
    v = sphere.random_points(30, 48, seed=0)
    found = measure(sphere.normalize(v + sphere.random_points(30, 48, seed=1)), v)
    text = page(found, title="t")
    columns = {
        kind: [float(x) for x in re.findall(r"V (\S+)", path)]
        for kind, path in re.findall(r'class="area (\w+)" d="([^"]+)"', text)
    }
    assert [sum(columns[kind]) for kind in ("matching", "other")] == pytest.approx([1, 1], abs=1e-4)
    boxes = [[float(x) for x in box.split()] for box in re.findall(r'viewBox="([^"]+)"', text)]
    tops = [-y for _, y, _, _ in boxes]
    (left, _, width, height), ends = boxes[0], (found.extreme.non_matching, found.extreme.matching)
    assert left < min(ends) and max(ends) < left + width and height == pytest.approx(tops[0], rel=1e-4)
    assert tops[0] == pytest.approx(1.1 * max(max(column) for column in columns.values()), rel=1e-4)
    for kind, product in (("matching", found.extreme.matching), ("other", found.extreme.non_matching)):
        x, top = re.search(rf'class="edge {kind}" d="M(\S+) 0 V (\S+)"', text).groups()
        assert (float(x), float(top)) == pytest.approx((product, tops[0]), rel=1e-4)
    b, m = map(float, re.search(r'class="region" d="M-1 0 L (\S+) (\S+) L 1 0"', text).groups())
    assert m == pytest.approx(bounds.margin_upper_bound(b, n_pairs=30), rel=1e-4) == pytest.approx(1 - b, rel=1e-4)
    assert boxes[1][::2] == [-1, 2] and tops[1] > m and boxes[1][3] > tops[1] and 'class="axis" d="M-1 0 H 1"' in text
    marks = re.findall(r'class="mark" style="--x:([^;]+);--y:([^"]+)"', text)
    gaps = (found.extreme, found.trimmed, found.mean)
    wanted = [x for gap in gaps for x in (gap.relative_bias, gap.margin)]
    assert [float(x) for mark in marks for x in mark] == pytest.approx(wanted, rel=1e-4)


def test_the_page_shades_an_overlap_and_survives_degenerate_sets():
    assert 'class="overlap"' in page(measure(np.eye(4), np.roll(np.eye(4), 1, axis=0)), title="<x>")
    ones = np.ones((3, 1))
    for u, v in ((ones, ones), (np.eye(2), np.eye(2)), (np.eye(2), -np.eye(2))):
        assert "nan" not in page(measure(u, v), title="few")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--json", "FOLDER"], "it is a folder; give the name of a file"),
        (["--html", "FOLDER/u.npy/x.html"], "cannot write"),
        (["--against", "FOLDER/nothing.json"], "no such file"),
        (["--against", "FOLDER/names.txt"], "cannot be read"),
        (["--names", "FOLDER/u.npy"], "cannot be read"),
        (["--pairs", "FOLDER/u.npy"], "u.npy must hold integers"),
        (["--pairs", "FOLDER/u.npy", "FOLDER/u.npy", "FOLDER/u.npy"], "one file, or two of group ids"),
        (["--inverse-temperature", "-3"], "inverse_temperature must be above 0"),
        (["--sampled-products", "0.5"], "sampled_products must be an integer of at least 1"),
    ],
)
def test_bad_input_is_one_line_before_the_work(saved, more, message, capsys):
    assert run(saved[0], *(word.replace("FOLDER", str(saved[0])) for word in more)) == 2
    said = capsys.readouterr()
    assert re.fullmatch(rf"error: .*{message}.*\n", said.err) and not said.out


@pytest.mark.parametrize("gate", ["margins=0.1", "margin", "margin=0,1"])
def test_gates_that_do_not_exist(saved, gate, capsys):
    with pytest.raises(SystemExit):
        run(saved[0], "--fail-under", gate)
    assert "must be NAME=VALUE with a name of margin" in capsys.readouterr().err
