"""Dabs of colour draw a coarse photo towards them, softly, and only inside the hole."""

from __future__ import annotations

import torch

from inpaint_core.networks.layers.hints import mix_colours


def test_the_coarse_photo_gets_the_colour_softly_and_only_in_the_hole() -> None:
    coarse, mask = torch.full((1, 3, 64, 96), 0.5), torch.zeros(1, 1, 64, 96)
    mask[..., 16:48, 20:76] = 1
    colours = torch.zeros(1, 4, 64, 96)
    colours[:, [0, 3], 8:40, 30:50] = 1.0  # red, reaching out of the hole
    mixed = mix_colours(coarse, colours, mask)
    assert torch.equal(mixed * (1 - mask), coarse * (1 - mask))
    assert mixed[0, 0, 26, 40] > 0.9
    assert mixed[0, 1, 26, 40] < 0.1
    assert (mixed[0, 0, 26, 50:76].diff() <= 1e-6).all(), "less and less away from the dab"
    assert (mixed[0, :, 16:48, 20:76].diff(dim=2).abs() < 0.15).all(), "no border of the dab is left"
    assert torch.equal(mixed[0, :, 40, 72:], coarse[0, :, 40, 72:])


def test_nothing_is_mixed_where_no_dab_is() -> None:
    coarse, mask = torch.rand(1, 3, 32, 32), torch.ones(1, 1, 32, 32)
    assert torch.equal(mix_colours(coarse, torch.zeros(1, 4, 32, 32), mask), coarse)
