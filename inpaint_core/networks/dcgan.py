"""DCGAN (Radford et al. 2016): the generative prior of semantic inpainting (Yeh et al. 2017).

Departures from the paper: none; images are [0, 1] outside and [-1, 1] inside, as everywhere here, and so is the
latent vector: uniform in [-1, 1].
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

OBJECTIVES = ("entropy", "wgan")


def _doublings(size: int) -> int:
    """How often 4 px must be doubled to reach `size`."""
    count = round(math.log2(size / 4)) if size >= 8 else 0
    if 4 * 2**count != size or count < 1:
        raise ValueError(f"a DCGAN makes images of 8, 16, 32, 64, ... pixels, not {size}")
    return count


def _initialise(network: nn.Module) -> None:
    """N(0, 0.02) convolutions and N(1, 0.02) normalisation scales (section 3 of the paper)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, mean=1.0, std=0.02)


class DCGANGenerator(nn.Module):
    """Latent vector -> image: transposed convolutions, batch normalisation, ReLU, tanh.

    Args:
        size: side of the images, 64 in the paper, or 8, 16, 32, 128.
        width: channels before the last layer; each earlier layer has twice as many (64: 512, 256, 128, 64 at 64 px).
        latent: length of the latent vector.
        channels: 3 for RGB.
    """

    def __init__(self, size: int = 64, width: int = 64, latent: int = 100, channels: int = 3) -> None:
        super().__init__()
        self.latent = latent
        self.size = size
        doublings = _doublings(size)
        widths = [width * 2**level for level in range(doublings - 1, -1, -1)]
        layers: list[nn.Module] = [nn.ConvTranspose2d(latent, widths[0], 4, bias=False)]
        for before, after in pairwise(widths):
            layers += [nn.BatchNorm2d(before), nn.ReLU(inplace=True)]
            layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU(inplace=True)]
        layers += [nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1, bias=False)]
        self.layers = nn.Sequential(*layers)
        _initialise(self)

    def forward(self, latent: Tensor) -> Tensor:
        """N x latent, each number in [-1, 1] -> N x 3 x size x size in [0, 1]."""
        columns = latent.to(next(self.parameters()).dtype)[:, :, None, None]
        return torch.tanh(self.layers(columns).float()) / 2 + 0.5


class DCGANDiscriminator(nn.Module):
    """Image -> one logit, positive for real: strided convolutions, batch normalisation, LeakyReLU.

    Args:
        size, width, channels: those of the generator it is trained against.
        norm: batch normalisation; off for a Wasserstein critic with a gradient penalty.
    """

    def __init__(self, size: int = 64, width: int = 64, channels: int = 3, norm: bool = True) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(_doublings(size))]
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=False)]
        for before, after in pairwise(widths):
            layers += [nn.LeakyReLU(0.2, inplace=True)]
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(after)] if norm else []
        layers += [nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(widths[-1], 1, 4, bias=False)]
        self.layers = nn.Sequential(*layers)
        _initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """N x 3 x size x size in [0, 1] -> N logits (or critic scores)."""
        return self.layers((image * 2 - 1).to(next(self.parameters()).dtype)).flatten()


class DCGAN(nn.Module):
    """Generator and discriminator together, as one checkpoint holds them: a prior for semantic inpainting.

    Args:
        size, width, latent: of the generator.
        critic_width: of the discriminator; None: that of the generator.
        objective: what the pair was trained with: "entropy" (the discriminator gives logits) or "wgan" (scores).
    """

    def __init__(
        self,
        size: int = 64,
        width: int = 64,
        latent: int = 100,
        critic_width: int | None = None,
        objective: str = "entropy",
    ) -> None:
        super().__init__()
        if objective not in OBJECTIVES:
            raise ValueError(f"the objective is {' or '.join(OBJECTIVES)}, not {objective!r}")
        self.objective = objective
        self.generator = DCGANGenerator(size, width, latent)
        self.discriminator = DCGANDiscriminator(size, critic_width or width)

    def forward(self, latent: Tensor) -> Tensor:
        """N x latent in [-1, 1] -> N x 3 x size x size in [0, 1]."""
        return self.generator(latent)

    def prior_loss(self, image: Tensor) -> Tensor:
        """log(1 - D(image)) of N x 3 x size x size in [0, 1] (Yeh et al., section 3.2.2), N values, low for real ones.

        Of a Wasserstein critic, which has no sigmoid, it is minus the score.
        """
        score = self.discriminator(image).float()
        return -score if self.objective == "wgan" else -F.softplus(score)


def draw_latents(count: int, latent: int, generator: Generator) -> Tensor:
    """count x latent numbers, uniform in [-1, 1], on the generator's device."""
    return torch.rand(count, latent, generator=generator, device=generator.device) * 2 - 1
