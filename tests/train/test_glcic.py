"""Training GLCIC: its three phases, the photos' mean colour, both networks' Adadelta."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inpaint_core import weights
from tests.train.runs import checkpoint, scalars, train
from train import glcic

TINY = {"width": 4, "critic_width": 4}


def test_the_phases_follow_each_other(photos: Path, tmp_path: Path) -> None:
    train(glcic, photos, tmp_path / "run", steps=10, critic_start=0.5, critic_phase=0.2, **TINY)
    logged = scalars(tmp_path / "run")
    assert list(logged["l2"]) == [1, 2, 3, 4, 5, 8, 9, 10]
    assert list(logged["critic"]) == [6, 7, 8, 9, 10]
    assert list(logged["adversarial"]) == [8, 9, 10]
    phases = [glcic.phase_at(0.18, 0.02, progress) for progress in (0.1, 0.19, 0.2)]
    assert phases == ["off", "warm-up", "adversarial"]


def test_the_critic_alone_leaves_the_completion_network_as_it_is(photos: Path, tmp_path: Path) -> None:
    options = {"steps": 4, "critic_start": 0.25, "critic_phase": 0.75, **TINY}
    train(glcic, photos, tmp_path / "run", minutes=0.0, **options)
    before = checkpoint(tmp_path / "run")["networks"]
    train(glcic, photos, tmp_path / "run", resume=True, **options)
    after = checkpoint(tmp_path / "run")["networks"]
    assert torch.equal(before["generator"]["layers.0.0.weight"], after["generator"]["layers.0.0.weight"])
    assert not torch.equal(before["critic"]["critic.score.weight"], after["critic"]["critic.score.weight"])


def test_holes_are_filled_with_the_mean_colour_of_the_photos(photos: Path, tmp_path: Path) -> None:
    train(glcic, photos, tmp_path / "run", steps=1, export=True, **TINY)
    pixels = [np.asarray(Image.open(path)).reshape(-1, 3) for path in sorted(photos.glob("*.png"))]
    mean = np.mean([each.mean(0) / 255 for each in pixels], axis=0)  # each photo counts the same ...
    whole = np.concatenate(pixels).mean(0) / 255  # ... or each pixel: the photos differ in width
    arguments, _ = weights.load("glcic", tmp_path / "run" / "export")
    assert arguments["mean_colour"] == pytest.approx(whole.tolist(), abs=1e-3)
    assert arguments["mean_colour"] == pytest.approx(mean.tolist(), abs=0.05)


def test_adadelta_optimises_both_networks(photos: Path, tmp_path: Path) -> None:
    train(glcic, photos, tmp_path / "run", steps=3, optimizer="adadelta", critic_start=0.0, critic_phase=0.3, **TINY)
    for optimizer in checkpoint(tmp_path / "run")["optimizers"].values():
        assert "rho" in optimizer["param_groups"][0]
        assert optimizer["param_groups"][0]["lr"] == 1.0


def test_a_critic_of_another_size_starts_anew_before_it_counts(photos: Path, tmp_path: Path) -> None:
    train(glcic, photos, tmp_path / "small", steps=2, critic_start=0.0, **TINY)
    init = {"init": tmp_path / "small" / "last.pt", "size": 128, "critic_phase": 0.5}
    train(glcic, photos, tmp_path / "large", steps=4, **init, **TINY)
    assert checkpoint(tmp_path / "large")["initialised"] == ["generator"]
    logged = scalars(tmp_path / "large")
    assert list(logged["critic"]) == [1, 2, 3, 4]
    assert list(logged["adversarial"]) == [3, 4]
