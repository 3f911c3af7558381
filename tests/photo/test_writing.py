"""Writing: which format, which file, and results that do not belong to the photo."""

from __future__ import annotations

import numpy as np
import pytest

from inpaint_core import InpaintError, photo
from tests.photo.files import fill_of


def test_the_suffix_chooses_the_format_and_an_unknown_one_is_refused(picture, tmp_path):
    for suffix, format in ((".JPG", "JPEG"), (".webp", "WEBP"), (".tif", "TIFF"), ("", "PNG")):
        path = photo.write(picture, picture.pixels, tmp_path / f"out{suffix}")
        assert photo.read(path).format == format
    assert photo.read(photo.write(picture, picture.pixels, tmp_path / "out.dat", format="tif")).format == "TIFF"
    with pytest.raises(InpaintError, match=r"out\.xyz ends in \.xyz"):
        photo.write(picture, picture.pixels, tmp_path / "out.xyz")
    with pytest.raises(InpaintError, match="not a format"):
        photo.encode(picture, picture.pixels, format="psd")


def test_the_source_is_not_overwritten_unless_asked(picture):
    before = picture.path.read_bytes()
    with pytest.raises(InpaintError, match=r"photo\.png is the source photo"):
        photo.write(picture, fill_of(picture), picture.path)
    assert picture.path.read_bytes() == before
    picture.path.chmod(0o640)
    photo.write(picture, fill_of(picture), picture.path, overwrite=True)
    assert photo.read(picture.path).pixels.tobytes() == fill_of(picture).tobytes()
    assert picture.path.stat().st_mode & 0o777 == 0o640


def test_a_failed_save_leaves_the_old_file_alone(picture, tmp_path, monkeypatch):
    path = tmp_path / "out.png"
    path.write_bytes(b"old")

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(InpaintError, match=r"out\.png cannot be saved \(no space left on device\)"):
        photo.write(picture, picture.pixels, path)
    assert path.read_bytes() == b"old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.png", "photo.png"]


def test_a_result_that_does_not_belong_to_the_photo_is_refused(picture, tmp_path):
    with pytest.raises(InpaintError, match="must be uint8 of 45 x 64 x 3"):
        photo.encode(picture, picture.pixels[:10])
    with pytest.raises(InpaintError, match="must be uint8"):
        photo.encode(picture, picture.pixels / np.float32(255))
    with pytest.raises(InpaintError, match="The mask is 2 x 2"):
        photo.encode(picture, picture.pixels, mask=np.ones((2, 2), bool))
    with pytest.raises(InpaintError, match="does not exist"):
        photo.write(picture, picture.pixels, tmp_path / "absent" / "out.png")
    with pytest.raises(InpaintError, match="is a folder"):
        photo.write(picture, picture.pixels, tmp_path)
    wide = np.zeros((1, 17_000, 3), np.uint8)
    with pytest.raises(InpaintError, match="cannot be saved as WEBP"):
        photo.encode(photo.Photo(pixels=wide), wide, format="webp")


@pytest.mark.parametrize("format", ["GIF", "AVIF", "WEBP", "JPEG"])
def test_a_photo_wider_than_the_format_allows_is_refused_in_a_sentence(format):
    pixels = np.zeros((1, 70_000, 3), np.uint8)
    with pytest.raises(InpaintError, match=f"70000 x 1 pixels cannot be saved as {format}"):
        photo.encode(photo.Photo(pixels), pixels, format=format)
