"""The loss that wants a sketch's lines in the fill: it falls where an edge appears, and minds nothing else."""

from __future__ import annotations

import pytest
import torch

from inpaint_core.errors import InpaintError
from train.core.line_loss import LineLoss

ROW = 48


@pytest.fixture(scope="module")
def loss() -> LineLoss:
    return LineLoss()


@pytest.fixture(scope="module")
def drawn() -> torch.Tensor:
    lines = torch.zeros(1, 1, 96, 96)
    lines[..., ROW, 20:76] = 1
    return lines


def step_at(row: int | None) -> torch.Tensor:
    photo = torch.full((1, 3, 96, 96), 0.7)
    if row is not None:
        photo[..., row:, :] = 0.2
    return photo


def test_a_fill_with_an_edge_on_the_line_costs_less_than_one_without(loss: LineLoss, drawn: torch.Tensor) -> None:
    on, beside, away, none = (float(loss(step_at(row), drawn)) for row in (ROW, ROW + 1, 20, None))
    assert on < 0.3 * none
    assert beside < 0.3 * none, "a line drawn by hand is a pixel off"
    assert away > 0.8 * none


def test_edges_that_nobody_drew_cost_nothing(loss: LineLoss) -> None:
    assert float(loss(step_at(ROW), torch.zeros(1, 1, 96, 96))) == 0


def test_its_gradient_makes_the_line_appear(loss: LineLoss, drawn: torch.Tensor) -> None:
    photo, values = step_at(None), []
    for _ in range(12):
        photo.requires_grad_()
        values.append(loss(photo, drawn))
        (gradient,) = torch.autograd.grad(values[-1], photo)
        photo = photo.detach() - 2 * gradient / gradient.norm().clamp_min(1e-9)
    assert values[-1] < 0.5 * values[0]
    changed = (photo - step_at(None)).square().mean((0, 1, 3))
    assert changed[ROW - 8 : ROW + 8].mean() > 2 * changed[:24].mean(), "near the line, not all over the photo"


def test_without_the_detector_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.core.line_loss.sketch.ready", lambda: False)
    with pytest.raises(InpaintError, match="train them with"):
        LineLoss()
