"""Files that cannot be read are refused in words, before they can cost memory."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from inpaint_core import InpaintError, photo
from tests.photo.files import HEIGHT, NOISE, WIDTH, cv_encode, raw_tiff, saved


def _png_header(width: int, height: int) -> bytes:
    content = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100)
    chunk = b"IDAT" + pixels
    return (
        b"\x89PNG\r\n\x1a\n"
        + (struct.pack(">I", 13) + content + struct.pack(">I", zlib.crc32(content)))
        + (struct.pack(">I", len(pixels)) + chunk + struct.pack(">I", zlib.crc32(chunk)))
    )


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
    "phone.heic": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100, "damaged"),
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
