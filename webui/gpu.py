"""Where fills run: the device of this server, or a GPU that a ZeroGPU Space lends for one call at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

DEVICE = os.environ.get("INPAINT_DEVICE", "auto")

Function = TypeVar("Function", bound=Callable[..., Any])


def is_zero_gpu() -> bool:
    """True on a Hugging Face Space whose GPU is lent for one call at a time."""
    return os.environ.get("SPACES_ZERO_GPU", "").strip().lower() in ("1", "true", "t", "yes", "on")


def on_lent_gpu(function: Function, seconds: Callable[..., int]) -> Function:
    """The function, run where ZeroGPU lends a GPU; anywhere else the function itself.

    The package `spaces` is part of such a Space and of no requirement of ours.

    Args:
        function: what is run; its arguments and what it returns or yields must be picklable.
        seconds: how long the GPU is needed, of the same arguments.
    """
    if not is_zero_gpu():
        return function
    import spaces

    return spaces.GPU(duration=seconds)(function)


def local_device() -> str:
    """The device for what runs in this process: with ZeroGPU the GPU is lent to another one."""
    return "cpu" if is_zero_gpu() else DEVICE


def without_tensors(value: Any) -> Any:
    """The same with every tensor in dictionaries and lists as a NumPy array, fit to leave the GPU's process."""
    if hasattr(value, "detach"):
        return value.detach().float().cpu().numpy()
    if isinstance(value, dict):
        return {name: without_tensors(each) for name, each in value.items()}
    if isinstance(value, list):
        return [without_tensors(each) for each in value]
    return value
