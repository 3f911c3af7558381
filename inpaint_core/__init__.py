"""Image inpainting, every method side by side: `methods()`, `inpaint()`, `compare()`, `suggest()`.

>>> import inpaint_core
>>> [method.name for method in inpaint_core.methods() if method.family == "diffusion"]
['ns', 'telea']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

# `fill` and `fill_all` import torch only when they run, so importing this package and listing the methods is instant.
# The functions `methods` and `compare` share their names with modules. Those are imported before the functions are
# bound, so that no later import of them puts the module in the function's place.
import inpaint_core.methods  # noqa: F401  # isort: skip
from inpaint_core.catalogue import Method, default_method, methods, public_methods
from inpaint_core.compare import fill_all
from inpaint_core.errors import InpaintError
from inpaint_core.predictor import FillOptions, Preview, Progress, Result, fill, warm_up
from inpaint_core.suggestion import Score, Suggestion, suggest

__all__ = [
    "FillOptions",
    "InpaintError",
    "Method",
    "Result",
    "Score",
    "Suggestion",
    "compare",
    "default_method",
    "inpaint",
    "methods",
    "public_methods",
    "suggest",
    "warm_up",
]
__version__ = "0.1.0"


def inpaint(
    image: np.ndarray | Image.Image,
    mask: np.ndarray | Image.Image,
    method: str | None = None,
    sketch: np.ndarray | Image.Image | None = None,
    device: str = "auto",
    seed: int = 0,
    *,
    refine: str | None = None,
    blend: str | None = None,
    weights: str | Path | None = None,
    explain: bool = False,
    colours: np.ndarray | Image.Image | None = None,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Result:
    """Fill the hole of a photo with one method.

    Args:
        image: uint8 H x W x 3 RGB, or a PIL image.
        mask: H x W bool or numbers, > 0 = hole, or a PIL image.
        method: a name of the catalogue, also with public weights, as in `lama@big`; None is the default method.
        sketch, device, seed, refine, blend, weights, explain, colours: the fields of `FillOptions`.
        progress: called now and then with the share done in [0, 1] and a short text.
        preview: called a few times a second with the photo as far as it is filled, uint8 H x W x 3, by methods that
            fill bit by bit.

    Returns:
        A `Result` whose image equals the input wherever the mask is 0 (see `inpaint_core.predictor.fill`).

    Raises:
        InpaintError: what is wrong with the image, mask, sketch, method or device, in one sentence.
    """
    options = FillOptions(
        sketch=sketch,
        device=device,
        seed=seed,
        refine=refine,
        blend=blend,
        weights=weights,
        explain=explain,
        colours=colours,
    )
    return fill(image, mask, method, options, progress=progress, preview=preview)


def compare(
    image: np.ndarray | Image.Image,
    mask: np.ndarray | Image.Image,
    methods: Sequence[str] | None = None,
    sketch: np.ndarray | Image.Image | None = None,
    reference: np.ndarray | Image.Image | None = None,
    device: str = "auto",
    seed: int = 0,
    *,
    refine: str | None = None,
    blend: str | None = None,
    colours: np.ndarray | Image.Image | None = None,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Iterator[Result]:
    """Fill the same hole with several methods.

    Args:
        image, mask, preview: as for `inpaint`.
        methods: names of the catalogue; None takes every method that is ready.
        sketch, device, seed, refine, blend, colours: the fields of `FillOptions`.
        reference: the photo with the hidden pixels known, uint8 H x W x 3; then each result carries metrics.
        progress: called with the share of all methods done, and the title of the one that runs with its own text.

    Returns:
        An iterator of `Result`, methods of little cost first. A method that fails yields a result with `error` set.

    Raises:
        InpaintError: at the call, before anything is computed: a bad image, mask, sketch, reference, option or method
            name.
    """
    options = FillOptions(sketch=sketch, device=device, seed=seed, refine=refine, blend=blend, colours=colours)
    return fill_all(image, mask, methods, options, reference=reference, progress=progress, preview=preview)
