"""Features for the Fréchet distance between photos and samples of a network that draws pictures from nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from inpaint_core import metrics


def features(images: Tensor, batch: int = 64) -> Tensor:
    """AlexNet features of N x 3 x S x S in [0, 1]: N x 256.

    Raises:
        InpaintError: AlexNet's weights are absent.
    """
    with torch.inference_mode():
        return torch.cat([metrics.alexnet_features(some) for some in images.split(batch)])
