"""Clean-up of a drawn sketch: strokes of any brush in any colour as the thin lines of the networks' training."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from inpaint_core.errors import InpaintError
from inpaint_core.masks.boxes import bounding_box

PAINT = 0.25  # of the strongest difference from the paper: less is the rim of a stroke, or compression
FAINTEST = 12 / 255  # a picture with no stronger difference from its paper is empty
THIN = 3  # pixels: strokes in which a square of this side fits are wide


def repair(strokes: np.ndarray | Image.Image, shape: tuple[int, int] | None = None) -> np.ndarray:
    """Clean up a drawing into what the networks were trained on: thin lines, one to two pixels wide.

    What is a stroke: with an alpha channel that is not the same everywhere, what is painted; in a bool array True;
    in other pictures what differs from the paper, which is the most frequent brightness (so white on black and black
    on white are alike). Any colour and antialiasing will do. Strokes wider than two pixels become their middle
    lines; thinner ones stay.

    Args:
        strokes: H x W or H x W x (1, 2, 3 or 4), bool, integer in [0, 255] or float in [0, 1]; or a PIL image.
        shape: height and width to bring the drawing to, None: as it is.

    Returns:
        bool H x W, True = edge.

    Raises:
        InpaintError: the array is no picture or holds values that are not finite numbers.
    """
    drawn = _paint(strokes)
    if shape is not None and drawn.shape != tuple(shape):
        drawn = _resized(drawn, *shape)
    core = _core(drawn)
    if not core.any():
        return drawn
    from skimage.morphology import skeletonize

    wide = _connected_to(core, drawn)
    window = bounding_box(wide).slices
    drawn = drawn & ~wide
    strokes_here = np.pad(wide[window], 3).astype(np.uint8)
    body = cv2.dilate(_core(strokes_here), np.ones((THIN, THIN), np.uint8))  # thin lines that touch it are not of it
    smooth = cv2.medianBlur(body, 5)  # a rough rim would grow hairs
    drawn[window] |= skeletonize((smooth > 0) | (strokes_here > body))[3:-3, 3:-3]
    return drawn


def as_sketch(sketch: np.ndarray | Image.Image, size: tuple[int, int]) -> np.ndarray:
    """The sketch as bool H x W of the image's size, True = edge: any drawing, as `repair` reads it.

    Raises:
        InpaintError: it is no picture, holds values that are not finite numbers, or is of another size.
    """
    lines = repair(sketch)
    if lines.shape != size:
        raise InpaintError(
            f"The sketch has the shape {' x '.join(map(str, lines.shape))} and the image {size[0]} x {size[1]} "
            "(height x width); give a sketch of the image's size."
        )
    return lines


def _paint(strokes: np.ndarray | Image.Image) -> np.ndarray:
    """What is drawn, bool H x W."""
    if isinstance(strokes, Image.Image):
        if strokes.mode == "1":
            strokes = strokes.convert("L")
        elif strokes.mode not in ("L", "LA", "RGB", "RGBA"):
            strokes = strokes.convert("RGBA" if "transparency" in strokes.info or strokes.mode == "PA" else "RGB")
    pixels = np.asarray(strokes)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 2, 3, 4) or not pixels.size:
        shape = " x ".join(map(str, np.asarray(strokes).shape))
        raise InpaintError(f"The sketch must be a height x width picture, grey or in colours, not of shape {shape}.")
    if pixels.dtype.kind not in "buif" or (pixels.dtype.kind == "f" and not np.isfinite(pixels).all()):
        raise InpaintError("The sketch must hold finite numbers.")
    if pixels.dtype.kind == "b":
        return np.ascontiguousarray(pixels.any(axis=2))
    if pixels.shape[2] in (2, 4):
        alpha = np.ascontiguousarray(pixels[..., -1]).astype(np.float32)
        most = float(alpha.max())
        if most > float(alpha.min()):
            return alpha > 0.5 * most
        pixels = pixels[..., :-1]
        if most == 0:
            return np.zeros(pixels.shape[:2], bool)
    levels = pixels.astype(np.float32)
    if pixels.dtype.kind != "f" and levels.max() > 1:
        levels /= np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 255
    difference = np.zeros(levels.shape[:2], np.float32)
    for channel in range(levels.shape[2]):
        plane = levels[..., channel]
        counts, bounds = np.histogram(plane, bins=64)
        paper = float(np.median(plane[(plane >= bounds[counts.argmax()]) & (plane <= bounds[counts.argmax() + 1])]))
        np.maximum(difference, np.abs(plane - paper), out=difference)
    strongest = float(difference.max())
    if strongest < FAINTEST:
        return np.zeros(difference.shape, bool)
    return difference > PAINT * strongest


def _core(drawn: np.ndarray) -> np.ndarray:
    """Where a square of `THIN` pixels fits, uint8."""
    return cv2.erode(drawn.astype(np.uint8), np.ones((THIN, THIN), np.uint8), borderValue=0)


def _connected_to(core: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The whole strokes that `core` is of, bool H x W."""
    count, labels = cv2.connectedComponents(drawn.astype(np.uint8), connectivity=8)
    chosen = np.zeros(count, bool)
    chosen[labels[core > 0]] = True
    return chosen[labels]


def _resized(drawn: np.ndarray, height: int, width: int) -> np.ndarray:
    """The drawing in another size; a line of one pixel stays a line however small it gets."""
    shrink = min(height / drawn.shape[0], width / drawn.shape[1])
    kind = cv2.INTER_AREA if shrink < 1 else cv2.INTER_LINEAR
    share = cv2.resize(drawn.astype(np.float32), (width, height), interpolation=kind)
    return share > (0.25 * shrink if shrink < 1 else 0.5)
