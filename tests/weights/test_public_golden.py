"""Published layouts load into our networks and give what the published code gave with the same weights.

The golden files hold a photo, a mask and the output of the published code with drawn weights, in float64.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inpaint_core import weights
from inpaint_core.networks.deepfill_v1 import PORTS
from inpaint_core.networks.layers.attention import ContextualAttention
from tests.golden.public import NETWORKS, ROW_FILE, small_output
from tests.networks.seeded import photo
from tests.weights.published import hashed_state, layout, planes, published_state


@dataclass(frozen=True)
class Published:
    """One golden file: how its output compares with ours."""

    method: str
    expected: Callable[[Tensor, nn.Module], Tensor]  # the output as the published code gives it -> RGB in [0, 1]


def unit(output: Tensor, network: nn.Module) -> Tensor:
    return output


def symmetric(output: Tensor, network: nn.Module) -> Tensor:
    return output / 2 + 0.5


def normalised(output: Tensor, network: nn.Module) -> Tensor:
    mean, std = network.get_buffer("mean")[0].double(), network.get_buffer("std")[0].double()
    return (output * std + mean).clamp(0, 1)


PUBLISHED = {
    "lama_big": Published("lama", unit),
    "deepfill_v1_mmagic": Published("deepfill_v1", symmetric),
    "deepfill_v1_daa233": Published("deepfill_v1", symmetric),
    "glcic_mmagic": Published("glcic", symmetric),
    "glcic_official": Published("glcic", unit),
    "partial_conv_mmagic": Published("partial_conv", normalised),
    "partial_conv_naoto0804": Published("partial_conv", normalised),
    "aot_gan_mmagic": Published("aot_gan", symmetric),
    "aot_gan_official": Published("aot_gan", symmetric),
    "context_encoder_boyuanjiang": Published("context_encoder", symmetric),
}


@torch.no_grad()
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_layout_gives_what_its_own_code_gives(shared: Path, name: str) -> None:
    folder = shared / "golden" / "public_weights"
    golden = np.load(folder / f"{name}.npz")
    shapes = json.loads((folder / f"{name}.json").read_text())["state_dict"]
    state = published_state(shapes, int(golden["seed"]), float(golden["gain"]))
    method, network = weights.network_from_public(state)
    assert method == PUBLISHED[name].method
    expected = PUBLISHED[name].expected(torch.from_numpy(golden["output"]).double(), network)
    if "mmagic" in name and method != "aot_gan":
        expected = expected.flip(0)  # BGR there
    assert expected.std() > 0.05, "an output that hardly varies would prove nothing"
    for dtype, tolerance in ((torch.float32, 1e-4), (torch.float64, 5e-6)):
        output = network.to(dtype)(*(plane.to(dtype) for plane in planes(golden)))
        found = (output[-1] if isinstance(output, tuple) else output)[0]
        if method == "context_encoder":
            found = found[:, 32:96, 32:96]
        assert (found - expected).abs().max() < tolerance


@torch.no_grad()
def test_a_small_lama_gives_what_the_published_code_gave() -> None:
    golden = np.load(Path(__file__).parents[1] / "golden" / "lama_published.npz")
    state = published_state(layout("lama", 8), int(golden["seed"]), float(golden["gain"]))
    _, network = weights.network_from_public(state)
    output = network.double()(*planes(golden))[0, :, ::2, ::2]
    assert (output - torch.from_numpy(golden["output"])).abs().max() < 5e-6


@torch.no_grad()
def test_a_small_migan_gives_what_the_published_code_gave() -> None:
    """Of squares of 64 px with up to 64 channels: `base` 1024."""
    golden = np.load(Path(__file__).parents[1] / "golden" / "migan_published.npz")
    method, network = weights.network_from_public(published_state(layout("migan"), gain=0.8))
    image, mask, _ = photo(64, 64)
    output = network.double()(image, mask)[0, :, ::2, ::2]
    assert method == "migan"
    assert (output - torch.from_numpy(golden["output"])).abs().max() < 5e-6


@torch.no_grad()
def test_the_attention_of_mmagic_alone_gives_what_its_own_code_gives(shared: Path) -> None:
    """Each of its three differences moves the output by 0.005 or more."""
    golden = np.load(shared / "golden" / "public_weights" / "deepfill_v1_mmagic.npz")
    attention = ContextualAttention(conventions=PORTS["mmagic"].attention)
    features, mask = (torch.from_numpy(golden[f"attention_{name}"]).double() for name in ("input", "mask"))
    output, _ = attention(features, mask=mask)
    assert (output - torch.from_numpy(golden["attention_output"])).abs().max() < 5e-6


@torch.no_grad()
def test_the_public_deepfill_v2_gives_the_golden_photo(shared: Path) -> None:
    golden = np.load(shared / "golden" / "deepfill_v2_generator.npz")
    _, network = weights.network_from_public(hashed_state(layout("deepfill_v2_nipponjo")))
    image = torch.from_numpy(golden["image"]).permute(2, 0, 1)[None].float() / 255
    coarse, refined = network(image, (torch.from_numpy(golden["mask"])[None, None] > 0).float())
    assert (coarse[0, :, ::2, ::2] * 2 - 1 - torch.from_numpy(golden["coarse"])).abs().max() < 1e-3
    assert (refined[0] * 2 - 1 - torch.from_numpy(golden["refined"])).abs().max() < 1e-3


@pytest.mark.parametrize("name", NETWORKS)
def test_a_published_layout_at_an_eighth_of_its_width_gives_its_golden_output(name: str) -> None:
    """Made by our network when the test above was green: it needs no shared file and a fraction of the time."""
    method, found = small_output(name)
    expected = np.load(ROW_FILE)[name]
    assert method == NETWORKS[name]
    assert expected.std() > 0.05, "an output that hardly varies would prove nothing"
    np.testing.assert_allclose(found, expected, atol=5e-6)
