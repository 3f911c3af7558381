"""How long every method takes at several sizes; what a brush stroke and a large hole cost in 12 megapixels."""

from __future__ import annotations

import math
import tempfile
import time
from functools import partial

import cv2
import numpy as np

from benchmarks.measuring import best_time, in_a_fresh_process, peak, photo, reset_peak
from benchmarks.section import Section
from inpaint_core import catalogue

HOLE_SHARE = 0.10  # of the free-form masks the methods are timed with
LARGE_PHOTO = (3000, 4000)  # height and width: 12 megapixels, as phones have them
STROKE_WIDTH = 90  # pixels of the brush on it
LARGE_HOLE = 1_000_000  # pixels of a square hole in it


def methods(sizes: tuple[int, ...] = (256, 512, 1024), repeats: int = 3) -> Section:
    """Seconds of every ready method on a photo with a free-form hole of a tenth of it, at each size."""
    from inpaint_core import inpaint, masks
    from inpaint_core.arguments import choose_device

    ready = [method.name for method in catalogue.methods() if method.ready]
    seconds: dict[str, list[float]] = {name: [] for name in ready}
    for size in sizes:
        image = photo(size, size)
        hole = masks.generate("irregular", size, size, seed=0, ratio=(HOLE_SHARE, HOLE_SHARE))
        for name in ready:
            seconds[name].append(best_time(partial(inpaint, image, hole, name), repeats))
    return Section(
        f"Methods: seconds on {choose_device('auto')}, free-form hole of {HOLE_SHARE:.0%}",
        ("method", *(f"{size} x {size}" for size in sizes), f"times ns at {sizes[-1]}"),
        [
            (name, *(f"{each:.3f}" for each in times), f"{times[-1] / seconds['ns'][-1]:.1f}")
            for name, times in seconds.items()
        ],
    )


def large_photo(names: tuple[str, ...] = ("telea",), repeats: int = 3, size: tuple[int, int] = LARGE_PHOTO) -> Section:
    """A brush stroke on a large JPEG: seconds, and the peak of memory above the idle process.

    Each run is a process of its own that imports everything, fills a tiny photo (idle), and then opens the large one,
    fills it and saves it.

    Args:
        names: of the methods.
        repeats: runs of each; the least seconds and the greatest memory count.
        size: height and width of the photo in pixels.
    """
    section = Section(
        f"Large photo: {size[1]} x {size[0]} JPEG with a brush stroke",
        ("method", "fill, s", "open + fill + save, s", "idle, MB", "peak above idle, MB"),
    )
    with tempfile.TemporaryDirectory() as folder:
        cv2.imwrite(f"{folder}/photo.jpg", photo(*size)[..., ::-1])
        cv2.imwrite(f"{folder}/mask.png", brush_stroke(*size).astype(np.uint8) * 255)
        for name in names:
            runs = [in_a_fresh_process(fill_large_photo, name, folder) for _ in range(repeats)]
            fill, whole, idle = (min(run[key] for run in runs) for key in ("fill", "whole", "idle"))
            above = max(run["peak"] - run["idle"] for run in runs)
            section.rows.append((name, f"{fill:.2f}", f"{whole:.2f}", f"{idle:.0f}", f"{above:.0f}"))
    return section


def large_hole(
    names: tuple[str, ...] = ("telea", "patchmatch"),
    repeats: int = 3,
    size: tuple[int, int] = LARGE_PHOTO,
    pixels: int = LARGE_HOLE,
) -> Section:
    """A square hole in a large photo, one method after the other in one run: seconds, and as a share of the first's.

    Both the seconds that pass and those that all cores of this process work, for a busy machine disturbs the former.

    Args:
        names: of the methods.
        repeats: runs of each, in turn; the least count.
        size: height and width of the photo in pixels.
        pixels: of the hole.
    """
    from inpaint_core import inpaint

    image, side = photo(*size), math.isqrt(pixels)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    hole = np.zeros(size, bool)
    hole[top : top + side, left : left + side] = True
    section = Section(
        f"Large hole: {side} x {side} pixels of a {size[1]} x {size[0]} photo",
        ("method", "seconds", "CPU seconds", f"times {names[0]}", f"CPU times {names[0]}"),
    )
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for name in names:  # compiled, and its modules loaded
        inpaint(image[:64, :64], np.pad(np.ones((16, 16), bool), 24), name)
    for _ in range(repeats):
        for name in names:
            wall, cpu = time.perf_counter(), time.process_time()
            inpaint(image, hole, name)
            runs[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    least = {name: np.min(runs[name], axis=0) for name in names}
    for name in names:
        figures = (*least[name], *(least[name] / least[names[0]]))
        section.rows.append((name, *(f"{each:.2f}" for each in figures)))
    return section


def brush_stroke(height: int, width: int) -> np.ndarray:
    """A curved stroke across the middle third of the picture, bool height x width."""
    steps = np.linspace(0, 1, 40)
    points = np.stack([width * (0.35 + 0.3 * steps), height * (0.5 + 0.06 * np.sin(2 * np.pi * steps))], axis=1)
    hole = np.zeros((height, width), np.uint8)
    cv2.polylines(hole, [points.astype(np.int32)], False, 1, thickness=STROKE_WIDTH)
    return hole > 0


def fill_large_photo(name: str, folder: str) -> dict[str, float]:
    """Fill photo.jpg of a folder in this process: "fill" and "whole" in seconds, "idle" and "peak" in megabytes."""
    from inpaint_core import inpaint, masks
    from inpaint_core import photo as files

    tiny = np.zeros((64, 64, 3), np.uint8)
    inpaint(tiny, np.pad(np.ones((8, 8), bool), 28), name)
    idle = reset_peak()
    start = time.perf_counter()
    picture = files.read(f"{folder}/photo.jpg")
    hole = masks.from_file(files.read_mask(f"{folder}/mask.png"))
    result = inpaint(picture.pixels, hole, name)
    assert result.image is not None
    files.write(picture, result.image, f"{folder}/filled.jpg", mask=hole)
    return {"fill": result.seconds, "whole": time.perf_counter() - start, "idle": idle, "peak": peak()}
