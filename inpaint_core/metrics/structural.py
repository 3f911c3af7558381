"""SSIM: structural similarity."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from inpaint_core.metrics.arguments import checked, mean

WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2
BAND = 256  # rows at a time: five blurred maps of a 12-megapixel photo at once would take gigabytes


def ssim(image: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
    """Structural similarity, (N,), 1 = equal (Wang et al. 2004, section III.B), mean over the three channels.

    Gaussian window 11 x 11 with sigma 1.5, C1 = 0.01^2, C2 = 0.03^2, population covariance. Without a mask the mean
    goes over the windows that lie inside the image (over all of them where a side is below 11), with a mask over the
    windows centred on hole pixels, the image mirrored at its border: in both cases what scikit-image gives with
    `gaussian_weights=True, use_sample_covariance=False`.

    >>> photo = torch.rand(2, 3, 16, 16)
    >>> ssim(photo, photo)
    tensor([1., 1.])
    """
    image, reference, mask = checked(image, reference, mask)
    return ssim_of(ssim_map(image, reference), mask)


def ssim_of(quality: Tensor, mask: Tensor | None) -> Tensor:
    half = WINDOW // 2
    if mask is None and min(quality.shape[2:]) >= WINDOW:
        quality = quality[:, :, half:-half, half:-half]
    return mean(quality, mask)


def ssim_map(image: Tensor, reference: Tensor) -> Tensor:
    """SSIM of the window around every pixel, mean of the channels: N x 1 x H x W."""
    half = WINDOW // 2
    # Mirrored with the border pixel repeated, as scikit-image does; torch's own "reflect" leaves it out.
    rows, columns = (
        torch.from_numpy(np.pad(np.arange(side), half, mode="symmetric")).to(image.device) for side in image.shape[2:]
    )
    bands = []
    for top in range(0, image.shape[2], BAND):
        band = rows[top : top + BAND + 2 * half]
        x, y = (each[:, :, band][:, :, :, columns] for each in (image, reference))
        mean_x, mean_y, xx, yy, xy = _blurred(torch.stack((x, y, x * x, y * y, x * y)))
        luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
        structure = (2 * (xy - mean_x * mean_y) + C2) / (xx - mean_x**2 + yy - mean_y**2 + C2)
        bands.append((luminance * structure).mean(dim=1, keepdim=True))
    return torch.cat(bands, dim=2)


def _blurred(stack: Tensor) -> Tensor:
    """The last two dimensions under the Gaussian window, which must fit inside: each shrinks by 10.

    Eleven shifted sums an axis: on a CPU a tenth of the time and memory of a convolution of one channel.
    """
    weights = [math.exp(-((i - WINDOW // 2) ** 2) / (2 * SIGMA**2)) for i in range(WINDOW)]
    for axis in (-2, -1):
        size = stack.shape[axis] - WINDOW + 1
        total = stack.narrow(axis, 0, size) * (weights[0] / sum(weights))
        for i in range(1, WINDOW):
            total.add_(stack.narrow(axis, i, size), alpha=weights[i] / sum(weights))
        stack = total
    return stack
