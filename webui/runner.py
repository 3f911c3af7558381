"""Runs the core for the page: one queue for all fills, a GPU lent by ZeroGPU where there is one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

import inpaint_core

QUEUE = "fill"
AT_ONCE = 2  # fills at the same time; the others wait in the queue and see their place in it
DEVICE = os.environ.get("INPAINT_DEVICE", "auto")


def fill(
    image: np.ndarray,
    mask: np.ndarray,
    method: str,
    sketch: np.ndarray | None,
    seed: int,
    refine: str | None = None,
    explain: bool = False,
    progress: Callable[..., Any] | None = None,
) -> inpaint_core.Result:
    """`inpaint_core.inpaint`, whose progress moves the page's bar."""
    tell = None if progress is None else lambda share, text: progress(share, desc=text)
    return inpaint_core.inpaint(
        image, mask, method, sketch, DEVICE, seed, refine=refine, explain=explain, progress=tell
    )


def warm_up() -> None:
    """Load what the first fill needs, so that the first visitor does not wait for it."""
    from inpaint_core import metrics  # imports torch, which the page does without until now

    tiny = np.zeros((16, 16, 3), np.uint8)
    hole = np.zeros((16, 16), bool)
    hole[6:9, 6:9] = True
    inpaint_core.inpaint(tiny, hole, "telea", device=DEVICE)
    if any(method.needs_weights and method.ready for method in inpaint_core.methods()):
        inpaint_core.warm_up(DEVICE)
    metrics.lpips_unavailable_reason()  # loads LPIPS, or remembers why it cannot
