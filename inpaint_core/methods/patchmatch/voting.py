"""What the nearest patches suggest for the hole's pixels: a mean of their votes, or a copy of the best one.

Wexler, Shechtman, Irani, "Space-Time Completion of Video", PAMI 2007, section 3.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from inpaint_core.methods.patchmatch.search import NearestPatches

VOTE_CHUNK = 16384  # pixels


def vote(field: NearestPatches, image: Tensor, hole: Tensor, trust: Tensor) -> Tensor:
    """Renew the hole: each pixel is the weighted mean of what the patches over it suggest (Wexler section 3.2).

    Args:
        field: the nearest sources.
        image: float H x W x 3.
        hole: bool H x W.
        trust: float (M,), the confidence in each target patch.

    Returns:
        float H x W x 3.
    """
    flat = image.reshape(-1, image.shape[-1])
    renewed = flat.clone()
    for pixels in hole.flatten().nonzero()[:, 0].split(VOTE_CHUNK):
        patches, sources, distance = votes(field, pixels)
        voters = distance.isfinite()
        ranked = distance.sort(1).values
        # The scale of a pixel's votes is their 75th percentile: one bad patch does not spoil the mean of good ones.
        scale = ranked.gather(1, ((voters.sum(1, keepdim=True) - 1) * 3) // 4) + 1e-6
        weight = torch.exp(-distance / (2 * scale)) * trust[patches] * voters
        weight /= weight.sum(1, keepdim=True)
        renewed[pixels] = torch.bmm(weight[:, None], flat[sources])[:, 0]
    return renewed.view(image.shape)


def copy_best(field: NearestPatches, image: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """Copy into each hole pixel the suggestion of the most similar patch over it.

    Returns:
        The image, float H x W x 3, and the offset to the pixel copied, int64 2 x H x W (rows, columns).
    """
    flat = image.reshape(-1, image.shape[-1])
    copied = flat.clone()
    offsets = torch.zeros(2, len(flat), dtype=torch.int64, device=image.device)
    for pixels in hole.flatten().nonzero()[:, 0].split(VOTE_CHUNK):
        _, sources, distance = votes(field, pixels)
        source = sources.gather(1, distance.argmin(1, keepdim=True))[:, 0]
        copied[pixels] = flat[source]
        offsets[0, pixels] = source // field.width - pixels // field.width
        offsets[1, pixels] = source % field.width - pixels % field.width
    return copied.view(image.shape), offsets.view(2, *hole.shape)


def votes(field: NearestPatches, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the patches over each pixel suggest.

    Args:
        field: the nearest sources.
        pixels: int64 (n,), flat positions inside the hole.

    Returns:
        Three of shape (n, p * p): the patch (index into the field's targets), the source pixel (flat position), the
        patch's distance, infinite where such a patch would reach beyond the image.
    """
    step = torch.arange(field.patch, device=pixels.device)
    down, right = step.repeat_interleave(field.patch), step.repeat(field.patch)
    row = (pixels // field.width)[:, None] - down
    column = (pixels % field.width)[:, None] - right
    inside = (row >= 0) & (column >= 0) & (row < field.rows) & (column < field.columns)
    patches = field.index[torch.where(inside, row * field.width + column, field.targets[0])]
    sources = field.nearest[patches] + down * field.width + right
    return patches, sources, field.distance[patches].masked_fill(~inside, torch.inf)
