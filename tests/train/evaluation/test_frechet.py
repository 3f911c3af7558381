"""The distance of samples from photos."""

from __future__ import annotations

from pathlib import Path

import torch

from inpaint_core import metrics
from train.core.bank import PhotoBank
from train.core.data import CropOptions, PhotoLoader
from train.evaluation.frechet import features


def test_the_frechet_distance_is_small_for_photos_and_large_for_noise(shared: Path) -> None:
    bank = PhotoBank.load([shared / "data" / "bsds500-val.tar"])
    loader = PhotoLoader([bank], [1.0], 64, 48, CropOptions(whole=True))
    photos, others = features(loader(0).image), features(loader(1).image)
    noise = features(torch.rand(48, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    assert metrics.frechet_distance(noise, photos) > 3 * metrics.frechet_distance(others, photos) > 0
