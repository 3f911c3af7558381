"""The models of the small-image study: how each is trained, and how it fills the centre of 32 x 32 pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from inpaint_core.methods.autoregressive import best
from inpaint_core.networks.pixel_network import PixelNetwork
from train.small_images.loops import Adversarial, Autoencoding, Likelihood, Settings, Wasserstein

SAMPLES = 8  # fills that a pixel network draws of a photo
BATCH = 25  # photos filled at once


@torch.no_grad()
def fill_at_once(network: nn.Module, image: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """The fill of a network of one pass, under the name ""."""
    filled = torch.cat([network(*batch) for batch in zip(image.split(BATCH), mask.split(BATCH), strict=True)])
    return {"": filled.float().clamp(0, 1)}


@torch.no_grad()
def fill_by_pixel(network: nn.Module, image: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """What a pixel network draws: "" the fill kept of `SAMPLES`, "one sample", and "mean of samples"."""
    assert isinstance(network, PixelNetwork)
    generator = Generator().manual_seed(0)
    completed: dict[str, list[Tensor]] = {"": [], "one sample": [], f"mean of {SAMPLES} samples": []}
    for batch, hole in zip(image.split(BATCH), mask.split(BATCH), strict=True):
        several, holes = batch.repeat_interleave(SAMPLES, 0), hole.repeat_interleave(SAMPLES, 0)
        drawn, _ = network.complete(several, holes, generator)
        chosen = best(network, drawn, holes, SAMPLES)
        every = drawn.unflatten(0, (-1, SAMPLES))
        fills = every[torch.arange(len(batch)), chosen], every[:, 0], every.mean(1)
        for kept, fill in zip(completed.values(), fills, strict=True):
            kept.append(fill)
    return {name: torch.cat(fills) for name, fills in completed.items()}


@dataclass(frozen=True)
class Model:
    """One row of the study, or several: a pixel network has rows for other ways to use its samples, too.

    Attributes:
        title: in the table.
        poster: the row of the poster's table beside it.
        settings: of its training.
        share: of the study's time, relative to the others'.
        fill: makes of network, photos and masks the fills by name.
    """

    title: str
    poster: str
    settings: Settings
    share: float = 1.0
    fill: Callable[[nn.Module, Tensor, Tensor], dict[str, Tensor]] = fill_at_once


MODELS = {
    **{
        f"autoencoder_{encoder}": Model(f"Autoencoder, {title} encoder", "Euclidean CNN", Autoencoding(encoder=encoder))
        for encoder, title in (("vgg", "VGG"), ("inception", "Inception"), ("resnet", "ResNet"), ("alexnet", "AlexNet"))
    },
    "dcgan": Model("DCGAN-style adversarial", "DCGAN", Adversarial(), 1.5),
    "wgan": Model("WGAN, clipped weights", "WGAN", Wasserstein(warmup=500), 2.5),
    "pixel_cnn": Model("PixelCNN", "PixelCNN", Likelihood(kind="pixel_cnn", depth=8), 3.0, fill_by_pixel),
    "pixel_rnn": Model(
        "PixelRNN, Diagonal BiLSTM", "Diagonal BiLSTM", Likelihood(kind="pixel_rnn", depth=3), 3.0, fill_by_pixel
    ),
}
