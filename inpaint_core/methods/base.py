"""What every method is: a small class that fills a tensor of a size it declares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from torch import Generator, Tensor


class FillMethod(ABC):
    """Fills the hole of a batch of images; knows nothing of files, crops, pads or pages.

    The class attributes tell `inpaint_core.predictor.predictor`, which owns all geometry, what to hand over.
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

    uses_gpu: bool = False
    """False: the tensors stay on the CPU whatever device was asked for."""

    context: float = 1.0
    """Width of the known frame around a hole in a crop, as a share of the hole's longer side."""

    min_context: int = 16
    """The least width of that frame in pixels."""

    folder: str | Path | None = None
    """Where its checkpoint is, if it has one; None: the usual place."""

    reads_hole: bool = False
    """True for a method that restores: it is shown what the hole hides, but only as a mosaic of coarse blocks."""

    @abstractmethod
    def fill(
        self,
        image: Tensor,
        mask: Tensor,
        sketch: Tensor | None = None,
        generator: Generator | None = None,
        details: dict[str, Any] | None = None,
    ) -> Tensor:
        """Complete the images.

        Args:
            image: float32, N x 3 x H x W in [0, 1]. What it holds inside the hole must not matter, except to a
                method that `reads_hole`: there it is a mosaic of what was hidden.
            mask: float32, N x 1 x H x W, 1 = hole, 0 = known.
            sketch: float32, N x 1 x H x W, 1 = edge wanted, or None. Methods without a sketch channel ignore it.
            generator: source of every random number drawn; None draws none or seeds with 0.
            details: a dictionary into which the method may write named extras for the "why" panel, and sentences for
                the user under "notes" (a list). If it holds a true "explain", extras that cost time are wanted too.
                Where it holds them, a method of many steps may call "progress" with the share done in [0, 1] and a
                short text, and "preview" with its output so far.

        Returns:
            float32, N x 3 x H x W in [0, 1]. Only its hole pixels are used.
        """
