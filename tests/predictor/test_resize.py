"""Scaling never mixes the hole into the known part."""

import numpy as np
import pytest

from inpaint_core.predictor.resize import as_photo, pad_to_multiple, resize_known, shrink


def test_shrinking_averages_known_pixels_only():
    image = np.full((8, 8, 3), 0.25, np.float32)
    mask = np.zeros((8, 8), np.float32)
    image[::2], mask[::2] = 99.0, 1.0  # whatever the hole holds must not leak
    mask[:4, :4] = 1.0
    small, hole = shrink(image, mask, 2, 2)
    assert hole.tolist() == [[1, 0], [0, 0]]
    assert np.allclose(small[hole == 0], 0.25)


@pytest.mark.parametrize(("height", "width", "multiple"), [(1, 1, 8), (5, 17, 8), (8, 16, 8), (3, 300, 64)])
def test_padding_mirrors_and_leaves_the_photo_in_its_corner(height, width, multiple):
    array = np.random.default_rng(0).random((height, width, 3), np.float32)
    padded = pad_to_multiple(array, multiple)
    assert padded.shape[0] % multiple == 0
    assert padded.shape[1] % multiple == 0
    assert np.array_equal(padded[:height, :width], array)
    assert set(np.unique(padded)) <= set(np.unique(array))


@pytest.mark.parametrize("size", [(20, 31), (50, 70), (41, 63), (120, 130)])
def test_at_any_size_the_known_part_is_made_of_known_pixels_only(size):
    image, mask = np.full((50, 70, 3), 51, np.uint8), np.zeros((50, 70), bool)
    mask[10:30, 20:60] = True
    image[mask] = 255
    small, hole = resize_known(image, mask, *size)
    assert small.shape == (*size, 3)
    assert np.abs(small[hole == 0] - 0.2).max() < 1e-5
    assert hole.mean() == pytest.approx(mask.mean(), abs=0.08)
    back = as_photo(np.where(hole[..., None] > 0, np.float32(0.2), small), 50, 70)
    assert back.shape == image.shape
    assert (back == 51).all()
