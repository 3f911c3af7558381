"""Each network computes what its paper says: compared with published code, and with a second, plain implementation.

The golden files of published code hold a photo, a mask and what that code made of it with weights drawn by
`seeded.draw_state`. Networks that would need a variant to load public weights (GLCIC's ends, DeepFill v1's padding) are
compared with `reference.py` instead; the layers of GLCIC with the authors' code, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inpaint_core.networks.context_encoder import ContextEncoder
from inpaint_core.networks.deepfill_v1 import DeepFillV1
from inpaint_core.networks.deepfill_v2 import DeepFillV2
from inpaint_core.networks.glcic import CompletionNetwork
from inpaint_core.networks.lama import LaMa
from inpaint_core.networks.partial_conv import PartialConvUNet
from tests.networks import reference
from tests.networks.seeded import draw_state, photo, seeded

GOLDEN = Path(__file__).parents[1] / "golden"
COLOUR = (0.46, 0.44, 0.41)


# ---- a second implementation -----------------------------------------------------------------------------------------


def largest_difference(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    assert expected.std() > 0.05, "an output that hardly varies would prove nothing"
    return (found - expected).abs().max().item()


@torch.no_grad()
def test_glcic_equals_a_plain_implementation() -> None:
    network = seeded(CompletionNetwork(width=6, mean_colour=COLOUR), 1.5)
    image, mask, _ = photo(48, 64, count=2)
    expected = reference.glcic(network.state_dict(), image, mask, COLOUR)
    assert largest_difference(network(image, mask), expected) < 1e-6


@torch.no_grad()
def test_context_encoder_equals_a_plain_implementation() -> None:
    network = seeded(ContextEncoder(width=6, mean_colour=COLOUR), 1.5)
    image, mask, _ = photo(128, 128, count=2)
    expected = reference.context_encoder(network.state_dict(), image, mask, COLOUR)
    assert largest_difference(network(image, mask), expected) < 1e-6


@torch.no_grad()
@pytest.mark.parametrize("size", [(128, 128), (72, 104)])
def test_partial_conv_equals_a_plain_implementation(size: tuple[int, int]) -> None:
    network = seeded(PartialConvUNet(width=6, levels=5))
    image, mask, _ = photo(*size, count=2)
    expected = reference.partial_conv(network.state_dict(), image, mask, levels=5)
    assert largest_difference(network(image, mask), expected) < 1e-6


@torch.no_grad()
def test_deepfill_v1_equals_a_plain_implementation_of_both_stages() -> None:
    network = seeded(DeepFillV1(width=6))
    image, mask, _ = photo(48, 64, count=2)
    expected = reference.deepfill_v1(network.state_dict(), image, mask)
    for found, stage in zip(network(image, mask), expected, strict=True):
        assert largest_difference(found, stage) < 1e-5


@torch.no_grad()
def test_deepfill_v2_equals_a_plain_implementation_of_both_stages() -> None:
    network = seeded(DeepFillV2(width=6), 2.0)
    image, mask, sketch = photo(48, 64, count=2)
    expected = reference.deepfill_v2(network.state_dict(), image, mask, sketch)
    for found, stage in zip(network(image, mask, sketch), expected, strict=True):
        assert largest_difference(found, stage) < 1e-5


# ---- published code --------------------------------------------------------------------------------------------------


def renamed(name: str, rules: list[tuple[str, str]]) -> str:
    """Apply each rule, a regular expression and its replacement, once and in order."""
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name, count=1)
    return name


def shifted(pattern: str, replacement: str, first: int, step: int = 1) -> Callable[[str], str]:
    """Replace a stack's name and number by another number: "down.2" -> "model.4" for `first` 2."""
    return lambda name: re.sub(pattern, lambda match: replacement.format(first + step * int(match[1])), name, count=1)


def load_published(network: nn.Module, public: Callable[[str], str], golden: Mapping[str, np.ndarray]) -> set[str]:
    """Draw the weights in the order of the public names and load them, in float64; returns the public names.

    What the published network does not have, biases before a normalisation, becomes 0.
    """
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    own = {public(name): name for name in shapes if public(name)}
    drawn = draw_state({there: shapes[here] for there, here in own.items()}, int(golden["seed"]), float(golden["gain"]))
    state = {name: torch.zeros(shape) for name, shape in shapes.items()}
    network.load_state_dict(state | {own[name]: value for name, value in drawn.items()})
    network.eval().double()
    return set(own)


def inputs(golden: Mapping[str, np.ndarray]) -> tuple[Tensor, Tensor]:
    """The golden file's photo in [0, 1] and its mask, float64."""
    image = torch.from_numpy(golden["image"])[None].double() / 255
    return image, torch.from_numpy(golden["mask"])[None, None].double()


