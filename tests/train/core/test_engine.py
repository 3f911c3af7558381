"""The engine: it stops when asked, never saves a broken state, and averages weights."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from train.core.engine import CHECKPOINT, Engine, NonFiniteLoss


class Line:
    """The smallest training there is: one weight learns to be 3."""

    def __init__(self, out: Path, steps: int = 20, **options: Any) -> None:
        torch.manual_seed(0)
        self.network = nn.Linear(1, 1, bias=False)
        optimizer = torch.optim.SGD(self.network.parameters(), 0.1)
        modules = {"generator": self.network}
        self.engine = Engine(out, modules, {"generator": optimizer}, steps=steps, precision="no", **options)

    def step(self, number: int) -> dict[str, Tensor]:
        loss = (self.engine.wrapped["generator"](torch.ones(4, 1)) - 3).square().mean()
        self.engine.update("generator", loss)
        return {"loss": loss.detach()}

    @property
    def weight(self) -> float:
        return self.network.weight.item()


def test_it_learns_and_its_average_follows(tmp_path: Path) -> None:
    line = Line(tmp_path, 60, warmup=1, cosine=False)
    assert line.engine.fit(line.step)
    assert line.weight == pytest.approx(3, abs=0.01)
    assert line.engine.average is not None
    assert next(line.engine.average.parameters()).item() == pytest.approx(3, abs=0.5)


def test_sigterm_ends_the_run_with_a_checkpoint_and_resuming_completes_it(tmp_path: Path) -> None:
    line = Line(tmp_path)

    def step(number: int) -> dict[str, Tensor]:
        if number == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        return line.step(number)

    before = signal.getsignal(signal.SIGTERM)
    assert not line.engine.fit(step)
    assert line.engine.step == 8, "the step under way is finished"
    assert signal.getsignal(signal.SIGTERM) is before
    other = Line(tmp_path)
    assert other.engine.resume()
    assert other.weight == line.weight
    assert other.engine.fit(other.step)
    whole = Line(tmp_path / "whole")
    whole.engine.fit(whole.step)
    assert other.weight == whole.weight


@pytest.mark.parametrize("bad_step", [3, 19])
def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_state(tmp_path: Path, bad_step: int) -> None:
    line = Line(tmp_path, checkpoint_minutes=0)

    def step(number: int) -> dict[str, Tensor]:
        if number == bad_step:
            return {"loss": torch.tensor(float("nan"))}
        return line.step(number)

    with pytest.raises(NonFiniteLoss, match=f"loss is nan at step {bad_step + 1}"):
        line.engine.fit(step)
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert state["step"] == bad_step
    assert state["modules"]["generator"]["weight"].isfinite().all()


def test_a_run_without_a_checkpoint_does_not_resume(tmp_path: Path) -> None:
    assert not Line(tmp_path).engine.resume()


def test_the_rate_rises_then_falls_as_a_cosine_of_steps_or_of_time(tmp_path: Path) -> None:
    engine = Line(tmp_path, 100, warmup=10, total_minutes=10).engine
    assert engine.rate_factor() == pytest.approx(0.1)
    engine.step = 50
    assert engine.rate_factor() == pytest.approx(0.5)
    engine.elapsed = 9 * 60  # time is ahead of the steps
    assert engine.progress == pytest.approx(0.9)
    assert engine.rate_factor() < 0.03


def test_what_is_done_every_so_often_is_done_then(tmp_path: Path) -> None:
    line = Line(tmp_path)
    at: list[int] = []
    line.engine.fit(line.step, [(6, lambda: at.append(line.engine.step)), (6, lambda: at.append(0))])
    assert at == [6, 0, 12, 0, 18, 0]
