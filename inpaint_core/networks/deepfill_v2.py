"""DeepFill v2: free-form inpainting with gated convolution (Yu et al., ICCV 2019): the generator and SN-PatchGAN.

Departures from the paper: gated convolutions are initialised to keep the scale of the features, and the decoders may
enlarge bilinearly, attention smooth what it pastes, and the second stage see noise (arguments; the paper has none).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from inpaint_core.networks.layers.attention import ATTENTION_MARGIN, ContextualAttention
from inpaint_core.networks.layers.gated import GatedConv2d, GatedUpConv2d, Upsampling, gate_maps
from inpaint_core.networks.layers.hints import mix_colours
from inpaint_core.networks.layers.noise import fixed_noise
from inpaint_core.networks.layers.padding import Conv2dSame, memory_format_of
from inpaint_core.networks.layers.windows import Window, cut, hole_window, paste

REACH = {"nearest": 6, "bilinear": 8}
"""Places at a quarter of the size from which the layers after the attention, the decoder included, reach a pixel."""


def encoder(
    in_channels: int, widths: Sequence[int], last: Callable[[Tensor], Tensor] = F.elu
) -> list[GatedConv2d | Conv2dSame]:
    """Six layers of these widths down to a quarter of the size; `last` is the last one's activation."""
    first, second, third, fourth, fifth, sixth = widths
    return [
        GatedConv2d(in_channels, first, 5),
        GatedConv2d(first, second, stride=2),
        GatedConv2d(second, third),
        GatedConv2d(third, fourth, stride=2),
        GatedConv2d(fourth, fifth),
        GatedConv2d(fifth, sixth, activation=last),
    ]


def dilated(width: int) -> list[GatedConv2d | Conv2dSame]:
    """Four layers with ever wider gaps, which see the whole photo at 256 px."""
    return [GatedConv2d(width, width, dilation=dilation) for dilation in (2, 4, 8, 16)]


