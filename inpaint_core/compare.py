"""One photo, one mask, many methods: each result as soon as it is ready, methods of little cost first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from inpaint_core import catalogue, predictor
from inpaint_core.arguments import as_colours, as_image, as_mask
from inpaint_core.errors import InpaintError
from inpaint_core.predictor import FillOptions, Preview, Progress, Result
from inpaint_core.sketch import as_sketch


@dataclass(frozen=True)
class Comparison:
    """What is to be filled and by whom, checked."""

    image: np.ndarray  # uint8 H x W x 3
    mask: np.ndarray  # bool H x W, True = hole
    methods: tuple[catalogue.Method, ...]  # those of little cost first
    options: FillOptions


def prepare(
    image: np.ndarray | Image.Image,
    mask: np.ndarray | Image.Image,
    methods: Sequence[str] | None = None,
    options: FillOptions = FillOptions(),
) -> Comparison:
    """Check the arguments of `fill_all`, which has them, and put the methods in order.

    Raises:
        InpaintError: a bad image, mask, sketch, option or method name.
    """
    pixels = as_image(image)
    hole = as_mask(mask, pixels.shape[:2])
    if options.sketch is not None:
        options = replace(options, sketch=as_sketch(options.sketch, pixels.shape[:2]))
    if options.colours is not None:
        options = replace(options, colours=as_colours(options.colours, pixels.shape[:2]))
    if methods is None:
        records = [method for method in catalogue.methods() if method.ready]
    else:
        records = [catalogue.require_ready(name) for name in dict.fromkeys(methods)]
    if not records:
        raise InpaintError("No method was chosen; choose at least one.")
    return Comparison(pixels, hole, tuple(sorted(records, key=lambda record: record.cost)), options)


def fill_all(
    image: np.ndarray | Image.Image,
    mask: np.ndarray | Image.Image,
    methods: Sequence[str] | None = None,
    options: FillOptions = FillOptions(),
    *,
    reference: np.ndarray | Image.Image | None = None,
    progress: Progress | None = None,
    preview: Preview | None = None,
    fill: Callable[..., Result] = predictor.fill,
) -> Iterator[Result]:
    """Fill the same hole with several methods.

    Args:
        image, mask, options, preview: as for `inpaint_core.predictor.fill`.
        methods: names of the catalogue; None takes every method that is ready.
        reference: the photo with the hidden pixels known, uint8 H x W x 3; then each result carries metrics.
        progress: called with the share of all methods done, and the title of the one that runs with its own text.
        fill: called in place of `inpaint_core.predictor.fill`, with the same arguments.

    Returns:
        An iterator of `Result`, methods of little cost first. A method that fails yields a result with `error` set.

    Raises:
        InpaintError: at the call, before anything is computed: a bad image, mask, sketch, reference, option or method
            name.
    """
    comparison = prepare(image, mask, methods, options)
    pixels, hole, records = comparison.image, comparison.mask, comparison.methods
    truth = None if reference is None else as_image(reference)
    if truth is not None and truth.shape != pixels.shape:
        raise InpaintError(
            f"The reference is {truth.shape[1]} x {truth.shape[0]} and the image {pixels.shape[1]} x "
            f"{pixels.shape[0]} pixels; give a reference of the image's size."
        )

    def results() -> Iterator[Result]:
        for index, record in enumerate(records):
            report = None if progress is None else _share_of(progress, index, len(records), record.title)
            try:
                result = fill(pixels, hole, record.name, comparison.options, progress=report, preview=preview)
            except InpaintError as error:
                yield Result(record.name, None, 0.0, error=str(error))
                continue
            if truth is not None and result.image is not None:
                from inpaint_core import metrics

                result.metrics = metrics.measure(result.image, truth, hole)
            yield result

    return results()


def _share_of(progress: Progress, index: int, count: int, title: str) -> Progress:
    """The same callback for one of `count` methods, its title before its text."""
    return lambda share, text: progress((index + share) / count, text if title in text else f"{title}: {text}")
