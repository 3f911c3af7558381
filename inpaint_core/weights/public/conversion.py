"""From a published state dict to our network: the layout is recognised by its names and shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inpaint_core.errors import InpaintError
from inpaint_core.weights.networks import network_class
from inpaint_core.weights.public.layouts import LAYOUTS, Layout
from inpaint_core.weights.reading import read_state_dict
from inpaint_core.weights.state import load_into

if TYPE_CHECKING:
    from torch import Tensor, nn

PREFIXES = ("module.", "model.generator.", "generator.", "netG.")
"""Where the generator stands in a file that holds more: critics, a VGG of the loss, optimizers."""


@dataclass(frozen=True)
class Converted:
    """Published weights as our network takes them; what a manifest needs of them."""

    layout: Layout  # which one was recognised
    arguments: dict[str, Any]  # of the network's constructor
    state: dict[str, Tensor]  # our names, float32 (counters are integers)

    @property
    def method(self) -> str:
        """The word of the catalogue."""
        return self.layout.method

    def network(self) -> nn.Module:
        """The network with these weights: float32, on the CPU, in evaluation mode.

        Raises:
            InpaintError: names or shapes are not those of the published network.
        """
        source = f"The published weights ({self.layout.name})"
        try:
            with undrawn_weights():
                network = network_class(self.method)(**self.arguments)
        except (TypeError, ValueError) as error:
            raise InpaintError(f"{source} are of a form that {self.method} does not have: {error}.") from error
        load_into(network, self.state, source)
        return network.eval()


def network_from_public(state_dict: Mapping[str, Tensor]) -> tuple[str, nn.Module]:
    """The method whose published weights these are, and its network with them.

    Args:
        state_dict: as the published file names its tensors, alone or among those of critics; any float dtype.

    Returns:
        The word of the catalogue, and the network: float32, on the CPU, in evaluation mode. Like all of ours it takes
        (image N x 3 x H x W RGB in [0, 1], mask N x 1 x H x W, 1 = hole).

    Raises:
        InpaintError: no known layout (the sentence lists them), another size of a known one, or NaN in it.
    """
    converted = convert_public(state_dict)
    return converted.method, converted.network()


def convert_public(state_dict: Mapping[str, Tensor]) -> Converted:
    """What `network_from_public` puts into the network, for a checkpoint of our own form.

    Raises:
        InpaintError: no known layout (the sentence lists them), or NaN in it.
    """
    state, prefixes = generator_of(state_dict)
    found = [layout for layout in LAYOUTS if layout.fits(state) and prefixes.endswith(layout.prefix or "")]
    if not found:
        known = ", ".join(layout.name for layout in LAYOUTS)
        raise InpaintError(f"These weights have none of the known layouts; give those of one of: {known}.")
    layout = found[0]
    for name, tensor in state.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise InpaintError(f"The weights ({layout.name}) hold NaN or infinity in {name}: fetch the file again.")
    try:
        return Converted(layout, layout.arguments(state), layout.convert(state))
    except (KeyError, IndexError, ValueError) as error:
        raise InpaintError(
            f"The weights look like {layout.name}, but {error} is not as published: fetch the file again."
        ) from error


def load_public(method: str, file: str | Path) -> nn.Module:
    """The network of a published file, whichever of the known layouts it has.

    Args:
        method: the word of the catalogue that the file is meant for.
        file: as for `read_state_dict`.

    Raises:
        InpaintError: the file is missing, damaged, of no known layout, or of another method, which the sentence names.
    """
    converted = convert_public(read_state_dict(file))
    if converted.method != method:
        raise InpaintError(
            f"{file} holds weights of {converted.method} ({converted.layout.name}): choose that method, not {method}."
        )
    return converted.network()


def generator_of(state_dict: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """The generator's tensors without the prefixes of their names, and those prefixes."""
    state, stripped = dict(state_dict), ""
    for prefix in PREFIXES:
        inside = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        if inside:
            state, stripped = inside, stripped + prefix
    return state, stripped


@contextmanager
def undrawn_weights() -> Iterator[None]:
    """Leave out the drawing of initial weights, which takes seconds for a large network, where a file replaces all."""
    import torch
    from torch.nn import init
    from torch.overrides import TorchFunctionMode

    draws: tuple[Any, ...] = (init.uniform_, init.normal_, init.kaiming_uniform_, init.kaiming_normal_)
    draws += (torch.Tensor.uniform_, torch.Tensor.normal_)

    class Undrawn(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
            if function in draws:
                return arguments[0] if arguments else named["tensor"]
            return function(*arguments, **(named or {}))

    with Undrawn():
        yield