def public_lama(blocks: int) -> Callable[[str], str]:
    """Our names -> those of LaMa's code, whose modules are numbered through: stem 1, down 2 to 4, blocks from 5 on."""
    rules = [
        (r"^stem", "model.1"),
        (r"^head", f"model.{16 + blocks}"),
        (r"\.first", ".conv1"),
        (r"\.second", ".conv2"),
        (r"global_to_global\.reduce", "ffc.convg2g.conv1.0"),
        (r"global_to_global\.norm", "ffc.convg2g.conv1.1"),
        (r"global_to_global\.fourier\.conv", "ffc.convg2g.fu.conv_layer"),
        (r"global_to_global\.fourier\.norm", "ffc.convg2g.fu.bn"),
        (r"global_to_global\.expand", "ffc.convg2g.conv2"),
        (r"local_to_local", "ffc.convl2l"),
        (r"local_to_global", "ffc.convl2g"),
        (r"global_to_local", "ffc.convg2l"),
        (r"norm_local", "bn_l"),
        (r"norm_global", "bn_g"),
    ]
    stacks = [
        shifted(r"^down\.(\d+)", "model.{}", 2),
        shifted(r"^blocks\.(\d+)", "model.{}", 5),
        shifted(r"^up\.(\d+)", "model.{}", 6 + blocks),
    ]

    def public(name: str) -> str:
        for stack in stacks:
            name = stack(name)
        return renamed(name, rules)

    return public


def public_layout(shared: Path, name: str, prefix: str = "") -> dict[str, list[int]]:
    """Names and shapes of a published state dict, less constants that the published code keeps in it."""
    layout = json.loads((shared / "golden" / "public_weights" / f"{name}.json").read_text())["state_dict"]
    return {key.removeprefix(prefix): shape for key, shape in layout.items() if not key.endswith("mask_conv.weight")}


@torch.no_grad()
def test_lama_equals_the_published_code() -> None:
    golden = np.load(GOLDEN / "lama_published.npz")
    network = LaMa(width=8, blocks=2)
    load_published(network, public_lama(2), golden)
    output = network(*inputs(golden))[0, :, ::2, ::2]
    assert largest_difference(output, torch.from_numpy(golden["output"])) < 5e-6


def test_big_lama_has_the_published_names_and_shapes_under_a_renaming(shared: Path) -> None:
    with torch.device("meta"):  # shapes only: no memory, no initialisation
        network = LaMa(width=64, blocks=18)
    public = public_lama(18)
    found = {public(name): list(value.shape) for name, value in network.state_dict().items()}
    assert found == public_layout(shared, "lama_big", "generator.")


@torch.no_grad()
def test_the_context_encoder_for_centres_equals_published_code(shared: Path) -> None:
    golden = np.load(shared / "golden" / "public_weights" / "context_encoder_boyuanjiang.npz")
    network = ContextEncoder(width=64, region="centre", bottleneck="full", latent=4000)
    published = public_layout(shared, "context_encoder_boyuanjiang")

    def public(name: str) -> str:
        for stack, first in (("encoder", 0), ("bottleneck", 14), ("decoder", 20)):
            name = shifted(rf"^{stack}\.(\d+)", "main.{}", first)(name)
        return name if name in published else ""

    assert load_published(network, public, golden) == published.keys()
    image = torch.from_numpy(golden["image"])[None].double() / 255
    mask = torch.zeros(1, 1, 128, 128).double()
    mask[..., 36:92, 36:92] = 1  # the central half less 4 px of overlap
    output = network(image, mask)[0, :, 32:96, 32:96] * 2 - 1
    assert largest_difference(output, torch.from_numpy(golden["output"])) < 5e-6


@torch.no_grad()
def test_partial_conv_equals_published_code(shared: Path) -> None:
    """naoto0804's port divides by the number of known values without the window's size: so do kernels made smaller.

    Its golden weights were made larger by just that size, so the drawn ones are those of the formula in the paper.
    """
    golden = np.load(shared / "golden" / "public_weights" / "partial_conv_naoto0804.npz")
    network = PartialConvUNet(width=64, levels=7)

    def public(name: str) -> str:
        name = shifted(r"^encoder\.(\d+)", "enc_{}", 1)(name)
        name = shifted(r"^decoder\.(\d+)", "dec_{}", 7, -1)(name)
        return renamed(name, [("^head", "dec_1"), (r"\.conv\.", ".conv.input_conv."), (r"\.norm\.", ".bn.")])

    assert load_published(network, public, golden) == public_layout(shared, "partial_conv_naoto0804").keys()
    image, mask = inputs(golden)
    output = network(image, mask)[0]
    expected = torch.from_numpy(golden["output"]) * network.std[0] + network.mean[0]  # neither clipped
    assert largest_difference(output, expected.clamp(0, 1)) < 5e-6
    assert ((expected > 0) & (expected < 1)).float().mean() > 0.5


@torch.no_grad()
def test_the_layers_of_glcic_equal_the_authors_code(shared: Path) -> None:
    """The authors subtract the mean colour from the photo; behind that the networks are one."""
    golden = np.load(shared / "golden" / "public_weights" / "glcic_official.npz")
    network = CompletionNetwork(width=64)

    def public(name: str) -> str:
        _, layer, *rest = name.split(".")
        return ".".join([str(3 * int(layer) + (int(rest[0]) if len(rest) == 2 else 0)), rest[-1]])

    assert load_published(network, public, golden) == public_layout(shared, "glcic_official").keys()
    image, mask = inputs(golden)
    image = (image - torch.from_numpy(golden["mean_pixel"]).view(1, 3, 1, 1)) * (1 - mask)
    output = torch.sigmoid(network.layers(torch.cat((image, mask), 1)))[0]
    assert largest_difference(output, torch.from_numpy(golden["output"])) < 5e-6
