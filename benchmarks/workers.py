"""What worker processes cost: each fill in this process and through them, in turn, and so a program's whole call.

`python -m benchmarks --workers`
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import psutil

from benchmarks.measuring import photo
from benchmarks.section import Section
from inpaint_core.errors import InpaintError

METHODS = ("telea", "patchmatch", "deepfill_v2")
SIZES = ((1000, 1000), (3000, 4000))  # height, width of the photos
HOLES = (60, 1 / 3)  # side of the square hole: in pixels, or as a share of the photo's height
LEAST_RUNS, MOST_RUNS = 3, 60


@dataclass
class Times:
    """Seconds of the runs of one way to do the same."""

    wall: list[float] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)  # by all cores, of this process and of its workers

    def add(self, run: Callable[[], np.ndarray]) -> np.ndarray:
        """Run once more; returns what it returns."""
        wall, computed = time.perf_counter(), _computed()
        result = run()
        self.wall.append(time.perf_counter() - wall)
        self.computed.append(_computed() - computed)
        return result


def overhead(
    names: tuple[str, ...] = METHODS,
    sizes: tuple[tuple[int, int], ...] = SIZES,
    holes: tuple[float, ...] = HOLES,
    seconds: float = 20.0,
) -> Section:
    """Milliseconds of fills here and through workers; the results are compared bit for bit.

    Args:
        names: of the methods.
        sizes: height and width of the photos in pixels.
        holes: side of the square hole in the middle, in pixels, or below 1 as a share of the photo's height.
        seconds: that each case is repeated for; the least time of a way counts, and all its computing time.

    Raises:
        InpaintError: there are no worker processes, or what they fill differs.
    """
    from webui import limits, work

    if not limits.WORKERS:
        raise InpaintError("There are no worker processes to measure: set INPAINT_WORKERS to 1 or more.")
    section = Section(
        "Fills in this process and through workers",
        ("what", "here, ms", "workers, ms", "times", "computing: here, ms", "workers, ms", "times"),
    )
    try:
        work.run(work.warm_up)
        for height, width in sizes:
            for hole in holes:
                side = round(hole * height) if hole < 1 else round(hole)
                for name in names:
                    case = f"{name}, {height * width / 1e6:.0f} MP, hole {side} x {side}"
                    section.rows += _rows(case, name, photo(height, width), _square(height, width, side), seconds)
    finally:
        work.pool().close()
    section.note = (
        "A call reads a JPEG and a mask, fills, and writes a JPEG. The machine's other work disturbs the former."
    )
    return section


def _rows(case: str, name: str, image: np.ndarray, mask: np.ndarray, seconds: float) -> list[tuple[str, ...]]:
    """Two rows of the table: of a fill, and of a program's call that makes it."""
    from inpaint_core import predictor
    from inpaint_core.predictor import FillOptions
    from webui import api, gpu, limits, runner

    workers = limits.WORKERS

    def fill_here() -> np.ndarray:
        return _image(predictor.fill(image, mask, name, FillOptions(device=gpu.local_device())))

    def fill_by_worker() -> np.ndarray:
        return _image(runner.fill(image, mask, name))

    with tempfile.TemporaryDirectory() as folder:
        photo_file, mask_file = f"{folder}/photo.jpg", f"{folder}/mask.png"
        cv2.imwrite(photo_file, image[..., ::-1])
        cv2.imwrite(mask_file, mask.astype(np.uint8) * 255)

        def call(processes: int) -> np.ndarray:
            limits.WORKERS = processes
            try:
                written = Path(api.inpaint(photo_file, mask_file, name))
            finally:
                limits.WORKERS = workers
            content = np.fromfile(written, np.uint8)
            written.unlink()
            return content

        return [
            _row(f"{case}: fill", fill_here, fill_by_worker, seconds),
            _row(f"{case}: call", partial(call, 0), partial(call, workers), seconds),
        ]


def _row(
    what: str, here: Callable[[], np.ndarray], by_worker: Callable[[], np.ndarray], seconds: float
) -> tuple[str, ...]:
    """Run both in turn, after once each to load what is loaded once."""
    if not np.array_equal(here(), by_worker()):
        raise InpaintError(f"A worker does not fill as this process does: {what}.")
    times, end = (Times(), Times()), time.monotonic() + seconds
    while len(times[0].wall) < LEAST_RUNS or (time.monotonic() < end and len(times[0].wall) < MOST_RUNS):
        for each, run in zip(times, (here, by_worker), strict=True):
            each.add(run)
    wall = [1000 * min(each.wall) for each in times]
    computed = [1000 * float(np.mean(each.computed)) for each in times]
    figures = [*wall, wall[1] / wall[0], *computed, computed[1] / computed[0]]
    return what, *(f"{each:.{places}f}" for each, places in zip(figures, (1, 1, 3, 1, 1, 3), strict=True))


def _computed() -> float:
    """Seconds of computing of this process and its workers."""
    total = time.process_time()
    for process in psutil.Process().children(recursive=True):
        times = process.cpu_times()
        total += times.user + times.system
    return total


def _square(height: int, width: int, side: int) -> np.ndarray:
    """A square hole in the middle, bool height x width."""
    mask = np.zeros((height, width), bool)
    top, left = (height - side) // 2, (width - side) // 2
    mask[top : top + side, left : left + side] = True
    return mask


def _image(result: object) -> np.ndarray:
    image: np.ndarray = result.image  # type: ignore[attr-defined]
    return image
