"""Distributions over the 256 values of a colour: what PixelCNN and PixelRNN predict for each value of an image."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = 256


class PixelDistribution(ABC):
    """A distribution over the 256 values of a colour; `parameters` numbers describe one."""

    parameters: int
    direct: bool
    """True if the parameters are colours themselves, so that a network may add a linear function of pixels to them."""

    @abstractmethod
    def log_probabilities(self, parameters: Tensor) -> Tensor:
        """(..., parameters) -> (..., 256), the natural logarithm of the probability of each value, float32."""

    @abstractmethod
    def log_likelihood(self, parameters: Tensor, image: Tensor) -> Tensor:
        """Log probability in nats of each value: N x P x 3 x H x W, N x 3 x H x W in [0, 1] -> N x 3 x H x W."""


class Softmax(PixelDistribution):
    """256 free probabilities for each value (PixelRNN paper, section 2.2)."""

    parameters = LEVELS
    direct = False

    def log_probabilities(self, parameters: Tensor) -> Tensor:
        """(..., 256) logits -> (..., 256) log probabilities."""
        return F.log_softmax(parameters.float(), dim=-1)

    def log_likelihood(self, parameters: Tensor, image: Tensor) -> Tensor:
        """See `PixelDistribution`."""
        rows = parameters.float().permute(0, 3, 4, 2, 1)  # (N, H, W, 3, 256), as a channels-last network wrote them
        found = F.cross_entropy(rows.flatten(0, -2), levels(image).permute(0, 2, 3, 1).flatten(), reduction="none")
        return -found.view(rows.shape[:-1]).permute(0, 3, 1, 2)


class LogisticMixture(PixelDistribution):
    """A mixture of logistic distributions cut into 256 pieces (PixelCNN++, section 2.1): few parameters, smooth.

    Args:
        components: logistics in the mixture; each has a weight, a mean and a log scale.
    """

    direct = True

    def __init__(self, components: int = 10) -> None:
        self.parameters = 3 * components

    def log_probabilities(self, parameters: Tensor) -> Tensor:
        """(..., 3 components) -> (..., 256) log probabilities, which sum to 1 by construction."""
        every = torch.arange(LEVELS, device=parameters.device)
        return self._log_mass(parameters.unsqueeze(-2), every)

    def log_likelihood(self, parameters: Tensor, image: Tensor) -> Tensor:
        """See `PixelDistribution`. Evaluates one value of each distribution only, so it is cheap."""
        rows = parameters.permute(0, 3, 4, 2, 1)  # (N, H, W, 3, P), as a channels-last network wrote them
        return self._log_mass(rows, levels(image).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    @staticmethod
    def _log_mass(parameters: Tensor, level: Tensor) -> Tensor:
        """Log probability of one value each: (..., 3 components), values (...) -> (...)."""
        logits, means, log_scales = parameters.float().chunk(3, dim=-1)  # (..., K)
        sharpness = torch.exp(-log_scales.clamp_min(-7))
        value = (level.float() / (LEVELS - 1) * 2 - 1).unsqueeze(-1)
        above = (value + 1 / (LEVELS - 1) - means) * sharpness  # the value's upper edge
        below = (value - 1 / (LEVELS - 1) - means) * sharpness
        # sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)): no difference of nearly equal numbers.
        # Below the lowest value and above the highest lies the rest of the mass.
        width = torch.log(-torch.expm1(-2 / (LEVELS - 1) * sharpness))
        lowest, highest = (level == 0).unsqueeze(-1), (level == LEVELS - 1).unsqueeze(-1)
        under, over = F.logsigmoid(above), F.logsigmoid(-below)
        mass = torch.where(lowest, under, torch.where(highest, over, under + over + width))
        return torch.logsumexp(F.log_softmax(logits, dim=-1) + mass, dim=-1)


def levels(image: Tensor) -> Tensor:
    """Colours in [0, 1] as values 0 to 255, int64."""
    return (image * (LEVELS - 1)).round().long().clamp(0, LEVELS - 1)


def distribution(name: str) -> PixelDistribution:
    """The distribution of that name: "softmax" or "logistic_mixture". Raises ValueError for another."""
    known: dict[str, type[PixelDistribution]] = {"softmax": Softmax, "logistic_mixture": LogisticMixture}
    if name not in known:
        raise ValueError(f"{name!r} is none of the distributions {', '.join(known)}")
    return known[name]()
