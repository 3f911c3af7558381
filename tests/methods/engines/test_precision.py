"""The precision of a device is measured once, and bfloat16 taken only where it is clearly faster."""

from __future__ import annotations

import pytest
import torch

from inpaint_core.methods.engines import precision


def test_the_faster_precision_is_chosen_once_and_only_if_clearly_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = ((0.5, torch.bfloat16), (0.95, torch.float32), (float("inf"), torch.float32))
    for number, (fast, expected) in enumerate(cases, start=1):
        device = torch.device("cpu", number)  # one that nothing has been measured on
        calls = []
        times = {torch.float32: 1.0, torch.bfloat16: fast}
        monkeypatch.setattr(precision, "seconds_of_convolutions", lambda *_, t=times, c=calls: c.append(1) or t)
        assert precision.fastest_precision(device) == expected
        assert precision.fastest_precision(str(device)) == expected
        assert len(calls) == 1


def test_the_measurement_measures_and_leaves_the_random_state_alone() -> None:
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    seconds = precision.seconds_of_convolutions(torch.device("cpu"), (torch.float32, torch.bfloat16), rounds=2)
    assert all(0 < value < 10 for value in seconds.values())
    assert torch.equal(before, torch.random.get_rng_state())
