"""Gated convolution and TensorFlow's padding."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from inpaint_core.networks.layers.gated import GatedConv2d, GatedUpConv2d, gate_maps
from inpaint_core.networks.layers.padding import Conv2dSame, same_conv2d, same_padding


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "expected"),
    [
        (256, 3, 2, 1, (0, 1)),
        (255, 3, 2, 1, (1, 1)),
        (64, 5, 1, 1, (2, 2)),
        (64, 3, 1, 16, (16, 16)),
        (128, 5, 2, 1, (1, 2)),
    ],
)
def test_padding_is_tensorflows(size: int, kernel: int, stride: int, dilation: int, expected: tuple[int, int]) -> None:
    assert same_padding(size, kernel, stride, dilation) == expected


@pytest.mark.parametrize("size", [(16, 16), (15, 17), (1, 9)])
@pytest.mark.parametrize("stride", [1, 2])
def test_same_convolution_returns_a_share_of_the_size_rounded_up(size: tuple[int, int], stride: int) -> None:
    result = same_conv2d(torch.zeros(1, 2, *size), torch.zeros(3, 2, 3, 3), None, stride)
    assert result.shape == (1, 3, -(-size[0] // stride), -(-size[1] // stride))


def test_gate_and_features_are_the_halves_of_one_convolution() -> None:
    layer = GatedConv2d(5, 4, 3, stride=2)
    x = torch.randn(2, 5, 8, 8)
    features, gate = F.conv2d(F.pad(x, (0, 1, 0, 1)), layer.weight, layer.bias, 2).chunk(2, 1)
    assert torch.allclose(layer(x), F.elu(features) * gate.sigmoid(), atol=1e-6)


def test_a_closed_gate_stops_everything() -> None:
    layer = GatedConv2d(3, 2)
    with torch.no_grad():
        layer.bias[2:] = -100
    assert layer(torch.randn(1, 3, 8, 8)).abs().max() == 0


@torch.no_grad()
def test_gate_maps_are_those_of_the_layers_in_the_order_they_run_and_only_within_the_block() -> None:
    layers = nn.Sequential(GatedConv2d(3, 2), GatedUpConv2d(2, 4)).eval()
    x = torch.randn(1, 3, 8, 8)
    with gate_maps(layers) as gates:
        layers(x)
    layers(x)
    assert [tuple(gate.shape) for gate in gates] == [(1, 2, 8, 8), (1, 4, 16, 16)]
    expected = same_conv2d(x, layers[0].weight[2:], layers[0].bias[2:]).sigmoid()
    assert torch.equal(gates[0], expected)


@torch.no_grad()
def test_gate_maps_of_another_threads_pass_are_not_collected() -> None:
    layer = GatedConv2d(3, 2).eval()
    with gate_maps(layer) as gates:
        thread = threading.Thread(target=layer, args=(torch.zeros(1, 3, 8, 8),))
        thread.start()
        thread.join()
        assert gates == []
        layer(torch.zeros(1, 3, 4, 4))
    assert [tuple(gate.shape) for gate in gates] == [(1, 2, 4, 4)]


def test_a_same_convolution_is_one_of_the_explicitly_padded_map() -> None:
    layer = Conv2dSame(2, 3, 5, stride=2)
    x = torch.randn(1, 2, 8, 12)
    torch.testing.assert_close(layer(x), F.conv2d(F.pad(x, (1, 2, 1, 2)), layer.weight, layer.bias, 2))


def test_upsampling_gated_convolution_doubles_the_size() -> None:
    assert GatedUpConv2d(3, 2)(torch.zeros(1, 3, 5, 7)).shape == (1, 2, 10, 14)


def test_a_deep_stack_keeps_the_scale_of_its_signal() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 32, 32, 32)
    for _ in range(12):
        x = GatedConv2d(32, 32)(x)
    assert 0.1 < x.std() < 10