def decoder(in_channels: int, width: int, upsampling: Upsampling) -> list[GatedConv2d | Conv2dSame]:
    """From a quarter of the size back to a photo; the last layer is not gated."""
    return [
        GatedConv2d(in_channels, 4 * width),
        GatedConv2d(4 * width, 4 * width),
        GatedUpConv2d(4 * width, 2 * width, upsampling=upsampling),
        GatedConv2d(2 * width, 2 * width),
        GatedUpConv2d(2 * width, width, upsampling=upsampling),
        GatedConv2d(width, width // 2),
        Conv2dSame(width // 2, 3),
    ]


class CoarseNetwork(nn.Module):
    """Stage 1: the rough content of the hole. (N, in_channels, H, W) -> (N, 3, H, W) in [-1, 1]."""

    def __init__(self, in_channels: int, width: int, upsampling: Upsampling) -> None:
        super().__init__()
        w = width
        self.encoder = nn.Sequential(*encoder(in_channels, (w, 2 * w, 2 * w, 4 * w, 4 * w, 4 * w)), *dilated(4 * w))
        self.decoder = nn.Sequential(*decoder(4 * w, w, upsampling))

    def forward(self, x: Tensor, window: Window | None = None) -> Tensor:
        """With a window only that is decoded; the rest of the result is the input's RGB."""
        features = cut(self.encoder(x), window)  # (N, 4 width, H / 4, W / 4)
        return paste(x[:, :3], self.decoder(features).tanh(), window)


class RefinementNetwork(nn.Module):
    """Stage 2: a dilated branch and a branch with contextual attention. (N, 3, H, W) -> (N, 3, H, W) in [-1, 1]."""

    def __init__(self, width: int, attention: ContextualAttention, upsampling: Upsampling, noise: bool) -> None:
        super().__init__()
        w = width
        self.conv_branch = nn.Sequential(*encoder(3, (w, w, 2 * w, 2 * w, 4 * w, 4 * w)), *dilated(4 * w))
        self.attention_encoder = nn.Sequential(*encoder(3, (w, w, 2 * w, 4 * w, 4 * w, 4 * w), last=F.relu))
        self.attention = attention
        self.attention_decoder = nn.Sequential(GatedConv2d(4 * w, 4 * w), GatedConv2d(4 * w, 4 * w))
        self.decoder = nn.Sequential(*decoder(8 * w, w, upsampling))
        self.noise = nn.Conv2d(16, 8 * w, 1, bias=False) if noise else None  # of 4 x 4 pixels at a place
        if self.noise is not None:
            nn.init.zeros_(self.noise.weight)

    def forward(
        self,
        x: Tensor,
        mask: Tensor,
        noise: Tensor | None = None,
        window: Window | None = None,
        return_flow: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The photo and, if asked for, the attention's flow; with a window only that is decoded, the rest is `x`."""
        convolved = self.conv_branch(x)  # (N, 4 width, H / 4, W / 4)
        features = self.attention_encoder(x)  # (N, 4 width, H / 4, W / 4)
        # While training, attention compares in float32: it is cheap there, and bf16 scores blur the choice of patches.
        exact = features.float() if self.training else features
        attended, flow = self.attention(exact, mask=mask, return_flow=return_flow)
        attended = self.attention_decoder(cut(attended.to(features.dtype), window))
        features = torch.cat((cut(convolved, window), attended), 1)  # (N, 8 width, h, w)
        if self.noise is not None:
            assert noise is not None
            features = features + self.noise(cut(F.pixel_unshuffle(noise, 4), window).to(features.dtype))
        return paste(x, self.decoder(features).tanh(), window), flow


class DeepFillV2(nn.Module):
    """The DeepFill v2 generator (section 3.3 and figure 3).

    Args:
        in_channels: 6 with a sketch channel (RGB, edge, ones, mask: section 3.5 of the paper), 5 without (RGB, ones,
            mask), as the released weights.
        width: features of the first layer; the paper's convolutions have twice that many outputs (48 -> width 24).
        fuse: attention propagation, on in the paper.
        upsampling: of the decoders, see `GatedUpConv2d`; "nearest" is the paper's.
        smooth_attention: see `ContextualAttention`; the paper's is not smooth.
        noise: give the second stage's decoder white noise to make texture of, as StyleGAN does (Karras et al., CVPR
            2019, section 3.2). Without it, what is equal around all places of a hole becomes a pattern that repeats.
    """

    multiple_of = 8
    takes_colours = True
    hole_only = False
    """Decode around the hole alone: the same result there, the input elsewhere. See `restrict_to_hole`."""
    first_stage_only = False
    """Return the coarse photo twice: for a training that begins with the first stage."""

    def __init__(
        self,
        in_channels: int = 6,
        width: int = 24,
        fuse: bool = True,
        upsampling: Upsampling = "nearest",
        smooth_attention: bool = False,
        noise: bool = False,
    ) -> None:
        super().__init__()
        if in_channels not in (5, 6):
            raise ValueError(f"DeepFill v2 takes 5 input channels, or 6 with the sketch, not {in_channels}")
        self.in_channels = in_channels
        self.coarse = CoarseNetwork(in_channels, width, upsampling)
        self.refinement = RefinementNetwork(
            width, ContextualAttention(fuse=fuse, smooth=smooth_attention), upsampling, noise
        )
        self.reach = REACH[upsampling]
        self.takes_noise = noise

    @property
    def last_kernel(self) -> Tensor:
        """The kernel that makes the photo: where the gradients of a training's losses are compared."""
        return self.refinement.decoder[-1].get_parameter("weight")

    def restrict_to_hole(self) -> None:
        """For inference, where only the hole's pixels are used: compute nothing that cannot reach them."""
        self.hole_only = True
        self.refinement.attention.margin = ATTENTION_MARGIN + 1  # bilinear and smooth reach one place further

    def forward(
        self,
        image: Tensor,
        mask: Tensor,
        sketch: Tensor | None = None,
        noise: Tensor | None = None,
        colours: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Fill the hole.

        Args:
            image: N x 3 x H x W in [0, 1]; H and W multiples of 8. What it holds inside the hole does not matter.
            mask: N x 1 x H x W, 1 = hole.
            sketch: N x 1 x H x W, 1 = edge; only its part inside the hole is used. None: no edges. Ignored with
                five input channels.
            noise: N x 1 x H x W, standard normal; None: `fixed_noise`. Ignored by a network without noise.
            colours: N x 4 x H x W in [0, 1], RGB wanted in the hole where the last is 1, see `mix_colours`; None: none.

        Returns:
            The coarse and the refined photo, N x 3 x H x W in [0, 1], not pasted into the known part.
        """
        window = hole_window(mask, self.reach) if self.hole_only else None
        return self._stages(image, mask, sketch, noise, colours, window)[0]

    def explain(
        self,
        image: Tensor,
        mask: Tensor,
        sketch: Tensor | None = None,
        noise: Tensor | None = None,
        colours: Tensor | None = None,
    ) -> tuple[tuple[Tensor, Tensor], dict[str, Any]]:
        """`forward`, always of the whole photo, and a dictionary of what it computed on the way.

        Its keys are "gates", a list of every gated layer's gate map (N x C x h x w in [0, 1]) in order of execution,
        and "flow" (see `ContextualAttention`).
        """
        with gate_maps(self) as gates:
            stages, flow = self._stages(image, mask, sketch, noise, colours, return_flow=True)
        return stages, {"gates": gates, "flow": flow}

    def _stages(
        self,
        image: Tensor,
        mask: Tensor,
        sketch: Tensor | None,
        noise: Tensor | None,
        colours: Tensor | None,
        window: Window | None = None,
        return_flow: bool = False,
    ) -> tuple[tuple[Tensor, Tensor], Tensor | None]:
        """Both stages' photos, and the flow if asked for."""
        x = self._first_input(image * 2 - 1, mask, sketch)  # (N, in_channels, H, W)
        coarse = self.coarse(x, window)  # (N, 3, H, W) in [-1, 1]
        if colours is not None:
            coarse = mix_colours(coarse * 0.5 + 0.5, colours, mask) * 2 - 1
        if self.first_stage_only:
            return (coarse * 0.5 + 0.5, coarse * 0.5 + 0.5), None
        pasted = x[:, :3] + coarse * mask  # the incomplete photo is 0 in the hole
        pasted = pasted.contiguous(memory_format=memory_format_of(x))
        if self.takes_noise and noise is None:
            noise = fixed_noise(mask)
        refined, flow = self.refinement(pasted, mask, noise, window, return_flow)
        return (coarse * 0.5 + 0.5, refined * 0.5 + 0.5), flow

    def _first_input(self, image: Tensor, mask: Tensor, sketch: Tensor | None) -> Tensor:
        """N x in_channels x H x W from an image in [-1, 1]: incomplete RGB, (edge,) ones, mask.

        The plane of ones distinguishes the zeros of the padding from the grey of the hole.
        """
        planes = [image * (1 - mask), torch.ones_like(mask), mask]
        if self.in_channels == 6:
            planes.insert(1, torch.zeros_like(mask) if sketch is None else sketch * mask)
        return torch.cat(planes, 1).contiguous(memory_format=memory_format_of(image))


class SNPatchDiscriminator(nn.Module):
    """SN-PatchGAN: six spectrally normalised 5 x 5 convolutions of stride 2 (section 3.2); each output is a score.

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
            convolution = Conv2dSame(before, after, 5, stride=2)
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
        x = torch.cat(planes, 1)  # (N, in_channels, H, W)
        if image.is_contiguous(memory_format=torch.channels_last):
            x = x.contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return x.flatten(1)
