"""At the papers' widths every network has exactly the parameters of the public code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from inpaint_core.networks.context_encoder import ContextEncoder, ContextPatchCritic
from inpaint_core.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from inpaint_core.networks.deepfill_v1 import CoarseNetwork, DeepFillV1, RefinementNetwork, WassersteinCritic
from inpaint_core.networks.glcic import CompletionNetwork, GlobalLocalCritic
from inpaint_core.networks.lama import LaMa, PatchDiscriminator
from inpaint_core.networks.partial_conv import PartialConvUNet

COUNTS: list[tuple[Callable[[], nn.Module], int]] = [
    (DeepFillV1, 3_601_542),
    (CoarseNetwork, 1_448_227),
    (RefinementNetwork, 2_153_315),
    (lambda: WassersteinCritic(128, last=8), 4_339_329),  # the original's local critic: last convolution 512
    (lambda: WassersteinCritic(128, last=4), 2_684_289),  # the public port's local critic: 256
    (lambda: WassersteinCritic(256, last=4), 2_733_441),
    (CompletionNetwork, 6_072_131),
    (lambda: GlobalLocalCritic(160, 96), 39_557_121),
    (lambda: GlobalLocalCritic(256, 128), 45_063_681),
    (PartialConvUNet, 25_779_796),
    (LaMa, 27_048_835),
    (lambda: LaMa(blocks=18), 50_975_875),
    (PatchDiscriminator, 6_962_369),
    (DCGANGenerator, 3_576_704),
    (DCGANDiscriminator, 2_765_568),
    (ContextPatchCritic, 2_766_529),
]


@pytest.mark.parametrize(("build", "count"), COUNTS, ids=lambda value: f"{value:,}" if isinstance(value, int) else "")
def test_parameters_are_those_of_the_public_code(build: Callable[[], nn.Module], count: int) -> None:
    with torch.device("meta"):  # shapes only: no memory, no initialisation
        network = build()
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_the_channelwise_layer_costs_far_less_than_a_full_one() -> None:
    def count(bottleneck: str) -> int:
        network = ContextEncoder(width=16, bottleneck=bottleneck, latent=4000)
        return sum(parameter.numel() for parameter in network.bottleneck.parameters())

    channels, positions = 8 * 16, 4 * 4
    assert count("channelwise") - count("none") == channels * (positions**2 + positions)
    assert count("full") > 100 * count("channelwise")
