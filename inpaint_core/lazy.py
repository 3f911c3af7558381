"""Names of modules that are imported when they are used: tables of classes that need torch load without it."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class LazyPackage:
    """A package whose modules are imported when they are named, as in `LazyPackage("os").path.join`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, module: str) -> Any:
        return import_module(f"{self.name}.{module}")


methods = LazyPackage("inpaint_core.methods")
networks = LazyPackage("inpaint_core.networks")
