"""SSIM agrees with scikit-image, over the photo, over the hole and by bands."""

from __future__ import annotations

import pytest

from inpaint_core import metrics
from inpaint_core.metrics import structural
from tests.metrics.tensors import as_mask, tensors


def skimage_ssim(image, reference):
    from skimage.metrics import structural_similarity

    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    return structural_similarity(reference / 255.0, image / 255.0, channel_axis=2, full=True, **options)


def test_ssim_agrees_with_scikit_image_over_image_and_hole(pair):
    image, reference, hole = pair
    value, quality = skimage_ssim(image, reference)
    x, y = tensors(image, reference)
    assert metrics.ssim(x, y).item() == pytest.approx(value, abs=2e-5)
    assert metrics.ssim(x, y, as_mask(hole)).item() == pytest.approx(quality[hole].mean(), abs=2e-5)


def test_ssim_by_bands_is_ssim_of_the_whole_photo(pair, monkeypatch):
    image, reference, _ = pair
    x, y = tensors(image, reference)
    monkeypatch.setattr(structural, "BAND", 13)
    assert metrics.ssim(x, y).item() == pytest.approx(skimage_ssim(image, reference)[0], abs=2e-5)
