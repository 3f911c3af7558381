"""Training PartialConv: two phases, levels that fit the size, losses of features."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from inpaint_core import weights
from tests.train.runs import checkpoint, scalars, train
from train import partial_conv
from train.core import export
from train.core.data import CropOptions, PhotoLoader
from train.core.losses import feature_and_style_l1
from train.core.photo_bank import PhotoBank
from train.core.trunk_features import TrunkFeatures

TINY = {"width": 4, "levels": 5, "features": 0.0, "style": 0.0}
ENCODER, DECODER = "encoder.1.norm.running_mean", "decoder.1.norm.running_mean"


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_the_second_phase_keeps_the_encoders_statistics_and_has_its_own_constant_lr(
    optimizer: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "STATISTICS_BATCHES", 2)
    options = {"steps": 8, "second_start": 0.5, "cosine": True, "optimizer": optimizer, **TINY}
    seen = []
    for end in (4, 7, 8):  # sessions that end after so many steps
        train(partial_conv, photos, tmp_path / f"{end}", **{**options, "steps": end, "second_start": 4 / end})
        seen.append(checkpoint(tmp_path / f"{end}"))
    first, *second = seen
    lr = [state["optimizers"]["generator"]["param_groups"][0]["lr"] for state in seen]
    assert lr[0] < 2e-4
    assert lr[1:] == pytest.approx([5e-5, 5e-5])
    train(partial_conv, photos, tmp_path / "8", **options, resume=True, export=True)
    exported = weights.load("partial_conv", tmp_path / "8" / "export")[1]
    live = second[-1]["networks"]["generator"]
    torch.testing.assert_close(exported[ENCODER], live[ENCODER], atol=1e-2, rtol=1e-2)  # stored as float16
    assert not torch.allclose(exported[DECODER], live[DECODER], atol=1e-2, rtol=1e-2), "measured anew"
    assert first["step"] == 4


def test_the_encoders_statistics_stand_still_in_the_second_phase(photos: Path, tmp_path: Path) -> None:
    options = {"steps": 6, "second_start": 0.1, **TINY}
    train(partial_conv, photos, tmp_path / "run", minutes=0.0, **options)
    before = checkpoint(tmp_path / "run")["networks"]["generator"]
    train(partial_conv, photos, tmp_path / "run", resume=True, **options)
    after = checkpoint(tmp_path / "run")["networks"]["generator"]
    assert torch.equal(before[ENCODER], after[ENCODER])
    assert not torch.equal(before[DECODER], after[DECODER])
    assert not torch.equal(before["encoder.1.conv.weight"], after["encoder.1.conv.weight"])


def test_six_levels_end_at_two_by_two_at_128_pixels(photos: Path, tmp_path: Path) -> None:
    config = partial_conv.Config(data=(photos,), out=tmp_path)
    assert config.size >> config.levels == 2
    train(partial_conv, photos, tmp_path / "run", steps=1, size=128, export=True, **{**TINY, "levels": 6})
    arguments, _ = weights.load("partial_conv", tmp_path / "run" / "export")
    assert arguments == {"width": 4, "levels": 6}


def test_losses_of_features_are_zero_for_the_truth_only(shared: Path, photos: Path) -> None:
    truth = PhotoLoader([PhotoBank.load([photos])], [1.0], 64, 2, CropOptions(jitter=0))(0).image
    trunk = TrunkFeatures("squeeze")
    wanted, blurred = trunk(truth)[:3], trunk(F.avg_pool2d(truth, 5, 1, 2))[:3]
    assert [float(loss) for loss in feature_and_style_l1((wanted, wanted), wanted)] == pytest.approx([0, 0], abs=1e-5)
    assert all(float(loss) > 0.01 for loss in feature_and_style_l1((blurred, wanted), wanted))


def test_losses_of_features_join_during_the_run(shared: Path, photos: Path, tmp_path: Path) -> None:
    options = {**TINY, "features": 0.025, "style": 1.0, "perceptual_start": 0.3, "perceptual_full": 0.6}
    train(partial_conv, photos, tmp_path / "run", steps=6, **options)
    assert list(scalars(tmp_path / "run")["style"]) == [3, 4, 5, 6]
