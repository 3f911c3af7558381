"""Colours that a user has dabbed into the hole, as a soft prior in a coarse photo."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

SPREAD = 1 / 12
"""Side of the box that blurs the dabs, twice, as a share of the photo's longer side."""
TRUST = 0.9
"""Weight of the colour inside a large dab; the rest is what the network has made of the place."""


def mix_colours(coarse: Tensor, colours: Tensor, mask: Tensor) -> Tensor:
    """The coarse photo drawn towards the colours wanted, most inside the dabs, less and less around them.

    Args:
        coarse: N x 3 x H x W in [0, 1].
        colours: N x 4 x H x W in [0, 1]: RGB, and 1 where it is wanted.
        mask: N x 1 x H x W, 1 = hole; nothing changes outside.

    Returns:
        N x 3 x H x W.
    """
    wanted = (colours[:, 3:] * mask).to(coarse.dtype)
    side = 2 * round(max(coarse.shape[-2:]) * SPREAD / 2) + 1
    blurred = torch.cat((colours[:, :3].to(coarse.dtype) * wanted, wanted), 1)
    for _ in range(2):  # two boxes are a tent; what lies outside of the photo does not count
        blurred = F.avg_pool2d(blurred, side, 1, side // 2, count_include_pad=False)
    near = blurred[:, 3:]
    target = blurred[:, :3] / near.clamp_min(1e-4)
    weight = TRUST * (2 * near).clamp_max(1) * mask.to(coarse.dtype)  # soft: the second stage would keep a dab's border
    return coarse + weight * (target - coarse)
