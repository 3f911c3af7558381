"""What a caller may ask for beside photo, mask and method, and how a fill may be finished."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from inpaint_core.errors import InpaintError
from inpaint_core.predictor.blending import BLENDS

REFINERS = ("patchmatch",)


@dataclass(frozen=True, kw_only=True)
class FillOptions:
    """Everything a caller may ask for beside photo, mask and method; see `inpaint_core.inpaint`."""

    sketch: np.ndarray | Image.Image | None = None
    device: str = "auto"
    seed: int = 0
    refine: str | None = None
    blend: str | None = None
    weights: str | Path | None = None
    explain: bool = False


def check(refine: str | None, blend: str | None) -> None:
    """Raise `InpaintError` unless both are None or words that are known."""
    if refine is not None and refine not in REFINERS:
        raise InpaintError(f"There is no refinement {refine!r}; choose one of {', '.join(REFINERS)}.")
    if blend is not None and blend not in BLENDS:
        raise InpaintError(f"There is no blending {blend!r}; choose one of {', '.join(BLENDS)}.")
