"""Checkpoint files: the whole state of a run, and the weights another run may start from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.files import replacing

CHECKPOINT = "last.pt"
"""Name of the file in a run's folder."""

Prefixes = Mapping[str, tuple[str, str]]
"""Of an export that holds several networks: by a network's name, how its tensors begin there and in the network."""


def write_checkpoint(state: Mapping[str, Any], path: Path) -> None:
    """Write a run's state in one move, so that a kill leaves the checkpoint before."""
    with replacing(path) as temporary:
        torch.save(dict(state), temporary)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A run's checkpoint; a damaged or foreign file is an `InpaintError`."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises whatever a damaged file provokes
        raise InpaintError(f"The checkpoint {path} cannot be read: remove it, or restore a copy.") from error


def weights_in(path: Path, names: list[str], prefixes: Prefixes | None = None) -> dict[str, dict[str, Tensor]]:
    """State dicts by network name: of a run's checkpoint (EMA where there is one), or of an export and its critics.

    An export is of the first of the `names`, or by `prefixes` of several of them.
    """
    if path.suffix == ".pt":
        stored = read_checkpoint(path)
        averages = {
            name: {key.removeprefix("module."): value for key, value in state.items() if key != "n_averaged"}
            for name, state in stored["averages"].items()
        }
        return {name: state for name, state in {**stored["networks"], **averages}.items() if name in names}
    exported, *others = names
    state = weights.read_state_dict(path)
    if prefixes is not None:
        return {name: _renamed(state, *pair) for name, pair in prefixes.items()}
    states = {exported: state}
    for name in others:
        beside = path.with_name(f"{path.stem}_{name}.safetensors")
        if beside.exists():
            states[name] = weights.read_state_dict(beside)
    return states


def _renamed(state: Mapping[str, Tensor], prefix: str, new: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, which becomes `new`."""
    return {new + key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
