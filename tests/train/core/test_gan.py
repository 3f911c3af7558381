"""Adversarial losses: windows hold the hole, penalties follow the papers, scores count in the hole, AUC is a chance."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from inpaint_core.masks.generators import GENERATORS
from train.core.gan import (
    InTwoBatches,
    auc,
    cut_windows,
    entropy_critic,
    entropy_generator,
    frozen,
    halves,
    hinge_critic,
    hinge_generator,
    hole_windows,
    masked_gradient_penalty,
    photo_scores,
    r1_penalty,
    random_windows,
)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (64, 96)])
def test_a_window_of_half_the_side_holds_every_box(height: int, width: int) -> None:
    mask = GENERATORS["box"](32, height, width, generator=torch.Generator().manual_seed(0))
    side = max(height, width) // 2
    corner = hole_windows(mask, side)
    assert (corner >= 0).all()
    assert (corner[:, 0] <= height - side).all()
    assert (corner[:, 1] <= width - side).all()
    assert torch.equal(cut_windows(mask, corner, side).sum((1, 2, 3)), mask.sum((1, 2, 3)))


def test_windows_are_cut_where_the_corners_are_and_carry_gradients_back() -> None:
    image = torch.rand(3, 2, 9, 11, generator=torch.Generator().manual_seed(0), requires_grad=True)
    corner = torch.tensor([[0, 0], [5, 7], [2, 3]])
    cut = cut_windows(image, corner, 4)
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


def test_true_and_completed_photos_are_normalised_apart() -> None:
    pair = InTwoBatches(nn.BatchNorm1d(1, affine=False))
    real, fake = pair((torch.tensor([[10.0], [12.0]]),), (torch.tensor([[-10.0], [-12.0]]),))
    torch.testing.assert_close(real, torch.tensor([[-1.0], [1.0]]), atol=1e-4, rtol=0)
    torch.testing.assert_close(fake, torch.tensor([[1.0], [-1.0]]), atol=1e-4, rtol=0)


def test_random_windows_lie_inside_and_reach_all_corners() -> None:
    mask = torch.zeros(400, 1, 12, 10)
    corner = random_windows(mask, 8, torch.Generator().manual_seed(0))
    assert set(corner[:, 0].tolist()) == {0, 1, 2, 3, 4}
    assert set(corner[:, 1].tolist()) == {0, 1, 2}


def test_hinge_losses_count_scores_in_the_hole_alone() -> None:
    mask = torch.zeros(2, 1, 8, 8)
    mask[..., :4, :4] = 1  # one of four cells of a 2 x 2 map
    fake = torch.tensor([[5.0, 100.0], [100.0, 100.0]]).expand(2, 1, 2, 2)
    assert hinge_generator([fake], mask) == -5
    real = torch.tensor([[0.5, -100.0], [-100.0, -100.0]]).expand(2, 1, 2, 2)
    assert hinge_critic([real], [-fake], mask) == pytest.approx(0.5 * 0.5 + 0)
    assert hinge_critic([0 * real], [0 * fake], mask) == pytest.approx(1)
    assert torch.equal(photo_scores([fake], mask), torch.tensor([5.0, 5.0]))


def test_scores_without_a_place_all_count() -> None:
    assert hinge_generator(torch.tensor([[1.0, 3.0]]), torch.ones(1, 1, 4, 4)) == -2


def test_auc_is_the_chance_that_a_true_photo_scores_higher() -> None:
    assert auc(torch.tensor([3.0, 4.0]), torch.tensor([1.0, 2.0])) == 1
    assert auc(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0])) == 0.5
    assert auc(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 3.0, 5.0, 0.0])) == pytest.approx(4 / 8)


def test_halves_split_every_map() -> None:
    real, fake = halves([torch.arange(4.0).view(4, 1), torch.arange(8.0).view(4, 2)])
    assert [each[:, 0].tolist() for each in real] == [[0, 1], [0, 2]]
    assert [each[:, 0].tolist() for each in fake] == [[2, 3], [4, 6]]


def test_frozen_networks_pass_gradients_on_and_keep_their_own_state() -> None:
    network = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1).requires_grad_(False))
    x = torch.ones(1, 1, requires_grad=True)
    with frozen(network):
        network(x).sum().backward()
    assert x.grad is not None
    assert all(parameter.grad is None for parameter in network.parameters())
    assert [parameter.requires_grad for parameter in network.parameters()] == [True, True, False, False]


def test_r1_is_the_squared_slope_at_real_photos() -> None:
    image = torch.rand(2, 3, 4, 4, requires_grad=True)
    penalty = r1_penalty(0.5 * image.sum((1, 2, 3)), image)
    assert float(penalty) == pytest.approx(48 * 0.25)
