"""DeepFill v2: the counts of the paper, the golden output through the public layout, and what a batch must not mix."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from inpaint_core.networks.deepfill_v2 import DeepFillV2, SNPatchDiscriminator
from inpaint_core.networks.layers.gated import Upsampling


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameter_counts_are_the_papers() -> None:
    network = DeepFillV2(in_channels=5)
    assert parameters(network) == 4_052_478
    assert parameters(network.coarse) == 1_631_151
    assert parameters(SNPatchDiscriminator(in_channels=4)) == 5_946_816


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(2, 1, 48, 64)
    mask[0, :, 8:40, 8:24] = 1
    mask[1, :, 16:24, 24:56] = 1
    image = torch.rand(2, 3, 48, 64, generator=generator)
    return image, mask, (torch.rand(2, 1, 48, 64, generator=generator) > 0.9).float()


def small(in_channels: int = 6, upsampling: Upsampling = "nearest") -> DeepFillV2:
    torch.manual_seed(0)
    ours = upsampling == "bilinear"  # with our departures from the paper, or without
    network = DeepFillV2(in_channels, width=4, upsampling=upsampling, smooth_attention=ours, noise=ours).eval()
    if ours:
        nn.init.normal_(network.refinement.get_parameter("noise.weight"))
    return network


@torch.no_grad()
def test_a_batch_of_two_masks_equals_two_batches_of_one() -> None:
    network, inputs = small(), batch()
    together = network(*inputs)
    for stage, whole in enumerate(together):
        apart = torch.cat([network(*(x[i : i + 1] for x in inputs))[stage] for i in range(2)])
        assert (whole - apart).abs().max() < 1e-5


@torch.no_grad()
def test_what_lies_in_the_hole_and_sketch_outside_it_do_not_matter() -> None:
    network, (image, mask, sketch) = small(), batch()
    refined = network(image, mask, sketch)[1]
    other = network(torch.where(mask > 0, torch.rand_like(image), image), mask, sketch * mask)[1]
    assert torch.equal(refined, other)


@torch.no_grad()
def test_the_sketch_inside_the_hole_matters_with_six_channels_only() -> None:
    image, mask, sketch = batch()
    assert not torch.equal(small(6)(image, mask, sketch)[1], small(6)(image, mask)[1])
    assert torch.equal(small(5)(image, mask, sketch)[1], small(5)(image, mask)[1])
    with pytest.raises(ValueError, match="5 input channels, or 6"):
        DeepFillV2(in_channels=4)


def test_gradients_reach_every_parameter_of_generator_and_critic() -> None:
    network = small().train()
    critic = SNPatchDiscriminator(in_channels=5, width=4)
    image, mask, sketch = batch()
    coarse, refined = network(image, mask, sketch)
    critic(refined, mask, sketch * mask).sum().add(coarse.sum()).backward()
    silent = [
        name
        for module in (network, critic)
        for name, parameter in module.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert silent == []


@torch.no_grad()
def test_an_explanation_holds_the_flow_one_gate_map_a_gated_layer_and_the_same_photo() -> None:
    network, inputs = small(), batch()
    stages, explanation = network.explain(*inputs)
    assert all(torch.equal(stage, same) for stage, same in zip(stages, network(*inputs), strict=True))
    gates, flow = explanation["gates"], explanation["flow"]
    assert len(gates) == 16 + 10 + 6 + 2 + 6
    assert all(gate.min() >= 0 and gate.max() <= 1 for gate in gates)
    assert flow.shape == (2, 2, 6, 8)


@pytest.mark.parametrize("upsampling", ["nearest", "bilinear"])
@torch.no_grad()
def test_restricted_to_the_hole_it_fills_the_hole_as_before_and_returns_the_photo_far_from_it(
    upsampling: Upsampling,
) -> None:
    network = small(6, upsampling)
    image = torch.rand(1, 3, 128, 192, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 1, 128, 192)
    mask[..., 40:60, 30:50] = 1
    whole = network(image, mask)[1]
    network.restrict_to_hole()
    part = network(image, mask)[1]
    hole = mask.expand_as(image) > 0
    torch.testing.assert_close(part[hole], whole[hole], atol=5e-6, rtol=0)
    torch.testing.assert_close(part[..., 120:], image[..., 120:])
    assert not torch.allclose(whole[..., 120:], image[..., 120:], atol=1e-2)


@pytest.mark.parametrize("size", [(8, 8), (8, 72), (200, 16)])
@torch.no_grad()
def test_any_multiple_of_eight_is_a_size(size: tuple[int, int]) -> None:
    image, mask = torch.rand(1, 3, *size), torch.zeros(1, 1, *size)
    mask[..., 2:6, 2:6] = 1
    coarse, refined = small()(image, mask)
    assert coarse.shape == refined.shape == image.shape
    assert refined.isfinite().all()


def test_the_critic_sees_mask_and_sketch() -> None:
    critic = SNPatchDiscriminator(in_channels=5, width=4).eval()
    image, mask, sketch = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    scores = critic(image, mask, sketch)
    assert scores.shape == (1, 16)
    assert not torch.equal(scores, critic(image, mask + 1, sketch))
    assert not torch.equal(scores, critic(image, mask, sketch + 1))


def test_the_critics_kernels_have_a_largest_singular_value_of_one() -> None:
    torch.manual_seed(0)
    critic = SNPatchDiscriminator(in_channels=4, width=4)
    for _ in range(50):
        critic(torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64))
    critic.eval()
    for layer in critic.layers:
        kernel: torch.Tensor = layer.weight  # type: ignore[assignment]
        assert torch.linalg.matrix_norm(kernel.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


@torch.no_grad()
def test_noise_makes_variations_and_the_same_noise_the_same_fill() -> None:
    network, (image, mask, sketch) = small(upsampling="bilinear"), batch()
    noise = torch.randn(2, *mask.shape, generator=torch.Generator().manual_seed(3))
    coarse, refined = network(image, mask, sketch, noise[0])
    same_coarse, varied = network(image, mask, sketch, noise[1])
    assert torch.equal(coarse, same_coarse)
    assert not torch.allclose(refined, varied, atol=1e-3)
    assert torch.equal(refined, network(image, mask, sketch, noise[0])[1])
    assert torch.equal(network(image, mask, sketch)[1], network(image, mask, sketch)[1])
