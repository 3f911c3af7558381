"""SN-PatchGAN: a critic that judges every patch of a photo, knowing hole and sketch (DeepFill v2, section 3.3)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from .layers.padding import same_padding


class SNPatchDiscriminator(nn.Module):
    """Six spectrally normalised 5 x 5 convolutions of stride 2; all outputs of the last are scores.

    Args:
        in_channels: 4 (RGB, mask) or 5 (RGB, mask, edge).
        width: features of the first layer; 2 and 4 times that in the second and later ones.
        spectral: normalise the weights by their largest singular value (off only to count parameters or to export).
    """

    def __init__(self, in_channels: int = 5, width: int = 64, spectral: bool = True) -> None:
        super().__init__()
        widths = [in_channels, width, 2 * width, 4 * width, 4 * width, 4 * width, 4 * width]
        layers = []
        for before, after in pairwise(widths):
            convolution = nn.Conv2d(before, after, 5, stride=2)
            nn.init.kaiming_normal_(convolution.weight, 0.2)
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
            layers.append(spectral_norm(convolution) if spectral else convolution)
        self.layers = nn.ModuleList(layers)

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> Tensor:
        """Score the patches.

        Args:
            image: N x 3 x H x W in [0, 1], the known part pasted.
            mask: N x 1 x H x W, 1 = hole.
            sketch: N x 1 x H x W, 1 = edge, zero outside the hole; only with five input channels.

        Returns:
            N x S scores, high for real: S = (H / 64) * (W / 64) * 4 * width.
        """
        planes = [image * 2 - 1, mask] if sketch is None else [image * 2 - 1, mask, sketch]
        x = torch.cat(planes, 1)
        if image.is_contiguous(memory_format=torch.channels_last):
            x = x.contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            top, bottom = same_padding(x.shape[-2], 5, 2)
            left, right = same_padding(x.shape[-1], 5, 2)
            x = F.leaky_relu(layer(F.pad(x, (left, right, top, bottom))), 0.2)
        return x.flatten(1)
