"""The log of a run: scalars for tensorboard and the progress bar, checked for NaN before they are written."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from inpaint_core.errors import InpaintError


class NonFiniteLossError(InpaintError):
    """A loss or gradient norm is NaN or infinite; the last good checkpoint is untouched."""


class ScalarLog:
    """Collects the scalars of a step until they are written.

    Args:
        folder: of the tensorboard files; None: nothing is written, as in all but the main process.
    """

    def __init__(self, folder: Path | None) -> None:
        self._writer = None if folder is None else SummaryWriter(str(folder))
        self._scalars: dict[str, Tensor | float] = {}
        self._step, self._time = 0, time.monotonic()

    def start(self, step: int) -> None:
        """Measure the speed from this step on."""
        self._step, self._time = step, time.monotonic()

    def add(self, scalars: Mapping[str, Tensor | float]) -> None:
        """Scalars of the step under way; tensors are detached, not copied to the CPU yet."""
        self._scalars.update({n: v.detach() if isinstance(v, Tensor) else v for n, v in scalars.items()})

    def check_finite(self, step: int, checkpoint: Path) -> None:
        """Raise `NonFiniteLossError`, which names the last good checkpoint, where a scalar is NaN or infinite."""
        for name, value in self._scalars.items():
            if not math.isfinite(float(value)):
                raise NonFiniteLossError(
                    f"{name} is {float(value)} at step {step}: {checkpoint} holds the last good state; "
                    "resume with a lower learning rate."
                )

    def write(self, step: int, batch: int, bar: Any, **more: float | str) -> None:
        """Write what was collected, and the speed since the last call, to tensorboard and to the progress bar.

        Args:
            step: the number of steps done.
            batch: images a step.
            bar: of tqdm.
            more: numbers for tensorboard, texts for the progress bar.
        """
        now = time.monotonic()
        speed = (step - self._step) * batch / max(now - self._time, 1e-9)
        self._step, self._time = step, now
        scalars, self._scalars = {name: float(value) for name, value in self._scalars.items()}, {}
        if self._writer is None:
            return
        numbers = {name: value for name, value in more.items() if isinstance(value, float)}
        for name, value in {**scalars, **numbers, "images_per_second": speed}.items():
            self._writer.add_scalar(name, value, step)
        shown = {name: f"{value:.3f}" for name, value in scalars.items()}
        texts = {name: value for name, value in more.items() if isinstance(value, str)}
        bar.set_postfix({**shown, "images/s": f"{speed:.1f}", **texts}, refresh=False)

    def flush(self) -> None:
        """Bring everything written to the disk."""
        if self._writer is not None:
            self._writer.flush()
