"""A palette of at most 256 colours for a completed picture, in which known colours stay exactly what they were."""

from __future__ import annotations

import numpy as np
from PIL import Image

_SIZE = 256


def to_palette(
    image: np.ndarray, alpha: np.ndarray | None, filled: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int | None]:
    """Palette indices (uint8 H x W), colours (uint8 K x 3) and the transparent index or None.

    `image` uint8 H x W x 3, `alpha` uint8 H x W or None, `filled` bool H x W. Known colours that fit into the palette,
    as those of a GIF always do, stay as they are, and the fill gets the entries that are left, or the nearest. More
    known colours than that are quantised together with the fill.
    """
    see_through = np.zeros(filled.shape, bool) if alpha is None else alpha < 128
    capacity = _SIZE - int(see_through.any())
    codes = _codes(image)
    known = np.unique(codes[~filled & ~see_through])
    if len(known) > capacity:
        colours = _quantise(image[~see_through], capacity)
    else:
        added = np.setdiff1d(codes[filled & ~see_through], known)
        if len(known) + len(added) > capacity:
            free = capacity - len(known)
            added = _quantise(_colours(added), free) if free else added[:0]
        colours = np.union1d(known, added)
    seen, where = np.unique(codes, return_inverse=True)
    indices = _nearest(_colours(seen), _colours(colours)).astype(np.uint8)[where].reshape(filled.shape)
    table = _colours(colours)
    if not see_through.any():
        return indices, table, None
    indices[see_through] = len(table)
    return indices, np.concatenate([table, np.zeros((1, 3), np.uint8)]), len(table)


def _codes(image: np.ndarray) -> np.ndarray:
    """One number a colour: uint8 ... x 3 -> uint32 ... ."""
    red, green, blue = (image[..., channel].astype(np.uint32) for channel in range(3))
    return red << 16 | green << 8 | blue


def _colours(codes: np.ndarray) -> np.ndarray:
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.uint8)


def _quantise(colours: np.ndarray, count: int) -> np.ndarray:
    """At most `count` colours, as codes, that stand for `colours` (N x 3), by median cut."""
    picture = Image.fromarray(np.ascontiguousarray(colours[None])).quantize(count, dither=Image.Dither.NONE)
    chosen = np.frombuffer(picture.convert("RGB").tobytes(), np.uint8).reshape(-1, 3)
    return np.unique(_codes(chosen))


def _nearest(colours: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Index into `table` (K x 3) of the colour nearest to each of `colours` (N x 3), by squared distance."""
    wanted, offered = colours.astype(np.int32), table.astype(np.int32)
    nearest = np.empty(len(wanted), np.int64)
    for start in range(0, len(wanted), 4096):  # N x K distances of a photo would not fit into memory
        differences = wanted[start : start + 4096, None] - offered[None]
        nearest[start : start + 4096] = np.square(differences).sum(axis=2).argmin(axis=1)
    return nearest
