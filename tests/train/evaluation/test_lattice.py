"""The energy of dots and hatching: high for lattices, about 1 for noise and photos."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from train.evaluation.lattice import PERIODS, largest_square, lattice, lattice_spectrum

SIDE = 64


def hole(count: int = 1, side: int = SIDE) -> Tensor:
    """The whole picture is the hole: count x 1 x side x side."""
    return torch.ones(count, 1, side, side)


def noise(count: int) -> Tensor:
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("period", PERIODS)
def test_dots_and_hatching_score_high_at_their_period(period: int) -> None:
    along = torch.arange(SIDE)
    dots = ((along[:, None] % period == 0) & (along[None] % period == 0)).float()
    hatching = ((along[:, None] + along[None]) % period < period / 2).float()
    stripes = (along % period < period / 2).float().expand(SIDE, SIDE)
    for pattern in (dots, hatching, stripes, stripes.T):
        image = 0.5 * pattern + 0.1 * noise(1)
        spectrum = lattice_spectrum(image, hole())[0]
        assert spectrum[PERIODS.index(period)] > 10
        assert lattice(image, hole()) == spectrum.max()


def test_noise_scores_about_one() -> None:
    assert lattice_spectrum(noise(50), hole(50)).mean(0) == pytest.approx([1, 1, 1], abs=0.05)
    assert lattice(noise(50), hole(50)).max() < 1.5


def test_photos_score_about_one_and_a_faint_lattice_on_them_far_more(astronaut: np.ndarray) -> None:
    photo = torch.from_numpy(astronaut.copy()).permute(2, 0, 1)[None].float() / 255
    cuts = photo.unfold(2, 128, 128).unfold(3, 128, 128).flatten(2, 3)[0].permute(1, 0, 2, 3)  # (16, 3, 128, 128)
    plain = lattice(cuts, hole(16, 128))
    assert plain.median() == pytest.approx(1.2, abs=0.3)
    dots = torch.zeros(128, 128)
    dots[::4, ::4] = 8 / 255
    assert lattice(cuts + dots, hole(16, 128)).median() > 2 * plain.median()


def test_only_the_hole_is_looked_at_and_brightness_does_not_matter() -> None:
    image, mask = noise(1), torch.zeros(1, 1, SIDE, SIDE)
    mask[..., 8:48, 8:48] = 1
    outside = image.clone()
    outside[..., 48:] = 5 * (torch.arange(SIDE) % 2)[48:]
    assert torch.equal(lattice(image, mask), lattice(outside, mask))
    torch.testing.assert_close(lattice(image, mask), lattice(0.5 * image + 0.3, mask), rtol=1e-3, atol=0)


def test_a_hole_without_a_square_of_32_pixels_has_no_figure() -> None:
    mask = hole(2)
    mask[1, :, :, 31:] = 0
    found = lattice(noise(2), mask)
    assert found[0] > 0
    assert found[1].isnan()


def test_the_largest_square_lies_inside_the_hole() -> None:
    mask = np.zeros((100, 120), bool)
    mask[10:60, 30:115] = True
    mask[:, :33] = True
    top, left, side = largest_square(mask)  # type: ignore[misc]
    assert side == 48
    assert mask[top : top + side, left : left + side].all()
    assert largest_square(np.zeros((64, 64), bool)) is None


def test_a_flat_fill_scores_one() -> None:
    assert lattice(torch.full((1, 3, SIDE, SIDE), 0.5), hole()) == pytest.approx(1)
