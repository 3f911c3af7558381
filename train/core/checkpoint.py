"""Checkpoint files: the whole state of a run, and the weights another run may start from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inpaint_core import weights
from inpaint_core.errors import InpaintError

CHECKPOINT = "last.pt"
"""Name of the file in a run's folder."""


def write_checkpoint(state: Mapping[str, Any], path: Path) -> None:
    """Write a run's state in one move, so that a kill leaves the checkpoint before."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        torch.save(dict(state), temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A run's checkpoint; a damaged or foreign file is an `InpaintError`."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises whatever a damaged file provokes
        raise InpaintError(f"The checkpoint {path} cannot be read: remove it, or restore a copy.") from error


def weights_in(path: Path, names: list[str]) -> dict[str, dict[str, Tensor]]:
    """State dicts by network name: of a run's checkpoint (EMA where there is one), or of an export and its critics.

    An export is of the first of the `names`.
    """
    if path.suffix == ".pt":
        stored = read_checkpoint(path)
        averages = {
            name: {key.removeprefix("module."): value for key, value in state.items() if key != "n_averaged"}
            for name, state in stored["averages"].items()
        }
        return {name: state for name, state in {**stored["networks"], **averages}.items() if name in names}
    exported, *others = names
    found = {exported: weights.read_state_dict(path)}
    for name in others:
        beside = path.with_name(f"{path.stem}_{name}.safetensors")
        if beside.exists():
            found[name] = weights.read_state_dict(beside)
    return found
