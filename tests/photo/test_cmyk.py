"""Photos in CMYK become sRGB, by their colour profile where they have one."""

from __future__ import annotations

import struct

import numpy as np
from PIL import Image

from inpaint_core import photo
from tests.photo.files import HEIGHT, WIDTH, raw_tiff, saved


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
