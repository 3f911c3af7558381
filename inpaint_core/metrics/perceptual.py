"""LPIPS: learned perceptual distance, its maps tile by tile, and the features of its trunk.

Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (CVPR 2018), section 3,
version 0.1 of the authors' `lpips` package: the package gives the architecture and its learned layer weights, the
trunk's ImageNet weights are torchvision's.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from inpaint_core.metrics.arguments import checked, mean
from inpaint_core.metrics.lpips_network import network

# Pixels between two neighbours of each layer's map; the authors' order of layers.
STRIDES = {"alex": (4, 8, 16, 16, 16), "squeeze": (2, 4, 8, 16, 16, 16, 16)}
SMALLEST_SIDE = 32  # AlexNet's poolings leave nothing of a side below 31
TILE = 768  # a multiple of every stride, so tiles and the whole photo share one feature grid
MARGIN = 128  # the deepest feature sees 66 pixels before and 96 after itself (alex), 88 and 118 (squeeze)


def lpips(image: Tensor, reference: Tensor, mask: Tensor | None = None, *, net: str = "alex") -> Tensor:
    """Learned perceptual distance, (N,), 0 = equal; `net` is "alex" or "squeeze" (Zhang et al. 2018, version 0.1).

    Without a mask the published value. With one, the mean over the hole of the spatial map (each layer's distances
    brought to the photo's size), so what the hole does to features of pixels beside it does not count. A side below
    32 pixels is padded to 32 by repeating the border; a large photo is measured in tiles with the same result.
    Raises InpaintError where package or weights are absent and cannot be downloaded.
    """
    image, reference, mask = checked(image, reference, mask)
    return lpips_of(distance_maps(image, reference, net), mask, image.shape[2:])


def lpips_of(maps: list[Tensor], mask: Tensor | None, size: tuple[int, ...]) -> Tensor:
    """LPIPS (N,) of `distance_maps`, over the hole where there is a mask."""
    return whole(maps) if mask is None else mean(spatial(maps, *size), mask)


def distance_maps(image: Tensor, reference: Tensor, net: str = "alex") -> list[Tensor]:
    """LPIPS distance of two images at every place of every layer, before any averaging.

    `image` and `reference` are float N x 3 x H x W in [0, 1]; a side below 32 pixels is first padded to 32 on both by
    repeating the border. Returns one N x 1 x h x w tensor a layer.

    A photo larger than 768 x 768 is measured in tiles of that size which overlap by what a feature can see, on the
    photo's own feature grid, and a tile where both images are equal costs nothing: the maps are those of the whole
    photo, without the gigabytes that 12 megapixels take at once.
    """
    model = network(net, image.device)
    image, reference = pad_to_smallest(image), pad_to_smallest(reference)
    height, width = image.shape[2:]
    rows = []
    for top in range(0, height, TILE):
        row = []
        for left in range(0, width, TILE):
            y, x = max(top - MARGIN, 0), max(left - MARGIN, 0)
            window = (..., slice(y, top + TILE + MARGIN), slice(x, left + TILE + MARGIN))
            maps = _maps_of_tile(model, image[window], reference[window])
            row.append(
                [
                    m[:, :, (top - y) // s : (top - y + TILE) // s, (left - x) // s : (left - x + TILE) // s]
                    for m, s in zip(maps, STRIDES[net], strict=True)
                ]
            )
        rows.append([torch.cat(layer, dim=3) for layer in zip(*row, strict=True)])
    return [torch.cat(layer, dim=2) for layer in zip(*rows, strict=True)]


def _maps_of_tile(model: Any, image: Tensor, reference: Tensor) -> list[Tensor]:
    if torch.equal(image, reference):
        sizes = copy.deepcopy(model.net).to("meta")(image.to("meta"))
        return [image.new_zeros(len(image), 1, *features.shape[2:]) for features in sizes]
    with torch.autocast(image.device.type, enabled=False):  # a metric keeps float32 inside a bfloat16 training step
        ours, theirs = (model.net(model.scaling_layer(2 * each - 1)) for each in (image, reference))
        return [
            layer((_unit(a) - _unit(b)) ** 2)  # (N, 1, h, w)
            for layer, a, b in zip(model.lins, ours, theirs, strict=True)
        ]


def _unit(features: Tensor) -> Tensor:
    """Channels scaled to length 1; vector_norm has a finite gradient at 0, which the package's sqrt has not."""
    return features / (torch.linalg.vector_norm(features, dim=1, keepdim=True) + 1e-10)


def whole(maps: list[Tensor]) -> Tensor:
    """The published LPIPS (N,): the mean of each layer's map, summed over the layers (the paper's equation 1)."""
    return torch.stack([m.mean(dim=(1, 2, 3)) for m in maps]).sum(dim=0)


def spatial(maps: list[Tensor], height: int, width: int) -> Tensor:
    """The layers' maps brought to the photo's size (bilinear) and summed: N x 1 x height x width."""
    padded = (max(height, SMALLEST_SIDE), max(width, SMALLEST_SIDE))
    total = maps[0].new_zeros(len(maps[0]), 1, *padded)
    for m in maps:
        total = total + F.interpolate(m, size=padded, mode="bilinear", align_corners=False)
    top, left = (padded[0] - height) // 2, (padded[1] - width) // 2
    return total[:, :, top : top + height, left : left + width]


def trunk_features(image: Tensor) -> Tensor:
    """AlexNet's last convolution (after its ReLU), averaged over the image: N x 256, of N x 3 x H x W in [0, 1]."""
    model: Any = network("alex", image.device)
    with torch.autocast(image.device.type, enabled=False):
        return model.net(model.scaling_layer(2 * pad_to_smallest(image) - 1))[-1].mean(dim=(2, 3))


def pad_to_smallest(image: Tensor) -> Tensor:
    """The image in the middle of at least 32 x 32 pixels, its border repeated outwards."""
    rows, columns = (max(SMALLEST_SIDE - side, 0) for side in image.shape[2:])
    if not rows and not columns:
        return image
    return F.pad(image, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2), mode="replicate")


def alexnet_features(image: Tensor) -> Tensor:
    """Features for `frechet_distance`: N x 256, AlexNet's last convolution in LPIPS's trunk, averaged over the image.

    Raises InpaintError where LPIPS's package or weights are absent.
    """
    image, _, _ = checked(image, None, None)
    return trunk_features(image)
