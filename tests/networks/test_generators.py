"""What every generator promises, whatever paper it is from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from inpaint_core.networks.autoencoder import Autoencoder
from inpaint_core.networks.context_encoder import ContextEncoder
from inpaint_core.networks.deepfill_v1 import DeepFillV1
from inpaint_core.networks.deepfill_v2 import DeepFillV2
from inpaint_core.networks.glcic import CompletionNetwork
from inpaint_core.networks.lama import LaMa
from inpaint_core.networks.partial_conv import PartialConvUNet

GENERATORS: dict[str, Callable[[], nn.Module]] = {
    "autoencoder": lambda: Autoencoder(width=6),
    "autoencoder_vgg": lambda: Autoencoder(width=6, encoder="vgg", halvings=3),
    "autoencoder_resnet": lambda: Autoencoder(width=6, encoder="resnet", halvings=3),
    "autoencoder_inception": lambda: Autoencoder(width=8, encoder="inception", halvings=3, bottleneck=20),
    "autoencoder_alexnet": lambda: Autoencoder(width=6, encoder="alexnet", halvings=3),
    "context_encoder": lambda: ContextEncoder(width=4),
    "context_encoder_centre": lambda: ContextEncoder(width=4, region="centre", bottleneck="full", latent=24),
    "context_encoder_any_size": lambda: ContextEncoder(width=4, bottleneck="none", mask_channel=True),
    "context_encoder_alexnet": lambda: ContextEncoder(width=4, encoder="alexnet"),
    "glcic": lambda: CompletionNetwork(width=6),
    "deepfill_v1": lambda: DeepFillV1(width=4),
    "deepfill_v2": lambda: DeepFillV2(width=4),
    "partial_conv": lambda: PartialConvUNet(width=4),
    "lama": lambda: LaMa(width=4, blocks=2),
}
FIXED = dict.fromkeys(("context_encoder", "context_encoder_centre", "context_encoder_alexnet"), 128)


def make(name: str) -> nn.Module:
    """A small network whose normalisation has seen photos: fresh statistics would hide what layers do to each other."""
    torch.manual_seed(0)
    network = GENERATORS[name]()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        side = FIXED.get(name, 64)
        with torch.no_grad():
            network.train()(photos(4, side, side), holes(4, side, side))
    return network


def photos(count: int, height: int, width: int) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


def holes(count: int, height: int, width: int) -> Tensor:
    """A different box for each sample, inside the central square."""
    mask = torch.zeros(count, 1, height, width)
    for index in range(count):
        mask[index, :, height // 4 + index : height // 2 + 2 * index + 1, width // 4 : 3 * width // 4 - index] = 1
    return mask


def prediction(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    return output[-1] if isinstance(output, tuple) else output


@pytest.mark.parametrize("name", GENERATORS)
def test_gradients_reach_every_parameter(name: str) -> None:
    network = make(name).train()
    side = FIXED.get(name, 64)
    image, mask = photos(2, side, side), holes(2, side, side)
    output = network(image, mask)
    stages = output if isinstance(output, tuple) else (output,)
    weight = torch.randn(image.shape, generator=torch.Generator().manual_seed(2))
    sum((stage * weight).sum() for stage in stages).backward()
    dead = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert not dead


@pytest.mark.parametrize("name", GENERATORS)
@torch.no_grad()
def test_a_batch_of_two_masks_equals_two_batches_of_one(name: str) -> None:
    network = make(name).eval()
    side = FIXED.get(name, 64)
    image, mask = photos(2, side, side), holes(2, side, side)
    together = prediction(network(image, mask))
    for index in range(2):
        alone = prediction(network(image[index : index + 1], mask[index : index + 1]))
        torch.testing.assert_close(together[index : index + 1], alone, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", GENERATORS)
@torch.no_grad()
def test_any_declared_size_gives_an_image_of_that_size_in_range(name: str) -> None:
    network = make(name).eval()
    multiple = network.multiple_of
    sizes = [(FIXED[name], FIXED[name])] if name in FIXED else [(8, 8), (8, 56), (104, 32), (200, 296)]
    for height, width in sizes:
        height, width = (max(side // multiple, 1) * multiple for side in (height, width))
        output = network(photos(1, height, width), holes(1, height, width))
        for stage in output if isinstance(output, tuple) else (output,):
            assert stage.shape == (1, 3, height, width)
            assert stage.min() >= 0
            assert stage.max() <= 1


@pytest.mark.parametrize("name", [name for name in GENERATORS if name != "deepfill_v2"])
@torch.no_grad()
def test_what_lies_under_the_hole_does_not_matter_not_even_nan(name: str) -> None:
    network = make(name).eval()
    side = FIXED.get(name, 64)
    image, mask = photos(2, side, side), holes(2, side, side)
    clean = prediction(network(image, mask))
    spoiled = prediction(network(torch.where(mask > 0, torch.nan, image), mask))
    hole = mask.expand_as(clean) > 0
    assert torch.equal(clean[hole], spoiled[hole])


@pytest.mark.parametrize("name", [name for name in GENERATORS if name != "deepfill_v2"])
@torch.no_grad()
def test_the_known_part_and_the_mask_do_matter(name: str) -> None:
    network = make(name).eval()
    side = FIXED.get(name, 64)
    image, mask = photos(1, side, side), holes(1, side, side)
    base = prediction(network(image, mask))
    hole = mask.expand_as(base) > 0
    other = prediction(network(1 - image, mask))
    assert (base[hole] - other[hole]).abs().max() > 1e-3


@torch.no_grad()
def test_a_mosaic_network_sees_the_hole() -> None:
    torch.manual_seed(0)
    network = DeepFillV1(width=4, keep_hole=True).eval()
    image, mask = photos(1, 32, 32), holes(1, 32, 32)
    darker = torch.where(mask > 0, image * 0.5, image)
    assert not torch.allclose(network(image, mask)[1], network(darker, mask)[1], atol=1e-4)


@torch.no_grad()
def test_only_the_central_square_is_predicted_by_the_centre_context_encoder() -> None:
    network = make("context_encoder_centre").eval()
    image, mask = photos(1, 128, 128), holes(1, 128, 128)
    changed = (network(image, mask) != image).any(dim=1)[0]
    rows, columns = changed.nonzero().unbind(1)
    assert rows.min() == columns.min() == 32
    assert rows.max() == columns.max() == 95


def test_a_fixed_size_network_refuses_other_sizes() -> None:
    with pytest.raises(ValueError, match="128 x 128"):
        ContextEncoder(width=4)(torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64))


@pytest.mark.parametrize("options", [{"region": "left"}, {"bottleneck": "wide"}, {"encoder": "vit"}])
def test_unknown_variants_are_refused_by_name(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is none of"):
        ContextEncoder(width=4, **options)


def test_unknown_encoders_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="plain, vgg"):
        Autoencoder(encoder="transformer")


@torch.no_grad()
def test_deepfill_v1_explains_where_its_attention_borrowed_patches() -> None:
    network, inputs = make("deepfill_v1").eval(), (photos(2, 64, 64), holes(2, 64, 64))
    stages, explanation = network.explain(*inputs)
    assert torch.equal(stages[1], network(*inputs)[1])
    flow = explanation["flow"]
    assert flow.shape == (2, 2, 8, 8)
    assert flow.min() >= 0
    assert flow.max() < 8


def test_alexnet_at_227_pixels_ends_at_6_by_6_and_fills_the_whole_square() -> None:
    torch.manual_seed(0)
    network = ContextEncoder(width=4, encoder="alexnet", image_size=227).eval()
    with torch.no_grad():
        assert network.encoder(torch.zeros(1, 3, 227, 227)).shape == (1, 16, 6, 6)
        assert network.decoder(torch.zeros(1, 16, 6, 6)).shape[-2:] == (161, 161)
        assert network(photos(1, 227, 227), holes(1, 227, 227)).shape == (1, 3, 227, 227)
