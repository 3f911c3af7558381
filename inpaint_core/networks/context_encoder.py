"""Context Encoder: feature learning by inpainting (Pathak et al. 2016): generator and critic.

Departures from the paper: `mask_channel` may show the network where the hole is, which the paper leaves to the constant
colour; the AlexNet-like encoder has batch normalisation in place of local response normalisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.hole import fill_hole

MEAN_COLOUR = (117 / 255, 104 / 255, 123 / 255)
"""RGB in [0, 1]: what the public code fills the hole with."""


class ChannelwiseLinear(nn.Module):
    """One fully connected layer per channel, without weights between channels (section 3.1).

    It carries information from one end of a feature map to the other with `channels * positions^2` weights instead
    of `(channels * positions)^2`; a convolution after it mixes the channels.

    Args:
        channels: number of feature maps.
        height, width: their size, which is fixed by the weights.
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        positions = height * width
        self.size = (height, width)
        self.weight = nn.Parameter(torch.empty(channels, positions, positions))
        self.bias = nn.Parameter(torch.zeros(channels, positions))
        nn.init.normal_(self.weight, std=positions**-0.5)

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C x H x W. Raises ValueError for maps of another size than the weights'."""
        if features.shape[-2:] != self.size:
            raise ValueError(f"feature maps of {tuple(features.shape[-2:])}, where the weights take {self.size}")
        flat = features.flatten(2)  # (N, C, HW)
        mixed = torch.einsum("nci,coi->nco", flat, self.weight) + self.bias
        return mixed.reshape(features.shape)


def _down(inputs: int, outputs: int, norm: bool = True) -> list[nn.Module]:
    """Strided 4 x 4 convolution that halves the size + batch normalisation + LeakyReLU."""
    norms: list[nn.Module] = [nn.BatchNorm2d(outputs)] if norm else []
    return [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), *norms, nn.LeakyReLU(0.2, inplace=True)]


