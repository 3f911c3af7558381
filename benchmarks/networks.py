"""How fast the catalogue's networks fill, beside the rate of convolution that the machine reaches at best.

Every network at every size runs in a process of its own, so that its memory is its own. A network without weights is
measured with random ones, which are as fast.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measuring import in_a_fresh_process, peak, photo, reset_peak
from benchmarks.section import Section
from inpaint_core import catalogue, weights

if TYPE_CHECKING:
    from torch import nn

    from inpaint_core.methods.feed_forward import FeedForward

HOLE_SIDE = 0.5  # of the photo's: a hole in the centre, as in the papers
COLUMNS = ("network", "weights", "engine", "side", "seconds", "CPU s", "first, s", "peak, MB", "TFLOP", "share of rate")
NOTE = (
    "First: the first fill, which loads and compiles. Peak: above a process that has imported everything; weights "
    "included. TFLOP: convolutions and matrix products of the whole network as torch counts them (Fourier transforms "
    "do not count); leaving out what the hole does not need is part of being fast. Share: of the machine's rate above, "
    "in the network's precision."
)


@dataclass(frozen=True)
class Measured:
    """One network at one size."""

    side: int  # of the square photo, pixels
    device: str
    weights: str  # "trained" or "random"
    engine: str  # engine and precision, such as "openvino bfloat16"
    first: float  # seconds of the first fill
    seconds: float  # of the best one
    cpu_seconds: float
    peak: float  # megabytes above the idle process
    operations: int  # floating-point operations of one pass

    def row(self, name: str, rates: dict[str, float]) -> tuple[str, ...]:
        """The cells of `COLUMNS`; `rates` are those of `machine.convolution_rates`."""
        share = self.operations / self.seconds / rates[f"{self.device} {self.engine.split()[1]}"]
        return (
            name,
            self.weights,
            self.engine.replace("bfloat16", "bf16"),
            str(self.side),
            f"{self.seconds:.3f}",
            f"{self.cpu_seconds:.3f}",
            f"{self.first:.2f}",
            f"{self.peak:.0f}",
            f"{self.operations / 1e12:.3f}",
            f"{share:.0%}",
        )


def networks(
    rates: dict[str, float],
    sizes: tuple[int, ...] = (256, 512, 1024),
    repeats: int = 3,
    names: list[str] | None = None,
) -> Section:
    """Seconds, peak of memory and share of the machine's rate of every network at each size.

    Args:
        rates: of `machine.convolution_rates`, from the same run.
        sizes: sides of the square photo; networks of a fixed size are measured at that one only.
        repeats: runs after the first; the best counts.
        names: some of `network_names()`; None: all.
    """
    section = Section("Networks: one pass, hole in the centre, a quarter of the photo", COLUMNS, note=NOTE)
    for name in network_names() if names is None else names:
        for side in dict.fromkeys(_side_of(_method(name), size) for size in sizes):
            section.rows.append(in_a_fresh_process(measure, name, side, repeats).row(name, rates))
    return section


def network_names() -> list[str]:
    """The methods of the catalogue that are one pass of a network."""
    families = ("generative prior", "autoregressive")  # many passes
    return [method.name for method in catalogue.methods() if method.network and method.family not in families]


def measure(name: str, side: int, repeats: int) -> Measured:
    """One network in this process, on a square photo of this side, which it must be able to take."""
    import torch

    from inpaint_core.arguments import choose_device
    from inpaint_core.methods.engines.precision import fastest_precision

    device = choose_device("auto")
    ready = catalogue.get(name).ready
    method = _method(name)
    if not ready:
        torch.manual_seed(0)
        method.load = _architecture(name)
    pixels = torch.from_numpy(photo(side, side).astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()
    hole = torch.zeros(1, 1, side, side)
    edge = round(side * (1 - HOLE_SIDE) / 2)
    hole[..., edge : side - edge, edge : side - edge] = 1
    inputs = pixels.to(device), hole.to(device)
    fastest_precision(device)  # measured once a process, not once a network

    def fill() -> tuple[float, float, str]:
        start, cpu = time.perf_counter(), time.process_time()
        filled = method.fill(*inputs)
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start, time.process_time() - cpu, filled.extras["engine"]

    idle = reset_peak()
    first, _, engine = fill()
    runs = [fill() for _ in range(repeats)]
    above = torch.cuda.max_memory_allocated() / 1e6 if device == "cuda" else peak() - idle
    arguments = weights.load(name)[0] if ready else {}
    return Measured(
        side=side,
        device=device,
        weights="trained" if ready else "random",
        engine=engine,
        first=first,
        seconds=min(run[0] for run in runs),
        cpu_seconds=min(run[1] for run in runs),
        peak=above,
        operations=operations(partial(_architecture(name), **arguments), side),
    )


def operations(build: Callable[[], nn.Module], side: int) -> int:
    """Floating-point operations of one pass over side x side pixels, counted on shapes alone."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils.flop_counter import FlopCounterMode

    with FakeTensorMode(), torch.no_grad(), FlopCounterMode(display=False) as counter:
        build().eval()(torch.zeros(1, 3, side, side), torch.zeros(1, 1, side, side))
    return counter.get_total_flops()


def _method(name: str) -> FeedForward:
    from inpaint_core.methods.feed_forward import FeedForward

    method = catalogue.get(name).build()
    assert isinstance(method, FeedForward)
    return method


def _architecture(name: str) -> Callable[..., nn.Module]:
    """What makes the network of a method, with random weights."""
    return weights.network_class(name)


def _side_of(method: FeedForward, size: int) -> int:
    """The side nearest above `size` that the method takes; a method of a fixed size has only one."""
    if method.fixed_size:
        assert method.native_size is not None
        return method.native_size
    return -(-size // method.multiple_of) * method.multiple_of
