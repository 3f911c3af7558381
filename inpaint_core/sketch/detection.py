"""The edges of a photo: the detector's soft map, and the thin lines along its crests."""

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

DETECTOR = "edge_detector"  # its name in the manifest; it fills nothing, so it is not in the catalogue
THRESHOLD = 0.6  # of the soft map, as in the paper on gated convolution
MAX_PIXELS = 1024 * 1024  # of a photo that is evaluated: lines are not drawn finer, and 1 MP takes half a second
ORIENTATION_SIGMA = 2.0  # pixels: over how wide a neighbourhood a line's direction is taken


def ready() -> bool:
    """True if the edge detector's weights are here."""
    return weights.ready(DETECTOR)


def edges(image: np.ndarray | Image.Image, device: str = "auto") -> np.ndarray:
    """The edge detector's probability of an edge at each pixel.

    Args:
        image: uint8 H x W x 3 RGB, or a PIL image. Above `MAX_PIXELS` a smaller copy is evaluated.
        device: "auto", "cpu", "cuda", "mps".

    Returns:
        float32 H x W in [0, 1], 1 = edge, a few pixels wide: `thin` makes lines of it.

    Raises:
        InpaintError: the detector's weights are absent or damaged, or the image is not a photo.
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
    from inpaint_core.methods.engines.pytorch import prepare

    if DETECTOR not in weights.records(folder):
        raise InpaintError(
            f"There are no weights for the edge detector ({DETECTOR}) in {folder}: train them with "
            "python -m train.edge_detection.train, or draw the sketch by hand."
        )
    target = torch.device(device)
    return prepare(weights.load_network(DETECTOR, folder), target, fastest_precision(target))


def ridges(soft: np.ndarray, sigma: float = ORIENTATION_SIGMA) -> np.ndarray:
    """Non-maximum suppression: the soft map on the crests of its lines, zero elsewhere.

    A pixel stays where it is at least as high as both of its neighbours across the line. Across the line is the
    direction in which the smoothed map is curved most (the protocol of the HED paper, section 4, uses second
    derivatives, too).

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
        threshold: a line must reach this probability somewhere.
        weak: a line goes on while it has this share of the threshold (hysteresis); 1: no hysteresis.

    Returns:
        bool H x W, True = line.
    """
    from skimage.filters import apply_hysteresis_threshold
    from skimage.morphology import skeletonize

    crests = ridges(soft)
    return skeletonize(apply_hysteresis_threshold(crests, weak * threshold, threshold))
