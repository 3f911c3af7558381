"""What every method is: a small class that fills a tensor of a size it declares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Generator, Tensor, nn


@dataclass(frozen=True)
class FillContext:
    """What a method may use beside image and mask."""

    sketch: Tensor | None = None  # float32, N x 1 x H x W, 1 = edge wanted; methods without a sketch channel ignore it
    colours: Tensor | None = None  # float32, N x 4 x H x W in [0, 1], RGB wanted in the hole where the last is 1
    edges: Tensor | None = None  # float32, N x 1 x H x W, 1 = edge of the photo, beside a sketch for those that read it
    initial: Tensor | None = None  # float32, N x 3 x H x W in [0, 1], an earlier fill to be refined
    generator: Generator | None = None  # of every random number drawn, on the image's device; None: one of seed 0
    explain: bool = False  # also gather extras that cost time
    progress: Callable[[float, str], None] | None = None  # called with the share done in [0, 1] and a short text
    preview: Callable[[Tensor], None] | None = None  # called with the output so far, by methods of many steps

    def random_numbers(self, image: Tensor) -> Generator:
        """The generator, or a new one of seed 0 on the image's device."""
        return self.generator or Generator(image.device).manual_seed(0)


@dataclass(frozen=True)
class Filled:
    """What a method returns."""

    image: Tensor  # float32, N x 3 x H x W in [0, 1]; only its hole pixels are used
    notes: tuple[str, ...] = ()  # sentences for the user
    extras: Mapping[str, Any] = field(default_factory=dict)  # named pictures and numbers for the "why" panel


class FillMethod(ABC):
    """Fills the hole of a batch of tensors; photos, crops and padding are the predictor's.

    The class attributes declare what tensors it takes to `inpaint_core.predictor`, which owns all geometry.
    """

    multiple_of: int = 1
    """Height and width of the tensors must be multiples of this."""

    native_size: int | None = None
    """The side in pixels the method works best at: a crop is at least this large where the photo allows it."""

    fixed_size: bool = False
    """True if the method takes squares of `native_size` only."""

    max_pixels: int | None = None
    """The most pixels it takes at once; a larger crop is filled at a smaller scale. None: any number."""

    max_depth: float | None = None
    """The deepest hole it can fill, in pixels from its middle to the nearest known one; a deeper one is filled at a
    smaller scale. None: any."""

    coherent_depth: float | None = None
    """The deepest hole that it fills coherently in one pass, in pixels as above. A deeper one, or one whose crop has
    more than `max_pixels`, is filled in steps from small to large, each on the structure of the one before. None:
    every hole is filled in one pass."""

    uses_gpu: bool = False
    """False: the tensors stay on the CPU whatever the device."""

    margin: float = 1.0
    """Width of the known frame around a hole in a crop, as a share of the hole's longer side."""

    min_margin: int = 16
    """The least width of that frame in pixels."""

    reads_hole: bool = False
    """True for a method that restores: its image holds in the hole what was there, as a mosaic of coarse blocks."""

    reads_edges: bool = False
    """True for a method that follows a sketch by the photo's own edges."""

    folder: str | Path | None = None
    """Where its checkpoint is, if it has one; None: `weights.directory()`."""

    load: Callable[[], nn.Module] | None = None
    """Makes its network, if it has one, in place of reading the checkpoint."""

    @abstractmethod
    def fill(self, image: Tensor, mask: Tensor, context: FillContext = FillContext()) -> Filled:
        """Complete the images.

        Args:
            image: float32, N x 3 x H x W in [0, 1]. What it holds inside the hole must not matter, except to a
                method that `reads_hole`.
            mask: float32, N x 1 x H x W, 1 = hole, 0 = known.
            context: what else the method may use.

        Raises:
            InpaintError: the method's weights are absent or damaged, or nothing is known that it could use.
        """
