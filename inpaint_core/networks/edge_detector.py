"""Holistically-nested edge detection (Xie and Tu, 2015) on a small pretrained trunk: all stages predict, and are fused.

What is the paper's: a trunk that has learned to classify photos and is tuned to edges; stages, each half as fine as the
one before, a 1 x 1 side output on each, every side output supervised by itself, and a learned 1 x 1 fusion of them that
starts as their mean.

Where it departs: the paper's trunk is VGG-16 (14.7 million parameters). This one is SqueezeNet 1.1 (0.72 million,
torchvision's) at 1/2, 1/4, 1/8 and 1/16 of the photo's resolution, so there are four stages instead of five. Its first
layer alone would not say where exactly an edge runs: a few convolutions of our own stand beside it. A stage shows all
of its layers to its side output, not the last one alone. And what the coarse stages saw is handed down to the finer
ones before the side outputs are taken: the fine stages alone cannot tell a contour from texture. A trained detector
may look at a photo in several sizes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import squeezenet1_1

# of ImageNet's colours, as the trunk was trained on them
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MOST_PIXELS = 1280 * 1280  # of a photo that is enlarged: what is large already would gain little and cost half a second
FIRES = ((3, 4), (6, 7), (9, 10, 11, 12))  # the trunk's modules after each of its poolings
FEATURES = (64, 2 * 128, 2 * 256, 2 * 384 + 2 * 512)  # of all layers of a stage: the first convolution, then the fires


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
        stem: features of our own convolutions at a half of the photo's resolution.
        shared: features in which the stages hand their findings down.
        scales: sizes of the photo that are looked at, as shares of its own. With several, the probabilities are
            averaged, except in training: a contour shows at all sizes, texture at few. A photo is enlarged to at most
            `MOST_PIXELS`.
    """

    def __init__(self, stem: int = 32, shared: int = 32, scales: Sequence[float] = (1.0,)) -> None:
        super().__init__()
        self.scales = tuple(scales)
        self.trunk = squeezenet1_1(weights=None).features
        self.stem = nn.Sequential(conv(3, stem, 5, 2), nn.ReLU(), Residual(stem))
        widths = (stem + FEATURES[0], *FEATURES[1:])
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
            The fusion, N x 1 x H x W float32, and the four side outputs of the photo in its own size, finest first,
            each at its stage's own resolution: a half of the photo's, a quarter, ... (`enlarged` by 2, 4, ... brings
            them to the photo's).
        """
        fused, sides = self.seen_once(image)
        if self.training or self.scales == (1.0,):
            return fused, sides
        size = image.shape[-2:]
        most = max(1.0, math.sqrt(MOST_PIXELS / (size[0] * size[1])))
        scales = {min(scale, most) for scale in self.scales}
        total = torch.zeros_like(fused)
        for scale in sorted(scales):
            logits = fused if scale == 1 else resized(self.seen_once(scaled(image, scale))[0], size)
            total += logits.sigmoid()
        return (total / len(scales)).logit(eps=1e-6), sides

    def seen_once(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """`forward` of the photo in one size."""
        height, width = image.shape[-2:]
        found = self.stages(image)
        sides: list[Tensor] = []
        above: Tensor | None = None
        for number in reversed(range(len(found))):
            x = self.lateral[number](found[number])
            if above is not None:
                x = x + enlarged(above, 2, *x.shape[-2:])
            above = F.relu(self.mixed[number](F.relu(x)))
            sides.insert(0, self.side[number](above))
        finest = sides[0].shape[-2:]
        # fused before they are enlarged: both are linear, and this way only one map is enlarged to the photo's size
        together = torch.cat([enlarged(side.float(), 2**level, *finest) for level, side in enumerate(sides)], 1)
        # not as a convolution, which bfloat16 would round to plateaus without a crest
        weight, bias = (each.float().view(1, -1, 1, 1) for each in self.fuse.parameters())
        mean = (together * weight).sum(1, keepdim=True) + bias
        return enlarged(mean, 2, height, width), sides

    def stages(self, image: Tensor) -> list[Tensor]:
        """What each stage sees in a photo, finest first: (N, features, H / 2, W / 2), (N, features, H / 4, W / 4) ...

        A side that cannot be halved is rounded up. Every kernel is centred on the first of the two pixels it makes one
        of, so (i, j) of a stage is about the pixel (i, j) times its stride.
        """
        x = (image - image.new_tensor(MEAN).view(3, 1, 1)) / image.new_tensor(DEVIATION).view(3, 1, 1)
        own = self.stem(x)
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")  # zeros would be an edge all around the photo
        x = self.trunk[:2](x)
        found = [torch.cat([own, x], 1)]
        for modules in FIRES:
            x = F.max_pool2d(x, 3, 2, 1)
            layers = []
            for module in modules:
                x = self.trunk[module](x)
                layers.append(x)
            found.append(torch.cat(layers, 1))
        return found


def scaled(image: Tensor, scale: float) -> Tensor:
    """A photo in another size: averaged where it gets smaller, of at least one pixel."""
    height, width = (max(1, round(side * scale)) for side in image.shape[-2:])
    return resized(image, (height, width)).to(image.dtype).contiguous(memory_format=torch.channels_last)


def resized(plane: Tensor, size: Sequence[int]) -> Tensor:
    """In float32, for bfloat16 would round weights of pixels, and logits to plateaus."""
    return F.interpolate(plane.float(), tuple(size), mode="bilinear", align_corners=False, antialias=True)


def enlarged(features: Tensor, times: int, height: int, width: int) -> Tensor:
    """A map enlarged so many times, bilinear, as the paper's fixed deconvolutions do, and cut to height x width.

    (i, j) of the map stays where it is, at (i, j) times `times` of the result.
    """
    if times == 1:
        return features[..., :height, :width]
    rows, columns = features.shape[-2:]
    larger = F.interpolate(
        F.pad(features, (0, 1, 0, 1), mode="replicate"),
        (times * rows + 1, times * columns + 1),
        mode="bilinear",
        align_corners=True,
    )
    return larger[..., :height, :width]
