"""What scripts with critics share: judging in pairs, crops around the hole, and two kinds of adversarial loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Pair(nn.Module):
    """A critic that scores real and completed photos in one call but in two batches.

    Batch normalisation would give the two away if they shared a batch, and distributed training allows one call of a
    module for each update.
    """

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic = critic

    def forward(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """The critic's scores of its arguments `real` and of its arguments `fake`."""
        return self.critic(*real), self.critic(*fake)


def entropy_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Binary cross-entropy of logits: real ones should be 1, fake ones 0; mean of both halves."""
    return (F.softplus(-real.float()).mean() + F.softplus(fake.float()).mean()) / 2


def entropy_generator(fake: Tensor) -> Tensor:
    """The generator's side: completed photos should be taken for real ones."""
    return F.softplus(-fake.float()).mean()


def masked_gradient_penalty(gradient: Tensor, mask: Tensor) -> Tensor:
    """WGAN-GP's penalty counting the gradient inside the hole only (DeepFill v1, section 3.2).

    Args:
        gradient: of the scores with respect to N x 3 x H x W photos between real and completed ones.
        mask: N x 1 x H x W, 1 = hole.

    Returns:
        The mean of (norm - 1)^2, a scalar.
    """
    squares = (gradient.float() * mask).square().sum((1, 2, 3))
    return ((squares + 1e-12).sqrt() - 1).square().mean()  # the root of zero has no gradient


def hole_windows(mask: Tensor, side: int) -> Tensor:
    """Top left corners of squares around the holes, moved to lie inside the photo.

    Args:
        mask: N x 1 x H x W, 1 = hole.
        side: of the squares, at most H and W.

    Returns:
        int64 (N, 2): row and column.
    """

    def start(occupied: Tensor) -> Tensor:
        length = occupied.shape[1]
        index = torch.arange(length, device=mask.device)
        first = torch.where(occupied, index, length).amin(1)
        last = torch.where(occupied, index, -1).amax(1)
        return torch.div(first + last + 1 - side, 2, rounding_mode="floor").clamp(0, length - side)

    return torch.stack([start(mask[:, 0].amax(axis) > 0) for axis in (2, 1)], 1)


def windows(image: Tensor, corner: Tensor, side: int) -> Tensor:
    """Cut one square out of each photo: N x C x H x W and corners (N, 2) -> N x C x side x side."""
    n, channels, _, width = image.shape
    along = torch.arange(side, device=image.device)
    rows = (corner[:, :1] + along).view(n, 1, side, 1).expand(n, channels, side, width)
    columns = (corner[:, 1:] + along).view(n, 1, 1, side).expand(n, channels, side, side)
    return image.gather(2, rows).gather(3, columns).contiguous(memory_format=torch.channels_last)
