"""Images and masks that no metric can take are refused in words."""

from __future__ import annotations

import pytest
import torch

from inpaint_core import metrics
from inpaint_core.errors import InpaintError
from tests.metrics.tensors import PAIRWISE

GOOD = torch.full((1, 3, 12, 12), 0.5)


@pytest.mark.parametrize(
    ("image", "mask", "sentence"),
    [
        (torch.full((3, 12, 12), 0.5), None, "N x 3 x H x W"),
        (torch.full((1, 1, 12, 12), 0.5), None, "N x 3 x H x W"),
        (torch.full((1, 3, 12, 0), 0.5), None, "N x 3 x H x W"),
        (torch.full((1, 3, 12, 13), 0.5), None, "one size"),
        (torch.full((1, 3, 12, 12), 7, dtype=torch.uint8), None, "divide 0..255 values by 255"),
        (GOOD.where(torch.arange(12) != 3, float("nan")), None, "not finite"),
        (GOOD.where(torch.arange(12) != 3, float("inf")), None, "not finite"),
        (GOOD * 4 - 3, None, r"lie in \[0, 1\]"),
        (GOOD * 255, None, r"lie in \[0, 1\]"),
        (GOOD, torch.ones(1, 1, 12, 13), "image's size"),
        (GOOD, torch.ones(12, 12), "image's size"),
        (GOOD, torch.zeros(1, 1, 12, 12), "no hole"),
        (GOOD, torch.full((1, 1, 12, 12), 0.5), "1 in the hole"),
    ],
)
@pytest.mark.parametrize("metric", PAIRWISE)
def test_nonsense_is_refused_with_a_sentence(metric, image, mask, sentence):
    with pytest.raises(InpaintError, match=sentence):
        metric(image, GOOD, mask)


def test_a_batch_with_one_empty_mask_is_refused():
    mask = torch.ones(2, 1, 12, 12)
    mask[1] = 0
    with pytest.raises(InpaintError, match="no hole"):
        metrics.total_variation(GOOD.repeat(2, 1, 1, 1), mask)


def test_an_unknown_lpips_network_is_refused():
    with pytest.raises(InpaintError, match="alex, squeeze"):
        metrics.lpips(GOOD, GOOD, net="vgg")
