"""EXIF, colour profile, resolution and orientation are kept; the old thumbnail is not."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from inpaint_core import photo
from tests.photo.files import HEIGHT, HOLE, WIDTH, camera_exif, cv_decode, cv_encode, fill_of, raw_tiff, saved

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY_PROFILE = SRGB[:16] + b"GRAY" + SRGB[20:]
CARRIERS = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "PNG16", "TIFF16"]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_exif_profile_and_resolution_are_kept(carrier, rgb, sixteen, tmp_path):
    format = carrier.removesuffix("16")
    picture = photo.read(saved(Image.fromarray(rgb), "PNG", exif=camera_exif(), icc_profile=SRGB, dpi=(300, 300)))
    if carrier.endswith("16"):
        picture = replace(picture, deep=np.ascontiguousarray(sixteen[..., :3]))
    for _generation in range(2):  # what was written is read and written again
        data = photo.encode(picture, picture.pixels, format=format)
        picture = photo.read(data)
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            assert image.info["icc_profile"] == SRGB
            exif = image.getexif()
            assert exif[ExifTags.Base.Make] == "Maker"
            assert exif[ExifTags.Base.Copyright] == "Me"
            assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2024:05:06 07:08:09"
            assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] == pytest.approx(0.01)
            latitude = exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude]
            assert [float(part) for part in latitude] == [52, 30, 15.5]
            if format in ("JPEG", "PNG", "TIFF"):
                assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert picture.bits == (16 if carrier.endswith("16") else 8)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("carrier", ["JPEG", "PNG", "WEBP", "TIFF", "PNG16", "TIFF16"])
def test_a_turned_photo_is_read_upright_and_saved_upright(carrier, orientation, rgb, sixteen):
    exif = camera_exif(orientation)
    if carrier == "PNG16":
        plain = cv_encode(".png", np.ascontiguousarray(sixteen[..., :3]))
        content = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
        chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
        data = plain[:33] + chunk + plain[33:]
    elif carrier == "TIFF16":
        data = raw_tiff(np.ascontiguousarray(sixteen[..., :3]), {274: orientation})
    else:
        settings = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(carrier, {})
        data = saved(Image.fromarray(rgb), carrier, exif=exif.tobytes(), **settings)
    stored = cv_decode(cv_encode(".png", sixteen[..., :3])) if carrier.endswith("16") else rgb
    turn = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}[orientation]  # Pillow's Transpose, EXIF 2.32 table 6
    shown = np.asarray(Image.fromarray(np.arange(HEIGHT * WIDTH, dtype=np.int32).reshape(HEIGHT, WIDTH)))
    if turn is not None:
        shown = np.asarray(Image.fromarray(shown).transpose(Image.Transpose(turn)))
    expected = stored.reshape(-1, 3)[shown]

    picture = photo.read(data)
    tolerance = 6 if carrier == "JPEG" else 0
    pixels = picture.deep if carrier.endswith("16") else picture.pixels
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).max() <= tolerance

    again = photo.encode(picture, picture.pixels)
    with Image.open(io.BytesIO(again)) as image:
        assert image.getexif().get(ExifTags.Base.Orientation, 1) == 1
        assert (image.height, image.width) == expected.shape[:2]
    second = photo.read(again)
    assert np.abs(second.pixels.astype(int) - picture.pixels).max() <= tolerance


def test_the_thumbnail_of_the_old_photo_is_gone(rgb):
    thumbnail = saved(Image.fromarray(rgb).resize((32, 24)), "JPEG", quality=20)
    exif = camera_exif()
    first = exif.tobytes()
    # append a second directory (IFD1) with the thumbnail, and point the first one at it
    head = first[6:]
    count = struct.unpack_from("<H", head, 8)[0]
    link = 10 + 12 * count
    start = len(head)
    offset = start + 2 + 2 * 12 + 4
    second = struct.pack("<H", 2) + struct.pack("<HHII", 0x201, 4, 1, offset)
    second += struct.pack("<HHII", 0x202, 4, 1, len(thumbnail)) + struct.pack("<I", 0)
    full = b"Exif\0\0" + head[:link] + struct.pack("<I", start) + head[link + 4 :] + second + thumbnail
    data = saved(Image.fromarray(rgb), "JPEG", exif=full)
    with Image.open(io.BytesIO(data)) as image:
        assert image.getexif().get_ifd(ExifTags.IFD.IFD1)[0x202] == len(thumbnail)
    assert thumbnail in data
    picture = photo.read(data)
    again = photo.encode(picture, fill_of(picture), mask=HOLE)
    assert thumbnail[200:] not in again
    assert b"2024:05:06" in again
    with Image.open(io.BytesIO(again)) as image:
        assert not image.getexif().get_ifd(ExifTags.IFD.IFD1)


def test_damaged_exif_is_dropped_and_the_photo_read(rgb):
    data = saved(Image.fromarray(rgb), "JPEG", exif=b"Exif\0\0garbage that is no directory")
    picture = photo.read(data)
    assert picture.exif == b""
    photo.encode(picture, picture.pixels)


def test_a_grey_profile_is_left_out_where_the_format_has_no_grey(rgb):
    data = saved(Image.fromarray(rgb).convert("L"), "PNG", icc_profile=GREY_PROFILE)
    picture = photo.read(data)
    with Image.open(io.BytesIO(photo.encode(picture, picture.pixels))) as image:
        assert image.mode == "L"
        assert image.info["icc_profile"] == GREY_PROFILE
    with Image.open(io.BytesIO(photo.encode(picture, picture.pixels, format="WEBP"))) as image:
        assert "icc_profile" not in image.info
