"""How fast each training script makes its steps, beside the rate of convolution that the machine reaches at best.

All scripts:    python -m benchmarks.training
Some of them:   python -m benchmarks.training --script deepfill_v2 --script glcic --batch 32
The same table: python -m inpaint_core benchmark --training

A step is all of it: holes, networks, losses, critics, optimizers, the moving average, in bf16 autocast, late in a run
of the script's own recipe, when everything has joined. Photos are random and already decoded: reading them is no part
of it. Every script runs in a process of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

import train
from benchmarks import fills as benchmark
from inpaint_core.errors import InpaintError
from train.core import session
from train.core.data import Photos
from train.core.engine import Engine
from train.core.options import start
from train.evaluation import report

LENGTH, JOINED, LATE = 100_000, 70_000, 90_000  # of the run that is imagined; everything has joined; measured from here
ENOUGH = 4.0  # seconds of steps, after which no further cycle is measured
TITLE = "Training: steps of each script, its own recipe"
NOTE = (
    "Images/s: of the best of the cycles, all updates included. TFLOP: convolutions and matrix products, forwards and "
    "backwards, as torch counts them. Share: of the machine's bf16 rate."
)


def names() -> list[str]:
    """The modules of `train` that train on photos by `session.run`."""
    found = []
    for module in sorted(each.name for each in pkgutil.iter_modules(train.__path__)):
        source = Path(train.__path__[0], f"{module}.py").read_text(encoding="utf-8")
        if "class Recipe(" in source and "\nmain = " in source:  # asked of the text: importing all of them is slow
            found.append(module)
    return found


def training_of(name: str, **options: Any) -> session.Training:
    """A script's training with its own recipe but for `options`.

    Raises:
        InpaintError: there is no such script, or it needs features that are not here.
    """
    if name not in names():
        raise InpaintError(f"There is no training script {name!r}; choose one of {', '.join(names())}.")
    module = importlib.import_module(f"train.{name}")
    own = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, session.Training) and each.__module__ == module.__name__
    ]
    return own[-1](module.Recipe(**options))


def measure(name: str, cycles: int = 5, **options: Any) -> dict[str, Any]:
    """One script in this process: images and operations a second, and on what.

    Args:
        name: of the script.
        cycles: at most so many after the first, fewer where they take long; the best counts. A cycle is one step, or as
            many as critics and generator take turns in.
        options: of its recipe, such as `batch`.
    """
    training = training_of(name, **options)
    recipe = training.recipe
    cycle = getattr(recipe, "critic_steps", 0) + 1
    late = LATE - LATE % cycle
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder), training.networks, training.optimizers(), steps=LENGTH)
        for network in training.frozen.values():
            network.to(engine.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        dice = torch.Generator().manual_seed(0)
        image = torch.rand(recipe.batch, 3, recipe.size, recipe.size, generator=dice).to(engine.device)
        known = torch.zeros(recipe.batch, dtype=torch.bool, device=engine.device)
        photos = Photos(image.contiguous(memory_format=torch.channels_last), torch.zeros_like(image[:, :1]), known)

        def work(steps: int, since: int) -> float:
            engine.step = since
            begun = time.perf_counter()
            for _ in range(steps):
                training.step(engine, photos, dice)
                engine.step += 1
                engine.follow()
            if engine.device.type == "cuda":
                torch.cuda.synchronize()
            return time.perf_counter() - begun

        from torch.utils.flop_counter import FlopCounterMode

        work(1, JOINED)
        with FlopCounterMode(display=False) as counter:
            work(cycle, late)
        measured: list[float] = []
        while len(measured) < cycles and sum(measured) < ENOUGH:
            measured.append(work(cycle, late))
        seconds = min(measured)
        if engine.writer is not None:
            engine.writer.close()
    return {
        "device": engine.device.type,
        "size": recipe.size,
        "batch": recipe.batch,
        "parameters": sum(p.numel() for network in training.networks.values() for p in network.parameters()),
        "images": recipe.batch * cycle / seconds,
        "operations": counter.get_total_flops() / seconds,
        "operations_an_image": counter.get_total_flops() / (recipe.batch * cycle),
    }


def table(
    scripts: list[str] | None = None, batch: int | None = None, rates: dict[str, float] | None = None
) -> benchmark.Section:
    """Every script on the CPU, and on CUDA where it is.

    Args:
        scripts: some of `names()`; None: all.
        batch: photos a step; None: the recipe's.
        rates: of `benchmark.convolution_rates`; None: measured now.
    """
    section = benchmark.Section(
        TITLE, ("script", "device", "photo", "batch", "images/s", "TFLOP an image", "TFLOP/s", "share of rate")
    )
    rates = benchmark.convolution_rates() if rates is None else rates
    missing = []
    for name in names() if scripts is None else scripts:
        for device in report.unique(rate.split()[0] for rate in rates):
            found = benchmark.in_a_fresh_process("benchmarks.training", "measure", name, device, str(batch or 0))
            if "error" in found:
                typer.echo(f"{name}: {found['error']}", err=True)
                missing.append(f"{name} is not here: it needs weights that this machine has not.")
                break
            section.rows.append(
                (
                    name,
                    device,
                    f"{found['size']} px",
                    str(found["batch"]),
                    f"{found['images']:.1f}",
                    f"{found['operations_an_image'] / 1e12:.3f}",
                    f"{found['operations'] / 1e12:.3f}",
                    f"{found['operations'] / rates[f'{device} bfloat16']:.0%}",
                )
            )
    section.note = " ".join([NOTE, *missing])
    return section


def main(
    script: Annotated[list[str] | None, typer.Option(help="a script; repeat; default: all")] = None,
    batch: Annotated[int | None, typer.Option(help="photos a step; default: the recipe's")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the table as JSON")] = False,
) -> None:
    """Measure how fast the training scripts make their steps on this machine."""
    for name in script or ():
        if name not in names():
            raise InpaintError(f"There is no training script {name!r}; choose one of {', '.join(names())}.")
    found = table(script, batch)
    typer.echo(json.dumps(asdict(found)) if as_json else report.as_markdown(found))


def _child(name: str, device: str, batch: str) -> dict[str, Any]:
    """What the fresh process does."""
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # accelerate takes a GPU where it sees one
    try:
        return measure(name, **({"batch": int(batch)} if int(batch) else {}))
    except InpaintError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(_child(*sys.argv[2:])))
    else:
        start(main)