def _up(inputs: int, outputs: int, kernel: int = 4, last: bool = False) -> list[nn.Module]:
    """Transposed convolution that doubles the size, + batch normalisation + ReLU except at the end."""
    conv = nn.ConvTranspose2d(inputs, outputs, kernel, stride=2, padding=kernel // 2 - (kernel % 2 == 0))
    return [conv] if last else [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _strided_encoder(inputs: int, width: int) -> nn.Sequential:
    """The public code's encoder: five halvings, 128 px -> 4 x 4 x 8 width."""
    return nn.Sequential(
        *_down(inputs, width, norm=False),
        *_down(width, width),
        *_down(width, 2 * width),
        *_down(2 * width, 4 * width),
        *_down(4 * width, 8 * width),
    )


def _alexnet_encoder(inputs: int, width: int) -> nn.Sequential:
    """AlexNet's convolutions and poolings from scratch: 227 px -> 6 x 6; widths 96, 256, 384, 384, 256 at 64."""

    def conv(before: int, after: int, kernel: int, stride: int = 1, padding: int = 0) -> list[nn.Module]:
        return [nn.Conv2d(before, after, kernel, stride, padding), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]

    first, wide, widest = width * 3 // 2, 4 * width, 6 * width
    return nn.Sequential(
        *conv(inputs, first, 11, stride=4),
        nn.MaxPool2d(3, stride=2),
        *conv(first, wide, 5, padding=2),
        nn.MaxPool2d(3, stride=2),
        *conv(wide, widest, 3, padding=1),
        *conv(widest, widest, 3, padding=1),
        *conv(widest, wide, 3, padding=1),
        nn.MaxPool2d(3, stride=2),
    )


class ContextEncoder(nn.Module):
    """Predicts the centre of an image, or the whole of it around a hole anywhere, from a small bottleneck.

    Args:
        width: channels of the first layer, 64 in the paper.
        region: "centre": the network predicts the central square of half the side; "image": all of it (the paper's
            random regions).
        bottleneck: "channelwise": the paper's channel-wise fully connected layer; "none": the same network without it;
            "full": the public code's fully connected one of `latent` units.
        latent: units of the "full" bottleneck (4000 in the paper, 100 by default in the public code).
        encoder: "strided", or "alexnet": AlexNet's convolutions, whose 5 up-convolutions end at 161 px at 227 and are
            resized, as in the paper's figure 9.
        image_size: side of the square it takes; the bottlenecks except "none" fix it.
        mask_channel: show the mask to the network as a fourth channel (ours).
        mean_colour: what the hole is filled with, RGB in [0, 1].
    """

    def __init__(
        self,
        width: int = 64,
        region: str = "image",
        bottleneck: str = "channelwise",
        latent: int = 4000,
        encoder: str = "strided",
        image_size: int = 128,
        mask_channel: bool = False,
        mean_colour: Sequence[float] = MEAN_COLOUR,
    ) -> None:
        super().__init__()
        for value, known in (
            (region, ("centre", "image")),
            (bottleneck, ("channelwise", "full", "none")),
            (encoder, ("strided", "alexnet")),
        ):
            if value not in known:
                raise ValueError(f"{value!r} is none of {', '.join(known)}")
        self.region = region
        self.image_size = image_size if bottleneck != "none" else None
        self.mask_channel = mask_channel
        self.mean_colour = tuple(mean_colour)
        inputs = 4 if mask_channel else 3
        build = _strided_encoder if encoder == "strided" else _alexnet_encoder
        self.encoder = build(inputs, width)
        channels = (8 if encoder == "strided" else 4) * width
        self.bottleneck = nn.Sequential(*self._bottleneck(bottleneck, inputs, channels, latent, image_size))
        if encoder == "alexnet":
            widths = [channels, 2 * width, width, width, width // 2]
        elif region == "centre":
            widths = [channels, 4 * width, 2 * width, width]
        else:
            widths = [channels, 4 * width, 2 * width, width, width]
        kernel = 5 if encoder == "alexnet" else 4
        layers = [layer for pair in pairwise(widths) for layer in _up(*pair, kernel=kernel)]
        self.decoder = nn.Sequential(*layers, *_up(widths[-1], 3, kernel=kernel, last=True))
        self._initialise()

    def _bottleneck(self, kind: str, inputs: int, channels: int, latent: int, image_size: int) -> list[nn.Module]:
        with torch.no_grad():
            side = self.encoder.eval()(torch.zeros(1, inputs, image_size, image_size)).shape[-1]
        self.encoder.train()
        if kind == "full":
            return [
                nn.Conv2d(channels, latent, side),
                nn.BatchNorm2d(latent),
                nn.LeakyReLU(0.2, inplace=True),
                nn.ConvTranspose2d(latent, channels, side),
                nn.BatchNorm2d(channels),
                nn.ReLU(inplace=True),
            ]
        # The stride-1 convolution that carries information across channels stays when the layer is left out.
        mixing = [nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
        return [ChannelwiseLinear(channels, side, side), *mixing] if kind == "channelwise" else mixing

    def _initialise(self) -> None:
        """N(0, 0.02) weights as in the public code."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, mean=1.0, std=0.02)

    @property
    def multiple_of(self) -> int:
        """Height and width must be multiples of this (of all of `image_size` where the bottleneck fixes it)."""
        return self.image_size or 32

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> Tensor:
        """Predict the region.

        Args:
            image: N x 3 x H x W in [0, 1], H = W = `image_size`; multiples of 32 with bottleneck "none".
            mask: N x 1 x H x W, 1 = hole. For region "centre" it lies in the central square; the recipe's 4 px of
                overlap are known pixels inside that square.
            sketch: not used; the Context Encoder has no sketch channel.

        Returns:
            N x 3 x H x W in [0, 1], not pasted. For region "centre" everything outside the central square is the input.
        """
        if self.image_size is not None and image.shape[-2:] != (self.image_size, self.image_size):
            raise ValueError(f"this Context Encoder takes {self.image_size} x {self.image_size} pixels")
        height, width = image.shape[-2:]
        inputs = fill_hole(image, mask, self.mean_colour) * 2 - 1
        if self.mask_channel:
            inputs = torch.cat((inputs, mask), dim=1)
        features = self.bottleneck(self.encoder(inputs.to(next(self.parameters()).dtype)))
        prediction = torch.tanh(self.decoder(features).float()) / 2 + 0.5
        target = (height, width) if self.region == "image" else (height // 2, width // 2)
        if prediction.shape[-2:] != target:  # the AlexNet variant only
            prediction = F.interpolate(prediction, target, mode="bilinear", align_corners=False)
        if self.region == "image":
            return prediction
        left, top = (width - target[1]) // 2, (height - target[0]) // 2
        output = image.float().clone()
        output[:, :, top : top + target[0], left : left + target[1]] = prediction
        return output


class ContextPatchCritic(nn.Module):
    """Scores the predicted patch alone, without its surroundings (section 3.2).

    Args:
        size: side of the patch, 64 for the centre of 128 px, 128 for whole images; 16 or more times a power of two.
        width: channels of the first layer, 64 in the public code.
    """

    def __init__(self, size: int = 64, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        channels, side = width, size // 2
        while side > 4:
            wider = min(2 * channels, 8 * width)
            layers += [nn.Conv2d(channels, wider, 4, 2, 1), nn.BatchNorm2d(wider), nn.LeakyReLU(0.2, inplace=True)]
            channels, side = wider, side // 2
        if side * (size // side) != size or side != 4:
            raise ValueError(f"a patch critic takes 16, 32, 64, 128, ... pixels, not {size}")
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 4))

    def forward(self, patch: Tensor) -> Tensor:
        """N x 3 x size x size in [0, 1] -> N logits."""
        return self.layers(patch * 2 - 1).flatten()
