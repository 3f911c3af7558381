"""JPEG and lossy WebP: saved as the photo was, with little loss."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from inpaint_core import photo
from tests.photo.files import HOLE, camera_exif, fill_of, psnr, saved


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [60, 88, 97])
def test_a_jpeg_loses_less_than_by_saving_it_with_default_quality(quality, subsampling, astronaut):
    data = saved(Image.fromarray(astronaut[:256, :256]), "JPEG", quality=quality, subsampling=subsampling)
    picture = photo.read(data)
    assert not picture.exact
    assert photo.is_exact(picture, "png")
    again = photo.encode(picture, picture.pixels)
    with Image.open(io.BytesIO(data)) as old, Image.open(io.BytesIO(again)) as new:
        assert isinstance(old, JpegImagePlugin.JpegImageFile)
        assert new.quantization == old.quantization
        assert JpegImagePlugin.get_sampling(new) == subsampling
    default = np.asarray(Image.open(io.BytesIO(saved(Image.fromarray(picture.pixels), "JPEG"))))
    ours = psnr(photo.read(again).pixels, picture.pixels)
    assert ours > psnr(default, picture.pixels) + 2
    assert ours > 38


def test_a_turned_jpeg_is_saved_with_its_tables_turned_too(astronaut):
    settings = {"quality": 60, "subsampling": 0, "exif": camera_exif(6)}
    picture = photo.read(saved(Image.fromarray(astronaut[:256, :256]), "JPEG", **settings))
    unturned = [tuple(np.reshape(table, (8, 8)).T.ravel().tolist()) for table in picture.jpeg.tables]
    wrong = replace(picture, jpeg=replace(picture.jpeg, tables=tuple(unturned)))
    right_loss, wrong_loss = (
        psnr(photo.read(photo.encode(choice, picture.pixels)).pixels, picture.pixels) for choice in (picture, wrong)
    )
    assert right_loss > wrong_loss + 2


@pytest.mark.parametrize("settings", [{"progressive": True}, {"keep_rgb": True}])
def test_the_kind_of_jpeg_is_kept(settings, rgb):
    picture = photo.read(saved(Image.fromarray(rgb), "JPEG", quality=90, **settings))
    with Image.open(io.BytesIO(photo.encode(picture, picture.pixels))) as image:
        assert bool(image.info.get("progressive")) == ("progressive" in settings)
        assert (image.info.get("adobe_transform") == 0) == ("keep_rgb" in settings)


def test_a_grey_jpeg_stays_grey(rgb):
    picture = photo.read(saved(Image.fromarray(rgb).convert("L"), "JPEG", quality=90))
    with Image.open(io.BytesIO(photo.encode(picture, fill_of(picture), mask=HOLE))) as image:
        assert image.mode == "L"


def test_a_lossy_webp_is_saved_with_high_quality_and_says_that_it_is_not_exact(rgb):
    picture = photo.read(saved(Image.fromarray(rgb), "WEBP", quality=80))
    assert not picture.exact
    assert psnr(photo.read(photo.encode(picture, picture.pixels)).pixels, picture.pixels) > 34
