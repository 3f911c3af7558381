"""Photos and holes as the metrics take them."""

from __future__ import annotations

import numpy as np
import torch

from inpaint_core import metrics

PAIRWISE = [metrics.l1, metrics.l2, metrics.psnr, metrics.ssim, metrics.lpips]


def tensors(*photos):
    return [torch.from_numpy(p.astype(np.float32) / 255).permute(2, 0, 1)[None] for p in photos]


def as_mask(hole):
    return torch.from_numpy(hole.astype(np.float32))[None, None]
