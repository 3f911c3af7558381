"""Losses: what they ignore and what they weigh."""

from __future__ import annotations

import torch

from train.core.losses import border_weight, hinge_critic, hinge_generator, hole_and_known_l1


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


def test_hinge_is_zero_for_a_critic_that_is_sure() -> None:
    assert hinge_critic(torch.full((1, 4), 2.0), torch.full((1, 4), -2.0)) == 0
    assert hinge_critic(torch.zeros(1, 4), torch.zeros(1, 4)) == 1
    assert hinge_generator(torch.full((1, 4), 0.5)) == -0.5
