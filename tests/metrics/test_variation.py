"""Total variation counts the right neighbours."""

from __future__ import annotations

import pytest
import torch

from inpaint_core import metrics


def test_total_variation_counts_neighbours_inside_and_across_the_edge_of_the_hole():
    image = torch.zeros(1, 3, 5, 5)
    image[:, :, 2, 2] = 0.5
    hole = torch.zeros(1, 1, 5, 5)
    hole[:, :, 2, 2] = 1
    assert metrics.total_variation(image).item() == pytest.approx(4 * 0.5 / 40)
    assert metrics.total_variation(image, hole).item() == pytest.approx(0.5)
    assert metrics.total_variation(image, 1 - hole).item() == pytest.approx(4 * 0.5 / 40)
