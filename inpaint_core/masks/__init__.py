"""Masks: random ones to train and measure on, ones a user drew or loaded, and repairs of those.

    from inpaint_core import masks

    mask = masks.from_layers(editor["layers"][:1])            # bool H x W, True = hole
    mask = masks.repair(mask, close_loops=True, dilate=4)
    mask = masks.check(mask, height, width)                   # or InpaintError
    mask |= masks.select_object(image, *masks.object_hint([(80, 90), (120, 130)], height, width))
    batch = masks.free_form(16, 256, 256, generator=torch.Generator().manual_seed(0))

The generators need torch and are loaded when first asked for; the rest is numpy and OpenCV.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inpaint_core.masks.canvas import from_box, from_file, from_layers, resize
from inpaint_core.masks.objects import object_hint, select_object
from inpaint_core.masks.repairs import Diagnosis, check, diagnose, repair

if TYPE_CHECKING:
    from inpaint_core.masks.generators import (
        GENERATORS,
        box,
        centre,
        deepfill,
        free_form,
        generate,
        irregular,
        narrow,
        random_pixels,
        wide,
    )
    from inpaint_core.masks.pixelate import mosaic

__all__ = [
    "GENERATORS",
    "Diagnosis",
    "box",
    "centre",
    "check",
    "deepfill",
    "diagnose",
    "free_form",
    "from_box",
    "from_file",
    "from_layers",
    "generate",
    "irregular",
    "mosaic",
    "narrow",
    "object_hint",
    "random_pixels",
    "repair",
    "resize",
    "select_object",
    "wide",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{'pixelate' if name == 'mosaic' else 'generators'}")
    return getattr(module, name)
