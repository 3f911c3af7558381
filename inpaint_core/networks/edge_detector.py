"""The edge detector of sketches: holistically-nested edge detection (HED, Xie and Tu 2015) on a SqueezeNet pyramid.

What is the paper's: a trunk that has learned to classify photos and is tuned to edges; stages, each half as fine as the
one before, a 1 x 1 side output on each, every side output supervised by itself, and a learned 1 x 1 fusion of them that
starts as their mean.

Where it departs: the paper's trunk is VGG-16 (14.7 million parameters). This one is SqueezeNet 1.1 (0.72 million,
torchvision's) at 1/2, 1/4, 1/8 and 1/16 of the photo's resolution, so there are four stages instead of five. Its first
layer alone does not localise an edge exactly: a few convolutions of our own stand beside it. A stage's side output
takes all of its layers, not the last one alone. And features of the coarse stages are added to the finer ones, as in a
feature pyramid network, before the side outputs are taken: the fine stages alone cannot distinguish a contour from
texture. A trained detector may average over several sizes of a photo.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import squeezenet1_1

# of ImageNet's colours, as the trunk was trained on them
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MAX_PIXELS = 1280 * 1280  # of a photo that is enlarged: what is large already would gain little and cost half a second
FIRES = ((3, 4), (6, 7), (9, 10, 11, 12))  # the trunk's modules after each of its poolings
FEATURES = (64, 2 * 128, 2 * 256, 2 * 384 + 2 * 512)  # of all layers of a stage: the first convolution, then the fires


def conv_bn(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution and batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
    )


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions whose result is added to what came in."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = conv_bn(features, features)
        self.second = conv_bn(features, features)

    def forward(self, x: Tensor) -> Tensor:
        """(N, features, H, W) -> the same shape."""
        return F.relu(x + self.second(F.relu(self.first(x))))


class EdgeDetector(nn.Module):
    """A SqueezeNet feature pyramid trained as HED: each stage predicts edges, and the predictions are fused.

    Args:
        stem: features of our own convolutions at a half of the photo's resolution.
        shared: features of the pyramid, in all stages alike.
        scales: sizes in which the photo is evaluated, as shares of its own. With several, the probabilities are
            averaged, except in training: a contour shows at all sizes, texture at few. A photo is enlarged to at most
            `MAX_PIXELS`.
    """

    def __init__(self, stem: int = 32, shared: int = 32, scales: Sequence[float] = (1.0,)) -> None:
        super().__init__()
        self.scales = tuple(scales)
        self.trunk = squeezenet1_1(weights=None).features
        self.stem = nn.Sequential(conv_bn(3, stem, 5, 2), nn.ReLU(), ResidualBlock(stem))
        widths = (stem + FEATURES[0], *FEATURES[1:])
        self.lateral = nn.ModuleList(conv_bn(width, shared, 1) for width in widths)
        self.mixed = nn.ModuleList(conv_bn(shared, shared) for _ in widths)
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
            each at its stage's own resolution: a half of the photo's, a quarter, ... (`upsample` by 2, 4, ... brings
            them to the photo's).
        """
        fused, sides = self.single_scale(image)
        if self.training or self.scales == (1.0,):
            return fused, sides
        size = image.shape[-2:]
        largest = max(1.0, math.sqrt(MAX_PIXELS / (size[0] * size[1])))
        scales = {min(scale, largest) for scale in self.scales}
        total = torch.zeros_like(fused)
        for scale in sorted(scales):
            logits = fused if scale == 1 else resize(self.single_scale(rescale(image, scale))[0], size)
            total += logits.sigmoid()
        return (total / len(scales)).logit(eps=1e-6), sides

    def single_scale(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """`forward` in the photo's own size alone."""
        height, width = image.shape[-2:]
        stages = self.stages(image)
        sides: list[Tensor] = []
        above: Tensor | None = None
        for number in reversed(range(len(stages))):
            x = self.lateral[number](stages[number])
            if above is not None:
                x = x + upsample(above, 2, *x.shape[-2:])
            above = F.relu(self.mixed[number](F.relu(x)))
            sides.insert(0, self.side[number](above))
        finest = sides[0].shape[-2:]
        # fused before they are enlarged: both are linear, and this way only one map is enlarged to the photo's size
        together = torch.cat([upsample(side.float(), 2**level, *finest) for level, side in enumerate(sides)], 1)
        # not as a convolution, which bfloat16 would round to plateaus without a crest
        weight, bias = (each.float().view(1, -1, 1, 1) for each in self.fuse.parameters())
        mean = (together * weight).sum(1, keepdim=True) + bias
        return upsample(mean, 2, height, width), sides

    def stages(self, image: Tensor) -> list[Tensor]:
        """Features of each stage, finest first: (N, features, H / 2, W / 2), (N, features, H / 4, W / 4) ...

        A side that cannot be halved is rounded up. Every kernel is centred on the first of the two pixels it makes one
        of, so (i, j) of a stage stands for the pixel (i, j) times its stride.
        """
        x = (image - image.new_tensor(MEAN).view(3, 1, 1)) / image.new_tensor(STD).view(3, 1, 1)
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


def rescale(image: Tensor, scale: float) -> Tensor:
    """A photo in another size: averaged where it gets smaller, of at least one pixel."""
    height, width = (max(1, round(side * scale)) for side in image.shape[-2:])
    return resize(image, (height, width)).to(image.dtype).contiguous(memory_format=torch.channels_last)


def resize(plane: Tensor, size: Sequence[int]) -> Tensor:
    """In float32, for bfloat16 would round weights of pixels, and logits to plateaus."""
    return F.interpolate(plane.float(), tuple(size), mode="bilinear", align_corners=False, antialias=True)


def upsample(features: Tensor, factor: int, height: int, width: int) -> Tensor:
    """Enlarge a map bilinearly, as the paper's fixed deconvolutions do, and crop it to height x width.

    (i, j) of N x C x h x w becomes (i, j) times `factor` of N x C x height x width.
    """
    if factor == 1:
        return features[..., :height, :width]
    rows, columns = features.shape[-2:]
    larger = F.interpolate(
        F.pad(features, (0, 1, 0, 1), mode="replicate"),
        (factor * rows + 1, factor * columns + 1),
        mode="bilinear",
        align_corners=True,
    )
    return larger[..., :height, :width]
