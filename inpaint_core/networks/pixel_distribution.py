"""What PixelCNN and PixelRNN share: the distribution of one colour value, and filling a hole value by value.

A network returns parameters N x P x 3 x H x W: for every colour value the parameters of its distribution given all
values before it in reading order (and R before G before B within a pixel).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

LEVELS = 256


class PixelDistribution(ABC):
    """A distribution over the 256 values of a colour; `parameters` numbers describe one."""

    parameters: int

    @abstractmethod
    def log_probabilities(self, parameters: Tensor) -> Tensor:
        """(..., parameters) -> (..., 256), the natural logarithm of the probability of each value, float32."""

    def log_likelihood(self, parameters: Tensor, image: Tensor) -> Tensor:
        """Log probability in nats of each value: N x P x 3 x H x W, N x 3 x H x W in [0, 1] -> N x 3 x H x W."""
        levels = (image * (LEVELS - 1)).round().long().clamp(0, LEVELS - 1)
        log_probabilities = self.log_probabilities(parameters.movedim(1, -1))
        return log_probabilities.gather(-1, levels.unsqueeze(-1)).squeeze(-1)


class Softmax(PixelDistribution):
    """256 free probabilities for each value (PixelRNN paper, section 3.3)."""

    parameters = LEVELS

    def log_probabilities(self, parameters: Tensor) -> Tensor:
        """(..., 256) logits -> (..., 256) log probabilities."""
        return F.log_softmax(parameters.float(), dim=-1)


class LogisticMixture(PixelDistribution):
    """A mixture of logistic distributions cut into 256 pieces (PixelCNN++, section 2.1): few parameters, smooth.

    Args:
        components: logistics in the mixture; each has a weight, a mean and a log scale.
    """

    def __init__(self, components: int = 10) -> None:
        self.parameters = 3 * components

    def log_probabilities(self, parameters: Tensor) -> Tensor:
        """(..., 3 components) -> (..., 256) log probabilities; they sum to 1 exactly by construction."""
        logits, means, log_scales = parameters.float().unsqueeze(-2).chunk(3, dim=-1)  # (..., 1, K)
        # Edges between the 256 values in [-1, 1]; below the first and above the last lies the rest of the mass.
        edges = (torch.arange(1, LEVELS, device=parameters.device).float() - 0.5) / (LEVELS - 1) * 2 - 1
        below = torch.sigmoid((edges[:, None] - means) * torch.exp(-log_scales.clamp_min(-7)))  # (..., 255, K)
        cumulative = (below * torch.softmax(logits, dim=-1)).sum(-1)  # (..., 255)
        mass = torch.diff(F.pad(F.pad(cumulative, (1, 0)), (0, 1), value=1.0), dim=-1)
        return mass.clamp_min(1e-12).log()


def distribution(name: str) -> PixelDistribution:
    """The distribution of that name: "softmax" or "logistic_mixture". Raises ValueError for another."""
    known: dict[str, type[PixelDistribution]] = {"softmax": Softmax, "logistic_mixture": LogisticMixture}
    if name not in known:
        raise ValueError(f"{name!r} is none of the distributions {', '.join(known)}")
    return known[name]()


class PixelNetwork(nn.Module, ABC):
    """An autoregressive network: `forward` gives distributions, `complete` draws the hole from them."""

    multiple_of = 1

    def __init__(self, pixel_distribution: str) -> None:
        super().__init__()
        self.distribution = distribution(pixel_distribution)

    @abstractmethod
    def forward(self, image: Tensor) -> Tensor:
        """N x 3 x H x W in [0, 1] -> N x P x 3 x H x W parameters, each given only the values before its own."""

    def bits_per_dimension(self, image: Tensor, mask: Tensor | None = None) -> Tensor:
        """The training loss: mean negative log2 probability of the values, of those in the hole if a mask is given."""
        bits = -self.distribution.log_likelihood(self(image), image) / math.log(2)
        if mask is None:
            return bits.mean()
        weight = mask.expand_as(bits)
        return (bits * weight).sum() / weight.sum().clamp_min(1)

    @torch.no_grad()
    def complete(
        self,
        image: Tensor,
        mask: Tensor,
        generator: Generator | None = None,
        temperature: float = 1.0,
        details: dict[str, Any] | None = None,
    ) -> Tensor:
        """Draw the values of the hole one by one in reading order, each given all before it.

        Args:
            image: N x 3 x H x W in [0, 1].
            mask: N x 1 x H x W, 1 = hole.
            generator: source of the draws (on the CPU); None: one seeded with 0.
            temperature: below 1 prefers likely values; 0 takes the likeliest.
            details: receives `entropy`, N x 1 x H x W: the bits of uncertainty of each hole pixel when it was drawn.

        Returns:
            N x 3 x H x W in [0, 1]: known pixels as they came.
        """
        generator = torch.Generator().manual_seed(0) if generator is None else generator
        hole = mask[:, 0] > 0.5  # (N, H, W)
        result = torch.where(hole[:, None], torch.zeros((), dtype=image.dtype, device=image.device), image)
        entropy = torch.zeros_like(mask)
        for row, column in hole.any(dim=0).nonzero().tolist():
            here = hole[:, row, column]
            for colour in range(3):
                # Nothing below this row is looked at, so the rows above and this one are enough.
                parameters = self(result[:, :, : row + 1])[:, :, colour, row, column]  # (N, P)
                log_probabilities = self.distribution.log_probabilities(parameters)  # (N, 256)
                value = _draw(log_probabilities, generator, temperature) / (LEVELS - 1)
                value = value.to(result.dtype)
                result[:, colour, row, column] = torch.where(here, value, result[:, colour, row, column])
                bits = -(log_probabilities.exp() * log_probabilities).sum(-1) / math.log(2)
                entropy[:, 0, row, column] += torch.where(here, bits, torch.zeros_like(bits)).to(entropy.dtype)
        if details is not None:
            details["entropy"] = entropy
        return result


def _draw(log_probabilities: Tensor, generator: Generator, temperature: float) -> Tensor:
    """One value 0..255 for each row of (N, 256) log probabilities."""
    if temperature <= 0:
        return log_probabilities.argmax(-1)
    probabilities = torch.softmax(log_probabilities / temperature, dim=-1).to(generator.device)
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0].to(log_probabilities.device)
