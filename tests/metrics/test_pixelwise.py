"""L1, L2 and PSNR agree with scikit-image and with a known table of results."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inpaint_core import metrics
from tests.metrics.tensors import as_mask, tensors


def test_l1_l2_and_psnr_agree_with_scikit_image(pair):
    from skimage.metrics import mean_squared_error, peak_signal_noise_ratio

    image, reference, _ = pair
    x, y = tensors(image, reference)
    mse = mean_squared_error(image / 255.0, reference / 255.0)
    assert metrics.l2(x, y).item() == pytest.approx(mse, rel=1e-5)
    assert metrics.l1(x, y).item() == pytest.approx(np.abs(image / 255.0 - reference / 255.0).mean(), rel=1e-5)
    assert metrics.psnr(x, y).item() == pytest.approx(peak_signal_noise_ratio(reference, image), rel=1e-5)


def test_scale_255_is_the_convention_of_8_bit_tables(pair):
    image, reference, _ = pair
    x, y = tensors(image, reference)
    difference = image.astype(float) - reference
    assert metrics.l1(x, y, scale=255).item() == pytest.approx(np.abs(difference).mean(), rel=1e-5)
    assert metrics.l2(x, y, scale=255).item() == pytest.approx((difference**2).mean(), rel=1e-5)


@pytest.mark.parametrize("metric", [metrics.l1, metrics.l2, metrics.psnr])
def test_with_a_mask_only_the_hole_counts(metric, pair):
    image, reference, hole = pair
    x, y = tensors(image, reference)
    inside = metric(x[:, :, 30:70, 0:45], y[:, :, 30:70, 0:45])
    ruined = torch.where(as_mask(hole) > 0, x, 1 - x)
    torch.testing.assert_close(metric(ruined, y, as_mask(hole)), inside)


def test_navier_stokes_on_animals_gives_the_known_table(shared):
    """L1 9.68 and MSE 810, so that table is on 0..255 and over the whole image."""
    import io
    import tarfile

    import cv2
    from PIL import Image

    hole = np.zeros((256, 256), np.uint8)
    hole[64:192, 64:192] = 1
    values = []
    with tarfile.open(shared / "data" / "animals256-test-00.tar") as shard:
        members = [m for m in shard.getmembers() if m.name.endswith(".webp")]
        for member in members[::6]:
            file = shard.extractfile(member)
            assert file is not None
            photo = np.asarray(Image.open(io.BytesIO(file.read())).convert("RGB"))
            top, left = (photo.shape[0] - 256) // 2, (photo.shape[1] - 256) // 2
            photo = np.ascontiguousarray(photo[top : top + 256, left : left + 256])
            pair = tensors(cv2.inpaint(photo, hole, 3, cv2.INPAINT_NS), photo)
            values.append((metrics.l1(*pair, scale=255).item(), metrics.l2(*pair, scale=255).item()))
    mean_l1, mean_l2 = np.mean(values, axis=0)
    assert mean_l1 == pytest.approx(9.68, rel=0.1)
    assert mean_l2 == pytest.approx(810, rel=0.1)
