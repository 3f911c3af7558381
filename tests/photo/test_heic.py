"""HEIC, what phones make: read upright with its metadata, saved as JPEG, its size limited before decoding."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image

from inpaint_core import InpaintError, photo
from tests.photo.files import HOLE, KNOWN, camera_exif, fill_of, psnr


def heic(rgb: np.ndarray, exif: Image.Exif | None = None) -> bytes:
    """A HEIC file; the encoder turns EXIF's orientation into the container's own, as phones do."""
    stream = io.BytesIO()
    extras = {} if exif is None else {"exif": exif.tobytes()}
    pillow_heif.from_pillow(Image.fromarray(rgb)).save(stream, quality=95, **extras)
    return stream.getvalue()


def test_a_turned_heic_is_read_upright_and_saved_as_jpeg_with_its_exif(rgb, tmp_path):
    path = tmp_path / "phone.heic"
    path.write_bytes(heic(np.rot90(rgb), camera_exif(6)))  # as a camera held sideways stores it
    picture = photo.read(path)
    assert picture.pixels.shape == rgb.shape
    assert psnr(picture.pixels, rgb) > 28
    assert any("HEIC" in note for note in picture.notes)
    fill = fill_of(picture)
    with Image.open(io.BytesIO(photo.encode(picture, fill, mask=HOLE))) as saved:
        assert saved.format == "JPEG"
        exif = saved.getexif()
        assert exif[ExifTags.Base.Make] == "Maker"
        assert exif.get(ExifTags.Base.Orientation, 1) == 1
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
        assert psnr(np.asarray(saved)[KNOWN], picture.pixels[KNOWN]) > 30
    exact = photo.read(photo.encode(picture, fill, mask=HOLE, format="PNG"))
    np.testing.assert_array_equal(exact.pixels, fill)


def test_a_large_heic_is_refused_before_it_is_decoded(rgb, monkeypatch):
    data = heic(rgb)
    monkeypatch.setattr(pillow_heif.HeifImageFile, "load", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(InpaintError, match="over the limit"):
        photo.read(data, max_pixels=1000)


def test_half_a_heic_is_damaged(rgb):
    data = heic(rgb)
    with pytest.raises(InpaintError, match="damaged or cut short"):
        photo.read(data[: len(data) // 2])
