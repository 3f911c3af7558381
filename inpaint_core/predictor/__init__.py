"""The predictor: photo + mask (+ sketch) -> completed photo, the known pixels bit for bit."""

from inpaint_core.predictor.estimate import estimate
from inpaint_core.predictor.instances import uses_gpu
from inpaint_core.predictor.options import FillOptions, Result
from inpaint_core.predictor.predictor import fill, load_networks, warm_up
from inpaint_core.predictor.region import in_whole, pasted, region
from inpaint_core.progress import Preview, Progress

__all__ = [
    "FillOptions",
    "Preview",
    "Progress",
    "Result",
    "estimate",
    "fill",
    "in_whole",
    "load_networks",
    "pasted",
    "region",
    "uses_gpu",
    "warm_up",
]
