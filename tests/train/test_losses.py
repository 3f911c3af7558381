"""Losses and sketches: what they ignore, what they weigh, what they draw."""

from __future__ import annotations

import torch

from train.losses import border_weight, hinge_critic, hinge_generator, hole_and_known_l1
from train.sketches import sketch_batch, thin_edges


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


def test_thin_edges_of_a_step_are_one_thin_line() -> None:
    image = torch.zeros(1, 3, 32, 32)
    image[..., 16:] = 1
    edges = thin_edges(image)[0, 0]
    assert (edges[4:-4].sum(1) == 1).all()
    assert edges[4:-4, 15:17].sum() == 24
    assert thin_edges(torch.full((1, 3, 32, 32), 0.3)).sum() == 0


def test_sketches_stay_in_the_hole_and_are_given_to_a_share_of_the_photos() -> None:
    image = torch.rand(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    mask = square().expand(64, -1, -1, -1)
    teacher = torch.ones(64, 1, 32, 32)
    known = torch.ones(64, dtype=torch.bool)
    for share, least, most in ((0.0, 0, 0), (0.5, 20, 44), (1.0, 60, 64)):
        sketch = sketch_batch(image, teacher, known, mask, torch.Generator().manual_seed(1), share)
        assert (sketch * (1 - mask)).sum() == 0
        assert least <= (sketch.amax((1, 2, 3)) > 0).sum() <= most


def test_the_teachers_edges_are_used_where_there_are_some() -> None:
    image = torch.zeros(2, 3, 32, 32)  # nothing to detect here
    teacher = torch.full((2, 1, 32, 32), 0.7)
    dice = torch.Generator().manual_seed(0)
    sketch = sketch_batch(image, teacher, torch.tensor([True, False]), torch.ones(2, 1, 32, 32), dice, share=1)
    assert sketch[0].sum() > 0
    assert sketch[1].sum() == 0
