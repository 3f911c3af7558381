"""Small steps between copied patches disappear, contours and known pixels stay."""

import numpy as np
import pytest

from inpaint_core.methods.patchmatch.diffusion import TOLERANCE
from inpaint_core.methods.patchmatch.seams import LARGEST_CORRECTION, even_out

FLAT = np.zeros((60, 80, 3), np.float32)


def copied(image: np.ndarray, hole: np.ndarray, offset: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The image whose hole is copied from one offset, and the origin of each hole pixel."""
    rows, columns = np.nonzero(hole)
    result = image.copy()
    result[rows, columns] = image[rows + offset[0], columns + offset[1]]
    origins = np.ones((len(rows), 5), np.float32)
    origins[:, 0], origins[:, 1], origins[:, 3] = rows + offset[0], columns + offset[1], 0
    return result, origins


@pytest.fixture
def hole() -> np.ndarray:
    hole = np.zeros((60, 80), bool)
    hole[20:40, 20:40] = True
    return hole


def grain(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((60, 80, 3), np.float32)


def test_a_ramp_copied_from_elsewhere_becomes_the_ramp_again(hole):
    ramp = FLAT + np.float32(0.2) + np.arange(80, dtype=np.float32)[None, :, None] * np.float32(0.002)
    image, origins = copied(ramp, hole, (0, 25))
    assert np.abs((image - ramp)[hole]).max() > 0.045  # twelve grey levels off before
    assert np.abs((even_out(image, hole, origins) - ramp)[hole]).max() < 0.01


def test_texture_copied_with_its_brightness_off_keeps_its_grain(hole):
    ramp = np.linspace(0.3, 0.5, 80, dtype=np.float32)[None, :, None] + grain() * np.float32(0.05)
    image, origins = copied(ramp, hole, (0, 25))
    result = even_out(image, hole, origins)
    assert np.abs(result.mean((0, 2)) - ramp.mean((0, 2))).max() < 0.01
    assert result[22:38, 22:38].std(0).mean() > 0.8 * (0.05 * grain()[22:38, 22:38]).std(0).mean()


def test_a_contour_is_not_smeared(hole):
    image = FLAT + np.float32(0.2)
    image[:, 45:] = 0.8
    image, origins = copied(image, hole, (0, 26))  # a bright square in a dark wall: wrong, but not a matter of lighting
    np.testing.assert_allclose(even_out(image, hole, origins), image, atol=TOLERANCE)


def test_known_pixels_and_the_bounds_hold(hole):
    image, origins = copied(grain(1), hole, (20, 20))
    result = even_out(image, hole, origins)
    assert np.array_equal(result[~hole], image[~hole])
    assert np.abs(result - image).max() <= LARGEST_CORRECTION + 1e-6
    assert result.min() >= 0
    assert result.max() <= 1


def test_holes_at_the_border_and_sources_at_the_border_work():
    hole = np.zeros((9, 12), bool)
    hole[:, :5] = True
    image, origins = copied(grain(2)[:9, :12], hole, (0, 7))
    assert np.isfinite(even_out(image, hole, origins)).all()
