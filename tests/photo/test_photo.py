"""Photo files come back whole: known pixels bit for bit, 16 bits, transparency, EXIF, profile, resolution, quality."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, JpegImagePlugin, TiffImagePlugin

from inpaint_core import InpaintError, photo

HEIGHT, WIDTH = 45, 64
HOLE = np.zeros((HEIGHT, WIDTH), bool)
HOLE[10:25, 20:50] = True
KNOWN = ~HOLE
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY_PROFILE = SRGB[:16] + b"GRAY" + SRGB[20:]


@pytest.fixture(scope="module")
def rgb(astronaut: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(astronaut[60 : 60 + HEIGHT, 180 : 180 + WIDTH])


@pytest.fixture(scope="module")
def alpha() -> np.ndarray:
    ramp = np.linspace(0, 255, WIDTH).astype(np.uint8)
    return np.tile(ramp, (HEIGHT, 1))


@pytest.fixture(scope="module")
def sixteen() -> np.ndarray:
    """uint16 RGBA noise: every one of the 16 bits matters."""
    return np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH, 4), dtype=np.uint16)


def saved(image: Image.Image, format: str, **settings) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **settings)
    return stream.getvalue()


def fill_of(picture: photo.Photo) -> np.ndarray:
    """A completed image: its hole is filled with a colour ramp that no photo here contains."""
    image = picture.pixels.copy()
    image[HOLE] = np.stack([np.arange(HOLE.sum()) % 251, np.full(HOLE.sum(), 7), np.arange(HOLE.sum()) // 2], -1)
    return image


def cv_encode(suffix: str, array: np.ndarray) -> bytes:
    if array.ndim == 3:
        array = cv2.cvtColor(array, cv2.COLOR_RGB2BGR if array.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    return cv2.imencode(suffix, array)[1].tobytes()


def cv_decode(data: bytes) -> np.ndarray:
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array.ndim == 2:
        return array
    return cv2.cvtColor(array, cv2.COLOR_BGR2RGB if array.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def raw_tiff(array: np.ndarray, tags: dict[int, int]) -> bytes:
    """An uncompressed 16-bit TIFF of one strip, with `tags` beside or instead of the usual ones."""
    height, width, channels = array.reshape(*array.shape[:2], -1).shape
    usual = {256: width, 257: height, 258: (16,) * channels, 259: 1, 262: 1 if channels == 1 else 2, 277: channels}
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in {**usual, 273: 0, 278: height, 279: array.nbytes, **tags}.items():
        directory[tag] = value
    stream = io.BytesIO()
    directory.save(stream)
    return stream.getvalue() + array.astype("<u2").tobytes()


# ---- 8 bits: every format and mode


def _of_mode(mode: str, rgb: np.ndarray, alpha: np.ndarray) -> Image.Image:
    picture = Image.fromarray(rgb)
    if mode in ("RGBA", "LA"):
        picture.putalpha(Image.fromarray(alpha))
        return picture.convert(mode)
    if mode == "P+alpha":
        palette = picture.quantize(200)
        palette.info["transparency"] = palette.getpixel((0, 0))
        return palette
    return picture.quantize(200) if mode == "P" else picture.convert(mode)


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
    source.write_bytes(saved(_of_mode(mode, rgb, alpha), format, **settings))
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
    picture = photo.read(saved(_of_mode("P", rgb, alpha), "GIF"))
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


# ---- 16 bits


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("mask", [HOLE, None], ids=["mask", "no mask"])
def test_known_pixels_keep_all_16_bits(suffix, channels, mask, sixteen, tmp_path):
    values = sixteen[..., 0] if channels == 1 else np.ascontiguousarray(sixteen[..., :channels])
    source = tmp_path / f"source{suffix}"
    source.write_bytes(cv_encode(suffix, values))
    picture = photo.read(source)
    assert picture.bits == 16
    assert any("16 bits" in note for note in picture.notes)
    rounded = np.rint(values.reshape(HEIGHT, WIDTH, -1) / 257).astype(np.uint8)
    np.testing.assert_array_equal(picture.pixels, np.broadcast_to(rounded[..., :3], picture.pixels.shape))
    image = fill_of(picture)
    for result in ("result.png", "result.tif"):
        data = photo.write(picture, image, tmp_path / result, mask=mask).read_bytes()
        stored = cv_decode(data)
        assert stored.dtype == np.uint16
        np.testing.assert_array_equal(stored[KNOWN], values[KNOWN])
        if channels > 1:
            np.testing.assert_array_equal(stored[HOLE][:, :3], image[HOLE].astype(np.uint16) * 257)
        if channels == 4:
            assert (stored[HOLE][:, 3] == 65535).all()
        np.testing.assert_array_equal(photo.read(data).deep[KNOWN], picture.deep[KNOWN])


def test_a_16_bit_tiff_whose_white_is_zero_is_read_the_right_way_round(sixteen):
    picture = photo.read(raw_tiff(65535 - sixteen[..., 0], {262: 0}))
    np.testing.assert_array_equal(picture.deep[..., 0], sixteen[..., 0])


def test_a_16_bit_mask_keeps_its_smallest_values():
    values = np.array([[0, 1, 257, 65535]], np.uint16)
    np.testing.assert_array_equal(photo.read_mask(cv_encode(".png", values)), [[0, 1, 1, 255]])


# ---- metadata


def _exif(orientation: int | None = None) -> Image.Exif:
    exif = Image.Exif()
    exif.endian = "<"
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.Copyright] = "Me"
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: "2024:05:06 07:08:09", ExifTags.Base.ExposureTime: 0.01}
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (52.0, 30.0, 15.5)}
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    return exif


CARRIERS = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "PNG16", "TIFF16"]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_exif_profile_and_resolution_are_kept(carrier, rgb, sixteen, tmp_path):
    format = carrier.removesuffix("16")
    picture = photo.read(saved(Image.fromarray(rgb), "PNG", exif=_exif(), icc_profile=SRGB, dpi=(300, 300)))
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
    exif = _exif(orientation)
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
    exif = _exif()
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


def test_damaged_exif_costs_the_exif_and_not_the_photo(rgb):
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


# ---- JPEG


def _psnr(first: np.ndarray, second: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((first.astype(float) - second) ** 2)))


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
    ours = _psnr(photo.read(again).pixels, picture.pixels)
    assert ours > _psnr(default, picture.pixels) + 2
    assert ours > 38


def test_a_turned_jpeg_is_saved_with_its_tables_turned_too(astronaut):
    settings = {"quality": 60, "subsampling": 0, "exif": _exif(6)}
    picture = photo.read(saved(Image.fromarray(astronaut[:256, :256]), "JPEG", **settings))
    unturned = [tuple(np.reshape(table, (8, 8)).T.ravel().tolist()) for table in picture.jpeg.tables]
    wrong = replace(picture, jpeg=replace(picture.jpeg, tables=tuple(unturned)))
    right_loss, wrong_loss = (
        _psnr(photo.read(photo.encode(choice, picture.pixels)).pixels, picture.pixels) for choice in (picture, wrong)
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


def test_cmyk_is_read_as_rgb_with_a_note_and_saved_as_rgb(rgb, tmp_path):
    inks = Image.fromarray(rgb).convert("CMYK")
    for format in ("JPEG", "TIFF"):
        picture = photo.read(saved(inks, format, **({"quality": 95} if format == "JPEG" else {})))
        assert any("CMYK" in note for note in picture.notes)
        assert np.abs(picture.pixels.astype(int) - rgb).mean() < 4
        again = photo.read(photo.encode(picture, picture.pixels))
        assert not any("CMYK" in note for note in again.notes)
        assert np.abs(again.pixels.astype(int) - picture.pixels).mean() < 3


def _profile_of_grey_inks() -> bytes:
    """An ICC profile (ICC.1, lut8) by which any ink is grey, as no formula for CMYK would have it."""
    curve = bytes(range(256))
    corners = [bytes([255 - 255 * sum(map(int, f"{ink:04b}")) // 4, 128, 128]) for ink in range(16)]  # L*, a*, b*
    identity = b"".join(struct.pack(">i", 65536 * (index % 4 == 0)) for index in range(9))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + curve * 4 + b"".join(corners) + curve * 3
    header = bytearray(128)
    header[8:12], header[12:24], header[36:40] = b"\x02\x40\0\0", b"prtrCMYKLab ", b"acsp"
    header[68:80] = struct.pack(">iii", 63190, 65536, 54061)  # D50
    table = struct.pack(">I4sII", 1, b"A2B0", 144, len(lut))
    header[0:4] = struct.pack(">I", 144 + len(lut))
    return bytes(header) + table + lut


def test_the_colour_profile_of_cmyk_is_used_and_not_saved_with_the_rgb(rgb):
    inks = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    inks[:, WIDTH // 2 :, 0] = 255  # half of it white, half of it full cyan
    data = saved(Image.fromarray(inks, "CMYK"), "TIFF", icc_profile=_profile_of_grey_inks())
    picture = photo.read(data)
    assert any("by its colour profile" in note for note in picture.notes)
    assert picture.pixels[:, : WIDTH // 2].min() > 250
    cyan = picture.pixels[:, WIDTH // 2 :]
    assert np.ptp(cyan.reshape(-1, 3), axis=1).max() <= 3
    assert 150 < cyan.mean() < 220
    assert picture.icc is None
    damaged = photo.read(saved(Image.fromarray(inks, "CMYK"), "TIFF", icc_profile=_profile_of_grey_inks()[:150]))
    assert any("damaged" in note for note in damaged.notes)


def test_16_bit_inks_are_read_with_8_bits_with_a_note(sixteen):
    picture = photo.read(raw_tiff(sixteen, {262: 5}))
    inks = (sixteen >> 8).astype(int)
    expected = (255 - inks[..., :3]) * (255 - inks[..., 3:]) / 255
    assert picture.bits == 8
    assert np.abs(picture.pixels - expected).max() < 1
    assert any("read as 8" in note for note in picture.notes)


def test_a_lossy_webp_is_saved_with_high_quality_and_says_that_it_is_not_exact(rgb):
    picture = photo.read(saved(Image.fromarray(rgb), "WEBP", quality=80))
    assert not picture.exact
    assert _psnr(photo.read(photo.encode(picture, picture.pixels)).pixels, picture.pixels) > 34


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_used_with_a_note(format, rgb):
    frames = [Image.fromarray(rgb), Image.fromarray(rgb[::-1].copy())]
    settings = {"lossless": True} if format == "WEBP" else {}
    picture = photo.read(saved(frames[0], format, save_all=True, append_images=frames[1:], **settings))
    assert any("only the first" in note for note in picture.notes)
    assert np.abs(picture.pixels.astype(int) - rgb).mean() < (6 if format == "GIF" else 0.01)


# ---- sources and bad files


def test_a_path_its_text_its_bytes_and_a_stream_read_alike(rgb, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(saved(Image.fromarray(rgb), "PNG"))
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        np.testing.assert_array_equal(photo.read(source).pixels, rgb)


def _png_header(width: int, height: int) -> bytes:
    content = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100)
    chunk = b"IDAT" + pixels
    return (
        b"\x89PNG\r\n\x1a\n"
        + (struct.pack(">I", 13) + content + struct.pack(">I", zlib.crc32(content)))
        + (struct.pack(">I", len(pixels)) + chunk + struct.pack(">I", zlib.crc32(chunk)))
    )


NOISE = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
HALVES = {
    f"half.{format.lower()}": (
        lambda format=format: (whole := saved(Image.fromarray(NOISE), format))[: len(whole) // 2]
    )
    for format in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
}
BAD_FILES = {
    "empty.png": (lambda: b"", "empty"),
    "text.png": (lambda: b"these are my notes\n" * 50, "not a picture"),
    "drawing.svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
    "document.pdf": (lambda: b"%PDF-1.7 ...", "not a picture"),
    "phone.heic": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100, "HEIC"),
    "bomb.png": (lambda: _png_header(50_000, 50_000), "50,000 x 50,000"),
    "head.jpg": (lambda: b"\xff\xd8\xff\xe0", "damaged"),
    "noise.jpg": (lambda: b"\xff\xd8\xff" + NOISE.tobytes(), "damaged"),
    "noise.webp": (lambda: b"RIFF\x10\0\0\0WEBP" + NOISE.tobytes(), "damaged"),
    "noise.tif": (lambda: b"II*\0" + NOISE.tobytes(), "damaged"),
    "float.tif": (lambda: saved(Image.fromarray(NOISE[..., 0].astype(np.float32)), "TIFF"), "floating point"),
    "int32.tif": (lambda: saved(Image.fromarray(NOISE[..., 0].astype(np.int32)), "TIFF"), "32 bits"),
    "planes.tif": (lambda: raw_tiff(NOISE.astype(np.uint16), {284: 2, 273: (0,) * 3, 279: (8192,) * 3}), "planes"),
    "floats.tif": (lambda: raw_tiff(NOISE.astype(np.uint16), {339: (3,) * 3}), "floating point"),
    "grey-alpha16.tif": (lambda: raw_tiff(NOISE[..., :2].astype(np.uint16), {262: 1, 338: 2}), "grey with alpha"),
    "half16.png": (lambda: (whole := cv_encode(".png", NOISE.astype(np.uint16) * 257))[: len(whole) // 2], "damaged"),
    "half16.tif": (lambda: (whole := cv_encode(".tif", NOISE.astype(np.uint16) * 257))[: len(whole) // 2], "damaged"),
    **{name: (make, "damaged") for name, make in HALVES.items()},
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("reader", [photo.read, photo.read_mask])
@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_with_one_sentence_that_names_it(name, reader, tmp_path):
    make, reason = BAD_FILES[name]
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(InpaintError) as caught:
        reader(path)
    sentence = str(caught.value)
    assert sentence.startswith(name)
    assert reason in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    with pytest.raises(InpaintError, match=r"^The file "):
        reader(path.read_bytes())


@pytest.mark.parametrize("name", ["absent.png", "folder", "null\0byte.png"])
def test_what_is_no_file_is_refused_with_one_sentence(name, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InpaintError, match=r"not found|is a folder|cannot be opened"):
        photo.read(tmp_path / name)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_the_pixel_limit_holds_for_every_format_and_can_be_raised(format, rgb):
    data = saved(Image.fromarray(rgb), format)
    with pytest.raises(InpaintError, match=r"64 x 45 pixels, over the limit of 0\.002879 million"):
        photo.read(data, max_pixels=HEIGHT * WIDTH - 1)
    assert photo.read(data, max_pixels=HEIGHT * WIDTH).pixels.shape == (HEIGHT, WIDTH, 3)


def test_the_limit_is_checked_before_anything_is_decoded(monkeypatch):
    tracemalloc.start()
    with pytest.raises(InpaintError, match="over the limit of 100 million"):
        photo.read(_png_header(50_000, 50_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_pillows_global_limit_plays_no_part_and_is_left_alone(format, monkeypatch):
    tall = np.tile(NOISE, (64, 1, 1))
    data = saved(Image.fromarray(tall), format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", tall.shape[0] * tall.shape[1] // 3)
    if format == "TIFF":  # the one plugin that looks at the limit when it decodes
        with pytest.raises(InpaintError, match="in one piece"):
            photo.read(data)
    else:
        assert photo.read(data).pixels.shape == tall.shape
    assert tall.shape[0] * tall.shape[1] // 3 == Image.MAX_IMAGE_PIXELS


# ---- writing


@pytest.fixture
def picture(rgb, tmp_path) -> photo.Photo:
    path = tmp_path / "photo.png"
    path.write_bytes(saved(Image.fromarray(rgb), "PNG"))
    return photo.read(path)


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


# ---- masks and thumbnails


@pytest.mark.parametrize(
    ("mode", "shape"), [("1", ()), ("L", ()), ("LA", (4,)), ("RGB", (3,)), ("RGBA", (4,)), ("P", (3,))]
)
def test_a_mask_file_is_read_as_it_is(mode, shape, rgb, alpha):
    mask = photo.read_mask(saved(_of_mode(mode, rgb, alpha), "PNG"))
    assert mask.shape == (HEIGHT, WIDTH, *shape)
    assert mask.dtype == np.uint8
    if mode == "RGBA":
        np.testing.assert_array_equal(mask, np.dstack([rgb, alpha]))


def test_a_thumbnail_keeps_the_shape_and_the_mean_of_the_photo(astronaut):
    picture = photo.Photo(pixels=np.ascontiguousarray(astronaut[:400]))
    small = photo.thumbnail(picture, max_pixels=50_000)
    assert small.shape[0] * small.shape[1] <= 50_000
    assert small.shape[1] / small.shape[0] == pytest.approx(512 / 400, rel=0.01)
    assert small.mean() == pytest.approx(picture.pixels.mean(), abs=0.5)
    copy = photo.thumbnail(picture)
    assert copy.base is None
    np.testing.assert_array_equal(copy, picture.pixels)


# ---- cost


def test_reading_12_megapixels_holds_at_most_about_three_copies(tmp_path):
    path = tmp_path / "large.jpg"
    Image.effect_noise((4000, 3000), 40).convert("RGB").save(path, quality=85)
    script = f"""
import resource, sys
from inpaint_core import photo
photo.read({saved(Image.fromarray(NOISE), "JPEG")!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
picture = photo.read({str(path)!r})
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert "torch" not in sys.modules
print((after - before) * 1024 / picture.pixels.nbytes)
"""
    pytest.importorskip("resource", reason="peak memory is asked of Unix")
    root = Path(__file__).resolve().parents[2]
    finished = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert float(finished.stdout) < 3.2
