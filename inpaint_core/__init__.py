"""Image inpainting, every method side by side: `methods()`, `inpaint()`, `compare()`.

>>> import inpaint_core
>>> [method.name for method in inpaint_core.methods() if method.family == "diffusion"]
['ns', 'telea']
"""

# `fill` and `compare` import torch only when they run, so importing this package and listing the methods is instant.
# The functions `methods` and `compare` share their names with modules. Those are imported before the functions are
# bound, so that no later import of them puts the module in the function's place.
import inpaint_core.methods  # noqa: F401  # isort: skip
from inpaint_core.catalogue import Method, default_method, methods
from inpaint_core.compare import compare
from inpaint_core.errors import InpaintError
from inpaint_core.predictor.predictor import Result, inpaint, warm_up

__all__ = ["InpaintError", "Method", "Result", "compare", "default_method", "inpaint", "methods", "warm_up"]
__version__ = "0.1.0"
