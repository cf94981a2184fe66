"""Spheres drawn still: the camera, and that every point is there."""

import re

import numpy as np
import pytest

from companion.figures import sphere, style
from constellations.sphere import random_points


def groups(n: int = 5) -> list[sphere.PointGroup]:
    u, v = (random_points(n, 3, seed=0, stream=k).numpy() for k in (0, 1))
    return [sphere.PointGroup(u, "U & co"), sphere.PointGroup(v, "V", "#E69F00", "^")]


def test_camera_is_a_rotation():
    rotation = sphere.camera(azimuth=33.0, elevation=-71.0)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_still_view_draws_every_point():
    figure, ((axes,),) = style.new_figure()
    sphere.draw(axes, groups(), rotation=sphere.camera())
    assert sum(len(collection.get_offsets()) for collection in axes.collections) == 10
    assert figure.axes == [axes]


def test_spheres_carry_their_points_and_join_the_pairs():
    figure = sphere.spheres({"one": groups(4), "two": groups(6)}, normal=[0, 0, 1])
    assert figure.arrays["u0"].shape == (4, 3) and figure.arrays["v1"].shape == (6, 3)
    one, two = figure.axes
    assert one.get_title() == "one" and len(two.lines) == len(one.lines) + 2


def test_a_row_of_spheres_is_laid_out_before_its_first_file_is_written(tmp_path):
    figure = sphere.spheres({f"{k}\nof three": groups(4) for k in range(3)})
    files = [style.save_figure(figure, tmp_path, name).read_text() for name in ("first", "again")]
    first, again = (np.array(re.findall(r"translate\((\S+) (\S+)\)", text), dtype=float) for text in files)
    assert len(first) > 5 and again == pytest.approx(first, abs=2), "titles move when drawn once more"
