"""Losses that several papers share; all of them are means over samples, so that processes' gradients average."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from inpaint_core.metrics import perceptual


def hole_and_known_l1(
    image: Tensor, truth: Tensor, mask: Tensor, border: Tensor | None = None, known: float = 1.0
) -> Tensor:
    """L1 per hole pixel plus `known` times L1 per known pixel, so that small holes count as much as large ones.

    Args:
        image, truth: N x 3 x H x W.
        mask: N x 1 x H x W, 1 = hole.
        border: weights of the hole's pixels, N x 1 x H x W (see `border_weight`); None: all equal.
        known: weight of the known part, which is pasted over afterwards.

    Returns:
        A scalar.
    """
    difference = (image.float() - truth).abs().mean(1, keepdim=True)
    hole = mask if border is None else mask * border
    in_hole = (difference * hole).sum((1, 2, 3)) / hole.sum((1, 2, 3)).clamp_min(1)
    outside = (difference * (1 - mask)).sum((1, 2, 3)) / (1 - mask).sum((1, 2, 3)).clamp_min(1)
    return (in_hole + known * outside).mean()


def border_weight(mask: Tensor, reach: int = 8, extra: float = 2.0) -> Tensor:
    """1 deep in the hole, up to 1 + extra at its border: colour has to continue there before anything else.

    The share of known pixels within `reach` of each pixel measures how near the border is; N x 1 x H x W.
    """
    known = F.avg_pool2d(1 - mask, 2 * reach + 1, 1, reach, count_include_pad=False)
    return 1 + extra * (2 * known).clamp_max(1)


def shift_together(*images: Tensor, step: int, stride: int = 8) -> list[Tensor]:
    """Cut the same random rows and columns, fewer than `stride` of each, off the top left of all images.

    Strided features leave their grid in a fill unless it falls elsewhere in every step; `step` seeds the shift.
    """
    down, right = torch.randint(stride, (2,), generator=Generator().manual_seed(step)).tolist()
    return [image[..., down:, right:] for image in images]


def ramp(progress: float, start: float, end: float) -> float:
    """0 before `start`, 1 after `end`, linear between: a factor for losses that join during a run."""
    return min(max((progress - start) / max(end - start, 1e-9), 0.0), 1.0)


class PerceptualLoss(nn.Module):
    """LPIPS with SqueezeNet or AlexNet features, frozen.

    Args:
        network: "squeeze" or "alex".

    Raises:
        LpipsUnavailable: the package or its weights are missing.
    """

    def __init__(self, network: str = "squeeze") -> None:
        super().__init__()
        self.distance = copy.deepcopy(perceptual.network(network))  # a copy, for it is moved and laid out anew

    def forward(self, image: Tensor, truth: Tensor) -> Tensor:
        """Mean distance of N x 3 x H x W images in [0, 1]; the truth carries no gradient."""
        return self.distance(image * 2 - 1, truth * 2 - 1).float().mean()


def weighted_mean(difference: Tensor, weight: Tensor, area: Tensor | None = None) -> Tensor:
    """Sum of weighted differences over the area, per sample, then the mean of the samples.

    Args:
        difference: N x C x H x W, averaged over its channels.
        weight: N x 1 x H x W.
        area: N x 1 x H x W, what the sum is divided by; None: the weights themselves.
    """
    weighted = (difference.float().mean(1, keepdim=True) * weight).sum((1, 2, 3))
    return (weighted / (weight if area is None else area).sum((1, 2, 3)).clamp_min(1)).mean()


def hole_and_known_l2(image: Tensor, truth: Tensor, mask: Tensor, known: float) -> Tensor:
    """Squared error per hole pixel plus `known` times that per known pixel; shapes as `hole_and_known_l1`."""
    difference = (image.float() - truth).square()
    return weighted_mean(difference, mask) + known * weighted_mean(difference, 1 - mask)


def spatial_discount(mask: Tensor, gamma: float) -> Tensor:
    """gamma to the power of a hole pixel's distance from the nearest known one (DeepFill v1, section 3.3).

    For a box that is the paper's weight. The distance is taken along rows and columns, by running maxima: growing the
    known part pixel by pixel took two seconds a batch at 256 px. The photo's own border is not known.
    N x 1 x H x W, 1 = hole; zero outside the hole.
    """
    far = 2.0 * max(mask.shape[-2:])
    nearest = torch.full_like(mask, far)
    for axis in (2, 3):
        place = torch.arange(mask.shape[axis], device=mask.device, dtype=torch.float32)
        place = place.view(-1, 1) if axis == 2 else place
        before = torch.where(mask > 0.5, -far, place).cummax(axis).values
        after = -torch.where(mask > 0.5, -far, -place).flip(axis).cummax(axis).values.flip(axis)
        nearest = nearest.minimum(place - before).minimum(after - place)
    return gamma**nearest * mask


def hole_total_variation(image: Tensor, mask: Tensor) -> Tensor:
    """Differences of neighbours that both lie in the hole or one pixel around it, per pixel and channel of the photo.

    PartialConv's smoothing term (section 3.3 of its paper); image N x C x H x W, mask N x 1 x H x W, 1 = hole.
    """
    region = F.max_pool2d(mask, 3, 1, 1)
    down = (image[:, :, 1:] - image[:, :, :-1]).abs() * region[:, :, 1:] * region[:, :, :-1]
    across = (image[..., 1:] - image[..., :-1]).abs() * region[..., 1:] * region[..., :-1]
    return (down.sum() + across.sum()) / image.numel()


def feature_and_style_l1(images: Sequence[Sequence[Tensor]], truth: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """PartialConv's perceptual and style losses (section 3.3, equations 2 to 4).

    Args:
        images: feature maps N x C x h x w of one depth after the other, for each image that is compared.
        truth: those of the true photos; they carry no gradient.

    Returns:
        L1 of features, and L1 of their Gram matrices, summed over images and depths: two scalars.
    """
    pairs = [(a, b.detach()) for maps in images for a, b in zip(maps, truth, strict=True)]
    features = torch.stack([F.l1_loss(a, b) for a, b in pairs]).sum()
    style = torch.stack([F.l1_loss(gram(a), gram(b)) for a, b in pairs]).sum()
    return features, style


def gram(features: Tensor) -> Tensor:
    """Products of all pairs of features: N x C x H x W -> N x C x C, divided by C H W."""
    flat = features.flatten(2)  # (N, C, H W)
    return flat @ flat.transpose(1, 2) / flat[0].numel()
