"""The catalogue of methods. Listing it imports nothing heavy.

>>> from inpaint_core import catalogue
>>> catalogue.get("deepfill_v2").accepts_sketch
True
"""

from inpaint_core import weights
from inpaint_core.catalogue import public
from inpaint_core.catalogue.method import GROUPS, Method
from inpaint_core.catalogue.table import METHODS
from inpaint_core.errors import InpaintError
from inpaint_core.weights.public import registry

__all__ = ["GROUPS", "Method", "default_method", "get", "methods", "public_methods", "require_ready"]

_BY_NAME = {method.name: method for method in METHODS}

for _method in METHODS:
    if _method.network is not None:
        weights.register(_method.name, _method.network)


def methods() -> list[Method]:
    """Every method of the catalogue, oldest first, ready or not."""
    return [public.with_default(method) for method in METHODS]


def public_methods() -> list[Method]:
    """A record for each set of public weights, such as `lama@big`, here or not, and for those imported; oldest method
    first."""
    found = [name for name in public.names() if name.partition("@")[0] in _BY_NAME]
    order = list(_BY_NAME)
    return [get(name) for name in sorted(found, key=lambda name: order.index(name.partition("@")[0]))]


def get(name: str) -> Method:
    """The record of one method, also with public weights, as in `lama@big`.

    Raises:
        InpaintError: an unknown name; the sentence lists the known ones.
    """
    method, at, _ = str(name).partition("@")
    if method not in _BY_NAME:
        raise InpaintError(f"There is no method {method!r}; choose one of {', '.join(_BY_NAME)}.")
    return public.with_weights(_BY_NAME[method], name) if at else public.with_default(_BY_NAME[method])


def require_ready(name: str) -> Method:
    """The record of a method that can run now; `InpaintError` says how to get its weights where they are absent."""
    method = get(name)
    if method.ready:
        return method
    fetch = f"'python -m inpaint_core weights get {name}'"
    if method.name != method.checkpoint:
        raise InpaintError(f"The weights {name} are absent or damaged; fetch them with {fetch}.")
    ways = ["put them into the checkpoints folder"]
    if any(row.method == name for row in registry.rows()):
        ways.append(f"fetch public ones with {fetch}")
    if method.train_command:
        ways.append(f"make them with '{method.train_command}'")
    raise InpaintError(f"The weights of {name} are absent or damaged; {', or '.join(ways)}.")


def default_method() -> str:
    """The name of the method that a first-time user should get."""
    return "patchmatch"
