"""What `python -m inpaint_core benchmark` measures: the machine, methods, networks, a large photo's memory, masks.

Each section is a function that returns a `Section`; a new one is one more function in `sections`. Times are the best of
several runs: on a shared machine the best is the one that was disturbed least.
"""

from __future__ import annotations

import contextlib
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from inpaint_core import catalogue
from inpaint_core.errors import InpaintError

HOLE_SHARE = 0.10  # of the free-form masks the methods are timed with
LARGE_PHOTO = (3000, 4000)  # height and width: 12 megapixels, as phones have them
STROKE_WIDTH = 90  # pixels of the brush on it
RATE_CHANNELS, RATE_SIDE = 192, 128  # of the convolution that gives the machine's rate


@dataclass
class Section:
    """A table of the report."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    note: str | None = None


def sections(quick: bool = False) -> Iterator[Section]:
    """Every section, each measured when it is asked for."""
    from benchmarks import networks as network_benchmark

    # First, while this process is small: on some systems a child inherits its parent's peak of memory.
    large = large_photo(repeats=1 if quick else 3)
    rates = convolution_rates(repeats=3 if quick else 10)
    yield machine(rates)
    yield network_benchmark.networks(rates, sizes=(256,) if quick else (256, 512, 1024), repeats=2 if quick else 3)
    yield methods(sizes=(256, 512) if quick else (256, 512, 1024), repeats=2 if quick else 3)
    yield large
    yield mask_rates(sizes=(256,) if quick else (256, 512))


def convolution_rates(repeats: int = 10) -> dict[str, float]:
    """Floating-point operations a second of a wide 3 x 3 convolution, channels last: "cpu bfloat16" -> 9e11 ..."""
    import torch

    rates = {}
    channels, side = RATE_CHANNELS, RATE_SIDE
    work = 2 * 9 * channels * channels * side * side
    for device in ("cpu", *(["cuda"] if torch.cuda.is_available() else [])):
        for dtype in (torch.float32, torch.bfloat16):
            layer, features = torch.nn.Conv2d(channels, channels, 3, padding=1), torch.randn(1, channels, side, side)
            layer = layer.to(device, dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            features = features.to(device, dtype, memory_format=torch.channels_last)

            def run(layer: torch.nn.Module = layer, features: torch.Tensor = features, device: str = device) -> None:
                with torch.inference_mode():
                    layer(features)
                if device == "cuda":
                    torch.cuda.synchronize()

            rates[f"{device} {str(dtype).removeprefix('torch.')}"] = work / best(run, repeats)
    return rates


def machine(rates: dict[str, float]) -> Section:
    """The machine's rates of convolution, by which the networks are judged."""
    import torch

    return Section(
        f"Machine: {platform.machine()}, torch {torch.__version__}, {torch.get_num_threads()} threads",
        (f"convolution 3 x 3, {RATE_CHANNELS} channels, {RATE_SIDE} x {RATE_SIDE}", "TFLOP/s"),
        [(name, f"{rate / 1e12:.2f}") for name, rate in rates.items()],
    )


def methods(sizes: tuple[int, ...] = (256, 512, 1024), repeats: int = 3) -> Section:
    """Seconds of every ready method on a photo with a free-form hole of a tenth of it, at each size."""
    from inpaint_core import inpaint, masks
    from inpaint_core.arguments import choose_device

    ready = [method for method in catalogue.methods() if method.ready]
    seconds: dict[tuple[str, int], float] = {}
    for size in sizes:
        image = photo(size, size)
        hole = masks.generate("irregular", size, size, seed=0, ratio=(HOLE_SHARE, HOLE_SHARE))
        for method in ready:

            def run(name: str = method.name, image: np.ndarray = image, hole: np.ndarray = hole) -> None:
                inpaint(image, hole, name)

            seconds[method.name, size] = best(run, repeats)
    section = Section(
        f"Methods: seconds on {choose_device('auto')}, free-form hole of {HOLE_SHARE:.0%}",
        ("method", *(f"{size} x {size}" for size in sizes), f"times ns at {sizes[-1]}"),
    )
    for method in ready:
        times = tuple(f"{seconds[method.name, size]:.3f}" for size in sizes)
        ratio = seconds[method.name, sizes[-1]] / seconds["ns", sizes[-1]]
        section.rows.append((method.name, *times, f"{ratio:.1f}"))
    return section


