"""What a caller may ask of a fill, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inpaint_core.errors import InpaintError
from inpaint_core.masks.boxes import Box
from inpaint_core.numeric import as_seed
from inpaint_core.predictor.blending import BLENDS

REFINERS = ("patchmatch",)


@dataclass(frozen=True, kw_only=True)
class FillOptions:
    """Everything a caller may ask for beside photo, mask and method."""

    sketch: np.ndarray | Image.Image | None = None
    """The edges wanted, any drawing of the image's size (see `inpaint_core.sketch.repair`); only its part inside the
    hole matters."""
    colours: np.ndarray | Image.Image | None = None
    """Dabs of colour, uint8 H x W x 4 or a PIL image: what the hole should look like where their alpha is above 127."""
    device: str = "auto"
    """"auto", "cpu", "cuda", "cuda:1", "mps"."""
    seed: int = 0
    """Of every random number drawn."""
    refine: str | None = None
    """"patchmatch" replaces the texture of the fill by the photo's own patches and keeps its structure."""
    blend: str | None = None
    """How the finished fill is fitted into the photo: "poisson" keeps its gradients and takes the colours from around
    the hole, "mixed" also lets lines of the photo run on for a bit; None leaves it as it is."""
    weights: str | Path | None = None
    """In place of the checkpoint, a file that training has exported (beside its manifest), or published weights in any
    of the known layouts."""
    explain: bool = False
    """Also gather what costs time to gather: gate maps, attention flow (see the method's `fill`)."""

    def cut(self, box: Box) -> FillOptions:
        """The same for a photo cut to `box`; sketch and colours must be arrays of the photo's size."""
        planes = {name: getattr(self, name) for name in ("sketch", "colours")}
        return replace(self, **{name: each[box.slices] for name, each in planes.items() if each is not None})

    def __post_init__(self) -> None:
        """Refuse, by `InpaintError`, an unknown `refine` or `blend` and a seed of more than 64 bits."""
        as_seed(self.seed)
        if self.refine is not None and self.refine not in REFINERS:
            raise InpaintError(f"There is no refinement {self.refine!r}; choose one of {', '.join(REFINERS)}.")
        if self.blend is not None and self.blend not in BLENDS:
            raise InpaintError(f"There is no blending {self.blend!r}; choose one of {', '.join(BLENDS)}.")


@dataclass
class Result:
    """One completed photo, or the reason why there is none."""

    method: str
    image: np.ndarray | None  # uint8 H x W x 3, the size of the input
    seconds: float  # wall time of the fill
    details: dict[str, Any] = field(default_factory=dict)  # crops, notes, and the method's extras
    metrics: dict[str, float] = field(default_factory=dict)  # only where a reference was given
    error: str | None = None  # only from a comparison, where one method's failure must not end the others
