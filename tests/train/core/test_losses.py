"""Losses: what they ignore and what they weigh."""

from __future__ import annotations

import pytest
import torch

from train.core.losses import (
    border_weight,
    hole_and_known_l1,
    hole_and_known_l2,
    hole_total_variation,
    ramp,
    shift_together,
    spatial_discount,
    weighted_mean,
)


def square(size: int = 32) -> torch.Tensor:
    mask = torch.zeros(1, 1, size, size)
    mask[..., 8:24, 8:24] = 1
    return mask


def test_a_small_hole_weighs_as_much_as_a_large_one() -> None:
    truth = torch.zeros(1, 3, 32, 32)
    large, small = square(), torch.zeros(1, 1, 32, 32)
    small[..., 0, 0] = 1
    for mask in (large, small):
        assert hole_and_known_l1(truth + 0.5 * mask, truth, mask) == 0.5
        assert hole_and_known_l1(truth + 0.25 * (1 - mask), truth, mask) == 0.25


def test_an_error_at_the_border_costs_more_than_one_in_the_middle() -> None:
    mask = square()
    weight = border_weight(mask, reach=4, extra=2)
    assert weight[0, 0, 16, 16] == 1
    assert weight[0, 0, 8, 16] > 1.8
    truth = torch.zeros(1, 3, 32, 32)
    middle, border = truth.clone(), truth.clone()
    middle[..., 16, 16] = 1
    border[..., 8, 16] = 1
    assert hole_and_known_l1(border, truth, mask, weight) > hole_and_known_l1(middle, truth, mask, weight)


def test_known_pixels_count_by_their_weight() -> None:
    truth, mask = torch.zeros(1, 3, 32, 32), square()
    assert hole_and_known_l1(truth + 0.5 * (1 - mask), truth, mask, known=0.1) == pytest.approx(0.05)


def test_images_are_shifted_together_and_the_step_decides_how_far() -> None:
    image = torch.arange(400.0).view(1, 1, 20, 20)
    first, second = shift_together(image, 2 * image, step=3)
    assert torch.equal(2 * first, second)
    shapes = {tuple(shift_together(image, step=step)[0].shape[-2:]) for step in range(20)}
    assert len(shapes) > 5
    assert min(min(shape) for shape in shapes) >= 13


def test_a_ramp_is_linear_between_its_ends() -> None:
    assert [ramp(progress, 0.2, 0.6) for progress in (0.0, 0.2, 0.3, 0.6, 0.9)] == pytest.approx([0, 0, 0.25, 1, 1])


def test_the_discount_of_a_box_is_the_papers() -> None:
    mask = torch.zeros(1, 1, 40, 44)
    mask[..., 10:30, 12:36] = 1
    discount = spatial_discount(mask, 0.9)[0, 0]
    assert discount[mask[0, 0] == 0].abs().max() == 0
    for row in range(20):
        for column in range(24):
            nearest = min(row + 1, 20 - row, column + 1, 24 - column)
            assert discount[10 + row, 12 + column] == pytest.approx(0.9**nearest, rel=1e-4)


def test_the_photos_own_border_is_not_known() -> None:
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., :8] = 1  # reaches the left, upper and lower border
    discount = spatial_discount(mask, 0.5)[0, 0]
    assert (discount[:, 7] == 0.5).all()
    assert discount[3, 0] == 0.5**8


def test_means_count_every_hole_alike_and_the_known_part_by_its_weight() -> None:
    truth = torch.zeros(1, 3, 32, 32)
    for side in (1, 16):
        mask = torch.zeros(1, 1, 32, 32)
        mask[..., :side, :side] = 1
        assert hole_and_known_l2(truth + 0.5 * mask, truth, mask, known=0.2) == pytest.approx(0.25)
        assert hole_and_known_l2(truth + 0.5 * (1 - mask), truth, mask, known=0.2) == pytest.approx(0.05)
        assert weighted_mean(truth + 0.5, 3 * mask, mask) == pytest.approx(1.5)


def test_total_variation_counts_the_hole_and_one_pixel_around_it() -> None:
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 4:8, 4:8] = 1
    outside, seam = torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)
    outside[..., 12, 12] = 1
    seam[..., 4:8, 4:8] = 1
    assert hole_total_variation(outside, mask) == 0
    assert hole_total_variation(seam, mask) == pytest.approx(4 * 4 / 256)
