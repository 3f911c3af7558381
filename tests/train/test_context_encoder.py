"""Training the Context Encoder: its patch, its losses, its step schedule, its second encoder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inpaint_core import weights
from tests.train.runs import checkpoint, scalars, train
from train import context_encoder
from train.core import export

TINY = {"width": 4, "critic_width": 4}


@pytest.mark.parametrize(("size", "side"), [(64, 24), (227, 105)])
def test_the_hole_is_the_centre_less_the_overlap(size: int, side: int) -> None:
    mask = context_encoder.centre_mask(torch.zeros(2, 3, size, size), overlap=4)
    start = (size - size // 2) // 2 + 4
    assert mask[:, :, start : start + side, start : start + side].all()
    assert mask.sum() == 2 * side * side


def test_without_a_weight_left_for_it_there_is_no_critic(photos: Path, tmp_path: Path) -> None:
    train(context_encoder, photos, tmp_path / "run", steps=1, l2=1.0, **TINY)
    assert "critic" not in scalars(tmp_path / "run")


def test_l1_takes_the_place_of_the_squared_error(photos: Path, tmp_path: Path) -> None:
    train(context_encoder, photos, tmp_path / "run", steps=2, l1=0.999, **TINY)
    logged = scalars(tmp_path / "run")
    assert "l1" in logged
    assert "l2" not in logged
    assert "adversarial" in logged


def test_sgds_learning_rate_is_halved_step_by_step(photos: Path, tmp_path: Path) -> None:
    config = context_encoder.Config(data=(photos,), out=tmp_path, optimizer="sgd", lr_step=0.25)
    factors = [context_encoder.lr_steps(config, progress) for progress in (0, 0.2, 0.25, 0.6, 0.75)]
    assert factors == [1, 1, 0.5, 0.25, 0.125]
    train(context_encoder, photos, tmp_path / "run", steps=4, optimizer="sgd", lr_step=0.25, **TINY)
    assert checkpoint(tmp_path / "run")["optimizers"]["generator"]["param_groups"][0]["lr"] == 0.01 / 8


def test_alexnets_encoder_trains_at_227_pixels_and_its_export_fills(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "STATISTICS_BATCHES", 1)
    options = {"size": 227, "encoder": "alexnet", "optimizer": "sgd", "l2": 0.999, "export": True, **TINY}
    train(context_encoder, photos, tmp_path / "run", steps=2, **options)
    assert set(scalars(tmp_path / "run")) >= {"l2", "adversarial", "critic"}
    network = weights.load_network("context_encoder", tmp_path / "run" / "export").eval()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 227, 227), torch.zeros(1, 1, 227, 227)).shape == (1, 3, 227, 227)


def test_the_critics_square_is_a_power_of_two_that_holds_half_of_the_side() -> None:
    assert [context_encoder.window_side(size) for size in (32, 64, 96, 128, 227, 256)] == [16, 32, 64, 64, 128, 128]
