"""The methods that have been used in this process, each kept with its weights for the next fill."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from inpaint_core import catalogue
from inpaint_core.weights import directory, records

if TYPE_CHECKING:
    from inpaint_core.methods.base import FillMethod

_instances: dict[tuple[str, Path | None, Path], tuple[str | None, FillMethod]] = {}  # with its weights' checksum
_lock = threading.Lock()


def instance(name: str, weights: str | Path | None = None) -> FillMethod:
    """The one instance of a method (with these weights, or those of its folder), made at the first call.

    Public weights may be removed and others put in their place while the process runs: then a new one is made.

    Raises:
        InpaintError: the method is unknown, or the weights are not for it.
    """
    method = catalogue.get(name)
    key = name, None if weights is None else Path(weights).resolve(), method.folder or directory()
    checkpoint = None if method.folder is None else records(method.folder).get(method.checkpoint)
    checksum = None if checkpoint is None else checkpoint.sha256
    with _lock:
        if key not in _instances or _instances[key][0] != checksum:
            _instances[key] = checksum, method.build(weights)
        return _instances[key][1]


def uses_gpu(name: str) -> bool:
    """True for a method that computes on a GPU where there is one; `InpaintError` for an unknown name."""
    return catalogue.get(name).needs_weights and instance(name).uses_gpu
