"""The sketch channel of a training batch: edges of the full photo as a hand would draw them, some left out."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

TEACHER_THRESHOLD = 0.65  # of the stored edge maps; the same density as the paper's HED above 0.6
REACH = 12  # rounds in which a number spreads along a stroke, two pixels each: pieces of about 50 pixels


def thin_edges(image: Tensor, low: float = 0.06, sigma: float = 1.5) -> Tensor:
    """Thin edges of a batch: Gaussian gradient, non-maximum suppression, threshold relative to the photo's contrast.

    Args:
        image: N x 3 x H x W in [0, 1].
        low: the smallest gradient magnitude that counts, in brightness per pixel.
        sigma: width of the Gaussian, pixels.

    Returns:
        float32 N x 1 x H x W, 1 = edge.
    """
    strength, dx, dy = edge_strength(image, sigma)
    contrast = image.float().mean(1, keepdim=True).std((1, 2, 3), keepdim=True)
    return (crests(strength, dx, dy) & (strength > low * (0.25 + 3 * contrast))).float()


def edge_strength(image: Tensor, sigma: float = 1.5) -> tuple[Tensor, Tensor, Tensor]:
    """The Gaussian gradient of a batch's brightness: its magnitude, and its parts to the right and downwards.

    Args:
        image: N x 3 x H x W in [0, 1].
        sigma: width of the Gaussian, pixels.

    Returns:
        Three N x 1 x H x W, in brightness per pixel.
    """
    grey = image.float().mean(1, keepdim=True).contiguous()
    smooth, slope, _ = gaussians(sigma, image.device)
    dx, dy = filtered(grey, slope, smooth), filtered(grey, smooth, slope)
    return (dx.square() + dy.square()).sqrt(), dx, dy


def thin_lines(soft: Tensor, threshold: Tensor | float, sigma: float = 1.5) -> Tensor:
    """The crests of soft or thick lines: non-maximum suppression across the direction of most curvature.

    Args:
        soft: N x 1 x H x W in [0, 1].
        threshold: the smallest height, of the smoothed map, that counts; a number, or N x 1 x 1 x 1.
        sigma: width of the Gaussian that smooths the map and with it the lines, pixels.

    Returns:
        float32 N x 1 x H x W, 1 = line.
    """
    soft = soft.float().contiguous()
    smooth, slope, bend = gaussians(sigma, soft.device)
    height = filtered(soft, smooth, smooth)
    dxx, dyy, dxy = filtered(soft, bend, smooth), filtered(soft, smooth, bend), filtered(soft, slope, slope)
    # the eigenvector of the Hessian with the smaller, most negative eigenvalue
    across = 0.5 * torch.atan2(2 * dxy, dxx - dyy) + math.pi / 2
    return (crests(height, across.cos(), across.sin()) & (height > threshold)).float()


def gaussians(sigma: float, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """A Gaussian as a filter, and its first and second derivatives."""
    radius = math.ceil(3 * sigma)
    at = torch.arange(-radius, radius + 1, device=device, dtype=torch.float32)
    smooth = torch.exp(-0.5 * (at / sigma) ** 2)
    smooth = smooth / smooth.sum()
    return smooth, -at / sigma**2 * smooth, (at.square() / sigma**2 - 1) / sigma**2 * smooth


def filtered(plane: Tensor, along: Tensor, down: Tensor) -> Tensor:
    """N x 1 x H x W filtered by `along` in its rows and by `down` in its columns; the rim is repeated."""
    padded = F.pad(plane, [len(along) // 2] * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, down.view(1, 1, -1, 1)), along.view(1, 1, 1, -1))


def crests(height: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Where `height`, N x 1 x H x W, is not lower than its two neighbours in the direction (right, down): bool."""
    around = F.pad(height, [1] * 4, mode="replicate")  # with zeros, every rim would be a crest
    h, w = height.shape[-2:]

    def neighbour(rows: int, columns: int) -> Tensor:
        return around[..., 1 + rows : 1 + rows + h, 1 + columns : 1 + columns + w]

    # the eight directions in four sectors
    sector = (torch.atan2(down, right) * (4 / math.pi)).round().remainder(4)
    crest = torch.zeros_like(height, dtype=torch.bool)
    for number, (rows, columns) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        peak = (height >= neighbour(rows, columns)) & (height > neighbour(-rows, -columns))
        crest |= (sector == number) & peak
    return crest


