"""How fast the catalogue's networks fill, beside the rate of convolution that the machine reaches at best.

Every network at every size runs in a process of its own, so that its memory is its own. A network without weights is
measured with random ones, which are as fast.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.fills import Section, forget_peak, in_a_fresh_process, peak, photo
from inpaint_core import catalogue

if TYPE_CHECKING:
    from torch import nn

HOLE_SIDE = 0.5  # of the photo's: a hole in the centre, as the papers have it


def network_names() -> list[str]:
    """The methods of the catalogue that are one pass of a network."""
    families = ("generative prior", "autoregressive")  # many passes
    return [method.name for method in catalogue.methods() if method.network and method.family not in families]


def networks(
    rates: dict[str, float],
    sizes: tuple[int, ...] = (256, 512, 1024),
    repeats: int = 3,
    names: list[str] | None = None,
) -> Section:
    """Seconds, peak of memory and share of the machine's rate of every network at each size.

    Args:
        rates: of `benchmark.convolution_rates`, from the same run.
        sizes: sides of the square photo; networks of a fixed size are measured at that one only.
        repeats: runs after the first; the best counts.
        names: some of `network_names()`; None: all.
    """
    section = Section(
        "Networks: one pass, hole in the centre, a quarter of the photo",
        (
            "network",
            "weights",
            "engine",
            "side",
            "seconds",
            "CPU s",
            "first, s",
            "peak, MB",
            "TFLOP",
            "share of rate",
        ),
        note="First: the first fill, which loads and compiles. Peak: above a process that has imported everything; "
        "weights included. TFLOP: convolutions and matrix products of the whole network as torch counts them (Fourier "
        "transforms do not count); leaving out what the hole does not need is part of being fast. Share: of the "
        "machine's rate above, in the network's precision.",
    )
    for name in network_names() if names is None else names:
        seen = set()
        for size in sizes:
            measured = in_a_fresh_process(__name__, name, str(size), str(repeats))
            if measured["side"] in seen:
                continue
            seen.add(measured["side"])
            precision = measured["engine"].split()[1]
            share = measured["operations"] / measured["seconds"] / rates[f"{measured['device']} {precision}"]
            section.rows.append(
                (
                    name,
                    measured["weights"],
                    measured["engine"].replace("bfloat16", "bf16"),
                    str(measured["side"]),
                    *(f"{measured[key]:.3f}" for key in ("seconds", "cpu_seconds")),
                    f"{measured['first']:.2f}",
                    f"{measured['peak']:.0f}",
                    f"{measured['operations'] / 1e12:.3f}",
                    f"{share:.0%}",
                )
            )
    return section


def measure(name: str, size: int, repeats: int) -> dict[str, Any]:
    """One network in this process: seconds, CPU seconds, megabytes, operations, and how it ran.

    `size` is rounded up to a multiple that the network takes, and ignored by networks of a fixed size.
    """
    import torch

    from inpaint_core import weights
    from inpaint_core.arguments import choose_device
    from inpaint_core.methods.engines.precision import fastest_precision

    device = choose_device("auto")
    record = catalogue.get(name)
    method: Any = record.build()
    network = weights.network_class(name)
    if not record.ready:
        torch.manual_seed(0)
        method.load = network
    multiple = method.multiple_of
    side = method.native_size if method.fixed_size else -(-size // multiple) * multiple
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

    idle = forget_peak()
    first, _, engine = fill()
    runs = [fill() for _ in range(repeats)]
    most = torch.cuda.max_memory_allocated() / 1e6 if device == "cuda" else peak() - idle
    arguments, _ = weights.load(name) if record.ready else ({}, None)
    return {
        "side": side,
        "device": device,
        "weights": "trained" if record.ready else "random",
        "engine": engine,
        "first": first,
        "seconds": min(run[0] for run in runs),
        "cpu_seconds": min(run[1] for run in runs),
        "peak": most,
        "operations": operations(partial(network, **arguments), side),
    }


def operations(build: Callable[[], nn.Module], side: int) -> int:
    """Floating-point operations of one pass over side x side pixels, counted on shapes alone."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils.flop_counter import FlopCounterMode

    with FakeTensorMode(), torch.no_grad(), FlopCounterMode(display=False) as counter:
        build().eval()(torch.zeros(1, 3, side, side), torch.zeros(1, 1, side, side))
    return counter.get_total_flops()


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
