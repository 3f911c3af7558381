"""Sketches: the edges of a photo as lines to draw with, and any drawing as the thin lines the networks know.

>>> from inpaint_core import sketch
>>> soft = sketch.edges(photo)                # how sure the detector is of an edge at each pixel
>>> lines = sketch.thin(soft) & hole          # one pixel wide, as a sketch for `inpaint`
>>> lines = sketch.repair(drawing)            # what a user drew, with any brush in any colour
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from inpaint_core import weights
from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    from torch import nn

DETECTOR = "hed"  # its word in the manifest; it fills nothing, so it is not in the catalogue
THRESHOLD = 0.6  # of the soft map, as in the paper on gated convolution
MAX_PIXELS = 1024 * 1024  # larger photos are looked at in this size: nobody draws finer, and 1 MP takes half a second
ORIENTATION_SIGMA = 2.0  # pixels: over how wide a neighbourhood a line's direction is taken
PAINT = 0.25  # of the strongest difference from the paper: less is the rim of a stroke, or compression
FAINTEST = 12 / 255  # a picture with no stronger difference from its paper is empty
THIN = 3  # pixels: strokes in which a square of this side fits are wide


def ready() -> bool:
    """True if the edge detector's weights are here."""
    return weights.ready(DETECTOR)


def edges(image: np.ndarray | Image.Image, device: str = "auto") -> np.ndarray:
    """How sure the edge detector is of an edge at each pixel.

    Args:
        image: uint8 H x W x 3 RGB, or a PIL image. Above `MAX_PIXELS` it is looked at in a smaller size.
        device: "auto", "cpu", "cuda", "mps".

    Returns:
        float32 H x W in [0, 1], 1 = edge, a few pixels wide: `thin` makes lines of it.

    Raises:
        InpaintError: the detector's weights are absent or damaged, or the image is none.
    """
    import torch

    from inpaint_core.arguments import as_image, choose_device

    pixels = as_image(image)
    height, width = pixels.shape[:2]
    target = choose_device(device)
    network = _detector(target, str(weights.directory()))
    scale = min(1.0, math.sqrt(MAX_PIXELS / (height * width)))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    planes = torch.from_numpy(np.array(pixels)).to(target).permute(2, 0, 1)[None].float() / 255
    kernels = next(parameter for parameter in network.parameters() if parameter.ndim == 4)
    with torch.inference_mode():
        planes = planes.to(kernels.dtype).contiguous(memory_format=torch.channels_last)
        soft = network(planes)[0].float().sigmoid()[0, 0].cpu().numpy()
    if scale < 1:
        soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(soft)


@functools.lru_cache(maxsize=2)
def _detector(device: str, folder: str) -> nn.Module:
    """The network with its weights on the device, loaded once."""
    import torch

    from inpaint_core.methods.engines.precision import fastest_precision
    from inpaint_core.methods.feed_forward import prepare
    from inpaint_core.networks.edge_detector import HED

    if DETECTOR not in weights.records(folder):
        raise InpaintError(
            f"There are no weights for the edge detector ({DETECTOR}) in {folder}: train them with "
            "python -m train.edge_detection.train, or draw the sketch by hand."
        )
    arguments, state = weights.load(DETECTOR, folder)
    network = HED(**arguments)
    weights.load_into(network, state, "The weights of the edge detector")
    target = torch.device(device)
    return prepare(network, target, fastest_precision(target))


def ridges(soft: np.ndarray, sigma: float = ORIENTATION_SIGMA) -> np.ndarray:
    """Non-maximum suppression: the soft map on the crests of its lines, zero elsewhere.

    A pixel stays where it is at least as high as both of its neighbours across the line. Across the line is the
    direction in which the smoothed map is curved most (the paper's protocol takes it from second derivatives, too).

    Args:
        soft: H x W in [0, 1].
        sigma: pixels of the Gaussian before the derivatives.

    Returns:
        float32 H x W.
    """
    soft = np.ascontiguousarray(soft, np.float32)
    height, width = soft.shape
    smooth = cv2.GaussianBlur(soft, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    dxx = cv2.Sobel(smooth, cv2.CV_32F, 2, 0, borderType=cv2.BORDER_REPLICATE)
    dyy = cv2.Sobel(smooth, cv2.CV_32F, 0, 2, borderType=cv2.BORDER_REPLICATE)
    dxy = cv2.Sobel(smooth, cv2.CV_32F, 1, 1, borderType=cv2.BORDER_REPLICATE)
    # the eigenvector of the Hessian [[dxx, dxy], [dxy, dyy]] with the smaller (most negative) eigenvalue
    angle = 0.5 * np.arctan2(2 * dxy, dxx - dyy) + np.float32(np.pi / 2)
    right, down = np.cos(angle), np.sin(angle)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    fine = cv2.GaussianBlur(soft, (0, 0), 0.7, borderType=cv2.BORDER_REPLICATE)  # no crest on every speck of noise
    crest = np.ones(soft.shape, bool)
    for sign in (-1, 1):
        across = cv2.remap(fine, x + sign * right, y + sign * down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        crest &= fine >= across if sign < 0 else fine > across
    return np.where(crest, soft, np.float32(0))


def thin(soft: np.ndarray, threshold: float = THRESHOLD, weak: float = 0.6) -> np.ndarray:
    """The lines of a soft edge map, one pixel wide.

    Args:
        soft: H x W in [0, 1], of `edges`.
        threshold: a line must be at least this sure somewhere.
        weak: a line goes on for as long as it is this share of the threshold sure (hysteresis); 1: not at all.

    Returns:
        bool H x W, True = line.
    """
    from skimage.filters import apply_hysteresis_threshold
    from skimage.morphology import skeletonize

    crests = ridges(soft)
    return skeletonize(apply_hysteresis_threshold(crests, weak * threshold, threshold))


def repair(strokes: np.ndarray | Image.Image, shape: tuple[int, int] | None = None) -> np.ndarray:
    """A drawing as the networks were trained on it: thin lines, one to two pixels wide.

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
        InpaintError: the array is no picture or holds what is no number.
    """
    drawn = _paint(strokes)
    if shape is not None and drawn.shape != tuple(shape):
        drawn = _resized(drawn, *shape)
    core = _core(drawn)
    if not core.any():
        return drawn
    from skimage.morphology import skeletonize

    wide = _connected_to(core, drawn)
    rows, columns = (np.flatnonzero(wide.any(axis)) for axis in (1, 0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    drawn = drawn & ~wide
    strokes_here = np.pad(wide[window], 3).astype(np.uint8)
    body = cv2.dilate(_core(strokes_here), np.ones((THIN, THIN), np.uint8))  # thin lines that touch it are not of it
    smooth = cv2.medianBlur(body, 5)  # a rough rim would grow hairs
    drawn[window] |= skeletonize((smooth > 0) | (strokes_here > body))[3:-3, 3:-3]
    return drawn


def as_sketch(sketch: np.ndarray | Image.Image, size: tuple[int, int]) -> np.ndarray:
    """The sketch as bool H x W of the image's size, True = edge: any drawing, as `repair` reads it.

    Raises:
        InpaintError: it is no picture, holds what is no number, or is of another size.
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
