"""What one published layout is: how it is recognised, and how its tensors become those of our network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

State = Mapping[str, "Tensor"]
"""A state dict: name -> tensor."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One way in which a published network names its tensors."""

    name: str  # whose network it is, as a sentence lists it
    method: str  # the word of the catalogue
    signature: tuple[str, ...]  # regular expressions of whole names: a state dict that has all of them has this layout
    own_names: Callable[[State], dict[str, str]]  # published name -> ours; what is left out are constants to be dropped
    arguments: Callable[[State], dict[str, Any]]  # of our network's constructor, JSON values, from the shapes
    prefix: str | None = None  # of all names, where only that tells it from another layout
    adapt: Callable[[dict[str, Tensor]], None] | None = None  # changes the renamed tensors: planes swapped, zeros added

    def fits(self, state: State) -> bool:
        """True if the state dict has every name of the signature."""
        return all(any(re.fullmatch(pattern, name) for name in state) for pattern in self.signature)

    def convert(self, state: State) -> dict[str, Tensor]:
        """The state dict of our network, float32 (integers as they are); the published tensors are not changed."""
        own = {ours: state[name] for name, ours in self.own_names(state).items()}
        own = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in own.items()}
        if self.adapt is not None:
            self.adapt(own)
        return own


def renaming(*rules: tuple[str, str | Callable[[re.Match[str]], str]], drop: str | None = None) -> Any:
    """`Layout.own_names` from regular expressions.

    Args:
        rules: pattern and replacement, applied to every name once and in this order.
        drop: pattern of the names of constants, which have no place in our network.
    """

    def own_names(state: State) -> dict[str, str]:
        found = {}
        for name in state:
            if drop is not None and re.search(drop, name):
                continue
            own = name
            for pattern, replacement in rules:
                own = re.sub(pattern, replacement, own, count=1)
            found[name] = own
        return found

    return own_names


def shift(replacement: str, first: int, step: int = 1) -> Callable[[re.Match[str]], str]:
    """For `renaming`: puts first + step * the number that the pattern's group found into the replacement's braces."""
    return lambda match: replacement.format(first + step * int(match[1]))


def swap_red_and_blue(state: dict[str, Tensor], outputs: Iterable[str], inputs: Mapping[str, int]) -> None:
    """Make RGB of a network that was trained on BGR.

    Args:
        state: our names; changed in place (the tensors themselves are not).
        outputs: kernels and biases whose first axis is the three colours of the result.
        inputs: kernels, and where among their input channels the three colours stand.
    """
    for name in outputs:
        state[name] = state[name].flip(0)
    for name, first in inputs.items():
        kernel = state[name].clone()
        kernel[:, first : first + 3] = kernel[:, first : first + 3].flip(1)
        state[name] = kernel


def add_zero_biases(state: dict[str, Tensor], names: Iterable[str], transposed: Iterable[str] = ()) -> None:
    """Biases that the published convolutions lack, because a normalisation follows them.

    Args:
        state: our names; changed in place.
        names: of convolutions, without ".weight".
        transposed: those of them whose kernels have their outputs on the second axis.
    """
    transposed = set(transposed)
    for name in names:
        kernel = state[f"{name}.weight"]
        state.setdefault(f"{name}.bias", kernel.new_zeros(kernel.shape[1 if name in transposed else 0]))
