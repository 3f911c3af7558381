"""Runs PixelCNN and PixelRNN as methods: several fills drawn value by value at 32 x 32 pixels, the best one kept.

The catalogue names the functions at the end (`pixel_cnn`, `pixel_rnn`): each makes one method.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from inpaint_core.methods.feed_forward import FeedForward, for_display
from inpaint_core.networks.pixel_network import PixelNetwork

SIDE = 32  # pixels: the side of the photos the networks learn
TEMPERATURE = 0.8  # on held-back scenes nearer to the truth than 1, by LPIPS and squared error, and less speckled
NOTE = (
    "Drawn pixel by pixel at 32 x 32 pixels, each one given the rows above it and what is left of it in its row; "
    "of {samples} fills the one was kept that makes what is known below and to the right likeliest."
)


class Autoregressive(FeedForward):
    """Draws the hole in reading order from an autoregressive network.

    What is known below a hole pixel, or right of it in its row, does not influence the drawing: the network knows no
    other order. It decides afterwards which of several fills is kept: the one that makes it likeliest, which is the
    likeliest candidate given all known pixels when each was drawn given the earlier ones.

    Args:
        name: of the catalogue and the manifest.
        build: makes the network from the arguments in the manifest.
        samples: fills drawn at once.
        temperature: below 1 prefers likely colours; 0 takes the likeliest one each time.
        folder: where the checkpoints are; None: the usual place.
    """

    min_context = 12  # a hole of 8 pixels gets a crop of 32, which needs no scaling

    def __init__(
        self,
        name: str,
        build: Callable[..., PixelNetwork],
        *,
        samples: int = 8,
        temperature: float = TEMPERATURE,
        folder: str | Path | None = None,
    ) -> None:
        if samples < 1:
            raise ValueError(f"at least one fill must be drawn, not {samples}")
        super().__init__(
            name,
            build,
            multiple_of=1,
            native_size=SIDE,
            fixed_size=True,
            folder=folder,
            precision=torch.float32,
            engine="torch",
        )
        self.samples = samples
        self.temperature = temperature

    @torch.inference_mode()
    def fill(
        self,
        image: Tensor,
        mask: Tensor,
        sketch: Tensor | None = None,
        generator: Generator | None = None,
        details: dict[str, Any] | None = None,
    ) -> Tensor:
        """See `FillMethod.fill`. A preview shows the first of the fills drawn, which need not be the one kept.

        `details` receives `samples` (N x S x 3 x H x W, every fill), `chosen` (a list: which one was kept, N numbers)
        and `entropy` (N x 1 x H x W, bits of uncertainty of each pixel when it was drawn), all on the CPU.
        """
        told: dict[str, Any] = {} if details is None else details
        network = self.network(image.device)
        assert isinstance(network, PixelNetwork)
        progress, preview = told.get("progress"), told.get("preview")

        def watch(share: float, drawn: Tensor) -> None:
            if progress is not None:
                progress(share, f"{share:.0%} of the hole's pixels")
            if preview is not None:
                preview(drawn[:: self.samples])

        generator = torch.Generator(image.device).manual_seed(0) if generator is None else generator
        images, masks = (plane.float().repeat_interleave(self.samples, dim=0) for plane in (image, mask))
        drawn, entropy = network.complete(images, masks, generator, self.temperature, callback=watch)
        chosen = best(network, drawn, masks, self.samples)
        every = drawn.unflatten(0, (-1, self.samples))  # (N, S, 3, H, W)
        one = torch.arange(len(image), device=image.device)
        told["samples"], told["chosen"] = for_display(every), chosen.tolist()
        told["entropy"] = for_display(entropy.unflatten(0, (-1, self.samples))[one, chosen])
        told.setdefault("notes", []).append(NOTE.format(samples=self.samples))
        return every[one, chosen]


def best(network: PixelNetwork, drawn: Tensor, masks: Tensor, samples: int) -> Tensor:
    """Which of each photo's fills makes the known pixels likeliest: N S x 3 x H x W and N S x 1 x H x W -> N indices.

    Pixels before the hole are equally likely under all fills of a photo, so those after it decide.
    """
    likelihood = network.distribution.log_likelihood(network(drawn), drawn)  # (N S, 3, H, W)
    return (likelihood * (masks < 0.5)).sum((1, 2, 3)).view(-1, samples).argmax(1)


def pixel_cnn() -> Autoregressive:
    """PixelCNN."""
    from inpaint_core.networks.pixel_cnn import PixelCNN

    return Autoregressive("pixel_cnn", PixelCNN)


def pixel_rnn() -> Autoregressive:
    """PixelRNN with Diagonal BiLSTM layers."""
    from inpaint_core.networks.pixel_rnn import PixelRNN

    return Autoregressive("pixel_rnn", PixelRNN)
