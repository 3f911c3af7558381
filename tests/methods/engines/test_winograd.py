"""Winograd's convolutions equal direct ones at every size and dilation, and so do the networks that use them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from inpaint_core.methods.engines import winograd_networks
from inpaint_core.methods.engines.openvino import accelerate
from inpaint_core.methods.engines.winograd import Kernel, Output, convolve
from inpaint_core.networks.aot_gan import AOTGAN
from inpaint_core.networks.lama import LaMa
from inpaint_core.networks.layers.padding import reflect_pad


def as_map(features: Tensor) -> np.ndarray:
    return np.ascontiguousarray(features[0].permute(1, 2, 0).numpy())


@pytest.mark.parametrize(
    ("height", "width", "dilation"), [(4, 4, 1), (13, 17, 1), (9, 6, 2), (21, 10, 8), (70, 130, 4)]
)
def test_it_equals_the_direct_convolution(height: int, width: int, dilation: int) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(1, 7, height, width, generator=generator)
    weight, bias = torch.randn(5, 7, 3, 3, generator=generator), torch.randn(5, generator=generator)
    (found,) = convolve([as_map(features)], [Output(Kernel(weight, bias), relu=False)], dilation)
    expected = functional.conv2d(reflect_pad(features, dilation), weight, bias, dilation=dilation)
    np.testing.assert_allclose(found, as_map(expected), atol=1e-4 * float(expected.abs().max()))


def test_several_maps_and_outputs_share_a_transform_and_what_is_added_counts() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(1, channels, 18, 11, generator=generator) for channels in (3, 4))
    both, one = torch.randn(6, 7, 3, 3, generator=generator), torch.randn(2, 3, 3, 3, generator=generator)
    added, residual = (np.random.default_rng(i).normal(size=(18, 11, 2)).astype(np.float32) for i in range(2))
    outputs = [Output(Kernel(both)), Output(Kernel(one), added=added, residual=residual)]
    found = convolve([as_map(first), as_map(second)], outputs)
    joined = torch.cat((first, second), 1)
    np.testing.assert_allclose(found[0], as_map(functional.conv2d(reflect_pad(joined, 1), both).relu()), atol=1e-3)
    sums = as_map(functional.conv2d(reflect_pad(first, 1), one))
    np.testing.assert_allclose(found[1], np.maximum(sums + added, 0) + residual, atol=1e-3)


def test_a_map_too_small_to_be_reflected_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be continued"):
        convolve([np.zeros((8, 3, 1), np.float32)], [Output(Kernel(torch.ones(1, 1, 3, 3)))], dilation=4)


@torch.inference_mode()
@pytest.mark.parametrize("make", [lambda: LaMa(width=8, blocks=2), lambda: AOTGAN(width=8, blocks=2)])
def test_networks_fill_as_by_torch(make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gain needs hundreds of channels, the truth does not."""
    monkeypatch.setattr(winograd_networks, "LEAST_CHANNELS", 1)
    torch.manual_seed(0)
    network: nn.Module = make().train()
    image, mask = torch.rand(2, 3, 64, 96), torch.zeros(2, 1, 64, 96)
    mask[..., 16:40, 20:70] = 1
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = 1.0
    network(image, mask)
    network.eval().requires_grad_(False)
    expected = network(image, mask), network(image[..., :16, :24], mask[..., :16, :24])
    fast = accelerate(network, torch.float32)
    assert fast is not None
    assert [type(module) for module in fast.modules() if "Winograd" in type(module).__name__]
    torch.testing.assert_close(fast(image, mask), expected[0], atol=2e-4, rtol=0)
    torch.testing.assert_close(fast(image[..., :16, :24], mask[..., :16, :24]), expected[1], atol=2e-4, rtol=0)
    if isinstance(network, LaMa):  # what is used of a fill is the same where no more is made
        network.restrict_to_hole()
        hole = mask.expand_as(image) > 0
        torch.testing.assert_close(fast(image, mask)[hole], expected[0][hole], atol=2e-4, rtol=0)
