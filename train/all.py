"""Train every network in a given time: one command for an evening with a GPU.

One device:  python -m train.all --data photos/ --data 'shards/*.tar' --minutes 600 --out runs/all
Continue:    the same again; finished phases are skipped, the one under way resumes
Some only:   --only deepfill_v2 --only glcic
Look first:  --dry-run prints every command and its minutes; --smoke runs each for two steps of tiny networks

The time is divided by the shares in `PHASES`. A network's phases follow one another, each starting from all networks
(critics too) of the one before: coarse before fine, 128 px before 256 px, sketches last. Each network is exported into
OUT/export as its last phase ends. On a GPU the batch fills the memory; on a CPU each core runs a process of its own.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from inpaint_core.errors import InpaintError
from train.core.checkpoint import CHECKPOINT, read_checkpoint
from train.core.cli import run_cli
from train.core.config import Paths
from train.core.signals import on_signals

BYTES_PER_PIXEL = 9_000
"""Memory a training step takes for a pixel of a photo, bf16: of DeepFill v2 with its critics, the largest here."""

TAKES_SKETCH = "deepfill_v2"
"""The network that learns from edge maps."""

MEMORY_SHARE = 0.7
"""Of a GPU's free memory that a batch may fill."""


@dataclass(frozen=True)
class Phase:
    """One run of one script."""

    method: str  # also the script's name
    name: str
    share: float  # of all networks' time
    size: int  # side of the photos
    options: str = ""


PHASES = (
    Phase("deepfill_v2", "coarse_128", 0.12, 128, "--stages coarse --lr 8e-4"),
    Phase("deepfill_v2", "fine_128", 0.16, 128, "--stages fine"),
    Phase("deepfill_v2", "both_256", 0.14, 256, "--stages both --zoom 0.625 --lr 4e-4"),
    Phase("deepfill_v2", "sketches_256", 0.06, 256, "--stages both --zoom 0.625 --lr 2e-4 --sketches 0.8 --follow 0.2"),
    Phase("lama", "128", 0.08, 128),
    Phase("lama", "256", 0.06, 256, "--zoom 0.625"),
    Phase("partial_conv", "128", 0.06, 128),
    Phase("partial_conv", "256", 0.05, 256, "--zoom 0.625"),
    Phase("deepfill_v1", "128", 0.06, 128),
    Phase("deepfill_v1", "256", 0.05, 256, "--zoom 0.625"),
    Phase("glcic", "128", 0.05, 128),
    Phase("glcic", "256", 0.04, 256, "--zoom 0.625"),
    Phase("context_encoder", "128", 0.04, 128),
    Phase("autoencoder", "128", 0.03, 128),
)
"""Every phase in the order in which it runs; the shares sum to 1."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What is trained, on what, and for how long."""

    data: Paths  # folder, archive or quoted pattern of photos; repeat for more groups
    minutes: float  # for all networks together
    out: Path  # folder of the runs; exports go to OUT/export
    only: Paths = ()  # names of the networks to train; default: all
    mix: tuple[float, ...] = ()  # weight of each --data
    edges: Paths = ()  # edge maps for the sketch channel of DeepFill v2
    val: Paths = ()  # validation photos of 256 px or more
    val_small: Paths = ()  # validation photos of 128 px
    processes: int = 0  # on a CPU: processes a run; 0: one for each core
    dry_run: bool = False  # print the commands and their minutes
    smoke: bool = False  # two steps of tiny networks a phase, to see that every command runs


def main(config: Config) -> None:
    """Run every phase that is not complete; a phase that fails ends the command with its exit status.

    Raises:
        InpaintError: `only` names a network that is not in `PHASES`, or the time is not positive.
    """
    phases = chosen_phases([str(name) for name in config.only])
    if config.minutes <= 0:
        raise InpaintError(f"Give --minutes above 0, not {config.minutes:g}.")
    total = sum(phase.share for phase in phases)
    for phase in phases:
        minutes = config.minutes * phase.share / total
        arguments = command(config, phase, phases, minutes)
        if config.dry_run:
            print(f"# {phase.method} {phase.name}: {minutes:.1f} minutes\n{shlex.join(arguments)}")
            continue
        if is_complete(config, phase, minutes):
            print(f"{phase.method} {phase.name} is complete")
            continue
        print(f"{phase.method} {phase.name}: {minutes:.1f} minutes", flush=True)
        status = run_to_end(arguments)
        if status:
            raise SystemExit(status)


