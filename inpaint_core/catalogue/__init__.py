"""The catalogue of methods. Listing it imports nothing heavy.

>>> from inpaint_core import catalogue
>>> catalogue.get("deepfill_v2").accepts_sketch
True
"""

from inpaint_core import weights
from inpaint_core.catalogue.method import Method
from inpaint_core.catalogue.table import METHODS
from inpaint_core.errors import InpaintError

__all__ = ["Method", "default_method", "get", "methods", "require_ready"]

_BY_NAME = {method.name: method for method in METHODS}

for _method in METHODS:
    if _method.network is not None:
        weights.register(_method.name, _method.network)


def methods() -> list[Method]:
    """Every method of the catalogue, oldest first, ready or not."""
    return list(METHODS)


def get(name: str) -> Method:
    """The record of one method; an unknown name is an `InpaintError` that lists the known ones."""
    if name not in _BY_NAME:
        raise InpaintError(f"There is no method {name!r}; choose one of {', '.join(_BY_NAME)}.")
    return _BY_NAME[name]


def require_ready(name: str) -> Method:
    """The record of a method that can run now; `InpaintError` says how to make its weights where they are absent."""
    method = get(name)
    if not method.ready:
        remedy = f", or make them with '{method.train_command}'" if method.train_command else ""
        raise InpaintError(
            f"The weights of {name} are absent or damaged; put them into the checkpoints folder{remedy}."
        )
    return method


def default_method() -> str:
    """The name of the method that a first-time user should get."""
    return "patchmatch"
