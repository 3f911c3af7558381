"""GLCIC: globally and locally consistent image completion (Iizuka et al. 2017): completion network and discriminator.

Departures from the paper: none known. Batch normalisation stands between convolution and ReLU; the hole is filled with
the mean colour of the training set, an argument.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from inpaint_core.networks.layers.hole import fill_hole


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Convolution that keeps (or halves) the size + batch normalisation + ReLU."""
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def _deconv(inputs: int, outputs: int) -> nn.Sequential:
    """Transposed 4 x 4 convolution that doubles the size + batch normalisation + ReLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class CompletionNetwork(nn.Module):
    """Fully convolutional encoder, four dilated convolutions at a quarter of the size, decoder (section 3.2, table 1).

    Args:
        width: channels of the first layer (64 in the paper; the middle has 4 times as many).
        mean_colour: what the hole is filled with, RGB in [0, 1]: the mean colour of the training photos.
        ends: how colours go in and come out. "unit": in [0, 1] with the mean colour in the hole, out by a sigmoid.
            "centred", as the authors' published weights: less the mean colour, so that the hole is 0, out by a
            sigmoid. "symmetric", as mmagic's: in [-1, 1] with 0 in the hole, out as they are, clipped to [-1, 1].
    """

    multiple_of = 4

    def __init__(
        self, width: int = 64, mean_colour: Sequence[float] = (0.485, 0.456, 0.406), ends: str = "unit"
    ) -> None:
        super().__init__()
        if ends not in ("unit", "centred", "symmetric"):
            raise ValueError(f"the ends of GLCIC are unit, centred or symmetric, not {ends!r}")
        self.mean_colour = tuple(mean_colour)
        self.ends = ends
        self.layers = nn.Sequential(
            _conv(4, width, 5),
            _conv(width, 2 * width, stride=2),
            _conv(2 * width, 2 * width),
            _conv(2 * width, 4 * width, stride=2),
            _conv(4 * width, 4 * width),
            _conv(4 * width, 4 * width),
            *(_conv(4 * width, 4 * width, dilation=dilation) for dilation in (2, 4, 8, 16)),
            _conv(4 * width, 4 * width),
            _conv(4 * width, 4 * width),
            _deconv(4 * width, 2 * width),
            _conv(2 * width, 2 * width),
            _deconv(2 * width, width),
            _conv(width, width // 2),
            nn.Conv2d(width // 2, 3, 3, padding=1),
        )

    @property
    def last_kernel(self) -> Tensor:
        """The kernel that makes the photo: where the gradients of a training's losses are compared."""
        return self.layers[-1].get_parameter("weight")

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> Tensor:
        """Predict the whole image.

        Args:
            image: N x 3 x H x W in [0, 1], H and W multiples of 4.
            mask: N x 1 x H x W, 1 = hole.
            sketch: not used; GLCIC has no sketch channel.

        Returns:
            N x 3 x H x W in [0, 1], the raw prediction, not pasted.
        """
        if self.ends == "symmetric":
            known = fill_hole(image * 2 - 1, mask)  # (N, 3, H, W)
        elif self.ends == "centred":
            known = fill_hole(image - image.new_tensor(self.mean_colour).view(1, 3, 1, 1), mask)
        else:
            known = fill_hole(image, mask, self.mean_colour)
        output = self.layers(torch.cat((known, mask), dim=1).to(next(self.parameters()).dtype)).float()
        return output.clamp(-1, 1) / 2 + 0.5 if self.ends == "symmetric" else torch.sigmoid(output)


class _StridedEncoder(nn.Sequential):
    """5 x 5 convolutions of stride 2 + batch normalisation + ReLU, then a fully connected layer of 16 width units."""

    def __init__(self, size: int, convolutions: int, width: int) -> None:
        if size % 2**convolutions:
            raise ValueError(f"{size} pixels cannot be halved {convolutions} times")
        layers: list[nn.Module] = []
        channels, side = 3, size // 2**convolutions
        for level in range(convolutions):
            wider = width * min(2**level, 8)
            layers += [nn.Conv2d(channels, wider, 5, 2, 2), nn.BatchNorm2d(wider), nn.ReLU(inplace=True)]
            channels = wider
        super().__init__(*layers, nn.Flatten(), nn.Linear(channels * side * side, 16 * width), nn.ReLU(inplace=True))


class GlobalLocalCritic(nn.Module):
    """GLCIC's context discriminator: the whole image and a crop around the hole, scored together (section 3.3).

    Args:
        size: side of the whole image (256 for Places2, 160 for CelebA); six halvings from 256 on, five below.
        local_size: side of the crop (128, 96).
        width: channels of the first layer, 64 in the paper.
    """

    def __init__(self, size: int = 256, local_size: int = 128, width: int = 64) -> None:
        super().__init__()
        self.local_size = local_size
        self.whole = _StridedEncoder(size, 6 if size >= 256 else 5, width)
        self.local = _StridedEncoder(local_size, 5, width)
        self.score = nn.Linear(32 * width, 1)

    def forward(self, image: Tensor, crop: Tensor) -> Tensor:
        """N x 3 x size x size and N x 3 x local_size x local_size in [0, 1] -> N logits."""
        return self.score(torch.cat((self.whole(image), self.local(crop)), dim=1)).flatten()
