"""LaMa's training: its losses are the paper's, its export has batch statistics of its own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from inpaint_core import weights
from tests.train.recording import record_logs
from train import lama
from train.core.checkpoint import CHECKPOINT, read_checkpoint
from train.core.trunk_features import relative_l2

SIZE = 64


def config(photos: Path, out: Path, **options: Any) -> lama.Config:
    """A tiny LaMa without the trunk's loss."""
    small = {"size": SIZE, "batch": 2, "width": 8, "blocks": 1, "critic_width": 4, "perceptual": 0.0}
    run = {"steps": 8, "precision": "no", "warmup": 1, "critic_check": 4, "critic_photos": 4}
    return lama.Config(data=(photos,), out=out, **{**small, **run, **options})


def test_every_term_is_learned_from_and_logged(
    shared: Path, one_photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = record_logs(monkeypatch)
    options: dict[str, Any] = {"perceptual": 30.0, "log_every": 1, "masks": (("centre", 1.0),), "cosine": False}
    lama.main(config(one_photo, tmp_path, steps=8, lr=3e-3, **options))
    for name in ("l1", "adversarial", "matching", "perceptual"):
        assert all(math.isfinite(log[name]) and log[name] > 0 for log in logs)
        assert all(log[f"gradients/{name}"] > 0 for log in logs)
    assert logs[-1]["perceptual"] < logs[0]["perceptual"]
    assert 0 <= logs[3]["auc"] <= 1
    assert "auc" not in logs[2]


def test_the_exports_batch_statistics_are_measured_anew(photos: Path, tmp_path: Path) -> None:
    lama.main(config(photos, tmp_path, export=True, stored="float32"))
    average = read_checkpoint(tmp_path / CHECKPOINT)["averages"]["generator"]
    arguments, state = weights.load("lama", tmp_path / "export")
    assert arguments == {"width": 8, "blocks": 1, "global_share": 0.75, "upsampling": "bilinear", "noise": True}
    for key, tensor in state.items():
        if key.endswith("running_mean"):
            assert not torch.equal(tensor, average[f"module.{key}"]), key
        elif key.endswith("weight"):
            assert torch.equal(tensor, average[f"module.{key}"]), key


def test_the_l1_of_the_paper_leaves_the_hole_out() -> None:
    truth, mask = torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1
    wrong_in_hole = truth + mask
    assert lama.weighted_l1(wrong_in_hole, truth, mask, known=10, hole=0) == 0
    assert lama.weighted_l1(wrong_in_hole, truth, mask, known=10, hole=1) == pytest.approx(0.5)
    assert lama.weighted_l1(truth + 1 - mask, truth, mask, known=10, hole=0) == pytest.approx(5)


def test_outside_of_the_hole_the_discriminators_target_is_real_for_fills_too() -> None:
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., :16] = 1
    real = torch.full((1, 1, 2, 2), 20.0)
    right = torch.tensor([-20.0, 20.0]).expand(1, 1, 2, 2)
    assert lama.masked_critic_loss(real, right, mask) < 1e-6
    assert lama.masked_critic_loss(real, -right, mask) == pytest.approx(20, rel=1e-3)
    fake = torch.zeros(1, 1, 2, 2, requires_grad=True)
    lama.masked_critic_loss(real, fake, mask).backward()
    assert fake.grad is not None
    assert (fake.grad[..., 0] > 0).all()
    assert (fake.grad[..., 1] < 0).all()


def test_features_that_agree_cost_nothing_and_every_scale_counts_alike() -> None:
    features = [torch.rand(1, 2, 4, 4), 1000 * torch.rand(1, 3, 2, 2)]
    assert lama.feature_matching(features, features) == 0
    assert relative_l2(features, features) == 0
    assert relative_l2([0 * each for each in features], features) == pytest.approx(1)
    assert relative_l2([0 * features[0], features[1]], features) == pytest.approx(0.5)


def test_the_gradient_penalty_comes_as_often_as_it_is_asked_for(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = record_logs(monkeypatch)
    lama.main(config(photos, tmp_path, steps=7, r1_every=3))
    assert [step for step, log in enumerate(logs) if "r1" in log] == [0, 3, 6]
