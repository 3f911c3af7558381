"""The sketch channel of a training batch: edges of the full photo, as a user would draw some of them."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

TEACHER_THRESHOLD = 0.65  # of the stored edge maps; the same density as the paper's HED above 0.6


def thin_edges(image: Tensor, low: float = 0.06, sigma: float = 1.5) -> Tensor:
    """Thin edges of a batch: Gaussian gradient, non-maximum suppression, threshold relative to the photo's contrast.

    Args:
        image: N x 3 x H x W in [0, 1].
        low: the least gradient magnitude that counts, in brightness per pixel.
        sigma: width of the Gaussian, pixels.

    Returns:
        float32 N x 1 x H x W, 1 = edge.
    """
    grey = image.float().mean(1, keepdim=True).contiguous()
    radius = math.ceil(3 * sigma)
    at = torch.arange(-radius, radius + 1, device=image.device, dtype=torch.float32)
    smooth = torch.exp(-0.5 * (at / sigma) ** 2)
    smooth = smooth / smooth.sum()
    slope = -at / sigma**2 * smooth
    padded = F.pad(grey, [radius] * 4, mode="replicate")
    dx = F.conv2d(F.conv2d(padded, smooth.view(1, 1, -1, 1)), slope.view(1, 1, 1, -1))
    dy = F.conv2d(F.conv2d(padded, slope.view(1, 1, -1, 1)), smooth.view(1, 1, 1, -1))
    strength = (dx.square() + dy.square()).sqrt()
    around = F.pad(strength, [1] * 4)
    h, w = strength.shape[-2:]

    def neighbour(down: int, right: int) -> Tensor:
        return around[..., 1 + down : 1 + down + h, 1 + right : 1 + right + w]

    # the eight directions in four sectors: compare with the two neighbours across the edge
    sector = (torch.atan2(dy, dx) * (4 / math.pi)).round().remainder(4)
    ridge = torch.zeros_like(strength, dtype=torch.bool)
    for number, (down, right) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        peak = (strength >= neighbour(down, right)) & (strength > neighbour(-down, -right))
        ridge |= (sector == number) & peak
    contrast = grey.std((1, 2, 3), keepdim=True)
    return (ridge & (strength > low * (0.25 + 3 * contrast))).float()


def sketch_batch(
    image: Tensor, teacher: Tensor, has_teacher: Tensor, mask: Tensor, generator: Generator, share: float = 0.5
) -> Tensor:
    """Sketches for a batch: none for a part of the samples, for the others the edges inside the hole.

    Edges are the teacher's where it has seen the photo, else `thin_edges`; sometimes thickened, and sometimes a block
    of them is left out, because nobody draws everything.

    Args:
        image: N x 3 x H x W in [0, 1].
        teacher: N x 1 x H x W in [0, 1]; has_teacher: bool (N,).
        mask: N x 1 x H x W, 1 = hole.
        generator: CPU generator, source of the choices.
        share: how many of the samples get a sketch.

    Returns:
        float32 N x 1 x H x W, 1 = edge, zero outside the hole.
    """
    n = len(image)
    dice = torch.rand(n, 4, generator=generator).to(image.device)
    coarse = torch.rand(n, 1, 4, 4, generator=generator).to(image.device)
    edges = torch.where(has_teacher.view(-1, 1, 1, 1), (teacher > TEACHER_THRESHOLD).float(), thin_edges(image))
    thick = F.max_pool2d(edges, 3, 1, 1)
    edges = torch.where(dice[:, 1].view(-1, 1, 1, 1) < 0.3, thick, edges)
    kept = F.interpolate((coarse > 0.4).float(), image.shape[-2:], mode="nearest")
    edges = torch.where(dice[:, 2].view(-1, 1, 1, 1) < 0.3, edges * kept, edges)
    given = (dice[:, 0] < share).float().view(-1, 1, 1, 1)
    return edges * given * mask
