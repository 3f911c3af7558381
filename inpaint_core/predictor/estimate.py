"""How long a fill will take, before it is begun."""

from __future__ import annotations

import math

import numpy as np

from inpaint_core import catalogue
from inpaint_core.predictor.checks import checked
from inpaint_core.predictor.crops import grid_of, plan_crops
from inpaint_core.predictor.instances import instance
from inpaint_core.predictor.options import FillOptions
from inpaint_core.predictor.steps import plan_steps

GRID_SIDE = 256  # cells
COST_PIXELS = 512 * 512  # that `Method.cost` is for
LEAST_SHARE = 0.1  # of that cost, which a crop takes however small it is
BLENDING_SECONDS = 1e-6  # at most, for each pixel of the photo
EXPLAINING = 3.0  # times a fill without its insides shown


def estimate(mask: np.ndarray, method: str | None = None, options: FillOptions = FillOptions()) -> float:
    """Rough seconds that a fill takes on two CPU cores: the method's cost, for each crop by its pixels.

    Args:
        mask, method, options: as for `inpaint_core.predictor.fill`.

    Raises:
        InpaintError: what is wrong with the mask or the method, in one sentence.
    """
    name, hole = checked(mask, method)
    seconds = _seconds(hole, name) * (EXPLAINING if options.explain else 1)
    if options.refine not in (None, name):
        seconds += _seconds(hole, options.refine)
    if options.blend is not None:
        seconds += BLENDING_SECONDS * hole.size
    return seconds


def _seconds(hole: np.ndarray, name: str) -> float:
    """Of one method alone."""
    method, cost = instance(name), catalogue.get(name).cost
    cell = math.ceil(max(hole.shape) / GRID_SIDE)  # a rough plan of the crops takes a tenth of the time of the true one
    grid = grid_of(hole, cell)
    crops = plan_crops(
        grid,
        margin=method.margin,
        min_margin=math.ceil(method.min_margin / cell),
        native_size=None if method.native_size is None else math.ceil(method.native_size / cell),
        square=method.fixed_size,
    )
    if method.fixed_size:
        return cost * len(crops)
    seconds = 0.0
    for crop in crops:
        for step in plan_steps(grid[crop.box.slices], method, method.max_pixels, cell):
            seconds += cost * max(LEAST_SHARE, step.pixels * cell**2 / COST_PIXELS)
    return seconds
