"""Folders of images as people keep them, and pictures whatever their file says about itself."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from constellations.pretrained import scan_folder
from constellations.pretrained.folder import open_image

RAMP = np.linspace(0, 255, 24 * 32).reshape(24, 32)


def pixels(path):
    picture = open_image(path)
    assert picture.mode == "RGB"
    return np.asarray(picture).astype(float)


def test_hidden_and_system_files_are_no_images(tmp_path):
    for name in (
        "n01/0.png",
        "n02/0.png",
        "n01/._0.png",
        "n02/.ipynb_checkpoints/0.png",
        "__MACOSX/._x.png",
        ".git/0.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(tmp_path / name)
    (tmp_path / "n01" / ".DS_Store").write_bytes(b"x")
    found = scan_folder(tmp_path)
    assert (found.classes, found.files) == (("n01", "n02"), ("n01/0.png", "n02/0.png"))
    assert scan_folder(tmp_path / ".git" / "..").files == found.files


@pytest.mark.parametrize("mode", ["16 bits", "L", "RGB", "P", "CMYK", "LA", "1"])
def test_every_mode_shows_the_same_ramp(mode, tmp_path):
    grey = Image.fromarray(RAMP.round().astype(np.uint8))
    if mode == "16 bits":
        Image.fromarray((RAMP * 257).round().astype(np.uint16)).save(tmp_path / "x.png")
    else:
        suffix = "jpg" if mode == "CMYK" else "png"
        grey.convert("RGB" if mode == "CMYK" else mode).convert(mode).save(tmp_path / f"x.{suffix}", quality=100)
    (path,) = tmp_path.iterdir()
    error = np.abs(pixels(path) - RAMP[..., None])
    assert error.mean() < 3 if mode != "1" else abs(pixels(path).mean() - RAMP.mean()) < 5


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode, tmp_path):
    """The left half is grey 200, the right half a transparent dark colour."""
    right = np.arange(4) >= 2
    if mode == "P":
        picture = Image.fromarray(np.tile(right.astype(np.uint8), (4, 1)), mode="L").convert("P")
        picture.putpalette([200, 200, 200, 10, 20, 30])
        picture.save(tmp_path / "x.png", transparency=1)
    else:
        picture = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
        picture.paste((200, 200, 200, 255), (0, 0, 2, 4))
        picture.convert(mode).save(tmp_path / "x.png")
    assert (pixels(tmp_path / "x.png") == np.where(right, 255, 200)[None, :, None]).all()


def test_pictures_are_turned_as_the_camera_says(tmp_path):
    picture, exif = Image.fromarray(RAMP.round().astype(np.uint8)), Image.Exif()
    exif[0x0112] = 6  # the top of the scene is at the right of the file
    picture.save(tmp_path / "x.png", exif=exif)
    assert np.abs(pixels(tmp_path / "x.png")[..., 0] - np.rot90(RAMP, -1)).max() <= 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it has 0 bytes"),
        (b"not a picture", "cannot identify"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
    ],
)
def test_damaged_pictures_are_named(content, message, tmp_path):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(ValueError, match=rf"x\.png cannot be read as an image: .*{message}.*: repair or remove it"):
        open_image(tmp_path / "x.png")
