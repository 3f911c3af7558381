"""The metrics agree with scikit-image, scipy and the lpips package, measure the hole alone, and refuse nonsense."""

from __future__ import annotations

import doctest
import socket
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from inpaint_core import metrics
from inpaint_core.errors import InpaintError
from inpaint_core.metrics import frechet, lpips_network, perceptual, pixelwise, structural, variation

PAIRWISE = [metrics.l1, metrics.l2, metrics.psnr, metrics.ssim, metrics.lpips]
WITHOUT_NETWORK = [metrics.l1, metrics.l2, metrics.psnr, metrics.ssim]


@pytest.fixture
def weights() -> None:
    if not (Path(torch.hub.get_dir()) / "checkpoints" / "alexnet-owt-7be5be79.pth").is_file():
        pytest.skip("AlexNet's weights are not in torch hub's checkpoints folder")


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """Nothing loaded, an empty torch home, and a proxy that refuses every connection."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    lpips_network.forget()
    yield tmp_path
    lpips_network.forget()


@pytest.fixture(scope="module")
def pair(astronaut):
    """A real photo and a damaged copy, uint8 96 x 120 x 3, and the damaged place, bool 96 x 120."""
    reference = np.ascontiguousarray(astronaut[60:156, 160:280])
    hole = np.zeros(reference.shape[:2], bool)
    hole[30:70, 0:45] = True  # touches the border
    noise = np.random.default_rng(0).normal(0, 40, reference.shape)
    image = np.where(hole[..., None], np.clip(reference + noise, 0, 255), reference).astype(np.uint8)
    return image, reference, hole


def tensors(*photos):
    return [torch.from_numpy(p.astype(np.float32) / 255).permute(2, 0, 1)[None] for p in photos]


def as_mask(hole):
    return torch.from_numpy(hole.astype(np.float32))[None, None]


def package(net="alex", spatial=False):
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lpips.LPIPS(net=net, spatial=spatial, verbose=False)


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


def test_total_variation_counts_neighbours_inside_and_across_the_edge_of_the_hole():
    image = torch.zeros(1, 3, 5, 5)
    image[:, :, 2, 2] = 0.5
    hole = torch.zeros(1, 1, 5, 5)
    hole[:, :, 2, 2] = 1
    assert metrics.total_variation(image).item() == pytest.approx(4 * 0.5 / 40)
    assert metrics.total_variation(image, hole).item() == pytest.approx(0.5)
    assert metrics.total_variation(image, 1 - hole).item() == pytest.approx(4 * 0.5 / 40)


@pytest.mark.parametrize("metric", PAIRWISE)
def test_a_batch_is_measured_sample_by_sample(metric, weights):
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


@pytest.mark.parametrize("metric", [metrics.l1, metrics.l2, metrics.psnr])
def test_with_a_mask_only_the_hole_counts(metric, pair):
    image, reference, hole = pair
    x, y = tensors(image, reference)
    inside = metric(x[:, :, 30:70, 0:45], y[:, :, 30:70, 0:45])
    ruined = torch.where(as_mask(hole) > 0, x, 1 - x)
    torch.testing.assert_close(metric(ruined, y, as_mask(hole)), inside)


@pytest.mark.parametrize("metric", WITHOUT_NETWORK)
def test_a_mask_of_everything_is_no_mask(metric):
    torch.manual_seed(0)
    image, reference = torch.rand(1, 3, 9, 10), torch.rand(1, 3, 9, 10)
    torch.testing.assert_close(metric(image, reference, torch.ones(1, 1, 9, 10)), metric(image, reference))


def test_equal_photos_are_perfect_by_every_metric(pair, weights):
    values = metrics.measure(pair[1], pair[1], pair[2])
    for prefix in ("", "hole_"):
        assert values[prefix + "psnr"] == float("inf")
        assert values[prefix + "ssim"] == pytest.approx(1)
        assert values[prefix + "l1"] == values[prefix + "l2"] == values[prefix + "lpips"] == 0


def test_gradients_are_finite_where_image_and_reference_meet(pair, weights):
    x, y = tensors(pair[0], pair[1])
    x.requires_grad_()
    y[:, :, :50] = 0  # black: features may be zero
    (metrics.l1(x, y) + metrics.ssim(x, y) + metrics.lpips(x, y) + metrics.total_variation(x)).sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("net", ["alex", "squeeze"])
def test_lpips_is_the_package_s_over_image_and_hole(net, pair, weights):
    image, reference, hole = pair
    x, y = tensors(image, reference)
    with torch.no_grad():
        value = package(net)(x, y, normalize=True).item()
        spatial = package(net, spatial=True)(x, y, normalize=True)[as_mask(hole) > 0].mean().item()
    assert metrics.lpips(x, y, net=net).item() == pytest.approx(value, rel=1e-4)
    assert metrics.lpips(x, y, as_mask(hole), net=net).item() == pytest.approx(spatial, rel=1e-4)
    assert value > 0.05


@pytest.mark.parametrize("net", ["alex", "squeeze"])
def test_lpips_by_tiles_is_lpips_of_the_whole_photo(net, weights, astronaut, monkeypatch):
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


def test_lpips_of_a_tiny_photo_is_that_of_its_border_repeated_to_32_pixels(weights):
    torch.manual_seed(0)
    image, reference = torch.rand(1, 3, 20, 50), torch.rand(1, 3, 20, 50)
    x, y = (torch.cat([p[:, :, :1]] * 6 + [p] + [p[:, :, -1:]] * 6, dim=2) for p in (image, reference))
    torch.testing.assert_close(metrics.lpips(image, reference), metrics.lpips(x, y))
    hole = torch.ones(1, 1, 20, 50)
    padded_hole = torch.nn.functional.pad(hole, (0, 0, 6, 6))
    torch.testing.assert_close(metrics.lpips(image, reference, hole), metrics.lpips(x, y, padded_hole))


def test_a_photo_of_one_pixel_is_measured(weights):
    black, grey = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 51, np.uint8)
    values = metrics.measure(grey, black, np.ones((1, 1), bool))
    assert values["l1"] == values["hole_l1"] == pytest.approx(0.2)
    assert values["tv"] == values["hole_tv"] == 0
    assert all(np.isfinite(value) for value in values.values())
    assert values["lpips"] > 0


def test_loading_lpips_leaves_the_random_state_alone(weights, monkeypatch):
    lpips_network.forget()
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    lpips_network.network("alex")
    assert torch.equal(torch.rand(4), expected)


def test_lpips_loads_once_for_many_threads(weights, monkeypatch):
    lpips_network.forget()
    files = []
    load = torch.load

    def slow_load(path, **options):
        files.append(Path(path).name)
        time.sleep(0.05)
        return load(path, **options)

    monkeypatch.setattr(torch, "load", slow_load)
    image = torch.rand(1, 3, 32, 32)
    threads = [threading.Thread(target=metrics.lpips, args=(image, 1 - image)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(files) == ["alex.pth", "alexnet-owt-7be5be79.pth"]


def test_lpips_loaded_while_measuring_can_still_train(weights, monkeypatch, pair):
    lpips_network.forget()
    metrics.measure(pair[0], pair[1])
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    metrics.lpips(image, torch.rand(1, 3, 32, 32)).sum().backward()
    assert image.grad is not None


def test_measure_gives_every_number_of_photo_and_hole(pair, weights):
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


def test_without_weights_and_network_everything_but_lpips_is_measured(pair, offline):
    started = time.monotonic()
    values = metrics.measure(*pair)
    assert set(values) == {p + n for p in ("", "hole_") for n in ("l1", "l2", "psnr", "ssim", "tv")}
    reason = metrics.lpips_unavailable_reason()
    assert reason is not None
    assert "alexnet-owt-7be5be79.pth" in reason
    assert str(offline) in reason
    assert time.monotonic() - started < 5
    with pytest.raises(InpaintError, match="could not be downloaded"):
        metrics.lpips(*tensors(*pair[:2]))
    assert not list(offline.rglob("*.partial"))


def test_a_network_that_never_answers_does_not_hold_the_page(offline, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(lpips_network, "CONNECT_SECONDS", 0.3)
        started = time.monotonic()
        assert metrics.lpips_unavailable_reason() is not None
        waited = time.monotonic() - started
        assert 0.2 < waited < 5
        # Remembered: the second photo does not wait again.
        started = time.monotonic()
        assert metrics.lpips_unavailable_reason() is not None
        assert time.monotonic() - started < 0.1


def test_a_broken_weights_file_is_named(offline):
    broken = offline / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"half a download")
    assert str(broken) in (metrics.lpips_unavailable_reason() or "")


def test_without_the_package_the_reason_says_what_to_install(offline, monkeypatch):
    monkeypatch.setitem(sys.modules, "lpips", None)
    assert "pip install lpips" in (metrics.lpips_unavailable_reason() or "")


def test_the_reason_is_none_where_lpips_works(weights):
    assert metrics.lpips_unavailable_reason() is None


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


def test_frechet_distance_of_alexnet_features_grows_with_damage(weights, astronaut):
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


@pytest.mark.parametrize("size", [(1, 3), (2, 1), (2, 3)])
def test_frechet_distance_refuses_too_little(size):
    with pytest.raises(InpaintError, match="two sets"):
        metrics.frechet_distance(torch.rand(size), torch.rand(1, 3))


def test_navier_stokes_on_animals_gives_the_talk_s_table(shared):
    """docs/SYSTEMS.md A: L1 9.68 and MSE 810, so that table is on 0..255 and over the whole image."""
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


def test_the_examples_in_the_docstrings_run():
    outcomes = [doctest.testmod(module) for module in (pixelwise, structural, variation, frechet)]
    assert all(outcome.attempted >= 1 for outcome in outcomes)
    assert not any(outcome.failed for outcome in outcomes)
