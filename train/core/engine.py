"""The training engine: owns devices (accelerate), precision, averages, schedule, checkpoints, logs and the clock."""

from __future__ import annotations

import copy
import math
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

CHECKPOINT = "last.pt"


class NonFiniteLoss(RuntimeError):
    """A loss or a gradient was no number: the run stopped, the last good checkpoint is untouched."""


class Engine:
    """Runs a script's step function until the steps, the time or a signal end it.

    The script owns networks, losses and what a step is; everything that is the same for all papers is here.

    Args:
        out: the run's folder.
        modules: networks by name.
        optimizers: for the modules that are trained, by the same names.
        steps: length of the run; the learning rate falls to zero there.
        averaged: the module of which an exponential moving average is kept, or None.
        average_decay: of that average; it is faster in the first steps.
        warmup: steps over which the rate rises.
        cosine: let the rate fall as a cosine; False: constant.
        total_minutes: where given, the run also ends, and the cosine with it, after this much training time, all
            sessions together: for a machine whose speed nobody knows beforehand.
        minutes: where given, this session ends gracefully after so long, to be resumed later.
        checkpoint_minutes: time between checkpoints.
        precision: "bf16" (autocast) or "no".
    """

    def __init__(
        self,
        out: Path,
        modules: Mapping[str, nn.Module],
        optimizers: Mapping[str, Optimizer],
        *,
        steps: int,
        averaged: str | None = "generator",
        average_decay: float = 0.999,
        warmup: int = 100,
        cosine: bool = True,
        total_minutes: float | None = None,
        minutes: float | None = None,
        checkpoint_minutes: float = 5.0,
        precision: str = "bf16",
    ) -> None:
        # without cpu=True, processes on a machine that has no accelerator would each train alone
        self.accelerator = Accelerator(mixed_precision=precision, cpu=not torch.accelerator.is_available())
        self.device = self.accelerator.device
        self.main = self.accelerator.is_main_process
        self.out = Path(out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.modules = {
            name: module.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            for name, module in modules.items()
        }
        self.base_rates = {
            name: [group["lr"] for group in optimizer.param_groups] for name, optimizer in optimizers.items()
        }
        self.wrapped: dict[str, nn.Module] = {}
        self.optimizers: dict[str, Any] = {}
        for name, module in self.modules.items():
            if name in optimizers:
                self.wrapped[name], self.optimizers[name] = self.accelerator.prepare(module, optimizers[name])
        self.averaged, self.average_decay = averaged, average_decay
        self.average: nn.Module | None = None
        if averaged is not None:
            self.average = copy.deepcopy(self.modules[averaged]).eval().requires_grad_(False)
            self._strip_autocast(self.average)
        self.steps, self.warmup, self.cosine = steps, warmup, cosine
        self.total_minutes, self.minutes, self.checkpoint_minutes = total_minutes, minutes, checkpoint_minutes
        self.step = 0
        self.elapsed = 0.0  # seconds of training, all sessions together
        self.stop_asked = False
        self.images_per_step = 0
        self.memory: dict[str, int] = {}  # what a script has to remember from one session to the next
        self.writer = SummaryWriter(str(self.out)) if self.main else None

    @staticmethod
    def _strip_autocast(module: nn.Module) -> None:
        """accelerate replaces `forward` of the instance; a copy must have the class's own."""
        for name in ("forward", "_original_forward"):
            module.__dict__.pop(name, None)

    # ---- one step -------------------------------------------------------------------------------------------------

    @property
    def progress(self) -> float:
        """How much of the run is done, 0 to 1, by steps or by training time, whichever is ahead."""
        by_time = self.elapsed / (60 * self.total_minutes) if self.total_minutes else 0.0
        return min(max(self.step / max(self.steps, 1), by_time), 1.0)

    def rate_factor(self) -> float:
        """What the learning rates are multiplied with now."""
        rise = min((self.step + 1) / max(self.warmup, 1), 1.0)
        fall = 0.5 + 0.5 * math.cos(math.pi * self.progress) if self.cosine else 1.0
        return rise * max(fall, 0.01)

    def autocast(self) -> AbstractContextManager[Any]:
        """The precision of the run, for code outside of a wrapped module's forward."""
        return self.accelerator.autocast()

    def update(self, name: str, loss: Tensor, clip: float | None = None) -> Tensor:
        """Backward and one optimizer step of a module; returns the norm of its gradient before clipping."""
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        norm = self.accelerator.clip_grad_norm_(self.modules[name].parameters(), math.inf if clip is None else clip)
        for group, rate in zip(optimizer.param_groups, self.base_rates[name], strict=True):
            group["lr"] = rate * self.rate_factor()
        with self.autocast():  # matrix products of an optimizer may be rounded as the networks' are
            optimizer.step()
        return norm if norm is not None else loss.new_zeros(())

    @torch.no_grad()
    def follow(self) -> None:
        """Move the average a little towards the averaged module."""
        if self.average is None or self.averaged is None:
            return
        decay = min(self.average_decay, (1 + self.step) / (10 + self.step))
        ours: list[Tensor] = list(self.average.parameters())
        theirs = [p.detach() for p in self.modules[self.averaged].parameters()]
        torch._foreach_lerp_(ours, theirs, 1 - decay)
        for own, other in zip(self.average.buffers(), self.modules[self.averaged].buffers(), strict=True):
            own.copy_(other)

    # ---- the loop -------------------------------------------------------------------------------------------------

    def fit(
        self,
        step: Callable[[int], dict[str, Tensor]],
        every: Sequence[tuple[int, Callable[[], object]]] = (),
        log_every: int = 10,
    ) -> bool:
        """Train.

        Args:
            step: does one step (number given), updates included, and returns scalars to log.
            every: (steps, function) pairs: what to call after every so many steps, such as validation. Processes may
                have different ones: the others wait at the next step.
            log_every: steps between log entries; scalars are checked for NaN as often.

        Returns:
            True if the run is complete, False if time or a signal ended it before.

        Raises:
            NonFiniteLoss: see there.
        """
        previous = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        begun = last_checkpoint = last_log = time.monotonic()
        elapsed_before = self.elapsed
        bar = tqdm(total=self.steps, initial=self.step, disable=not self.main, mininterval=10, unit="step")
        values: dict[str, Tensor] = {}
        logged_step = self.step
        try:
            while self.progress < 1 and not self.stop_asked:
                values = step(self.step)
                self.step += 1
                self.follow()
                bar.update()
                self.elapsed = elapsed_before + time.monotonic() - begun
                if self.minutes is not None and time.monotonic() - begun > 60 * self.minutes:
                    self.stop_asked = True
                self._agree()
                if self.step % log_every == 0:
                    self._check(values)
                    now = time.monotonic()
                    speed = (self.step - logged_step) * self.images_per_step / max(now - last_log, 1e-9)
                    last_log, logged_step = now, self.step
                    self._log(values, speed, bar)
                for interval, action in every:
                    if self.step % interval == 0:
                        action()
                if self._any(time.monotonic() - last_checkpoint > 60 * self.checkpoint_minutes):
                    self._check(values)
                    self.save()
                    last_checkpoint = time.monotonic()
            self._check(values)
            self.save()
        finally:
            bar.close()
            for number, handler in previous.items():
                signal.signal(number, handler)
            if self.writer is not None:
                self.writer.flush()
        return self.progress >= 1

    def _on_signal(self, number: int, frame: Any) -> None:
        self.stop_asked = True

    def _agree(self) -> None:
        """Processes must stop at the same step: the latest clock and any wish to stop hold for all."""
        self.stop_asked = self._any(self.stop_asked)
        if self.accelerator.num_processes > 1:
            clocks = self.accelerator.gather(torch.tensor([self.elapsed], dtype=torch.float64, device=self.device))
            self.elapsed = float(clocks.max())

    def _any(self, wish: bool) -> bool:
        """Whether any of the processes wishes it."""
        if self.accelerator.num_processes == 1:
            return wish
        return bool(self.accelerator.gather(torch.tensor([float(wish)], device=self.device)).max() > 0)

    def _check(self, values: Mapping[str, Tensor]) -> None:
        for name, value in values.items():
            if not math.isfinite(float(value)):
                raise NonFiniteLoss(
                    f"{name} is {float(value)} at step {self.step}: the run stopped; {self.out / CHECKPOINT} holds "
                    "the last good state. Resume with a lower learning rate."
                )

    def _log(self, values: Mapping[str, Tensor], speed: float, bar: Any) -> None:
        if self.writer is None:
            return
        for name, value in values.items():
            self.writer.add_scalar(name, float(value), self.step)
        self.writer.add_scalar("images_per_second", speed, self.step)
        self.writer.add_scalar("rate_factor", self.rate_factor(), self.step)
        shown = {name: f"{float(value):.3f}" for name, value in values.items()}
        left = self.elapsed / max(self.progress, 1e-9) * (1 - self.progress) / 60
        bar.set_postfix({**shown, "images/s": f"{speed:.1f}", "minutes left": f"{left:.0f}"}, refresh=False)

    # ---- checkpoints ----------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the whole state in one move: a kill during it leaves the checkpoint before."""
        self.accelerator.wait_for_everyone()
        if not self.main:
            return
        state = {
            "step": self.step,
            "elapsed": self.elapsed,
            "memory": self.memory,
            "modules": {name: module.state_dict() for name, module in self.modules.items()},
            "average": None if self.average is None else self.average.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        temporary = self.out / f"{CHECKPOINT}.{os.getpid()}"
        torch.save(state, temporary)
        os.replace(temporary, self.out / CHECKPOINT)

    def resume(self) -> bool:
        """Continue from the run's checkpoint; False where there is none yet."""
        path = self.out / CHECKPOINT
        if not path.exists():
            return False
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name, module in self.modules.items():
            module.load_state_dict(state["modules"][name])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.step, self.elapsed, self.memory = state["step"], state["elapsed"], state["memory"]
        torch.set_rng_state(state["random"])
        if state["random_cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["random_cuda"])
        return True
