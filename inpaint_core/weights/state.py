"""State dicts: put into a network, or one sentence that says why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    from torch import Tensor, nn


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
