"""Runs PixelCNN and PixelRNN as methods: several fills drawn value by value at 32 x 32 pixels, the best one kept."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import torch
from torch import Tensor

from inpaint_core.methods.base import FillContext, Filled
from inpaint_core.methods.feed_forward import FeedForward, for_display
from inpaint_core.networks.pixel_network import PixelNetwork

SIDE = 32  # pixels: the side of the photos the networks learn
TEMPERATURE = 0.8  # on held-back scenes nearer to the truth than 1, by LPIPS and squared error, and less speckled
NOTE = (
    "Drawn pixel by pixel at 32 x 32 pixels, each one given the rows above it and what is left of it in its row; "
    "of {samples} fills the one was kept that makes what is known below and to the right likeliest."
)


@dataclass(eq=False)
class Autoregressive(FeedForward):
    """Draws the hole in reading order from an autoregressive network.

    What is known below a hole pixel, or right of it in its row, does not influence the drawing: the network has no
    other order. It decides afterwards which of several fills is kept: the one that makes it likeliest, which is the
    likeliest candidate given all known pixels when each was drawn given the earlier ones.
    """

    _: KW_ONLY
    samples: int = 8  # fills drawn at once
    temperature: float = TEMPERATURE  # below 1 prefers likely colours; 0 takes the likeliest one each time
    multiple_of: int = 1
    native_size: int | None = SIDE
    fixed_size: bool = True
    precision: torch.dtype | None = torch.float32
    engine: str = "torch"

    min_margin = 12  # a hole of 8 pixels gets a crop of 32, which needs no scaling

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples < 1:
            raise ValueError(f"at least one fill must be drawn, not {self.samples}")

    @torch.inference_mode()
    def fill(self, image: Tensor, mask: Tensor, context: FillContext = FillContext()) -> Filled:
        """See `FillMethod.fill`. A preview shows the first of the fills drawn, which need not be the one kept.

        The extras are `samples` (N x S x 3 x H x W, every fill), `chosen` (a list: which one was kept, N numbers)
        and `entropy` (N x 1 x H x W, bits of uncertainty of each pixel when it was drawn), all on the CPU.
        """
        network = self.network(image.device)
        assert isinstance(network, PixelNetwork)

        def report(share: float, drawn: Tensor) -> None:
            if context.progress is not None:
                context.progress(share, f"{share:.0%} of the hole's pixels")
            if context.preview is not None:
                context.preview(drawn[:: self.samples])

        images, masks = (plane.float().repeat_interleave(self.samples, dim=0) for plane in (image, mask))
        drawn, entropy = network.complete(
            images, masks, context.random_numbers(image), self.temperature, callback=report
        )  # (N S, 3, H, W), (N S, 1, H, W)
        chosen = best(network, drawn, masks, self.samples)
        every = drawn.unflatten(0, (-1, self.samples))  # (N, S, 3, H, W)
        index = torch.arange(len(image), device=image.device)
        extras = {
            "samples": for_display(every),
            "chosen": chosen.tolist(),
            "entropy": for_display(entropy.unflatten(0, (-1, self.samples))[index, chosen]),
        }
        return Filled(every[index, chosen], (NOTE.format(samples=self.samples),), extras)


def best(network: PixelNetwork, drawn: Tensor, masks: Tensor, samples: int) -> Tensor:
    """Which of each photo's fills makes the known pixels likeliest: N S x 3 x H x W and N S x 1 x H x W -> N indices.

    Pixels before the hole are equally likely under all fills of a photo, so those after it decide.
    """
    likelihood = network.distribution.log_likelihood(network(drawn), drawn)  # (N S, 3, H, W)
    return (likelihood * (masks < 0.5)).sum((1, 2, 3)).view(-1, samples).argmax(1)
