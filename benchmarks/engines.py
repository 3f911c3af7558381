"""What networks of public weights cost by engine: time of one thread beside eager torch's, and the peak of memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks.measuring import in_a_fresh_process, peak, reset_peak
from benchmarks.section import Section
from inpaint_core import weights

if TYPE_CHECKING:
    from torch import Tensor, nn

ENGINES = ("torch", "openvino", "winograd", "winograd, hole only")
NETWORKS: dict[str, tuple[str, dict[str, int]]] = {
    "Big LaMa": ("lama", {"width": 64, "blocks": 18}),
    "AOT-GAN": ("aot_gan", {}),
}
"""Method and arguments of the networks measured, which are the published ones."""
SIDE = 512  # pixels of the square photo
NOTE = (
    "float32. CPU s: the least of several passes of one thread, the engines in turn in one process. Peak: of a process "
    "of its own that builds the network, with drawn weights, and fills twice, above the same process before; weights "
    "included. Torch: eager, channels last. Hole only: as in a fill, which decodes around the hole alone, here a "
    "quarter of the photo."
)


def engines(repeats: int = 3, side: int = SIDE) -> Section:
    """Seconds and peak of memory of each network in each engine.

    Args:
        repeats: passes after the first; the best counts.
        side: of the square photo, pixels.
    """
    columns = ("network", "engine", "CPU s", "torch's over this", "peak, MB")
    section = Section(f"Engines: one pass at {side} x {side}", columns, note=NOTE)
    for name in NETWORKS:
        peaks = {engine: in_a_fresh_process(peak_of, name, engine, side) for engine in ENGINES}
        seconds = in_a_fresh_process(seconds_of, name, side, repeats)
        for engine in ENGINES:
            ratio = seconds["torch"] / seconds[engine]
            section.rows.append((name, engine, f"{seconds[engine]:.2f}", f"{ratio:.2f}", f"{peaks[engine]:.0f}"))
    return section


def peak_of(name: str, engine: str, side: int) -> float:
    """Megabytes at the peak of building a network in this process and filling twice, above what was in use."""
    _prepare_process()
    idle = reset_peak()
    run = _filler(name, engine, side)
    run()
    run()
    return peak() - idle


def seconds_of(name: str, side: int, repeats: int) -> dict[str, float]:
    """Least CPU seconds of a pass by each engine, which take turns, after one that warms up."""
    _prepare_process()
    fillers = {engine: _filler(name, engine, side) for engine in ENGINES}
    least = dict.fromkeys(ENGINES, float("inf"))
    for turn in range(repeats + 1):
        for engine, run in fillers.items():
            start = time.process_time()
            run()
            if turn:
                least[engine] = min(least[engine], time.process_time() - start)
    return least


def _prepare_process() -> None:
    """Import what the engines need, and let them use one thread."""
    import torch

    from inpaint_core.methods.engines import openvino

    torch.set_num_threads(1)
    openvino.start()


def _filler(name: str, engine: str, side: int) -> Callable[[], Tensor]:
    """One pass of a network whose weights are drawn."""
    import torch

    from inpaint_core.methods.engines.openvino import accelerate
    from inpaint_core.methods.engines.pytorch import as_input, prepare

    method, arguments = NETWORKS[name]
    torch.manual_seed(0)
    network: nn.Module = weights.network_class(method)(**arguments).eval().requires_grad_(False)
    if engine.endswith("hole only") and hasattr(network, "restrict_to_hole"):
        network.restrict_to_hole()  # type: ignore[operator]
    if engine == "torch":
        network = prepare(network, torch.device("cpu"), torch.float32)
    else:
        fast = accelerate(network, torch.float32, winograd=engine.startswith("winograd"))
        assert fast is not None
        network = fast
    mask = torch.zeros(1, 1, side, side)
    mask[..., side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 1
    planes = [as_input(plane, torch.float32) for plane in (torch.rand(1, 3, side, side), mask)]

    @torch.inference_mode()
    def run() -> Tensor:
        result: Tensor = network(*planes)
        return result

    return run
