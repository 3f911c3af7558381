"""How much of a lattice a fill is: the energy of its spectrum at periods of 2, 4 and 8 px, where networks leave dots.

A network that enlarges its features by strides of 2 can leave rows of dots or hatching at those periods. In the largest
square inside the hole, the energy at the period's frequency is divided by the median energy at the frequencies around
it: about 1 for photos and noise, well above for a lattice.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

PERIODS = (2, 4, 8)  # pixels
SMALLEST_SIDE = 32  # pixels; in a smaller square the frequencies of these periods and their neighbours are not apart


def lattice(fill: Tensor, mask: Tensor) -> Tensor:
    """The largest of `lattice_spectrum` over the periods.

    Args:
        fill: float N x 3 x H x W, any range.
        mask: N x 1 x H x W, 1 = hole.

    Returns:
        (N,): about 1 for photos and noise; NaN where the hole holds no square of 32 px.
    """
    return lattice_spectrum(fill, mask).amax(1)


def lattice_spectrum(fill: Tensor, mask: Tensor) -> Tensor:
    """Energy at periods of 2, 4 and 8 px over the median of the frequencies around, in the hole's largest square.

    Rows and columns are transformed apart under a Hann window, their energies averaged over lines and channels, and
    the two ratios averaged.

    Args and NaN as in `lattice`.

    Returns:
        float32 (N, 3), one ratio a period.
    """
    return torch.stack([_of_square(image, hole) for image, hole in zip(fill, mask[:, 0] > 0, strict=True)])


def largest_square(hole: np.ndarray, step: int = 8, least: int = SMALLEST_SIDE) -> tuple[int, int, int] | None:
    """Top, left and side of a largest square of hole pixels, its side a multiple of `step`; None under `least` pixels.

    Args:
        hole: bool H x W.
    """
    sums = cv2.integral(hole.astype(np.uint8))  # H + 1 x W + 1
    for side in range(min(hole.shape) // step * step, least - 1, -step):
        inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
        if (inside == side**2).any():
            top, left = np.unravel_index(inside.argmax(), inside.shape)
            return int(top), int(left), side
    return None


def _of_square(image: Tensor, hole: Tensor) -> Tensor:
    """(3,) of one image, C x H x W, and its hole, bool H x W."""
    square = largest_square(hole.cpu().numpy())
    if square is None:
        return torch.full((len(PERIODS),), torch.nan, device=image.device)
    top, left, side = square
    cut = image[:, top : top + side, left : left + side].float()
    return torch.stack([_ratios(cut), _ratios(cut.mT)]).mean(0)


def _ratios(lines: Tensor) -> Tensor:
    """(3,) of the rows of C x S x S."""
    side = lines.shape[-1]
    window = torch.hann_window(side, device=lines.device)
    energy = torch.fft.rfft((lines - lines.mean(-1, keepdim=True)) * window).abs().square().mean((0, 1))  # (S / 2 + 1,)
    # The window spreads a frequency over its two neighbours, and a lattice of 8 px has overtones every S / 8
    distances = torch.arange(2, side // max(PERIODS) - 1, device=lines.device)
    log_energy = energy.clamp_min(1e-12).log()  # in which a photo's spectrum falls evenly to both sides of a frequency
    ratios = []
    for period in PERIODS:
        at = side // period
        around = torch.cat([at - distances, at + distances])
        ratios.append(log_energy[at] - log_energy[around[around < len(energy)]].quantile(0.5))
    return torch.stack(ratios).exp()
