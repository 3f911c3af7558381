"""What scripts with critics share: windows hold the hole, penalties and discounts follow the papers' equations."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from inpaint_core.masks.generators import GENERATORS
from train.core.adversarial import (
    Pair,
    entropy_critic,
    entropy_generator,
    hole_windows,
    masked_gradient_penalty,
    windows,
)
from train.core.losses import hole_and_known_l2, hole_total_variation, spatial_discount, weighted_mean


@pytest.mark.parametrize(("height", "width"), [(64, 64), (64, 96)])
def test_a_window_of_half_the_side_holds_every_box(height: int, width: int) -> None:
    mask = GENERATORS["box"](32, height, width, generator=torch.Generator().manual_seed(0))
    side = max(height, width) // 2
    corner = hole_windows(mask, side)
    assert (corner >= 0).all()
    assert (corner[:, 0] <= height - side).all()
    assert (corner[:, 1] <= width - side).all()
    assert torch.equal(windows(mask, corner, side).sum((1, 2, 3)), mask.sum((1, 2, 3)))


def test_windows_are_cut_where_the_corners_are_and_carry_gradients_back() -> None:
    image = torch.rand(3, 2, 9, 11, generator=torch.Generator().manual_seed(0), requires_grad=True)
    corner = torch.tensor([[0, 0], [5, 7], [2, 3]])
    cut = windows(image, corner, 4)
    for sample, (top, left) in enumerate(corner.tolist()):
        assert torch.equal(cut[sample], image[sample, :, top : top + 4, left : left + 4])
    cut.sum().backward()
    assert image.grad is not None
    assert image.grad.sum() == cut.numel()
    assert image.grad[1, :, :5].sum() == 0


def test_the_gradient_penalty_wants_slope_one_inside_the_hole_and_ignores_the_rest() -> None:
    mask = torch.zeros(2, 1, 8, 8)
    mask[..., 2:4, 2:4] = 1
    slope = torch.full((2, 3, 8, 8), 1 / math.sqrt(12))  # twelve values in the hole: norm 1
    assert masked_gradient_penalty(slope, mask) == pytest.approx(0, abs=1e-6)
    assert masked_gradient_penalty(slope + 5 * (1 - mask), mask) == pytest.approx(0, abs=1e-6)
    assert masked_gradient_penalty(3 * slope, mask) == pytest.approx(4, abs=1e-4)
    flat = torch.zeros(2, 3, 8, 8, requires_grad=True)
    masked_gradient_penalty(flat, mask).backward()
    assert flat.grad is not None
    assert flat.grad.isfinite().all()


def test_entropies_are_those_of_a_sigmoid() -> None:
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([0.5, -3.0])
    entropy = nn.functional.binary_cross_entropy_with_logits
    expected = (entropy(real, torch.ones(2)) + entropy(fake, torch.zeros(2))) / 2
    torch.testing.assert_close(entropy_critic(real, fake), expected)
    torch.testing.assert_close(entropy_generator(fake), entropy(fake, torch.ones(2)))


def test_a_pairs_batches_are_normalised_apart() -> None:
    pair = Pair(nn.BatchNorm1d(1, affine=False))
    real, fake = pair((torch.tensor([[10.0], [12.0]]),), (torch.tensor([[-10.0], [-12.0]]),))
    torch.testing.assert_close(real, torch.tensor([[-1.0], [1.0]]), atol=1e-4, rtol=0)
    torch.testing.assert_close(fake, torch.tensor([[1.0], [-1.0]]), atol=1e-4, rtol=0)


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
