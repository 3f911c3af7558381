"""Which number format convolutions run fastest in on a device: measured once a process, not guessed from its name."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import torch
from torch import nn

MIN_GAIN = 1.2
"""bfloat16 costs accuracy, so it must be at least this many times faster to be chosen."""

MAX_SECONDS = 0.15
"""The measurement ends after this time."""

_chosen: dict[str, torch.dtype] = {}
_lock = threading.Lock()


def fastest_precision(device: torch.device | str) -> torch.dtype:
    """`torch.bfloat16` where it makes a typical convolution clearly faster on the device, else `torch.float32`.

    The first call takes some 20 ms, on a busy machine about `MAX_SECONDS` (a CPU with AMX or AVX512-bf16 and recent
    GPUs gain, others lose).
    """
    device = torch.device(device)
    with _lock:
        if str(device) not in _chosen:
            if device.type == "mps":  # no channels-last bfloat16 kernels worth measuring
                _chosen[str(device)] = torch.float32
            else:
                seconds = seconds_of_convolutions(device, (torch.float32, torch.bfloat16))
                gain = seconds[torch.float32] / seconds[torch.bfloat16]
                _chosen[str(device)] = torch.bfloat16 if gain > MIN_GAIN else torch.float32
        return _chosen[str(device)]


@torch.inference_mode()
def seconds_of_convolutions(
    device: torch.device, dtypes: tuple[torch.dtype, ...], channels: int = 96, side: int = 64, rounds: int = 6
) -> dict[torch.dtype, float]:
    """Best time of one 3 x 3 convolution, channels last, in each dtype; infinite where the device cannot compute in it.

    The dtypes take turns, so that another program's burst of work hits all of them, and the best time counts.
    """
    best = dict.fromkeys(dtypes, float("inf"))
    runs = {dtype: _convolution(device, dtype, channels, side) for dtype in dtypes}
    end = time.perf_counter() + MAX_SECONDS
    for turn in range(rounds):
        for dtype in dtypes:
            try:
                start = time.perf_counter()
                runs[dtype]()
                if turn > 0:  # the first run sets things up and is slower
                    best[dtype] = min(best[dtype], time.perf_counter() - start)
            except RuntimeError:
                if dtype == torch.float32:
                    raise
        if turn >= 2 and time.perf_counter() > end:
            break
    return best


def _convolution(device: torch.device, dtype: torch.dtype, channels: int, side: int) -> Callable[[], None]:
    """A function that runs the convolution to its end."""
    layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False, device="meta").to_empty(device=device)
    nn.init.constant_(layer.weight, 0.01)  # nothing is drawn from the global random state
    layer = layer.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    features = torch.ones(1, channels, side, side, device=device, dtype=dtype)
    features = features.contiguous(memory_format=torch.channels_last)

    def run() -> None:
        layer(features)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return run
