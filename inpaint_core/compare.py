"""One photo, one mask, many methods: each result as soon as it is ready, fastest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from inpaint_core import catalogue
from inpaint_core.arguments import as_image, as_mask
from inpaint_core.errors import InpaintError
from inpaint_core.predictor import FillOptions
from inpaint_core.predictor.predictor import Result, inpaint
from inpaint_core.progress import Preview, Progress


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
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Iterator[Result]:
    """Fill the same hole with several methods.

    Args:
        image, mask, sketch, device, seed, refine, blend: as for `inpaint_core.inpaint`.
        methods: names of the catalogue; None takes every method that is ready.
        reference: the photo with the hidden pixels known, uint8 H x W x 3; then each result carries metrics.
        progress: called with the share of all methods done, the title of the one that runs and what it is at.
        preview: called a few times a second with the photo so far, by methods that fill bit by bit.

    Returns:
        An iterator of `Result`, methods of little cost first. A method that fails yields a result with `error` set.

    Raises:
        InpaintError: at the call, before anything is computed: a bad image, mask, reference or method name.
    """
    pixels = as_image(image)
    hole = as_mask(mask, pixels.shape[:2])
    truth = None if reference is None else as_image(reference)
    if truth is not None and truth.shape != pixels.shape:
        raise InpaintError(
            f"The reference is {truth.shape[1]} x {truth.shape[0]} and the image {pixels.shape[1]} x "
            f"{pixels.shape[0]} pixels; give a reference of the image's size."
        )
    if methods is None:
        records = [method for method in catalogue.methods() if method.ready]
    else:
        records = [catalogue.require_ready(name) for name in dict.fromkeys(methods)]
    if not records:
        raise InpaintError("No method was chosen; choose at least one.")
    records.sort(key=lambda record: record.cost)
    return _run(records, pixels, hole, sketch, truth, device, seed, refine, blend, progress, preview)


def fill_all(
    image: np.ndarray | Image.Image,
    mask: np.ndarray | Image.Image,
    methods: Sequence[str] | None,
    options: FillOptions = FillOptions(),
    *,
    reference: np.ndarray | Image.Image | None = None,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Iterator[Result]:
    """`compare` with its options in one record."""
    chosen = {key: value for key, value in vars(options).items() if key not in ("weights", "explain")}
    return compare(image, mask, methods, reference=reference, progress=progress, preview=preview, **chosen)


def _run(
    records: list[catalogue.Method],
    image: np.ndarray,
    mask: np.ndarray,
    sketch: np.ndarray | Image.Image | None,
    reference: np.ndarray | None,
    device: str,
    seed: int,
    refine: str | None,
    blend: str | None,
    progress: Progress | None,
    preview: Preview | None,
) -> Iterator[Result]:
    for index, record in enumerate(records):
        try:
            result = inpaint(
                image,
                mask,
                record.name,
                sketch,
                device,
                seed,
                refine=refine,
                blend=blend,
                progress=_part(progress, index, len(records), record.title),
                preview=preview,
            )
        except InpaintError as error:
            yield Result(record.name, None, 0.0, error=str(error))
            continue
        if reference is not None and result.image is not None:
            from inpaint_core import metrics

            result.metrics = metrics.measure(result.image, reference, mask)
        yield result


def _part(progress: Progress | None, index: int, count: int, title: str) -> Progress | None:
    """The same callback for one of `count` methods, its title before what it says."""
    if progress is None:
        return None
    return lambda share, text: progress((index + share) / count, text if title in text else f"{title}: {text}")
