"""A training run: device, precision, optimizer steps, EMA, schedule, checkpoints, logs and the clock.

A script builds its networks, hands them to a `Run`, and writes its own loop with the run's parts:

    run = Run(config)
    generator = run.add("generator", network, optimizer, ema=True)
    run.load()
    for step, batch in run.steps(loader):
        loss = ...
        run.backward(loss, "generator")
        run.log(loss=loss)
"""

from __future__ import annotations

import logging
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from train.core.checkpoint import CHECKPOINT, Prefixes, read_checkpoint, weights_in, write_checkpoint
from train.core.config import RunConfig
from train.core.log import ScalarLog
from train.core.signals import on_signals

Batch = TypeVar("Batch")
logger = logging.getLogger(__name__)


class Run:
    """Everything about a training run that is the same for all papers.

    Args:
        config: the run's options.

    Attributes:
        step: number of the step under way, from 0.
        elapsed: seconds of training so far, all sessions together.
        initialised: names of the networks whose weights came from `config.init`.
        state: plain values of the script that belong into the checkpoint.

    Raises:
        InpaintError: `config.out` holds a checkpoint and `config.resume` is off.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config, self.out = config, config.out
        if (self.out / CHECKPOINT).exists() and not config.resume:
            raise InpaintError(f"{self.out} holds a checkpoint: add --resume to continue it, or name another --out.")
        # cpu=True: without it, processes on a machine without an accelerator would each train alone
        self.accelerator = Accelerator(mixed_precision=config.precision, cpu=not torch.accelerator.is_available())
        self.device, self.main = self.accelerator.device, self.accelerator.is_main_process
        self.out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.step, self.elapsed = 0, 0.0
        self.networks: dict[str, nn.Module] = {}
        self.ema: dict[str, nn.Module] = {}
        self.initialised: set[str] = set()
        self.state: dict[str, Any] = {}
        self._averages: dict[str, AveragedModel] = {}
        self._optimizers: dict[str, Any] = {}
        self._lr: dict[str, list[float]] = {}
        self._schedules: dict[str, Callable[[], float]] = {}
        self._stop = self._terminated = False
        self._log = ScalarLog(self.out / "tensorboard" if self.main else None)

    # ---- networks -------------------------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        network: nn.Module,
        optimizer: Optimizer,
        *,
        ema: bool = False,
        schedule: Callable[[], float] | None = None,
    ) -> nn.Module:
        """Put a network on the device and under checkpointing.

        Args:
            name: of the network in checkpoints, logs and `backward`.
            network: trained by `optimizer`.
            optimizer: over the network's parameters.
            ema: keep an exponential moving average of its weights in `run.ema[name]`.
            schedule: factor of the learning rate now; None: `lr_factor`.

        Returns:
            The module to call in the loop: under autocast, and distributed where several processes train.
        """
        network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if ema:
            average = AveragedModel(network, multi_avg_fn=self._average_weights)
            self._averages[name], self.ema[name] = average, average.module.eval().requires_grad_(False)
        self.networks[name] = network
        self._lr[name] = [group["lr"] for group in optimizer.param_groups]
        self._schedules[name] = schedule or self.lr_factor
        wrapped, self._optimizers[name] = self.accelerator.prepare(network, optimizer)
        return wrapped

    def frozen(self, network: nn.Module) -> nn.Module:
        """A network that is used but not trained, on the device."""
        network.eval().requires_grad_(False)
        return network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def autocast(self) -> AbstractContextManager[Any]:
        """The run's precision, for code outside of a network returned by `add`."""
        return self.accelerator.autocast()

    # ---- optimisation ---------------------------------------------------------------------------------------------

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0 to 1, by steps or by training time, whichever is ahead."""
        minutes = self.config.total_minutes
        by_time = self.elapsed / (60 * minutes) if minutes else 0.0
        return min(max(self.step / max(self.config.steps, 1), by_time), 1.0)

    def lr_factor(self) -> float:
        """Factor of the learning rates at this step: linear warmup, then a cosine to 1 % over the run."""
        warmup = min((self.step + 1) / max(self.config.warmup, 1), 1.0)
        cosine = 0.5 + 0.5 * math.cos(math.pi * self.progress) if self.config.cosine else 1.0
        return warmup * max(cosine, 0.01)

    def backward(self, loss: Tensor, name: str, clip: float | None = None) -> Tensor:
        """Backward pass of `loss` and, after every `config.accumulate` steps, an optimizer step of one network.

        Args:
            loss: scalar.
            name: of the network, as given to `add`.
            clip: largest norm of its gradient.

        Returns:
            The norm of the gradient before clipping, a scalar tensor.
        """
        optimizer, count = self._optimizers[name], self.config.accumulate
        if self.step % count == 0:
            optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(loss / count)
        if (self.step + 1) % count:
            return loss.new_zeros(())
        parameters = self.networks[name].parameters()
        norm = self.accelerator.clip_grad_norm_(parameters, math.inf if clip is None else clip)
        factor = self._schedules[name]()
        for group, lr in zip(optimizer.param_groups, self._lr[name], strict=True):
            group["lr"] = lr * factor
        with self.autocast():  # Muon's matrix products may be rounded as the networks' are
            optimizer.step()
        return loss.new_zeros(()) if norm is None else norm.detach()

    def _average_weights(self, averages: Any, currents: Any, count: Any) -> None:
        decay = min(self.config.ema_decay, (1 + float(count)) / (10 + float(count)))
        torch._foreach_lerp_(averages, currents, 1 - decay)

    # ---- the loop -------------------------------------------------------------------------------------------------

    def steps(self, batches: Callable[[int], Batch]) -> Iterator[tuple[int, Batch]]:
        """Yield (step, batch) until the steps, the time or a signal end the run; then write the checkpoint.

        Ctrl+C ends it after the step under way, and so does SIGTERM, which ends the process as well. A batch is a
        function of the step, so resuming is exact.

        Raises:
            NonFiniteLossError: a logged scalar is NaN or infinite.
            SystemExit: 143 after SIGTERM, once the checkpoint is written.
        """
        started = self._saved_at = time.monotonic()
        elapsed_before = self.elapsed
        self._log.start(self.step)
        with (
            on_signals(self._request_stop),
            tqdm(total=self.config.steps, initial=self.step, disable=not self.main, mininterval=10, unit="step") as bar,
        ):
            while self.progress < 1 and not self._stop:
                yield self.step, batches(self.step)
                for name, average in self._averages.items():
                    average.update_parameters(self.networks[name])
                self.step += 1
                self.elapsed = elapsed_before + time.monotonic() - started
                if self.config.minutes is not None and time.monotonic() - started > 60 * self.config.minutes:
                    self._stop = True
                self._agree_on_time()
                bar.update()
                if self.step % self.config.log_every == 0:
                    self._write_log(bar)
                if self._any_process(time.monotonic() - self._saved_at > 60 * self.config.checkpoint_minutes):
                    self.save()
            self.save()
        self._log.flush()
        if self._any_process(self._terminated):
            raise SystemExit(128 + signal.SIGTERM)

    def due(self, every: int) -> bool:
        """True once in `every` steps: `if run.due(500): validate()`."""
        return (self.step + 1) % every == 0

    @property
    def complete(self) -> bool:
        """True once all steps are done or the whole time is spent."""
        return self.progress >= 1

    def _request_stop(self, number: int) -> None:
        self._stop = True
        self._terminated = number == signal.SIGTERM

    def _agree_on_time(self) -> None:
        """All processes stop at the same step: the latest clock and any request to stop hold for all."""
        self._stop = self._any_process(self._stop)
        if self.accelerator.num_processes > 1:
            clock = torch.tensor([self.elapsed], dtype=torch.float64, device=self.device)
            self.elapsed = float(self.accelerator.gather(clock).max())

    def _any_process(self, value: bool) -> bool:
        if self.accelerator.num_processes == 1:
            return value
        return bool(self.accelerator.gather(torch.tensor([float(value)], device=self.device)).max() > 0)

    # ---- logs -----------------------------------------------------------------------------------------------------

    def log(self, **scalars: Tensor | float) -> None:
        """Scalars of this step for tensorboard and the progress bar; written every `config.log_every` steps."""
        self._log.add(scalars)

    def _write_log(self, bar: Any) -> None:
        self._log.check_finite(self.step, self.out / CHECKPOINT)
        left = self.elapsed / max(self.progress, 1e-9) * (1 - self.progress) / 60
        texts = {"minutes left": f"{left:.0f}"}
        self._log.write(self.step, self.config.batch, bar, lr_factor=self.lr_factor(), **texts)

    # ---- checkpoints ----------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the whole state in one move: a kill leaves the checkpoint before."""
        self._log.check_finite(self.step, self.out / CHECKPOINT)
        self.accelerator.wait_for_everyone()
        self._saved_at = time.monotonic()
        if not self.main:
            return
        state = {
            "step": self.step,
            "elapsed": self.elapsed,
            "state": self.state,
            "initialised": sorted(self.initialised),
            "networks": {name: network.state_dict() for name, network in self.networks.items()},
            "averages": {name: average.state_dict() for name, average in self._averages.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self._optimizers.items()},
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        write_checkpoint(state, self.out / CHECKPOINT)

    def load(self, prefixes: Prefixes | None = None) -> None:
        """Continue from the run's checkpoint, else start from `config.init`, else from the networks as they are.

        Of `config.init`, a critic that was made for photos of another size starts anew; `prefixes` are an export's.

        Raises:
            InpaintError: a damaged checkpoint, or weights of another architecture.
        """
        if (self.out / CHECKPOINT).exists():
            self._resume(self.out / CHECKPOINT)
        elif self.config.init is not None:
            for name, state in weights_in(self.config.init, list(self.networks), prefixes).items():
                try:
                    weights.load_into(self.networks[name], state, f"The weights of {name} in {self.config.init}")
                except InpaintError as error:
                    if name in self._averages:
                        raise
                    logger.warning("%s starts anew: %s", name, error)
                    continue
                if name in self._averages:
                    weights.load_into(self.ema[name], state, str(self.config.init))
                self.initialised.add(name)

    def _resume(self, path: Path) -> None:
        state = read_checkpoint(path)
        for name, network in self.networks.items():
            network.load_state_dict(state["networks"][name])
        for name, average in self._averages.items():
            average.load_state_dict(state["averages"][name])
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.step, self.elapsed, self.state = state["step"], state["elapsed"], state["state"]
        self.initialised = set(state["initialised"])
        torch.set_rng_state(state["random"])
        if state["random_cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["random_cuda"])
