"""State dicts: read from any file that a user names, put into a network, one sentence where that fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inpaint_core.errors import InpaintError
from inpaint_core.weights.storage import parse

if TYPE_CHECKING:
    from torch import Tensor, nn


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict from a file the user names: safetensors, or a PyTorch pickle with `weights_only`.

    A checkpoint that wraps the generator's weights under "G", "netG", "generator", "model" or "state_dict" is
    unwrapped, and the "module." of data-parallel training is cut off.

    Raises:
        InpaintError: missing, truncated, or anything else than a dictionary of tensors.
    """
    import torch

    path = Path(path)
    if not path.is_file():
        raise InpaintError(f"There is no weights file {path}: check the path.")
    if path.suffix == ".safetensors":
        return parse(path.read_bytes(), path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises whatever a damaged or hostile file provokes
        raise InpaintError(f"{path} is not a file of plain tensors: only weights-only PyTorch files load.") from error
    return plain_state_dict(state, path)


def plain_state_dict(content: Any, path: str | Path) -> dict[str, Tensor]:
    """The state dict in what a PyTorch file held, out of the wrappers that `read_state_dict` names.

    Args:
        content: anything.
        path: where it comes from, for the sentence.

    Raises:
        InpaintError: it is no dictionary of tensors.
    """
    import torch

    for wrapper in ("G", "netG", "generator", "model", "state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content or not all(torch.is_tensor(value) for value in content.values()):
        raise InpaintError(f"{path} holds no state dict: give a dictionary of named tensors.")
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def load_into(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Put a state dict into a network, or say in one sentence why it does not fit.

    Args:
        network: receives the weights.
        state: name -> tensor.
        source: what the sentence calls the weights, e.g. "The weights of glcic".

    Raises:
        InpaintError: names or shapes of another architecture; NaN or infinity.
    """
    own = network.state_dict()
    missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if missing or unknown:
        odd = f"{missing[0]} is missing" if missing else f"{unknown[0]} has no place in it"
        raise InpaintError(f"{source} belong to another architecture than {type(network).__name__} ({odd}).")
    for name, tensor in own.items():
        if tensor.shape != state[name].shape:
            shapes = f"{name} is {tuple(state[name].shape)} and should be {tuple(tensor.shape)}"
            raise InpaintError(f"{source} are of another size than this {type(network).__name__} ({shapes}).")
        if not state[name].isfinite().all():
            raise InpaintError(f"{source} hold NaN or infinity in {name}: take an earlier checkpoint.")
    network.load_state_dict(state)
