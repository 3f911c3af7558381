"""The scalars that a run logs, step after step, for tests that look at how a loss develops."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from train.core.run import Run


def record_logs(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    """A list that every later run of the test fills: the scalars of each step."""
    steps: list[dict[str, float]] = []
    log = Run.log

    def recorded(run: Run, **scalars: Any) -> None:
        steps.extend({} for _ in range(run.step + 1 - len(steps)))
        steps[run.step].update({name: float(torch.as_tensor(value).detach()) for name, value in scalars.items()})
        log(run, **scalars)

    monkeypatch.setattr(Run, "log", recorded)
    return steps
