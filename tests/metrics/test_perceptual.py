"""LPIPS agrees with its package, whole and by tiles, on photos of any size."""

from __future__ import annotations

import warnings

import pytest
import torch

from inpaint_core import metrics
from inpaint_core.metrics import lpips_network, perceptual
from tests.metrics.tensors import as_mask, tensors

PUBLISHED = (
    0.104877,
    0.406143,
)  # of `pair`, whole and in the hole, by the published float32 files


def package(net="alex", spatial=False):
    """The package's own network, with the weights of ours."""
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lpips.LPIPS(net=net, spatial=spatial, pnet_rand=True, pretrained=False, verbose=False)
    theirs.load_state_dict(lpips_network.network(net).state_dict())
    return theirs.eval()


@pytest.fixture(params=["alex", "squeeze"])
def net(request):
    if request.param == "squeeze":
        request.getfixturevalue("squeeze_weights")
    return request.param


def test_lpips_is_the_package_s_over_image_and_hole(net, pair):
    image, reference, hole = pair
    x, y = tensors(image, reference)
    with torch.no_grad():
        value = package(net)(x, y, normalize=True).item()
        spatial = package(net, spatial=True)(x, y, normalize=True)[as_mask(hole) > 0].mean().item()
    assert metrics.lpips(x, y, net=net).item() == pytest.approx(value, rel=1e-4)
    assert metrics.lpips(x, y, as_mask(hole), net=net).item() == pytest.approx(spatial, rel=1e-4)
    assert value > 0.05


def test_the_shipped_weights_measure_without_network_what_the_published_ones_do(pair, offline):
    image, reference, hole = pair
    values = metrics.measure(image, reference, hole)
    assert values["lpips"] == pytest.approx(PUBLISHED[0], abs=5e-4)
    assert values["hole_lpips"] == pytest.approx(PUBLISHED[1], abs=5e-4)


def test_lpips_by_tiles_is_lpips_of_the_whole_photo(net, astronaut, monkeypatch):
    photo = astronaut[:197, :300]  # the last tile is 5 pixels high, 44 wide
    image, reference = tensors(photo, photo[:, ::-1].copy())
    reference[:, :, :, 60:] = image[:, :, :, 60:]  # equal on the right: the last tiles are skipped
    mask = torch.zeros_like(image[:, :1])
    mask[:, :, 50:150, 40:130] = 1
    with torch.no_grad():
        whole = metrics.lpips(image, reference, net=net), metrics.lpips(image, reference, mask, net=net)
        monkeypatch.setattr(perceptual, "TILE", 64)
        tiled = metrics.lpips(image, reference, net=net), metrics.lpips(image, reference, mask, net=net)
    torch.testing.assert_close(tiled, whole, rtol=1e-4, atol=1e-6)
    assert whole[0] > 0.01


def test_lpips_of_a_tiny_photo_is_that_of_its_border_repeated_to_32_pixels():
    torch.manual_seed(0)
    image, reference = torch.rand(1, 3, 20, 50), torch.rand(1, 3, 20, 50)
    x, y = (torch.cat([p[:, :, :1]] * 6 + [p] + [p[:, :, -1:]] * 6, dim=2) for p in (image, reference))
    torch.testing.assert_close(metrics.lpips(image, reference), metrics.lpips(x, y))
    hole = torch.ones(1, 1, 20, 50)
    padded_hole = torch.nn.functional.pad(hole, (0, 0, 6, 6))
    torch.testing.assert_close(metrics.lpips(image, reference, hole), metrics.lpips(x, y, padded_hole))