def keep_strokes(edges: Tensor, share: Tensor, generator: Generator) -> Tensor:
    """Leave out strokes: whole ones where they are short, pieces of the long ones.

    Every pixel gets a random number, and the largest spreads along its stroke for `REACH` rounds. A short stroke ends
    with one number and a long one with a few; a piece stays or goes by its number.

    Args:
        edges: N x 1 x H x W, 1 = edge.
        share: of the strokes that stay, (N,) in [0, 1].
        generator: CPU generator.

    Returns:
        float32 N x 1 x H x W.
    """
    number = (0.01 + torch.rand(edges.shape, generator=generator)).to(edges.device) * edges
    for _ in range(REACH):
        number = F.max_pool2d(number, 5, 1, 2) * edges
    uniform = (number * 7919).frac()  # maxima crowd below 1; their later digits are uniform
    return edges * (uniform < share.view(-1, 1, 1, 1)).float()


def hand_jitter(soft: Tensor, pixels: Tensor, generator: Generator, waves: int = 6) -> Tensor:
    """Displace lines smoothly, as an unsteady hand would draw them.

    Args:
        soft: N x 1 x H x W.
        pixels: how far at most, (N,).
        generator: CPU generator.
        waves: numbers drawn for a side of the picture.
    """
    h, w = soft.shape[-2:]
    field = torch.rand(len(soft), 2, waves, waves, generator=generator).to(soft.device) * 2 - 1
    field = F.interpolate(field, (h, w), mode="bicubic", align_corners=False) * pixels.view(-1, 1, 1, 1)
    y = (torch.arange(h, device=soft.device) + 0.5).view(1, h, 1) + field[:, 1]
    x = (torch.arange(w, device=soft.device) + 0.5).view(1, 1, w) + field[:, 0]
    grid = torch.stack([x * (2 / w) - 1, y * (2 / h) - 1], 3)
    return F.grid_sample(soft, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def sketch_batch(
    image: Tensor, teacher: Tensor, has_teacher: Tensor, mask: Tensor, generator: Generator, share: float = 0.5
) -> Tensor:
    """Sketches for a batch: none for a part of the samples, for the others edges inside the hole, as if drawn.

    Edges are the teacher's where it has seen the photo, else `thin_edges`. Most are one pixel wide, some as wide as
    the teacher's or thickened. Half of them are jittered and their corners rounded, and of half some strokes are left
    out, because people do not draw everything.

    Args:
        image: N x 3 x H x W in [0, 1].
        teacher: N x 1 x H x W in [0, 1]; has_teacher: bool (N,).
        mask: N x 1 x H x W, 1 = hole.
        generator: CPU generator, source of the choices.
        share: how many of the samples get a sketch.

    Returns:
        float32 N x 1 x H x W, 1 = edge, zero outside the hole.
    """
    uniform = torch.rand(len(image), 8, generator=generator)
    given = (uniform[:, 0] < share).nonzero()[:, 0]
    sketches = torch.zeros_like(mask, dtype=torch.float32)
    if not len(given):
        return sketches
    uniform, chosen = uniform[given].to(image.device), given.to(image.device)
    image, teacher, has_map = image[chosen], teacher[chosen], has_teacher[chosen].view(-1, 1, 1, 1)

    def chosen_with(column: int, chance: float) -> Tensor:
        return (uniform[:, column] < chance).view(-1, 1, 1, 1)

    wide = (teacher > TEACHER_THRESHOLD).float()
    threshold = (0.5 + 0.3 * uniform[:, 1]).view(-1, 1, 1, 1) * TEACHER_THRESHOLD  # smoothing has lowered the crests
    edges = torch.where(has_map, thin_lines(teacher, threshold), thin_edges(image))
    edges = torch.where(has_map & chosen_with(2, 0.2), wide, edges)
    edges = edges * (F.avg_pool2d(edges, 5, 1, 2) > 2.5 / 25).float()  # people do not draw dots
    # blurred, displaced and thinned again, lines are smooth and unsteady; a crest of a thin line is 0.27 high
    by_hand = thin_lines(hand_jitter(edges, 2.5 * uniform[:, 4], generator), 0.12)
    edges = torch.where(chosen_with(3, 0.5), by_hand, edges)
    stay = torch.where(uniform[:, 5] < 0.5, 0.3 + 0.7 * uniform[:, 6], torch.ones_like(uniform[:, 6]))
    edges = keep_strokes(edges, stay, generator)
    edges = torch.where(chosen_with(7, 0.25), F.max_pool2d(edges, 3, 1, 1), edges)
    sketches[chosen] = edges * mask[chosen]
    return sketches
