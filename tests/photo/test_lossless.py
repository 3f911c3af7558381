"""Known pixels of 8 bits survive every format without loss, and so does transparency."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inpaint_core import photo
from tests.photo.files import HOLE, KNOWN, cv_encode, fill_of, of_mode, saved

LOSSLESS = [
    *[("PNG", mode, {}) for mode in ("1", "L", "LA", "P", "P+alpha", "RGB", "RGBA")],
    *[("TIFF", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")],
    *[("TIFF", "RGB", {"compression": name}) for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits")],
    *[("BMP", mode, {}) for mode in ("1", "L", "P", "RGB")],
    *[("GIF", mode, {}) for mode in ("1", "L", "P", "P+alpha")],
    *[("WEBP", mode, {"lossless": True, "exact": True}) for mode in ("L", "RGB", "RGBA")],
]


@pytest.mark.parametrize(("format", "mode", "settings"), LOSSLESS)
def test_known_pixels_survive_every_lossless_format_and_mode(format, mode, settings, rgb, alpha, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(saved(of_mode(mode, rgb, alpha), format, **settings))
    with Image.open(source) as image:
        as_pillow_sees_it = np.asarray(image.convert("RGBA"))
    picture = photo.read(source)
    assert picture.format == format
    assert picture.exact
    np.testing.assert_array_equal(picture.pixels, as_pillow_sees_it[..., :3])
    assert (picture.alpha is not None) == (mode in ("LA", "RGBA", "P+alpha"))
    if picture.alpha is not None:
        np.testing.assert_array_equal(picture.alpha, as_pillow_sees_it[..., 3])

    image = fill_of(picture)
    again = photo.read(photo.write(picture, image, tmp_path / "result", mask=HOLE))
    assert again.format == format
    visible = KNOWN if format != "GIF" or picture.alpha is None else KNOWN & (picture.alpha > 0)
    np.testing.assert_array_equal(again.pixels[visible], picture.pixels[visible])
    if picture.alpha is not None:
        assert again.alpha is None or (again.alpha[HOLE] == 255).all()
        np.testing.assert_array_equal(again.alpha[KNOWN], picture.alpha[KNOWN])
    if picture.grey and format != "GIF":
        assert again.grey == (format != "WEBP")
        assert np.ptp(again.pixels, axis=2).max() == 0
    elif format != "GIF":
        np.testing.assert_array_equal(again.pixels, image)


def test_a_gif_spends_the_colours_its_photo_leaves_free_on_the_fill(rgb, alpha):
    picture = photo.read(saved(of_mode("P", rgb, alpha), "GIF"))
    image = fill_of(picture)
    again = photo.read(photo.encode(picture, image, mask=HOLE))
    error = np.abs(again.pixels[HOLE].astype(int) - image[HOLE]).mean()
    nearest_known = np.abs(image[HOLE][:, None].astype(int) - np.unique(picture.pixels[KNOWN], axis=0)[None])
    assert error < 0.5 * nearest_known.sum(-1).min(1).mean() / 3


def test_a_bmp_with_transparency_keeps_it(rgb, alpha):
    picture = photo.read(cv_encode(".bmp", np.dstack([rgb, alpha])))
    np.testing.assert_array_equal(picture.alpha, alpha)
    again = photo.read(photo.encode(picture, fill_of(picture), mask=HOLE))
    np.testing.assert_array_equal(again.pixels[KNOWN], rgb[KNOWN])
    np.testing.assert_array_equal(again.alpha[KNOWN], alpha[KNOWN])


def test_a_hole_in_a_transparent_photo_becomes_opaque_even_without_a_mask(rgb, alpha):
    picture = photo.read(saved(Image.fromarray(np.dstack([rgb, alpha])), "PNG"))
    image = picture.pixels.copy()
    image[HOLE] ^= 255
    again = photo.read(photo.encode(picture, image))
    assert (again.alpha[HOLE] == 255).all()
    np.testing.assert_array_equal(again.alpha[KNOWN], alpha[KNOWN])


def test_transparency_is_laid_on_white_where_a_format_has_none(rgb, alpha):
    picture = photo.read(saved(Image.fromarray(np.dstack([rgb, np.zeros_like(alpha)])), "PNG"))
    image = fill_of(picture)
    again = photo.read(photo.encode(picture, image, mask=HOLE, format="JPEG"))
    assert again.alpha is None
    assert again.pixels[30:, :].min() > 240
