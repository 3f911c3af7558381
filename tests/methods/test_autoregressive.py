"""PixelCNN and PixelRNN as methods: cached drawing is the plain one, the best of several fills, a live preview."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

import inpaint_core
from inpaint_core import progress, weights
from inpaint_core.methods.autoregressive import Autoregressive
from inpaint_core.methods.base import FillContext
from inpaint_core.networks.pixel_cnn import PixelCNN
from inpaint_core.networks.pixel_network import PixelNetwork
from inpaint_core.networks.pixel_rnn import PixelRNN
from tests.provenance import UNTRAINED

NAMES = ("pixel_cnn", "pixel_rnn")
each_method = pytest.mark.parametrize("name", NAMES)


def make(name: str, distribution: str = "logistic_mixture") -> PixelNetwork:
    torch.manual_seed(0)
    if name == "pixel_cnn":
        return PixelCNN(6, blocks=3, distribution=distribution)
    return PixelRNN(6, layers=2, distribution=distribution)


def scene(count: int = 1, side: int = 32) -> Tensor:
    """Smooth colours with a little noise, in 256 steps."""
    generator = Generator().manual_seed(3)
    coarse = torch.rand(count, 3, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    noise = torch.randn(count, 3, side, side, generator=generator)
    return ((smooth + 0.03 * noise).clamp(0, 1) * 255).round() / 255


def hole(top: int, left: int, height: int, width: int, side: int = 32) -> Tensor:
    mask = torch.zeros(1, 1, side, side)
    mask[..., top : top + height, left : left + width] = 1
    return mask


def scattered(share: float, side: int) -> Tensor:
    return (torch.rand(1, 1, side, side, generator=Generator().manual_seed(1)) < share).float()


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small untrained checkpoints of both methods where the project looks for them."""
    for name in NAMES:
        size: dict[str, Any] = {"width": 6, "distribution": "logistic_mixture"}
        size |= {"blocks": 3} if name == "pixel_cnn" else {"layers": 2}
        weights.save(name, make(name).state_dict(), size, tmp_path, dtype="float32", **UNTRAINED)
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path))
    return tmp_path


@each_method
@pytest.mark.parametrize("distribution", ["softmax", "logistic_mixture"])
@pytest.mark.parametrize("place", ["middle", "corners", "scattered", "first pixel", "everything"])
def test_cached_drawing_equals_the_plain_one(name: str, distribution: str, place: str) -> None:
    side = 8
    masks = {
        "middle": hole(2, 2, 4, 4, side),
        "corners": torch.maximum(hole(0, 5, 2, 3, side), hole(6, 0, 2, 2, side)),
        "scattered": scattered(0.3, side),
        "first pixel": hole(0, 0, 1, 1, side),
        "everything": hole(0, 0, 4, side, side),
    }
    network = make(name, distribution)
    image = scene(3, side)
    mask = torch.cat((masks[place], masks[place].flip(3), hole(5, 5, 2, 2, side)))  # a hole of its own for each photo
    plain, _ = network.complete(image, mask, Generator().manual_seed(7), cached=False)
    cached, _ = network.complete(image, mask, Generator().manual_seed(7))
    assert torch.equal(cached, plain)
    assert not torch.equal(cached, network.complete(image, mask, Generator().manual_seed(8))[0])


@each_method
def test_drawing_never_runs_the_whole_network_for_a_value(name: str) -> None:
    network, runs = make(name), [0]
    network.register_forward_pre_hook(lambda *_: runs.__setitem__(0, runs[0] + 1))
    image, mask = scene(side=10), hole(3, 3, 3, 3, 10)
    network.complete(image, mask)
    assert runs[0] <= 1
    network.complete(image, mask, cached=False)
    assert runs[0] >= 3 * 9


@each_method
def test_the_fill_kept_makes_what_is_known_likeliest(name: str, checkpoints: Path) -> None:
    method = Autoregressive(name)
    image, mask = scene(2), torch.cat((hole(8, 9, 3, 3), hole(20, 2, 2, 4)))
    filled = method.fill(image, mask, FillContext(generator=Generator().manual_seed(0)))
    samples, chosen, entropy = (filled.extras[key] for key in ("samples", "chosen", "entropy"))
    assert samples.shape == (2, 8, 3, 32, 32)
    assert len({sample.numpy().tobytes() for sample in samples[0]}) == 8
    network = method.network()
    for photo in range(2):
        known = 1 - mask[photo : photo + 1]
        bits = [float(network.bits_per_dimension(sample[None], known)) for sample in samples[photo]]
        assert chosen[photo] == int(np.argmin(bits))
        assert torch.equal(filled.image[photo], samples[photo, chosen[photo]])
    assert entropy.shape == mask.shape
    assert ((entropy > 0) == (mask > 0)).all()
    assert "above" in filled.notes[0]


