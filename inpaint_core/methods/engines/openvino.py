"""Runs a network's stacks of convolutions through OpenVINO, on a CPU two to three times as fast as torch.

Every `nn.Sequential` of layers that `graph` supports becomes one compiled graph with dynamic sizes; whatever lies
between (attention, pasting) stays torch. The graphs are written out layer by layer, which takes milliseconds and no
example; tracing the same networks took 50 s. So nothing needs to be converted beforehand or cached.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

import numpy as np
import openvino
import torch
from torch import Tensor, nn

from inpaint_core.methods.engines import winograd_networks
from inpaint_core.methods.engines.generators import LaMaBefore, LaMaBehind
from inpaint_core.methods.engines.graph import LAYERS, graph_of
from inpaint_core.networks.aot_gan import AOTGAN, AOTBlock
from inpaint_core.networks.lama import LaMa
from inpaint_core.networks.layers.attention import ContextualAttention

MIN_SHARE = 0.9
"""Share of the parameters that the compiled parts must hold for the engine to be worth its copies back and forth."""

KEPT_PIXELS = 512 * 512
"""A graph keeps the memory of its maps for the next call, but not where these are larger: that may be a gigabyte."""


def accelerate(network: nn.Module, dtype: torch.dtype, winograd: bool = True) -> nn.Module | None:
    """Compile the network's stacks of convolutions for the CPU.

    Args:
        network: in evaluation mode, float32, on the CPU; changed in place, or wrapped where all of it is one graph.
            Tensors between its parts stay float32.
        dtype: what convolutions compute in, torch.float32 or torch.bfloat16.
        winograd: by Winograd's minimal filtering where that is faster; False: by OpenVINO alone, to compare.

    Returns:
        The network, or None (unchanged) where the supported layers hold too little of it.
    """
    if winograd and dtype == torch.float32 and winograd_networks.gains(network):
        return _with_winograd(network)
    if type(network) in LAYERS:
        return CompiledGenerator(network, dtype)
    parts = {name: module for name, module in network.named_modules() if _is_stack(module)}
    parts = {name: part for name, part in parts.items() if not any(name.startswith(f"{other}.") for other in parts)}
    covered = sum(parameter.numel() for part in parts.values() for parameter in part.parameters())
    if covered < MIN_SHARE * sum(parameter.numel() for parameter in network.parameters()):
        return None
    for name, part in parts.items():
        # Wrapped in a stack of one, for networks that go through their layers one by one.
        network.set_submodule(name, nn.Sequential(CompiledStack(part, dtype)))
    if dtype != torch.float32:
        for name, module in list(network.named_modules()):
            if isinstance(module, ContextualAttention):
                network.set_submodule(name, RoundedAttention(module, dtype))
    return network


def _with_winograd(network: nn.Module) -> nn.Module:
    """Compile what lies before and behind the blocks, which Winograd's convolutions are faster for."""
    if isinstance(network, LaMa):
        before, behind = (CompiledStack(part(network), torch.float32) for part in (LaMaBefore, LaMaBehind))
        return winograd_networks.WinogradLaMa(network, before, behind)
    assert isinstance(network, AOTGAN)
    layers = list(network.layers)
    blocks = [layer for layer in layers if isinstance(layer, AOTBlock)]
    first = layers.index(blocks[0])
    network.layers = nn.Sequential(
        CompiledStack(nn.Sequential(*layers[:first]), torch.float32),
        winograd_networks.WinogradBlocks(blocks),
        CompiledStack(nn.Sequential(*layers[first + len(blocks) :]), torch.float32),
    )
    return network


def start() -> None:
    """Import OpenVINO and compile a graph of one layer, so that the first network need not wait for that."""
    with torch.inference_mode():
        CompiledStack(nn.Sequential(nn.Conv2d(3, 8, 3, device="meta").to_empty(device="cpu")), torch.float32)


class RoundedAttention(nn.Module):
    """Contextual attention in a faster dtype between float32 parts: its matrix products are worth the rounding."""

    def __init__(self, attention: ContextualAttention, dtype: torch.dtype) -> None:
        super().__init__()
        self.attention = attention
        self.dtype = dtype

    def forward(
        self,
        foreground: Tensor,
        background: Tensor | None = None,
        mask: Tensor | None = None,
        return_flow: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """See `ContextualAttention.forward`: float32 in and out."""
        rounded = None if background is None else background.to(self.dtype)
        attended, flow = self.attention(foreground.to(self.dtype), rounded, mask, return_flow)
        return attended.to(foreground.dtype), flow


class CompiledGenerator(nn.Module):
    """A generator all of whose layers are one graph: torch makes its planes and its colours, OpenVINO the rest."""

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network: Any = network
        self.takes_noise = getattr(network, "takes_noise", False)
        self.layers = CompiledStack(network, dtype, network.predict)  # type: ignore[arg-type]

    def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None, noise: Tensor | None = None) -> Tensor:
        """As the network's own `forward`."""
        further = {"noise": noise} if self.takes_noise else {}
        return self.network.colours(self.layers(self.network.planes(image, mask, **further)))


class CompiledStack(nn.Module):
    """A stack of layers as one OpenVINO graph: float32 in and out, any number of samples, any size.

    Any number of threads may call it: each call borrows a request, and a new one is made when all are lent.
    """

    def __init__(
        self, stack: nn.Module, dtype: torch.dtype, function: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        super().__init__()
        self.stack = stack  # keeps the parameters in `network.parameters()`
        self.function = function or stack  # the same by torch, for maps that are too small to be reflected
        self.least = least_side(stack)
        self.compiled = openvino.Core().compile_model(
            graph_of(stack),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if dtype == torch.bfloat16 else "f32",
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            },
        )
        self.requests: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W float32 -> N x C' x H' x W' float32, as the stack of layers itself would, without gradients."""
        if min(features.shape[-2:]) < self.least:
            return self.function(features)
        try:
            request = self.requests.get_nowait()
        except queue.Empty:
            request = self.compiled.create_infer_request()
        try:
            array = features.detach().contiguous().numpy()
            # A copy: the request's memory is its next borrower's.
            result = np.array(request.infer({0: array}, share_inputs=True, share_outputs=True)[0])
        finally:
            self.requests.put(request)
        if max(each.shape[0] * each.shape[2] * each.shape[3] for each in (array, result)) > KEPT_PIXELS:
            self.compiled.release_memory()
        return torch.from_numpy(result)


def least_side(stack: nn.Module) -> int:
    """From which side on every map in a stack can be padded by reflection, or some more; 1 where none is."""
    least = stride = 1
    for module in stack.modules():
        amount = getattr(module, "reflection", 0)
        least = max(least, stride * amount + 1)
        if isinstance(module, nn.Conv2d):
            stride *= module.stride[0]
    return least


def _is_stack(module: nn.Module) -> bool:
    """True for a sequence of supported layers only."""
    return isinstance(module, nn.Sequential) and len(module) > 0 and all(_is_supported(layer) for layer in module)


def _is_supported(module: nn.Module) -> bool:
    if isinstance(module, nn.Sequential):
        return all(_is_supported(layer) for layer in module)
    return type(module) in LAYERS
