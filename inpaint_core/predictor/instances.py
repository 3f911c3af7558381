"""The methods that have been used in this process, each kept with its weights for the next fill."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from inpaint_core import catalogue
from inpaint_core.weights import directory

if TYPE_CHECKING:
    from inpaint_core.methods.base import FillMethod

_instances: dict[tuple[str, Path | None, Path], FillMethod] = {}
_lock = threading.Lock()


def instance(name: str, weights: str | Path | None = None) -> FillMethod:
    """The one instance of a method (with these weights, or those of its folder), made at the first call.

    Raises:
        InpaintError: the method is unknown, or the weights are not for it.
    """
    record = catalogue.get(name)
    key = name, None if weights is None else Path(weights).resolve(), record.folder or directory()
    with _lock:
        if key not in _instances:
            _instances[key] = record.build(weights)
        return _instances[key]
