"""Partial convolution against its formula, and the mask that shrinks."""

from __future__ import annotations

import torch
from torch import Tensor

from inpaint_core.networks.partial_conv import PartialConv2d, PartialConvUNet


def by_the_formula(layer: PartialConv2d, features: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Equation 1 and 2 of the paper, place by place."""
    kernel, pad, stride = layer.kernel_size[0], layer.padding[0], layer.stride[0]
    count, channels, height, width = features.shape
    padded = torch.zeros(count, channels, height + 2 * pad, width + 2 * pad)
    known = torch.zeros_like(padded)
    padded[:, :, pad : pad + height, pad : pad + width] = features
    known[:, :, pad : pad + height, pad : pad + width] = valid.expand(-1, channels, -1, -1)
    rows, columns = ((side + 2 * pad - kernel) // stride + 1 for side in (height, width))
    output = torch.zeros(count, layer.out_channels, rows, columns)
    updated = torch.zeros(count, 1, rows, columns)
    for sample in range(count):
        for row in range(rows):
            for column in range(columns):
                window = (slice(row * stride, row * stride + kernel), slice(column * stride, column * stride + kernel))
                m = known[sample][:, window[0], window[1]]
                if m.sum() > 0:
                    x = padded[sample][:, window[0], window[1]] * m
                    value = (layer.weight * x).sum(dim=(1, 2, 3)) * m.numel() / m.sum()
                    output[sample, :, row, column] = value + (0 if layer.bias is None else layer.bias)
                    updated[sample, :, row, column] = 1
    return output, updated


@torch.no_grad()
def test_partial_convolution_is_the_papers_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    features = torch.randn(2, 3, 9, 8, generator=generator)
    many = (torch.rand(2, 3, 9, 8, generator=generator) > 0.7).float()
    many[:, :, 3:7, 2:8] = 0
    for stride, multi_channel in ((1, True), (2, True), (2, False)):
        layer = PartialConv2d(3, 5, 3, stride=stride, padding=1, multi_channel=multi_channel)
        valid = many if multi_channel else many[:, :1]
        output, updated = layer(features, valid)
        expected, expected_mask = by_the_formula(layer, features, valid)
        torch.testing.assert_close(output, expected)
        assert updated.shape[1] == (5 if multi_channel else 1)
        assert torch.equal(updated[:, :1], expected_mask)


@torch.no_grad()
def test_without_holes_only_the_border_differs_from_an_ordinary_convolution() -> None:
    torch.manual_seed(0)
    layer = PartialConv2d(3, 4, 3, padding=1, multi_channel=False)
    features = torch.randn(1, 3, 8, 8)
    ordinary = torch.nn.functional.conv2d(features, layer.weight, layer.bias, padding=1)
    output, _ = layer(features, torch.ones(1, 1, 8, 8))
    torch.testing.assert_close(output[..., 1:-1, 1:-1], ordinary[..., 1:-1, 1:-1])
    assert not torch.allclose(output[..., 0, :], ordinary[..., 0, :])


@torch.no_grad()
def test_the_hole_shrinks_level_by_level_until_nothing_is_left() -> None:
    torch.manual_seed(0)
    network = PartialConvUNet(width=4).eval()
    mask = torch.zeros(1, 1, 128, 128)
    mask[..., 30:100, 30:100] = 1
    image = torch.rand(1, 3, 128, 128)
    output, explanation = network.explain(image, mask)
    assert torch.equal(output, network(image, mask))
    left = [float(level.mean()) for level in explanation["masks"]]
    assert torch.equal(explanation["masks"][0], mask)
    assert left == sorted(left, reverse=True)
    assert left[1] < left[0]
    assert left[-1] == 0


def test_the_second_phase_keeps_the_encoders_statistics() -> None:
    torch.manual_seed(0)
    network = PartialConvUNet(width=4)
    network.freeze_encoder_norm = True
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items() if "running_mean" in name}
    network(torch.rand(2, 3, 64, 64), torch.ones(2, 1, 64, 64).tril())
    moved = {name for name, value in network.state_dict().items() if name in before and (value != before[name]).any()}
    assert moved
    assert all(name.startswith("decoder") for name in moved)
