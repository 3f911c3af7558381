"""Holistically-nested edge detection (Xie and Tu, 2015), compact: every stage predicts edges, all are fused.

What is the paper's: five stages, each half as fine as the one before, a 1 x 1 side output on each, every side output
supervised by itself, and a learned 1 x 1 fusion of the five that starts as their mean.

Where it departs: the paper's trunk is VGG-16 (14.7 million parameters, pretrained on ImageNet). This one has under 1.3
million and starts from nothing, so it has batch normalisation and residual blocks, works from half of the photo's
resolution on (2 x 2 pixels are folded into channels), and hands what the coarse stages saw down to the finer ones
before the side outputs are taken: without a pretrained trunk, the fine stages alone cannot tell a contour from texture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv(features: int, to: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution and batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(features, to, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(to),
    )


class Residual(nn.Module):
    """Two 3 x 3 convolutions whose result is added to what came in."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = conv(features, features)
        self.second = conv(features, features)

    def forward(self, x: Tensor) -> Tensor:
        """(N, features, H, W) -> the same shape."""
        return F.relu(x + self.second(F.relu(self.first(x))))


class HED(nn.Module):
    """Edge detector.

    Args:
        widths: features of the five stages, at 1/2, 1/4, 1/8, 1/16 and 1/32 of the photo's resolution.
        blocks: residual blocks in each stage.
        shared: features in which the stages hand their findings down.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (32, 64, 96, 128, 128),
        blocks: tuple[int, ...] = (1, 1, 1, 1, 1),
        shared: int = 32,
    ) -> None:
        super().__init__()
        if len(widths) != 5 or len(blocks) != 5:
            raise ValueError(f"the five stages need five widths and numbers of blocks, not {widths} and {blocks}")
        before = (12, *widths[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(
                conv(features, width, stride=1 if number == 0 else 2),
                nn.ReLU(),
                *(Residual(width) for _ in range(blocks[number])),
            )
            for number, (features, width) in enumerate(zip(before, widths, strict=True))
        )
        self.lateral = nn.ModuleList(conv(width, shared, 1) for width in widths)
        self.mixed = nn.ModuleList(conv(shared, shared) for _ in widths)
        self.side = nn.ModuleList(nn.Conv2d(shared, 1, 1) for _ in widths)
        self.fuse = nn.Conv2d(len(widths), 1, 1)
        nn.init.constant_(self.fuse.weight, 1 / len(widths))
        nn.init.zeros_(self.fuse.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits of the probability that a pixel is on an edge.

        Args:
            image: N x 3 x H x W in [0, 1], any size.

        Returns:
            The fusion, N x 1 x H x W, and the five side outputs, finest first, each at its stage's own resolution: a
            half of the photo's, a quarter, ... (`enlarged` by 2, 4, ... brings them to the photo's).
        """
        height, width = image.shape[-2:]
        # only to even sides: with more, the network would see an edge where the photo ends and the padding begins
        x = F.pad(image * 4 - 2, (0, width % 2, 0, height % 2), mode="replicate")
        x = F.pixel_unshuffle(x, 2)  # (N, 12, H/2, W/2)
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        sides: list[Tensor] = []
        above: Tensor | None = None
        for stage_number in reversed(range(len(found))):
            x = self.lateral[stage_number](found[stage_number])
            if above is not None:
                x = x + enlarged(above, 2, *x.shape[-2:])
            above = F.relu(self.mixed[stage_number](F.relu(x)))
            sides.insert(0, self.side[stage_number](above))
        finest = sides[0].shape[-2:]
        # fused before they are enlarged: both are linear, and this way only one map is enlarged to the photo's size
        together = torch.cat([enlarged(side.float(), 2**level, *finest) for level, side in enumerate(sides)], 1)
        # not as a convolution, which bfloat16 would round to plateaus without a crest
        weight, bias = (each.float().view(1, -1, 1, 1) for each in self.fuse.parameters())
        mean = (together * weight).sum(1, keepdim=True) + bias
        return enlarged(mean, 2, height, width), sides


def enlarged(logits: Tensor, times: int, height: int, width: int) -> Tensor:
    """A map enlarged so many times, bilinear, as the paper's fixed deconvolutions do, and cut to height x width."""
    if times == 1:
        return logits[..., :height, :width]
    larger = F.interpolate(logits, scale_factor=float(times), mode="bilinear", align_corners=False)
    return larger[..., :height, :width]
