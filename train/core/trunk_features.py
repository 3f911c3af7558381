"""Features of a pretrained trunk at several depths, frozen, for losses that compare photos by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from train.core.losses import PerceptualLoss


class TrunkFeatures(nn.Module):
    """The feature maps on which LPIPS is built: SqueezeNet's at seven depths, or AlexNet's at five.

    Args:
        trunk: "squeeze" or "alex".

    Raises:
        LpipsUnavailable: the package or its weights are missing.
    """

    def __init__(self, trunk: str = "squeeze") -> None:
        super().__init__()
        distance: Any = PerceptualLoss(trunk).distance
        self.trunk, self.normalise = distance.net, distance.scaling_layer

    def forward(self, image: Tensor) -> list[Tensor]:
        """N x 3 x H x W in [0, 1] -> maps N x C x h x w, finest first, float32."""
        return [features.float() for features in self.trunk(self.normalise(image * 2 - 1))]


def relative_l2(features: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Mean squared difference of each map as a share of the true map's mean square, the mean over the maps.

    Depths differ in scale by orders of magnitude, so that plain L2 would count the largest alone. `truth` carries no
    gradient.
    """
    pairs = [(ours, theirs.detach()) for ours, theirs in zip(features, truth, strict=True)]
    shares = [(a - b).square().mean() / b.square().mean().clamp_min(1e-8) for a, b in pairs]
    return torch.stack(shares).mean()
