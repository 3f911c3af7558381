"""How fast each training script makes its steps, beside the rate of convolution that the machine reaches at best.

A step is all of it: holes, networks, losses, critics, optimizers, the moving average, in bf16 autocast, late in a run
of the script's own config, when every term has joined. Photos are random and already on the device: reading them is no
part of it. Every script runs in a process of its own.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

import train
from benchmarks.machine import convolution_rates
from benchmarks.measuring import in_a_fresh_process
from benchmarks.section import Section
from inpaint_core.errors import InpaintError
from train.core.run import Run

LENGTH, START = 100_000, 90_000  # steps of the run that is assumed, and the step from which it is measured
ENOUGH = 4.0  # seconds of steps, after which no further cycle is measured
PHOTOS = 16
ON_PHOTOS = re.compile(
    r"^class Config\(.*\b(PhotoConfig|HoleConfig|CriticConfig)\)", re.MULTILINE
)  # a script that trains on photos
JOINED = {"critic_warmup": 0, "critic_auc": 0.0, "critic_photos": 2}  # with these, critics count from their first step
QUIET = {"eval_every": LENGTH, "grid_every": LENGTH, "checkpoint_minutes": 1e6}
COLUMNS = ("script", "device", "photo", "batch", "images/s", "TFLOP an image", "TFLOP/s", "share of rate")
NOTE = (
    "Images/s: of the best of the cycles, all updates included. TFLOP: convolutions and matrix products, forwards and "
    "backwards, as torch counts them. Share: of the machine's bf16 rate."
)


@dataclass(frozen=True)
class Speed:
    """How fast one script's steps are."""

    size: int  # side of the photos, pixels
    batch: int  # photos a step
    images: float  # a second
    operations_an_image: float  # floating-point operations

    @property
    def operations(self) -> float:
        """Floating-point operations a second."""
        return self.images * self.operations_an_image


def table(scripts: list[str] | None = None, batch: int | None = None, rates: dict[str, float] | None = None) -> Section:
    """Every script on the CPU, and on CUDA where it is.

    Args:
        scripts: some of `names()`; None: all.
        batch: photos a step; None: the script's own number.
        rates: of `machine.convolution_rates`; None: measured now.

    Raises:
        InpaintError: an unknown script.
    """
    scripts = names() if scripts is None else scripts
    for name in scripts:
        check_name(name)
    rates = convolution_rates() if rates is None else rates
    section, missing = Section("Training: steps of each script, its own config", COLUMNS), []
    for name in scripts:
        for device in dict.fromkeys(rate.split()[0] for rate in rates):
            try:
                speed = in_a_fresh_process(measure_on, name, device, batch)
            except InpaintError as error:
                print(f"{name}: {error}", file=sys.stderr)
                missing.append(f"{name} is not here: it needs weights that this machine has not.")
                break
            section.rows.append(
                (
                    name,
                    device,
                    f"{speed.size} px",
                    str(speed.batch),
                    f"{speed.images:.1f}",
                    f"{speed.operations_an_image / 1e12:.3f}",
                    f"{speed.operations / 1e12:.3f}",
                    f"{speed.operations / rates[f'{device} bfloat16']:.0%}",
                )
            )
    section.note = " ".join([NOTE, *missing])
    return section


def names() -> list[str]:
    """The modules of `train` that train on photos."""
    found = []
    for module in sorted(each.name for each in pkgutil.iter_modules(train.__path__)):
        source = Path(train.__path__[0], f"{module}.py")
        # asked of the text: importing all of them is slow
        if source.exists() and ON_PHOTOS.search(source.read_text(encoding="utf-8")):
            found.append(module)
    return found


def check_name(name: str) -> None:
    """Raise `InpaintError` unless there is a training script of this name."""
    if name not in names():
        raise InpaintError(f"There is no training script {name!r}; choose one of {', '.join(names())}.")


def measure_on(name: str, device: str, batch: int | None) -> Speed:
    """`measure` in a process that may use this device only."""
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # accelerate takes a GPU where it sees one
    return measure(name, **({} if batch is None else {"batch": batch}))


def measure(name: str, cycles: int = 5, **options: Any) -> Speed:
    """One script in this process.

    Args:
        name: of the script.
        cycles: at most so many after the first two, fewer where they take long; the best counts. A cycle is one step,
            or as many as critics and generator take turns in.
        options: of its config, such as `batch`.

    Raises:
        InpaintError: an unknown script, or it needs weights that are not here.
    """
    check_name(name)
    with tempfile.TemporaryDirectory() as folder:
        config, timer = run_script(name, Path(folder), cycles, options)
    images = config.batch * timer.cycle
    return Speed(config.size, config.batch, images / min(timer.seconds), timer.operations / images)


class StepTimer:
    """Takes the place of `Run.steps`: the same batch again and again, late in the run, until enough is measured.

    Attributes:
        seconds: of each cycle but the first two.
        operations: floating-point operations of the second cycle.
    """

    def __init__(self, steps: Callable[..., Iterator[Any]], cycle: int, cycles: int) -> None:
        self.steps, self.cycle, self.cycles = steps, cycle, cycles
        self.seconds: list[float] = []
        self.operations = 0

    def __call__(self, run: Run, batches: Callable[[int], Any]) -> Iterator[tuple[int, Any]]:
        """Yield (step, batch) as `Run.steps` does."""
        batch = batches(0)
        run.step = START - START % self.cycle
        steps = self.steps(run, lambda step: batch)
        for number in range(self.cycles + 2):
            start = time.perf_counter()
            with FlopCounterMode(display=False) if number == 1 else nullcontext() as counter:
                for _ in range(self.cycle):
                    yield next(steps)
            if counter is not None:
                self.operations = counter.get_total_flops()
            if run.device.type == "cuda":
                torch.cuda.synchronize()
            if number > 1:
                self.seconds.append(time.perf_counter() - start)
            if sum(self.seconds) > ENOUGH:
                break


def run_script(name: str, folder: Path, cycles: int, options: dict[str, Any]) -> tuple[Any, StepTimer]:
    """Run a script on random photos until its steps are measured; all that is known here of scripts is in here."""
    script = importlib.import_module(f"train.{name}")
    known = {field.name for field in fields(script.Config)}
    settings = {"steps": LENGTH, **{key: value for key, value in (JOINED | QUIET).items() if key in known}, **options}
    config = script.Config(data=(folder / "photos",), out=folder / "run", **settings)
    pixels = np.random.default_rng(0).integers(0, 256, (PHOTOS, config.size, config.size, 3), np.uint8)
    (folder / "photos").mkdir()
    for number, photo in enumerate(pixels):
        Image.fromarray(photo).save(folder / "photos" / f"{number}.png")
    timer = StepTimer(Run.steps, cycle=getattr(config, "critic_steps", 0) + 1, cycles=cycles)
    with mock.patch.object(Run, "steps", lambda run, batches: timer(run, batches)):
        script.main(config)
    return config, timer
