"""Small steps between copied patches disappear, contours and known pixels stay."""

import pytest
import torch

from inpaint_core.methods.patchmatch.seams import LARGEST_CORRECTION, even_out


def copied(image: torch.Tensor, hole: torch.Tensor, offset: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The image whose hole is copied from one offset, and the field of offsets."""
    offsets = torch.zeros(2, *hole.shape, dtype=torch.int64)
    offsets[0][hole], offsets[1][hole] = offset
    rows, columns = hole.nonzero(as_tuple=True)
    result = image.clone()
    result[rows, columns] = image[rows + offset[0], columns + offset[1]]
    return result, offsets


@pytest.fixture
def hole() -> torch.Tensor:
    hole = torch.zeros(60, 80, dtype=torch.bool)
    hole[20:40, 20:40] = True
    return hole


def test_a_ramp_copied_from_elsewhere_becomes_the_ramp_again(hole):
    ramp = (0.2 + torch.arange(80) * 0.002).repeat(60, 1)[..., None].repeat(1, 1, 3)
    image, offsets = copied(ramp, hole, (0, 25))
    assert (image - ramp)[hole].abs().max() > 0.045  # twelve grey levels off before
    assert (even_out(image, hole, offsets) - ramp)[hole].abs().max() < 0.01


def test_texture_copied_with_its_brightness_off_keeps_its_grain(hole):
    grain = torch.rand(60, 80, 3, generator=torch.Generator().manual_seed(0)) * 0.05
    ramp = torch.linspace(0.3, 0.5, 80)[None, :, None] + grain
    image, offsets = copied(ramp, hole, (0, 25))
    result = even_out(image, hole, offsets)
    assert (result.mean((0, 2)) - ramp.mean((0, 2))).abs().max() < 0.01
    inner = result[22:38, 22:38]
    assert inner.std(0).mean() > 0.8 * grain[22:38, 22:38].std(0).mean()


def test_a_contour_is_not_smeared(hole):
    image = torch.full((60, 80, 3), 0.2)
    image[:, 45:] = 0.8
    image, offsets = copied(image, hole, (0, 26))  # a bright square in a dark wall: wrong, but not a matter of lighting
    assert torch.equal(even_out(image, hole, offsets), image)


def test_known_pixels_and_the_bounds_hold(hole):
    image = torch.rand(60, 80, 3, generator=torch.Generator().manual_seed(1))
    image, offsets = copied(image, hole, (20, 20))
    result = even_out(image, hole, offsets)
    assert torch.equal(result[~hole], image[~hole])
    assert (result - image).abs().max() <= LARGEST_CORRECTION + 1e-6
    assert result.min() >= 0
    assert result.max() <= 1


def test_holes_at_the_border_and_sources_at_the_border_work():
    hole = torch.zeros(9, 12, dtype=torch.bool)
    hole[:, :5] = True
    image = torch.rand(9, 12, 3, generator=torch.Generator().manual_seed(2))
    image, offsets = copied(image, hole, (0, 7))
    assert torch.isfinite(even_out(image, hole, offsets)).all()
