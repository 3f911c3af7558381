"""Sketches: the edges of a photo as lines to draw with, and any drawing as the thin lines the networks were trained on.

>>> from inpaint_core import sketch
>>> soft = sketch.edges(photo)                # probability of an edge at each pixel
>>> lines = sketch.thin(soft) & hole          # one pixel wide, as a sketch for `inpaint`
>>> lines = sketch.repair(drawing)            # what a user drew, with any brush in any colour
"""

from inpaint_core.sketch.detection import DETECTOR, MAX_PIXELS, THRESHOLD, edges, ready, ridges, thin
from inpaint_core.sketch.drawing import as_sketch, repair

__all__ = ["DETECTOR", "MAX_PIXELS", "THRESHOLD", "as_sketch", "edges", "ready", "repair", "ridges", "thin"]