def large_photo(names: tuple[str, ...] = ("telea",), repeats: int = 3) -> Section:
    """A brush stroke on a 12-megapixel JPEG: seconds, and the peak of memory above the idle process.

    Each run is a process of its own that imports everything, fills a tiny photo (idle), and then opens the large one,
    fills it and saves it.
    """
    section = Section(
        f"Large photo: {LARGE_PHOTO[1]} x {LARGE_PHOTO[0]} JPEG with a brush stroke",
        ("method", "fill, s", "open + fill + save, s", "idle, MB", "peak above idle, MB"),
    )
    with tempfile.TemporaryDirectory() as folder:
        cv2.imwrite(f"{folder}/photo.jpg", photo(*LARGE_PHOTO)[..., ::-1])
        cv2.imwrite(f"{folder}/mask.png", brush_stroke(*LARGE_PHOTO).astype(np.uint8) * 255)
        for name in names:
            runs = [_fill_in_a_fresh_process(name, folder) for _ in range(repeats)]
            fill, whole, idle = (min(run[key] for run in runs) for key in ("fill", "whole", "idle"))
            above = max(run["peak"] - run["idle"] for run in runs)
            section.rows.append((name, f"{fill:.2f}", f"{whole:.2f}", f"{idle:.0f}", f"{above:.0f}"))
    return section


def mask_rates(sizes: tuple[int, ...] = (256, 512)) -> Section:
    """Random masks a second, of every generator."""
    from inpaint_core import masks

    rates = [masks.benchmark(size, size) for size in sizes]
    section = Section("Masks: a second", ("generator", *(f"{size} x {size}" for size in sizes)))
    section.rows = [(name, *(f"{rate[name]:,.0f}" for rate in rates)) for name in rates[0]]
    return section


def training() -> Section:
    """Images a second of the training scripts, which measure themselves: this package knows them by name only.

    Raises:
        InpaintError: the training scripts, or what they need, are not installed beside this package.
    """
    try:
        found = in_a_fresh_process("benchmarks.training", "--json")
    except subprocess.CalledProcessError as error:
        raise InpaintError(
            "The training scripts cannot run here: install requirements-train.txt in a checkout of the project."
        ) from error
    rows = [tuple(row) for row in found.pop("rows")]
    return Section(**{**found, "columns": tuple(found["columns"])}, rows=rows)


def best(run: Callable[[], object], repeats: int) -> float:
    """The least seconds of several calls, after one that warms up."""
    run()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def photo(height: int, width: int) -> np.ndarray:
    """A real photo of any size, uint8 height x width x 3 (the astronaut of scikit-image, public domain)."""
    from skimage import data

    return cv2.resize(data.astronaut(), (width, height), interpolation=cv2.INTER_CUBIC)


def brush_stroke(height: int, width: int) -> np.ndarray:
    """A curved stroke across the middle third of the picture, bool height x width."""
    steps = np.linspace(0, 1, 40)
    points = np.stack([width * (0.35 + 0.3 * steps), height * (0.5 + 0.06 * np.sin(2 * np.pi * steps))], axis=1)
    hole = np.zeros((height, width), np.uint8)
    cv2.polylines(hole, [points.astype(np.int32)], False, 1, thickness=STROKE_WIDTH)
    return hole > 0


def _fill_in_a_fresh_process(name: str, folder: str) -> dict[str, float]:
    return in_a_fresh_process("benchmarks.fills", name, folder)


def in_a_fresh_process(module: str, *arguments: str) -> dict[str, Any]:
    """Run a module of this package as a script of its own; returns the JSON that it prints."""
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def _fill_large_photo(name: str, folder: str) -> dict[str, float]:
    """What the fresh process does: seconds, and megabytes of memory."""
    from inpaint_core import inpaint, masks
    from inpaint_core import photo as files

    tiny = np.zeros((64, 64, 3), np.uint8)
    inpaint(tiny, np.pad(np.ones((8, 8), bool), 28), name)
    idle = forget_peak()
    start = time.perf_counter()
    picture = files.read(f"{folder}/photo.jpg")
    hole = masks.from_file(files.read_mask(f"{folder}/mask.png"))
    result = inpaint(picture.pixels, hole, name)
    assert result.image is not None
    files.write(picture, result.image, f"{folder}/filled.jpg", mask=hole)
    return {"fill": result.seconds, "whole": time.perf_counter() - start, "idle": idle, "peak": peak()}


def forget_peak() -> float:
    """Start to measure the peak of memory anew where the system can (Linux); returns the megabytes in use now."""
    status = Path("/proc/self/status")
    if not status.exists():
        return peak()
    with contextlib.suppress(OSError):  # some containers forbid it; then the peak of the imports is in the number too
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM; proc(5)
    return _status_megabytes("VmRSS")


def peak() -> float:
    """The peak of memory in megabytes."""
    # not ru_maxrss on Linux: there a process inherits it from the one that starts it
    if Path("/proc/self/status").exists():
        return _status_megabytes("VmHWM")
    import resource  # Unix only

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _status_megabytes(key: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"/proc/self/status has no {key}")


if __name__ == "__main__":
    print(json.dumps(_fill_large_photo(*sys.argv[1:])))
