"""The run: it stops when asked, never saves a broken state, averages weights, and resumes exactly."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from inpaint_core.errors import InpaintError
from train.core.checkpoint import CHECKPOINT
from train.core.config import RunConfig
from train.core.log import NonFiniteLossError
from train.core.run import Run


class Line:
    """The smallest training there is: one weight learns to be 3."""

    def __init__(self, out: Path, steps: int = 20, *, lr: float = 0.1, start: float | None = None, **options: Any):
        self.run = Run(RunConfig(out=out, steps=steps, precision="no", **options))
        self.network = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.network.weight, 0.5 if start is None else start)
        optimizer = torch.optim.SGD(self.network.parameters(), lr)
        self.module = self.run.add("generator", self.network, optimizer, ema=True)
        self.run.load()

    def train(self, loss_at: Any = None) -> int:
        """Train; returns the number of steps of this session."""
        count = 0
        for step, factor in self.run.steps(lambda number: 1.0):
            loss = (self.module(torch.ones(4, 1)) - 3).square().mean() * factor
            self.run.backward(loss, "generator")
            self.run.log(loss=loss if loss_at is None else loss_at(step, loss))
            count += 1
        return count

    @property
    def weight(self) -> float:
        return self.network.weight.item()


def test_it_learns_and_the_ema_follows(tmp_path: Path) -> None:
    line = Line(tmp_path, 60, warmup=1, cosine=False)
    assert line.train() == 60
    assert line.run.complete
    assert line.weight == pytest.approx(3, abs=0.01)
    assert next(line.run.ema["generator"].parameters()).item() == pytest.approx(3, abs=0.5)


def test_the_ema_moves_by_one_minus_its_decay(tmp_path: Path) -> None:
    line = Line(tmp_path, 1, start=0.0, lr=1.0, warmup=1, cosine=False)
    before = next(line.run.ema["generator"].parameters()).item()
    line.train()
    # the first update of an average that counts nothing yet copies the weights
    assert before == 0.0
    assert next(line.run.ema["generator"].parameters()).item() == pytest.approx(line.weight)


def test_sigterm_ends_the_run_with_a_checkpoint_and_resuming_completes_it(tmp_path: Path) -> None:
    line = Line(tmp_path / "run")

    def kill(step: int, loss: Tensor) -> Tensor:
        if step == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        return loss

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stopped:
        line.train(kill)
    assert stopped.value.code == 143
    assert line.run.step == 8, "the step under way is finished"
    assert signal.getsignal(signal.SIGTERM) is before
    assert not line.run.complete
    other = Line(tmp_path / "run", resume=True)
    assert other.weight == line.weight
    assert other.train() == 12
    whole = Line(tmp_path / "whole")
    whole.train()
    assert other.weight == whole.weight


def test_a_run_refuses_to_overwrite_a_checkpoint(tmp_path: Path) -> None:
    Line(tmp_path, 2).train()
    with pytest.raises(InpaintError, match="--resume"):
        Line(tmp_path, 2)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    Line(tmp_path, 2).train()
    content = (tmp_path / CHECKPOINT).read_bytes()
    (tmp_path / CHECKPOINT).write_bytes(content[: len(content) // 2])
    with pytest.raises(InpaintError, match="cannot be read"):
        Line(tmp_path, 2, resume=True)


@pytest.mark.parametrize("bad_step", [3, 19])
def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_state(tmp_path: Path, bad_step: int) -> None:
    line = Line(tmp_path, checkpoint_minutes=0, log_every=1)
    with pytest.raises(NonFiniteLossError, match=f"loss is nan at step {bad_step + 1}"):
        line.train(lambda step, loss: torch.tensor(float("nan")) if step == bad_step else loss)
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert state["step"] == bad_step
    assert state["networks"]["generator"]["weight"].isfinite().all()


def test_the_lr_warms_up_then_falls_as_a_cosine_of_steps_or_of_time(tmp_path: Path) -> None:
    run = Line(tmp_path, 100, warmup=10, total_minutes=10).run
    assert run.lr_factor() == pytest.approx(0.1)
    run.step = 50
    assert run.lr_factor() == pytest.approx(0.5)
    run.elapsed = 9 * 60  # time is ahead of the steps
    assert run.progress == pytest.approx(0.9)
    assert run.lr_factor() < 0.03


def test_a_network_may_have_a_schedule_of_its_own(tmp_path: Path) -> None:
    run = Run(RunConfig(out=tmp_path, steps=3, precision="no"))
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    module = run.add("slow", network, torch.optim.SGD(network.parameters(), 1.0), schedule=lambda: 0.25)
    for _ in run.steps(lambda step: None):
        run.backward(module(torch.ones(1, 1)).sum(), "slow")
    assert network.weight.item() == pytest.approx(-0.75)


def test_accumulated_gradients_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    weights = []
    for name, accumulate, batches in (("whole", 1, [[1.0, 3.0]]), ("parts", 2, [[1.0], [3.0]])):
        run = Run(RunConfig(out=tmp_path / name, steps=len(batches), precision="no", accumulate=accumulate, warmup=1))
        network = nn.Linear(1, 1, bias=False)
        nn.init.ones_(network.weight)
        module = run.add("generator", network, torch.optim.SGD(network.parameters(), 0.1), schedule=lambda: 1.0)
        for _, batch in run.steps(batches.__getitem__):
            run.backward(module(torch.tensor(batch)[:, None]).square().mean(), "generator")
        weights.append(network.weight.item())
    assert weights[0] == pytest.approx(weights[1])
    assert weights[0] != 1.0


def test_due_is_true_once_in_so_many_steps(tmp_path: Path) -> None:
    run = Run(RunConfig(out=tmp_path, steps=20, precision="no"))
    assert [step for step, _ in run.steps(lambda step: None) if run.due(6)] == [5, 11, 17]


def test_init_takes_the_ema_and_the_critics_of_another_run(tmp_path: Path) -> None:
    first = Line(tmp_path / "first", 5)
    first.train()
    second = Line(tmp_path / "second", 5, start=9.0, init=tmp_path / "first" / CHECKPOINT)
    assert second.weight == next(first.run.ema["generator"].parameters()).item()
    assert second.run.initialised == {"generator"}
    assert next(second.run.ema["generator"].parameters()).item() == second.weight
