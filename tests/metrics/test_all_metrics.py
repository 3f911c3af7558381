"""What holds for all metrics: batches, masks, gradients, examples."""

from __future__ import annotations

import doctest

import pytest
import torch

from inpaint_core import metrics
from inpaint_core.metrics import frechet, pixelwise, structural, variation
from tests.metrics.tensors import PAIRWISE, tensors

WITHOUT_NETWORK = [metrics.l1, metrics.l2, metrics.psnr, metrics.ssim]


@pytest.mark.parametrize("metric", PAIRWISE)
def test_a_batch_is_measured_sample_by_sample(metric):
    torch.manual_seed(0)
    image, reference = torch.rand(3, 3, 40, 36), torch.rand(3, 3, 40, 36)
    reference[1] = image[1] * 0.9
    mask = (torch.rand(3, 1, 40, 36) > 0.7).float()
    for where in (None, mask):
        together = metric(image, reference, where)
        alone = [
            metric(image[i : i + 1], reference[i : i + 1], None if where is None else where[i : i + 1])
            for i in range(3)
        ]
        assert together.shape == (3,)
        torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("metric", WITHOUT_NETWORK)
def test_a_mask_of_everything_is_no_mask(metric):
    torch.manual_seed(0)
    image, reference = torch.rand(1, 3, 9, 10), torch.rand(1, 3, 9, 10)
    torch.testing.assert_close(metric(image, reference, torch.ones(1, 1, 9, 10)), metric(image, reference))


def test_gradients_are_finite_where_image_and_reference_meet(pair):
    x, y = tensors(pair[0], pair[1])
    x.requires_grad_()
    y[:, :, :50] = 0  # black: features may be zero
    (metrics.l1(x, y) + metrics.ssim(x, y) + metrics.lpips(x, y) + metrics.total_variation(x)).sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
    assert x.grad.abs().sum() > 0


def test_the_examples_in_the_docstrings_run():
    outcomes = [doctest.testmod(module) for module in (pixelwise, structural, variation, frechet)]
    assert all(outcome.attempted >= 1 for outcome in outcomes)
    assert not any(outcome.failed for outcome in outcomes)
