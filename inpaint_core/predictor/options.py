"""How a fill may be finished: its texture refined by another method, its rim blended into the photo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from inpaint_core.errors import InpaintError
from inpaint_core.predictor.blending import BLENDS

REFINERS = ("patchmatch",)


def check(refine: str | None, blend: str | None) -> None:
    """Raise `InpaintError` unless both are None or words that are known."""
    if refine is not None and refine not in REFINERS:
        raise InpaintError(f"There is no refinement {refine!r}; choose one of {', '.join(REFINERS)}.")
    if blend is not None and blend not in BLENDS:
        raise InpaintError(f"There is no blending {blend!r}; choose one of {', '.join(BLENDS)}.")


@dataclass(frozen=True, kw_only=True)
class FillOptions:
    """Everything a caller may ask for beside photo, mask and method; `InpaintError` for an unknown refine or blend."""

    sketch: np.ndarray | Image.Image | None = None
    device: str = "auto"
    seed: int = 0
    refine: str | None = None
    blend: str | None = None
    weights: str | Path | None = None
    explain: bool = False

    def __post_init__(self) -> None:
        check(self.refine, self.blend)
