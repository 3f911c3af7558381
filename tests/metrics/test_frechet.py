"""The Fréchet distance: the formula, and features that notice damage."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inpaint_core import metrics
from inpaint_core.errors import InpaintError
from tests.metrics.tensors import tensors


def test_frechet_distance_is_the_formula_by_scipy():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(size=(50, 8)) @ rng.normal(size=(8, 8)), rng.normal(1, 2, size=(60, 8))
    covariances = np.cov(ours.T), np.cov(theirs.T)
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = ((ours.mean(0) - theirs.mean(0)) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    value = metrics.frechet_distance(torch.from_numpy(ours), torch.from_numpy(theirs)).item()
    assert value == pytest.approx(expected, rel=1e-8)


def test_frechet_distance_is_zero_on_itself_even_with_fewer_samples_than_dimensions():
    features = torch.rand(5, 40, generator=torch.Generator().manual_seed(0))
    assert metrics.frechet_distance(features, features).item() == pytest.approx(0, abs=1e-6)


def test_frechet_distance_of_alexnet_features_grows_with_damage(astronaut):
    crops = tensors(*(astronaut[y : y + 48, x : x + 48] for y in range(0, 400, 100) for x in range(0, 400, 100)))
    photos = torch.cat(crops)
    noise = torch.randn(photos.shape, generator=torch.Generator().manual_seed(0))
    features = metrics.alexnet_features(photos)
    assert features.shape == (16, 256)
    distances = [
        metrics.frechet_distance(features, metrics.alexnet_features((photos + s * noise).clamp(0, 1))).item()
        for s in (0.02, 0.1, 0.3)
    ]
    assert 0 < distances[0] < distances[1] < distances[2]


@pytest.mark.parametrize("size", [(1, 3), (2, 1), (2, 3)])
def test_frechet_distance_refuses_too_little(size):
    with pytest.raises(InpaintError, match="two sets"):
        metrics.frechet_distance(torch.rand(size), torch.rand(1, 3))
