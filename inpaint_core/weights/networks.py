"""Which network each checkpoint belongs to, and the one way from a file of weights to a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inpaint_core.errors import InpaintError
from inpaint_core.lazy import networks
from inpaint_core.weights.manifest import first_line
from inpaint_core.weights.state import load_into
from inpaint_core.weights.storage import load

if TYPE_CHECKING:
    from torch import nn

_CLASSES: dict[str, Callable[[], type[nn.Module]]] = {
    # The checkpoints that are not methods of the catalogue, which registers its own.
    "edge_detector": lambda: networks.edge_detector.EdgeDetector,
    "latent_search_scenes": lambda: networks.dcgan.DCGAN,
}


def register(name: str, network: Callable[[], type[nn.Module]]) -> None:
    """Say which network a checkpoint belongs to.

    Args:
        name: of the checkpoint in the manifest.
        network: returns the class; called when the checkpoint is loaded, so that it may import torch.
    """
    _CLASSES[name] = network


def network_class(name: str) -> type[nn.Module]:
    """The class of a checkpoint's network.

    Raises:
        InpaintError: no network of this name is registered.
    """
    if name not in _CLASSES:
        raise InpaintError(f"There is no network {name!r}; choose one of {', '.join(sorted(_CLASSES))}.")
    return _CLASSES[name]()


def load_network(name: str, folder: str | Path | None = None, **changes: Any) -> nn.Module:
    """A network with the weights of its checkpoint, float32 on the CPU.

    Args:
        name: of the checkpoint in the manifest.
        folder: where manifest and files are; None: `directory()`.
        changes: arguments of the network's constructor in place of the manifest's.

    Raises:
        InpaintError: the weights are absent, damaged or of another architecture.
    """
    kind = network_class(name)
    arguments, state = load(name, folder)
    try:
        network = kind(**{**arguments, **changes})
    except (TypeError, ValueError, RuntimeError, MemoryError) as error:
        raise InpaintError(f"The manifest's arguments do not fit {name}: {first_line(error)}.") from error
    load_into(network, state, f"The weights of {name}")
    return network
