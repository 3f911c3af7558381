"""Each network computes what its paper says: compared with a second, plain implementation of it.

The published code itself is compared in `tests/weights/test_public_golden.py`.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from inpaint_core.networks.context_encoder import ContextEncoder
from inpaint_core.networks.deepfill_v1 import DeepFillV1
from inpaint_core.networks.deepfill_v2 import DeepFillV2
from inpaint_core.networks.glcic import CompletionNetwork
from inpaint_core.networks.partial_conv import PartialConvUNet
from tests.networks import reference
from tests.networks.seeded import photo, seeded

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
