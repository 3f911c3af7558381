"""What is checked alike before a fill is estimated or cut out: its mask and its method."""

from __future__ import annotations

import numpy as np

from inpaint_core import catalogue
from inpaint_core.arguments import as_mask


def checked(mask: np.ndarray, method: str | None) -> tuple[str, np.ndarray]:
    """The method's name, the default one's for None, and the hole, bool H x W.

    Raises:
        InpaintError: what is wrong with the mask or the method, in one sentence.
    """
    name = catalogue.default_method() if method is None else method
    catalogue.require_ready(name)
    return name, as_mask(mask, np.shape(mask)[:2])
