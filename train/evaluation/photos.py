"""The photos that are measured on, and the hole of each: the same for every method and in every run."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image

from inpaint_core import masks
from inpaint_core.errors import InpaintError
from train.core.sources import decode, expand, members

SMALLEST_SIDE = 32  # pixels; smaller photos are left out
Item = TypeVar("Item")


class Photo(NamedTuple):
    """A photo to be filled: the name of its file, and its pixels, uint8 H x W x 3."""

    name: str
    pixels: np.ndarray


def read_photos(sources: Iterable[Path], size: int, limit: int | None = None) -> Iterator[Photo]:
    """The first `limit` photos of folders and tar shards; those that cannot be read are named on stderr.

    Args:
        sources: as for `train.core.sources.members`.
        size: the largest central squares are resized to this side in pixels; 0: whole photos.
        limit: None takes all.
    """
    count = 0
    for name, data in members(sources):
        if limit is not None and count == limit:
            return
        pixels = decode(data, "RGB", SMALLEST_SIDE, None)
        if pixels is None:
            print(f"{name} cannot be read and is left out", file=sys.stderr)
            continue
        count += 1
        yield Photo(name, central_square(pixels, size) if size else pixels)


def spread_evenly(items: Sequence[Item], limit: int | None) -> list[Item]:
    """`limit` of the items at even distances; all of them where there are no more, or the limit is None."""
    if limit is None or len(items) <= limit:
        return list(items)
    return [items[round(index)] for index in np.linspace(0, len(items) - 1, limit)]


def chosen_photos(sources: Iterable[str | Path], size: int, limit: int | None) -> list[Photo]:
    """At most `limit` photos, spread evenly over all there are; arguments as for `read_photos`.

    Args:
        sources: patterns, as for `train.core.sources.expand`.

    Raises:
        InpaintError: there are none.
    """
    sources = list(sources)
    photos = spread_evenly(list(read_photos(expand(sources), size)), limit)
    if not photos:
        raise InpaintError(f"There are no photos in {', '.join(map(str, sources)) or 'no source at all'}: name others.")
    return photos


def central_square(pixels: np.ndarray, size: int) -> np.ndarray:
    """The largest central square of uint8 H x W x 3, resized to `size` x `size` pixels."""
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    square = pixels[top : top + side, left : left + side]
    if side == size:
        return square
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.LANCZOS))


def mask_for(name: str, mask_set: str, height: int, width: int, seed: int = 0) -> np.ndarray:
    """The hole of a photo, bool H x W, True = hole: it depends on nothing but the arguments.

    Args:
        name: of the photo.
        mask_set: a generator of `inpaint_core.masks`, such as "free_form"; or "irregular@10-20": irregular masks whose
            hole takes 10 to 20 % of the photo.
        height, width: in pixels.
        seed: other masks for the same photos.

    Raises:
        InpaintError: there are no such masks.
    """
    generator, _, percent = mask_set.partition("@")
    options = {"ratio": _shares(mask_set, percent)} if percent else {}
    return masks.generate(generator, height, width, seed=zlib.crc32(f"{seed} {mask_set} {name}".encode()), **options)


def _shares(mask_set: str, percent: str) -> tuple[float, float]:
    """ "10-20" as (0.1, 0.2)."""
    try:
        low, high = (float(word) / 100 for word in percent.split("-"))
    except ValueError as error:
        raise InpaintError(f"Write a range of shares in per cent, such as irregular@10-20, not {mask_set}.") from error
    if not mask_set.startswith("irregular@"):
        raise InpaintError(f"Only irregular masks take a range of shares, as irregular@{percent}, not {mask_set}.")
    return low, high
