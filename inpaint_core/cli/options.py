"""Arguments that several commands share, worded once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    from inpaint_core.predictor import FillOptions

Output = Annotated[Path, arg(aliases=["-o"])]
OptionalFile = Annotated[Path | None, arg(metavar="FILE")]
Word = Annotated[str | None, arg(metavar="WORD")]


@dataclass(frozen=True, kw_only=True)
class FillArguments:
    """How a hole is filled."""

    refine: Word = None
    """patchmatch: keep the fill's structure, take its texture from the photo."""
    blend: Word = None
    """poisson: fit the fill's colours to the photo; mixed: let the photo's lines go on, too."""
    dilate: Annotated[int, arg(metavar="PIXELS")] = 0
    """Widen the mask; 3 to 8 hide the rim of an object."""
    invert: bool = False
    """The mask is black where the hole is."""
    seed: int = 0
    """Of every random number drawn."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""

    def options(self, weights: Path | None = None) -> FillOptions:
        """The options of a fill; `InpaintError` for a word that is not known or a device that is not here."""
        from inpaint_core.arguments import choose_device
        from inpaint_core.predictor import FillOptions

        options = FillOptions(device=self.device, seed=self.seed, refine=self.refine, blend=self.blend, weights=weights)
        choose_device(self.device)
        return options


@dataclass(frozen=True, kw_only=True)
class SizeArguments:
    """How large a mask is."""

    size: Annotated[str | None, arg(metavar="WxH")] = None
    """Width and height in pixels, such as 512x384."""
    like: OptionalFile = None
    """A photo whose size the mask gets."""

    def height_and_width(self) -> tuple[int, int]:
        """The size that is given, in pixels; `InpaintError` unless it is given in exactly one way."""
        if (self.size is None) == (self.like is None):
            raise InpaintError("Give the size of the mask: either --size 512x384 or --like photo.jpg.")
        if self.like is not None:
            from inpaint_core import photo

            return photo.read(self.like).pixels.shape[:2]
        assert self.size is not None
        try:
            width, height = (int(part) for part in self.size.lower().replace("×", "x").split("x"))
        except ValueError:
            raise InpaintError(f"{self.size!r} is no size; give width and height, as in --size 512x384.") from None
        if min(width, height) < 1 or width * height > 100_000_000:
            raise InpaintError(f"A mask of {width} x {height} pixels cannot be made; give 1 to 100 million pixels.")
        return height, width
