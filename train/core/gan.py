"""Adversarial losses, and what scripts with critics share: frozen gradients, scores in the hole, windows, AUC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from scipy.stats import mannwhitneyu
from torch import Tensor, nn
from torch.nn import functional as F

Scores = Tensor | Sequence[Tensor]
"""One critic's scores: a map N x C x h x w or several, or N x S scores without a place."""


def maps_of(scores: Scores) -> Sequence[Tensor]:
    """The scores as a list of maps."""
    return [scores] if isinstance(scores, Tensor) else scores


def halves(scores: Scores) -> tuple[list[Tensor], list[Tensor]]:
    """The scores of the first and of the second half of a batch: of true and of completed photos."""
    pairs = [score_map.chunk(2) for score_map in maps_of(scores)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Within it the networks' parameters get no gradients, only their input does."""
    trained = [p for network in networks for p in network.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


def scores_in_hole(scores: Scores, mask: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Each map with its weights: 1 where the cell holds a hole pixel; all ones for scores without a place.

    Args:
        scores: maps N x C x h x w, or N x S.
        mask: N x 1 x H x W, 1 = hole.
    """
    pairs = []
    for score_map in maps_of(scores):
        if score_map.ndim == 2:
            pairs.append((score_map.float(), torch.ones_like(score_map, dtype=torch.float32)))
        else:
            hole = (F.interpolate(mask, score_map.shape[-2:], mode="area") > 0).float()
            pairs.append((score_map.float(), hole.expand_as(score_map)))
    return pairs


def hinge_critic(real: Scores, fake: Scores, mask: Tensor) -> Tensor:
    """The critic's hinge loss inside the hole, with the factor 0.5 of DeepFill v2's public code.

    Args:
        real, fake: scores of the true and the completed photos, maps N x C x h x w or N x S.
        mask: N x 1 x H x W, 1 = hole.

    Returns:
        The mean over maps and samples, a scalar; 1 for a critic that says 0 to everything.
    """
    losses = []
    for scores, sign in ((real, 1), (fake, -1)):
        for value, weight in scores_in_hole(scores, mask):
            losses.append(_per_photo(F.relu(1 - sign * value), weight).mean())
    return 0.5 * torch.stack(losses).view(2, -1).sum(0).mean()


def hinge_generator(fake: Scores, mask: Tensor) -> Tensor:
    """The generator's side of the hinge loss: the negative mean score inside the hole, a scalar."""
    return -torch.stack([_per_photo(value, weight).mean() for value, weight in scores_in_hole(fake, mask)]).mean()


def _per_photo(value: Tensor, weight: Tensor) -> Tensor:
    """The weighted mean of each sample, (N,)."""
    axes = tuple(range(1, value.ndim))
    return (value * weight).sum(axes) / weight.sum(axes).clamp_min(1)


def photo_scores(scores: Scores, mask: Tensor) -> Tensor:
    """One score a photo: the mean over the hole and the maps, (N,)."""
    return torch.stack([_per_photo(value, weight) for value, weight in scores_in_hole(scores, mask)]).mean(0)


def auc(real: Tensor, fake: Tensor) -> float:
    """Area under the ROC curve: the chance that a true photo scores higher than a completed one; 0.5 is guessing.

    Args:
        real, fake: one score a photo, (N,) and (M,).
    """
    statistic = mannwhitneyu(real.cpu().double().numpy(), fake.cpu().double().numpy()).statistic
    return float(statistic) / (len(real) * len(fake))


def entropy_critic(real: Tensor, fake: Tensor, target: float = 1.0) -> Tensor:
    """Binary cross-entropy of logits, the mean of both halves; `target` below 1 smooths the label of real ones."""
    targets = torch.full_like(real, target, dtype=torch.float32)
    return (F.binary_cross_entropy_with_logits(real.float(), targets) + F.softplus(fake.float()).mean()) / 2


def entropy_generator(fake: Tensor) -> Tensor:
    """The generator's non-saturating side: completed photos should be taken for real ones."""
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


def r1_penalty(scores: Tensor, image: Tensor) -> Tensor:
    """R1: the mean squared norm of the critic's gradient at real photos (Mescheder et al., ICML 2018, equation 9).

    Args:
        scores: of the real photos, with a graph.
        image: the real photos, N x 3 x H x W, that require a gradient.
    """
    (gradient,) = torch.autograd.grad(scores.float().sum(), image, create_graph=True)
    return gradient.float().square().sum((1, 2, 3)).mean()


class InTwoBatches(nn.Module):
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


def random_windows(mask: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Top left corners of squares anywhere, int64 (N, 2); arguments as `hole_windows`."""
    room = torch.tensor([mask.shape[-2] - side + 1, mask.shape[-1] - side + 1])
    return (torch.rand(len(mask), 2, generator=generator) * room).long().to(mask.device)


def cut_windows(image: Tensor, corner: Tensor, side: int) -> Tensor:
    """Cut one square out of each photo: N x C x H x W and corners (N, 2) -> N x C x side x side."""
    n, channels, _, width = image.shape
    along = torch.arange(side, device=image.device)
    rows = (corner[:, :1] + along).view(n, 1, side, 1).expand(n, channels, side, width)
    columns = (corner[:, 1:] + along).view(n, 1, 1, side).expand(n, channels, side, side)
    return image.gather(2, rows).gather(3, columns).contiguous(memory_format=torch.channels_last)