@each_method
def test_what_is_known_below_and_to_the_right_chooses_but_does_not_draw(name: str, checkpoints: Path) -> None:
    method = Autoregressive(name)
    image, mask = scene(), hole(10, 10, 3, 3)
    other = image.clone()
    other[..., 13:, :] = 1 - other[..., 13:, :]
    drawn = []
    for photo in (image, other):
        filled = method.fill(photo, mask, FillContext(generator=Generator().manual_seed(0)))
        drawn.append(filled.extras["samples"][0][:, :, 10:13, 10:13])
    assert torch.equal(*drawn)


@each_method
def test_cold_fills_are_all_the_same(name: str, checkpoints: Path) -> None:
    filled = Autoregressive(name, temperature=0.0, samples=3).fill(scene(), hole(5, 5, 3, 3))
    assert len(filled.extras["samples"][0]) == 3
    assert all(torch.equal(sample, filled.image[0]) for sample in filled.extras["samples"][0])


@each_method
@pytest.mark.parametrize("mask", [hole(2, 2, 16, 16, 20), scattered(0.8, 20)], ids=["16 x 16", "80 % of the pixels"])
def test_large_and_scattered_holes_are_filled_too(name: str, mask: Tensor, checkpoints: Path) -> None:
    image = scene(side=20)
    filled = Autoregressive(name, samples=1).fill(image, mask).image
    known = mask.expand_as(image) == 0
    assert torch.equal(filled[known], image[known])
    assert filled.isfinite().all()
    assert filled.min() >= 0
    assert filled.max() <= 1


def test_at_least_one_fill_must_be_drawn() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Autoregressive("pixel_cnn", samples=0)


@each_method
def test_any_photo_shows_its_pixels_appearing(
    name: str, checkpoints: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PREVIEW_SECONDS", 0.0)  # every pixel, however fast this machine is
    photo = astronaut[:200, 100:350]
    mask = np.zeros(photo.shape[:2], bool)
    mask[60:100, 100:140] = True
    seen: list[np.ndarray] = []
    shares: list[float] = []
    result = inpaint_core.inpaint(
        photo,
        mask,
        name,
        device="cpu",
        progress=lambda share, text: shares.append(share),
        preview=lambda picture: seen.append(picture.copy()),
    )
    assert result.image is not None
    assert (result.image[~mask] == photo[~mask]).all()
    assert len(seen) > 50
    for picture in seen:
        assert picture.dtype == np.uint8
        assert (picture[~mask] == photo[~mask]).all()
    changes = [(a[mask] != b[mask]).any(axis=1).mean() for a, b in itertools.pairwise(seen)]
    assert np.median(changes) < 0.2, "a pixel at a time, enlarged"
    assert shares == sorted(shares)
    assert len(shares) > 50
    assert shares[-1] == 1
    assert any("32 x 32" in note for note in result.details["notes"])
    assert not {"show", "preview", "progress"} & set(result.details)
    again = inpaint_core.inpaint(photo, mask, name, device="cpu")
    assert again.image is not None
    assert (again.image == result.image).all(), "watching changes nothing"


def test_previews_come_a_few_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(np.arange(0, 1e6, 0.1))
    monkeypatch.setattr(progress.time, "perf_counter", lambda: float(next(clock)))
    shown: list[Tensor] = []
    show = progress.throttled(shown.append)
    for _ in range(20):
        show(torch.zeros(1))
    assert 5 <= len(shown) <= 8


def test_a_comparison_hands_the_preview_on(checkpoints: Path) -> None:
    photo = (scene()[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    mask = hole(12, 12, 4, 4)[0, 0].numpy() > 0
    seen: list[np.ndarray] = []
    results = list(inpaint_core.compare(photo, mask, ["pixel_cnn", "ns"], device="cpu", preview=seen.append))
    assert [result.error for result in results] == [None, None]
    assert seen
