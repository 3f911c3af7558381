"""What is checked alike before a fill is estimated or cut out: its mask, its method, its options."""

from __future__ import annotations

import numpy as np

from inpaint_core import catalogue
from inpaint_core.arguments import as_mask
from inpaint_core.predictor.options import FillOptions


def checked(mask: np.ndarray, method: str | None, options: FillOptions) -> tuple[str, np.ndarray]:
    """The method's name, the default one's for None, and the hole, bool H x W.

    Raises:
        InpaintError: what is wrong with the mask, the method or the options, in one sentence.
    """
    name = catalogue.default_method() if method is None else method
    catalogue.require_ready(name)
    options.check()
    return name, as_mask(mask, np.shape(mask)[:2])
