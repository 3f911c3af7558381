"""The two classical diffusion methods, as OpenCV implements them."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from inpaint_core.methods.base import FillContext, Filled, FillMethod

RADIUS = 3  # pixels: the neighbourhood that a hole pixel is computed from, as in the published comparisons


class _OpenCVInpaint(FillMethod):
    """Runs `cv2.inpaint` sample by sample at 8 bits a channel, on the CPU."""

    margin = 0.1  # only the rim of the hole matters
    min_margin = 16
    flag: int

    def fill(self, image: Tensor, mask: Tensor, context: FillContext = FillContext()) -> Filled:
        """See `FillMethod.fill`. Nothing of the context is used."""
        filled = []
        for photo, hole in zip(image.cpu(), mask.cpu(), strict=True):
            pixels = np.ascontiguousarray(photo.mul(255).round().to(torch.uint8).permute(1, 2, 0).numpy())
            result = cv2.inpaint(pixels, (hole[0] > 0.5).to(torch.uint8).numpy(), RADIUS, self.flag)
            filled.append(torch.from_numpy(result).permute(2, 0, 1).float().div_(255))
        return Filled(torch.stack(filled).to(image.device))


class NavierStokes(_OpenCVInpaint):
    """Bertalmio, Bertozzi and Sapiro 2001: isophotes are continued as streamlines of an incompressible flow."""

    flag = cv2.INPAINT_NS


class Telea(_OpenCVInpaint):
    """Telea 2004: fast marching inwards with a distance-, direction- and level-weighted mean (section 2)."""

    flag = cv2.INPAINT_TELEA
