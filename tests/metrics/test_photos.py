"""Every metric of one photo at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inpaint_core import metrics
from inpaint_core.errors import InpaintError
from tests.metrics.tensors import PAIRWISE, as_mask, tensors


def test_equal_photos_are_perfect_by_every_metric(pair):
    values = metrics.measure(pair[1], pair[1], pair[2])
    for prefix in ("", "hole_"):
        assert values[prefix + "psnr"] == float("inf")
        assert values[prefix + "ssim"] == pytest.approx(1)
        assert values[prefix + "l1"] == values[prefix + "l2"] == values[prefix + "lpips"] == 0


def test_a_photo_of_one_pixel_is_measured():
    black, grey = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 51, np.uint8)
    values = metrics.measure(grey, black, np.ones((1, 1), bool))
    assert values["l1"] == values["hole_l1"] == pytest.approx(0.2)
    assert values["tv"] == values["hole_tv"] == 0
    assert all(np.isfinite(value) for value in values.values())
    assert values["lpips"] > 0


def test_measure_gives_every_number_of_photo_and_hole(pair):
    image, reference, hole = pair
    values = metrics.measure(image, reference, hole)
    names = ["l1", "l2", "psnr", "ssim", "lpips", "tv"]
    assert list(values) == names + ["hole_" + name for name in names]
    x, y = tensors(image, reference)
    for metric in PAIRWISE:
        with torch.no_grad():
            name = metric.__name__
            assert values[name] == pytest.approx(metric(x, y).item(), rel=1e-5)
            assert values["hole_" + name] == pytest.approx(metric(x, y, as_mask(hole)).item(), rel=1e-5)
    assert values["hole_tv"] == pytest.approx(metrics.total_variation(x, as_mask(hole)).item())
    assert metrics.measure(image, reference, hole.astype(np.uint8) * 7) == values
    assert list(metrics.measure(image, reference, lpips=False)) == ["l1", "l2", "psnr", "ssim", "tv"]


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        (np.zeros((12, 12), np.uint8), None),
        (np.zeros((12, 12, 3), np.float32), None),
        (np.zeros((12, 12, 4), np.uint8), None),
        (np.zeros((12, 13, 3), np.uint8), None),
        (np.zeros((12, 12, 3), np.uint8), np.zeros((12, 12), bool)),
        (np.zeros((12, 12, 3), np.uint8), np.ones((12, 13), bool)),
        (np.zeros((12, 12, 3), np.uint8), np.ones((12, 12, 3), bool)),
    ],
)
def test_measure_refuses_wrong_photos_and_masks(image, mask):
    with pytest.raises(InpaintError):
        metrics.measure(image, np.zeros((12, 12, 3), np.uint8), mask)
