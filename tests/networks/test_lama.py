"""LaMa: its transforms are exact, its global path sees the whole image, its discriminator returns its features."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from inpaint_core.networks.lama import FFC, FourierUnit, LaMa, PatchDiscriminator


@torch.no_grad()
@pytest.mark.parametrize("size", [(8, 8), (7, 9), (1, 5)])
def test_there_and_back_through_the_spectrum_is_exact_at_any_size(size: tuple[int, int]) -> None:
    unit = FourierUnit(2, 2).eval()
    unit.conv.weight.copy_(torch.eye(4)[:, :, None, None])
    unit.norm.eps = 1e-12
    unit.norm.bias.fill_(100.0)  # so that ReLU clips nothing; what it adds is taken off again
    features = torch.randn(1, 2, *size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(unit(features) - unit(torch.zeros_like(features)), features, atol=1e-3, rtol=0)


@torch.no_grad()
def test_the_spectrum_is_orthonormal_so_training_crops_and_large_photos_agree() -> None:
    unit = FourierUnit(1, 1).eval()
    unit.conv.weight.copy_(torch.eye(2)[:, :, None, None])
    unit.norm.eps = 1e-12
    flat = [unit(torch.full((1, 1, side, side), 0.5)) for side in (8, 32)]
    for output in flat:
        torch.testing.assert_close(output, torch.full_like(output, 0.5))


def test_real_and_imaginary_parts_are_interleaved_per_channel() -> None:
    unit = FourierUnit(2, 1).eval()
    with torch.no_grad():
        unit.conv.weight.zero_()
        unit.conv.weight[0, 2] = 1  # real output from channel 2 of (re 0, im 0, re 1, im 1)
        features = torch.zeros(1, 2, 4, 4)
        features[:, 1] = 1
        assert unit(features).mean() > 0.9
        assert unit(features.flip(1)).abs().max() == 0


def test_one_layer_of_the_global_path_sees_the_far_corner() -> None:
    torch.manual_seed(0)
    layer = FFC(8, 8, 3, global_in=0.75, global_out=0.75).eval()
    local, global_ = torch.randn(1, 2, 32, 32), torch.randn(1, 6, 32, 32, requires_grad=True)
    output_local, output_global = layer(local, global_)
    assert output_global is not None
    (far,) = torch.autograd.grad(output_global[0, :, 0, 0].sum(), global_, retain_graph=True)
    assert far[0, :, 24:, 24:].any()
    (near,) = torch.autograd.grad(output_local[0, :, 0, 0].sum(), global_)
    assert not near[0, :, 2:, 2:].any()  # global to local is an ordinary 3 x 3 convolution


def test_a_strided_layer_cannot_take_global_input() -> None:
    with pytest.raises(ValueError, match="stride"):
        FFC(8, 8, 3, stride=2, global_in=0.5)


@torch.no_grad()
def test_lama_runs_in_bfloat16_close_to_float32() -> None:
    torch.manual_seed(0)
    network = LaMa(width=8, blocks=2).eval()
    image, mask = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    mask[..., 16:40, 20:50] = 1
    exact = network(image, mask)
    rough = network.bfloat16()(image, mask)
    assert (exact - rough).abs().max() < 0.02


@torch.no_grad()
def test_noise_varies_the_fill_everywhere_and_the_same_noise_repeats_it() -> None:
    torch.manual_seed(0)
    network = LaMa(width=8, blocks=2, upsampling="bilinear", noise=True).eval()
    image, mask = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    noise = torch.randn(2, *mask.shape, generator=torch.Generator().manual_seed(3))
    first, second = (network(image, mask, noise=each) for each in noise)
    assert functional.avg_pool2d((first - second).abs(), 4).amin() > 0
    assert torch.equal(first, network(image, mask, noise=noise[0]))
    assert torch.equal(network(image, mask), network(image, mask))


def test_the_discriminator_scores_patches_and_returns_the_features_of_every_block() -> None:
    torch.manual_seed(0)
    critic = PatchDiscriminator(width=4)
    image = torch.rand(2, 3, 64, 96, requires_grad=True)
    scores, features = critic(image)
    assert [tuple(level.shape[1:]) for level in features] == [
        (4, 33, 49),
        (8, 17, 25),
        (16, 9, 13),
        (32, 5, 7),
        (32, 6, 8),
    ]
    assert scores.shape == (2, 1, 7, 9)
    scores.square().sum().backward()
    assert not [name for name, value in critic.named_parameters() if value.grad is None or not value.grad.any()]
    assert image.grad is not None
    assert image.grad.any()


@torch.no_grad()
@pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
def test_restricted_to_the_hole_it_fills_hole_and_rim_as_before_and_returns_the_photo_far_from_it(upsampling) -> None:
    torch.manual_seed(0)
    network = LaMa(width=4, blocks=1, upsampling=upsampling, noise=upsampling == "bilinear").eval()
    image, mask = torch.rand(1, 3, 128, 192), torch.zeros(1, 1, 128, 192)
    mask[..., 40:64, 32:56] = 1
    whole = network(image, mask)
    network.restrict_to_hole()
    part = network(image, mask)
    rim = functional.max_pool2d(mask, 9, 1, 4).expand_as(image) > 0
    torch.testing.assert_close(part[rim], whole[rim], atol=5e-6, rtol=0)
    torch.testing.assert_close(part[..., 96:], image[..., 96:])
    assert not torch.allclose(whole[..., 96:], image[..., 96:], atol=1e-2)
