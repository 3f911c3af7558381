"""16 bits a channel: every one of them comes back."""

from __future__ import annotations

import numpy as np
import pytest

from inpaint_core import photo
from tests.photo.files import HEIGHT, HOLE, KNOWN, WIDTH, cv_decode, cv_encode, fill_of, raw_tiff


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