def chosen_phases(only: list[str]) -> list[Phase]:
    """The phases of the networks named, all of them for none; an unknown name is an `InpaintError`."""
    known = list(dict.fromkeys(phase.method for phase in PHASES))
    for name in only:
        if name not in known:
            raise InpaintError(f"There is no network {name!r} to train; choose of {', '.join(known)}.")
    return [phase for phase in PHASES if not only or phase.method in only]


def folder(config: Config, phase: Phase) -> Path:
    """The run's folder."""
    return config.out / f"{phase.method}_{phase.name}"


def command(config: Config, phase: Phase, phases: list[Phase], minutes: float) -> list[str]:
    """The command line of one phase."""
    size = 64 if config.smoke else phase.size
    batch, accumulate, processes = batch_of(size, config.processes)
    words: list[Any] = []
    for option in ("data", "val", "val_small", *(("edges",) if phase.method == TAKES_SKETCH else ())):
        for path in getattr(config, option):
            words += [f"--{option.replace('_', '-')}", path]
    if config.mix:
        words += ["--mix", *config.mix]
    words += ["--out", folder(config, phase), "--resume", "--cache", config.out / "cache", *shlex.split(phase.options)]
    words += ["--size", size, "--batch", batch, "--accumulate", accumulate]
    words += ["--precision", "bf16" if torch.cuda.is_available() or has_fast_bf16() else "no"]
    own = [other for other in phases if other.method == phase.method]
    if phase is not own[0]:
        words += ["--init", folder(config, own[own.index(phase) - 1]) / CHECKPOINT]
    if phase is own[-1]:
        words += ["--export", "--export-to", config.out / "export"]
    if config.smoke:
        words += ["--steps", 2, "--width", 8, "--eval-every", 1000, "--grid-every", 1000]
    else:
        words += ["--total-minutes", f"{minutes:.3f}"]
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    return [*launcher, "-m", f"train.{phase.method}", *map(str, words)]


def batch_of(size: int, processes: int) -> tuple[int, int, int]:
    """Batch, gradient accumulation and processes for photos of `size` pixels on this machine.

    GPUs: the largest power of two that their memory takes, 8 to 64 each. CPU: at least 8 photos an update.
    """
    gpus = torch.cuda.device_count()
    if gpus:
        free = torch.cuda.mem_get_info()[0] * MEMORY_SHARE
        batch = 1  # of each
        while batch < 64 and 2 * batch * size * size * BYTES_PER_PIXEL <= free:
            batch *= 2
        return batch * gpus, max(1, 8 // (batch * gpus)), gpus
    processes = processes or os.cpu_count() or 1
    batch = processes * max(1, (8 if size <= 128 else 4) // processes)
    return batch, max(1, 8 // batch), processes


def has_fast_bf16() -> bool:
    """True where this CPU's convolutions gain from bfloat16."""
    from inpaint_core.methods.engines.precision import fastest_precision

    return fastest_precision("cpu") == torch.bfloat16


def is_complete(config: Config, phase: Phase, minutes: float) -> bool:
    """True if the phase has spent its time (or its steps, of a smoke run)."""
    path = folder(config, phase) / CHECKPOINT
    if not path.exists():
        return False
    state = read_checkpoint(path)
    return state["step"] >= 2 if config.smoke else state["elapsed"] >= 60 * minutes


def run_to_end(arguments: list[str]) -> int:
    """Run a command in a process group of its own; SIGTERM and Ctrl+C reach it, and its checkpoint is waited for.

    Returns:
        Its exit status; 128 + the signal's number where it was interrupted.
    """
    threads = {} if torch.cuda.is_available() else {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(arguments, env={**os.environ, **threads}, start_new_session=True)
    received: list[int] = []

    def forward(number: int) -> None:
        received.append(number)
        os.killpg(process.pid, signal.SIGTERM)

    with on_signals(forward):
        while process.poll() is None:
            time.sleep(0.1)
    return 128 + received[0] if received else process.returncode


if __name__ == "__main__":
    run_cli(main, Config)
