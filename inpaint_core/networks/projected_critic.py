"""A critic on the features of a frozen, pretrained network (Sauer et al., Projected GANs, NeurIPS 2021).

Small heads score features learned from a million photos, so that the critic is of use after a few hundred steps.
Where it departs from the paper: the trunk is SqueezeNet 1.1 (0.7 million parameters), hole and sketch are given to the
heads as extra channels, features have unit norm at every place, and no random projections mix channels or scales.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm
from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

TAPS = ((1, 64), (4, 128), (7, 256), (12, 512))
"""Layers of the trunk whose features are judged, at 1/2, 1/4, 1/8 and 1/16 of the size, and their channels."""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours, which the trunk was trained on."""


class ProjectedCritic(nn.Module):
    """Four heads of 1 x 1, 3 x 3 and 1 x 1 convolutions with spectral normalisation on a frozen SqueezeNet.

    Args:
        in_channels: 4 (RGB, mask) or 5 (RGB, mask, edge).
        width: features of a head.
        pretrained: load the trunk's ImageNet weights (torchvision's; from its cache, else downloaded). False where a
            checkpoint with the trunk's weights is loaded afterwards.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, in_channels: int = 5, width: int = 64, pretrained: bool = True) -> None:
        super().__init__()
        kind = SqueezeNet1_1_Weights.IMAGENET1K_V1 if pretrained else None
        self.trunk = squeezenet1_1(weights=kind).features[: TAPS[-1][0] + 1].requires_grad_(False)
        self.heads = nn.ModuleList(self._head(channels + in_channels - 3, width) for _, channels in TAPS)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    @staticmethod
    def _head(channels: int, width: int) -> nn.Sequential:
        return nn.Sequential(
            spectral_norm(nn.Conv2d(channels, width, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, width, 3, padding=1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, 1, 1)),
        )

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> list[Tensor]:
        """Score the places of four feature maps.

        Args:
            image: (N, 3, H, W) in [0, 1], the known part pasted; H and W at least 32.
            mask: (N, 1, H, W), 1 = hole.
            sketch: (N, 1, H, W), 1 = edge, zero outside the hole; only with five input channels.

        Returns:
            Four maps of scores, (N, 1, h, w), fine to coarse, high for real.
        """
        conditions = mask if sketch is None else torch.cat((mask, sketch), 1)
        taps = {layer: index for index, (layer, _) in enumerate(TAPS)}
        x = (image - self.mean) / self.std
        scores = []
        for number, layer in enumerate(self.trunk):
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # the features before it may belong to a head
            x = layer(x)
            if number in taps:
                features = x * (x.shape[1] ** 0.5 / (x.norm(dim=1, keepdim=True) + 1e-6))  # (N, C, h, w)
                planes = F.interpolate(conditions, features.shape[-2:], mode="area")
                scores.append(self.heads[taps[number]](torch.cat((features, planes), 1)))
        return scores
