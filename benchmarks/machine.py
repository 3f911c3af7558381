"""How fast this machine convolves: the rate with which networks and training steps are compared."""

from __future__ import annotations

import platform

from benchmarks.measuring import best_time
from benchmarks.section import Section

CHANNELS, SIDE = 192, 128  # of the convolution


def convolution_rates(repeats: int = 10) -> dict[str, float]:
    """Floating-point operations a second of a wide 3 x 3 convolution, channels last: "cpu bfloat16" -> 9e11 ..."""
    import torch

    def run() -> None:
        with torch.inference_mode():
            layer(features)
        if device == "cuda":
            torch.cuda.synchronize()

    rates = {}
    operations = 2 * 9 * CHANNELS * CHANNELS * SIDE * SIDE
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        for dtype in (torch.float32, torch.bfloat16):
            layer = torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1).to(device, dtype)
            layer = layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            features = torch.randn(1, CHANNELS, SIDE, SIDE, device=device).to(dtype, memory_format=torch.channels_last)
            rates[f"{device} {str(dtype).removeprefix('torch.')}"] = operations / best_time(run, repeats)
    return rates


def machine(rates: dict[str, float]) -> Section:
    """The rates of `convolution_rates` as a table."""
    import torch

    return Section(
        f"Machine: {platform.machine()}, torch {torch.__version__}, {torch.get_num_threads()} threads",
        (f"convolution 3 x 3, {CHANNELS} channels, {SIDE} x {SIDE}", "TFLOP/s"),
        [(name, f"{rate / 1e12:.2f}") for name, rate in rates.items()],
    )
