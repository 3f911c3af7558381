"""OpenVINO gives what torch gives, at any size, to any number of threads."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn

pytest.importorskip("openvino", reason="OpenVINO is not installed here")

from inpaint_core.methods.engines.openvino import LAYERS, CompiledStack, accelerate
from inpaint_core.networks.aot_gan import AOTGAN
from inpaint_core.networks.autoencoder import Autoencoder
from inpaint_core.networks.context_encoder import ContextEncoder
from inpaint_core.networks.deepfill_v1 import ConvBlock, DeepFillV1
from inpaint_core.networks.deepfill_v2 import DeepFillV2
from inpaint_core.networks.glcic import CompletionNetwork
from inpaint_core.networks.lama import LaMa
from inpaint_core.networks.layers.gated import GatedConv2d, GatedUpConv2d
from inpaint_core.networks.migan import MIGAN, SeparableConv2d
from inpaint_core.networks.partial_conv import PartialConvUNet

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "autoencoder": lambda: Autoencoder(width=6, halvings=3),
    "autoencoder_resnet": lambda: Autoencoder(width=6, encoder="resnet", halvings=3),
    "context_encoder": lambda: ContextEncoder(width=4, bottleneck="none"),
    "glcic": lambda: CompletionNetwork(width=6),
    "deepfill_v1": lambda: DeepFillV1(width=4),
    "deepfill_v1_mmagic": lambda: DeepFillV1(width=4, port="mmagic"),
    "deepfill_v1_daa233": lambda: DeepFillV1(width=4, port="daa233"),
    "deepfill_v2": lambda: DeepFillV2(width=4),
    "lama": lambda: LaMa(width=8, blocks=2),
    "lama_noise": lambda: LaMa(width=8, blocks=2, upsampling="bilinear", noise=True),
    "aot_gan": lambda: AOTGAN(width=8, blocks=2),
}


def inputs(count: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    image = torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(count, 1, height, width)
    mask[..., height // 4 : height // 2, width // 4 : width // 2] = 1
    return image, mask


def make(name: str) -> nn.Module:
    torch.manual_seed(0)
    network = NETWORKS[name]()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        network.train()(*inputs(4, 64, 64))
    return network.eval().requires_grad_(False)


def stages(output: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return output if isinstance(output, tuple) else (output,)


@pytest.mark.parametrize("name", NETWORKS)
@torch.inference_mode()
def test_openvino_in_float32_equals_torch_at_every_size(name: str) -> None:
    network = make(name)
    fast = accelerate(copy.deepcopy(network), torch.float32)
    assert fast is not None
    for count, height, width in ((1, 64, 64), (2, 32, 96), (1, 160, 64), (1, 64, 64)):
        image, mask = inputs(count, height, width)
        for expected, found in zip(stages(network(image, mask)), stages(fast(image, mask)), strict=True):
            torch.testing.assert_close(found, expected, atol=2e-4, rtol=0)


@torch.inference_mode()
def test_attention_runs_in_bfloat16_between_float32_parts() -> None:
    network = make("deepfill_v2")
    fast = accelerate(copy.deepcopy(network), torch.bfloat16)
    assert fast is not None
    seen = []
    attention = fast.get_submodule("refinement.attention.attention")
    attention.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].dtype))
    image, mask = inputs(1, 64, 64)
    (_, refined), explained = fast.explain(image, mask)  # type: ignore[operator]
    assert seen == [torch.bfloat16]
    assert refined.dtype == torch.float32
    assert explained["flow"].shape == (1, 2, 8, 8)
    assert (refined - network(image, mask)[1]).abs().mean() < 4 / 255


@torch.inference_mode()
def test_many_threads_get_each_their_own_result() -> None:
    network = make("glcic")
    fast = accelerate(copy.deepcopy(network), torch.float32)
    assert fast is not None
    pairs = [inputs(1, 32 + 8 * index, 64) for index in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda pair: fast(*pair), pairs * 3))
    for pair, result in zip(pairs * 3, found, strict=True):
        torch.testing.assert_close(result, network(*pair), atol=2e-4, rtol=0)


def test_networks_that_are_mostly_something_else_stay_with_torch() -> None:
    network = PartialConvUNet(width=4)
    before = [type(module) for module in network.modules()]
    assert accelerate(network.eval(), torch.float32) is None
    assert [type(module) for module in network.modules()] == before


@torch.inference_mode()
@pytest.mark.parametrize("name", ["lama", "lama_noise", "aot_gan", "deepfill_v1_mmagic"])
def test_maps_too_small_to_be_reflected_are_filled_as_by_torch(name: str) -> None:
    """A graph cannot repeat the border where it cannot reflect it."""
    network = make(name)
    fast = accelerate(copy.deepcopy(network), torch.float32)
    assert fast is not None
    for side in (8, 16, 32, 40):  # 8 px are one place at an eighth of the size; an odd one at 40
        image, mask = inputs(1, side, side + 8)
        for expected, found in zip(stages(network(image, mask)), stages(fast(image, mask)), strict=True):
            torch.testing.assert_close(found, expected, atol=2e-4, rtol=0)


@torch.inference_mode()
def test_migan_adds_its_noise_in_openvino_too() -> None:
    torch.manual_seed(0)
    network = MIGAN(size=64, base=512, most=16).eval()
    for module in network.modules():
        if isinstance(module, SeparableConv2d) and module.has_noise:
            nn.init.normal_(module.noise)
            module.noise_strength.fill_(0.3)
    image, mask = inputs(2, 64, 64)
    fast = accelerate(copy.deepcopy(network), torch.float32)
    assert fast is not None
    expected = network(image, mask)
    assert expected.std() > 0.02
    torch.testing.assert_close(fast(image, mask), expected, atol=1e-5, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize("output_padding", [0, 1])
def test_transposed_convolutions_of_odd_kernels_end_at_the_same_size(output_padding: int) -> None:
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=output_padding)
    features = torch.randn(2, 4, 7, 9)
    found = CompiledStack(nn.Sequential(layer, nn.LeakyReLU(0.2)), torch.float32)(features)
    torch.testing.assert_close(found, nn.functional.leaky_relu(layer(features), 0.2), atol=1e-4, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize("kernel", [3, 5])
def test_a_convolution_of_enlarged_features_is_the_same_in_four_parts(kernel: int) -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 5, 7, 9)  # borders on all sides, odd sizes, several samples
    layers: list[nn.Module] = [
        GatedUpConv2d(5, 6, kernel),
        GatedUpConv2d(5, 6, kernel, upsampling="bilinear"),
        ConvBlock(5, 6, kernel, upsample=True),
    ]
    for layer in layers:
        nn.init.normal_(layer.eval().get_parameter("bias"))
        found = CompiledStack(nn.Sequential(layer), torch.float32)(features)
        assert found.shape == (2, 6, 14, 18)
        torch.testing.assert_close(found, layer(features), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_a_result_survives_the_next_call() -> None:
    torch.manual_seed(0)
    stack = CompiledStack(nn.Sequential(nn.Conv2d(3, 3, 3, padding=1)), torch.float32)
    first = stack(torch.ones(1, 3, 8, 8))
    kept = first.clone()
    stack(torch.zeros(1, 3, 8, 8))
    assert torch.equal(first, kept)


def test_an_activation_the_engine_does_not_know_is_said_and_not_dropped() -> None:
    layer = GatedConv2d(3, 4, activation=torch.tanh)
    assert GatedConv2d in LAYERS
    with pytest.raises(ValueError, match="does not support the activation"):
        CompiledStack(nn.Sequential(layer), torch.float32)
