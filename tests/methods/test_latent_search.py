"""Latent search: it finds pictures its prior can draw, heeds the pixels near the hole, and works on any photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import update_bn

import inpaint_core
from inpaint_core import InpaintError, weights
from inpaint_core.masks import generate
from inpaint_core.methods import latent_search
from inpaint_core.methods.base import FillContext
from inpaint_core.methods.latent_search import LatentSearch, importance
from inpaint_core.networks.dcgan import DCGAN, draw_latents
from tests.provenance import UNTRAINED


def prior(seed: int, tint: tuple[float, float, float], **options: object) -> DCGAN:
    """A random prior of smooth pictures around a colour."""
    torch.manual_seed(seed)
    network = DCGAN(width=4, latent=6, **options)  # type: ignore[arg-type]
    update_bn([draw_latents(64, 6, torch.Generator().manual_seed(0))], network.generator)
    with torch.no_grad():
        last = network.generator.layers[-1].weight  # type: ignore[union-attr]
        last.mul_(8)  # type: ignore[operator]
        last.add_(torch.tensor(tint).view(1, 3, 1, 1))  # type: ignore[operator]
    return network.eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of two priors that draw in different colours."""
    out = tmp_path_factory.mktemp("priors")
    arguments = {"size": 64, "width": 4, "latent": 6, "critic_width": 4, "objective": "entropy"}
    for name, seed, tint in (("latent_search", 1, (0.3, 0.0, -0.3)), ("latent_search_scenes", 2, (-0.3, 0.0, 0.3))):
        weights.save(name, prior(seed, tint).state_dict(), arguments, out, **UNTRAINED, dtype="float32")
    return out


@pytest.fixture
def square() -> torch.Tensor:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:44, 20:44] = 1
    return mask


def drawn_by(folder: Path, name: str, seed: int) -> torch.Tensor:
    with torch.no_grad():
        latent = draw_latents(1, 6, torch.Generator().manual_seed(seed))
        return LatentSearch(folder).priors()[name](latent)


def test_the_importance_of_a_pixel_is_the_missing_share_of_its_window(square: torch.Tensor) -> None:
    weight = importance(square)[0, 0]
    assert weight[20:44, 20:44].abs().max() == 0
    assert weight[19, 30] == pytest.approx(21 / 49)
    assert weight[17, 30] == pytest.approx(7 / 49)
    assert weight[16, 30] == 0
    assert weight[19, 19] == pytest.approx(9 / 49)
    corner = torch.zeros(1, 1, 9, 9)
    corner[..., 0, 1] = 1
    assert importance(corner)[0, 0, 0, 0] == pytest.approx(1 / 16), "the border cuts the window off"


@pytest.mark.parametrize("name", ["faces", "scenes"])
def test_a_picture_of_the_prior_is_found_again_by_the_right_prior(
    name: str, folder: Path, square: torch.Tensor
) -> None:
    truth = drawn_by(folder, name, 5)
    filled = LatentSearch(folder, steps=150, restarts=8, prior_weight=0.0).fill(truth * (1 - square), square)
    mean = (truth - truth.mean((2, 3), keepdim=True)).abs()[..., 20:44, 20:44].mean()
    assert filled.extras["prior"] == [name]
    assert (filled.image - truth).abs()[..., 20:44, 20:44].mean() < 0.5 * mean
    assert name in filled.notes[0]
    assert "64 x 64" in filled.notes[0]


def test_a_batch_of_photos_is_filled_at_once_each_by_its_own_prior(folder: Path, square: torch.Tensor) -> None:
    truth = torch.cat([drawn_by(folder, "faces", 5), drawn_by(folder, "scenes", 6), drawn_by(folder, "faces", 7)])
    filled = LatentSearch(folder, steps=60, restarts=8).fill(truth, square.expand(3, -1, -1, -1))
    assert filled.extras["prior"] == ["faces", "scenes", "faces"]
    errors = (filled.image[:, None] - truth[None]).abs().mean((2, 3, 4))
    assert errors.argmin(1).tolist() == [0, 1, 2]


def test_more_steps_lower_the_context_loss_and_latents_stay_in_the_priors_range(
    folder: Path, square: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    draw = DCGAN.forward
    monkeypatch.setattr(DCGAN, "forward", lambda self, latent: seen.append(latent.detach()) or draw(self, latent))
    image, losses = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)), []
    for steps in (3, 60):
        losses += LatentSearch(folder, steps=steps, restarts=4).fill(image, square).extras["context_loss"]
    assert losses[1] < losses[0]
    assert max(float(latent.abs().max()) for latent in seen) <= 1


def test_a_search_whose_loss_no_longer_falls_ends_early(
    folder: Path, square: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latent_search, "LR", 0.0)
    monkeypatch.setattr(latent_search, "PATIENCE", 30)
    filled = LatentSearch(folder, steps=1500, restarts=2).fill(torch.rand(1, 3, 64, 64), square)
    assert filled.extras["steps"] < 300


def test_the_prior_loss_falls_with_the_discriminator_s_score() -> None:
    for objective in ("entropy", "wgan"):
        network = prior(1, (0, 0, 0), objective=objective)
        images = torch.rand(16, 3, 64, 64, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            order = network.discriminator(images).argsort()
            losses = network.prior_loss(images)[order]
        assert (losses.diff() <= 0).all()
        if objective == "entropy":
            expected = torch.log(1 - torch.sigmoid(network.discriminator(images)))
            torch.testing.assert_close(network.prior_loss(images), expected)


@pytest.fixture
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two priors as the project's checkpoints."""
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(folder))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("size", [(1, 2), (3, 50), (61, 83), (200, 150), (300, 90)])
@pytest.mark.parametrize("kind", ["centre", "random_pixels", "free_form"])
def test_any_photo_is_filled_and_its_known_pixels_stay(size: tuple[int, int], kind: str) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    mask = generate(kind, *size, seed=1)
    first, second = (inpaint_core.inpaint(image, mask, "latent_search", blend=blend) for blend in (None, "poisson"))
    for result in (first, second):
        assert np.array_equal(result.image[~mask], image[~mask])
    other = np.where(mask[..., None], 255 - image, image)
    assert np.array_equal(inpaint_core.inpaint(other, mask, "latent_search").image, first.image)


@pytest.mark.usefixtures("installed")
def test_progress_is_reported_and_the_notes_say_how_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_search, "STEPS", 120)
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    reports: list[tuple[float, str]] = []
    result = inpaint_core.inpaint(
        image, generate("box", 64, 64, seed=1), "latent_search", progress=lambda *report: reports.append(report)
    )
    shares = [share for share, _ in reports]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert sum("step" in text for _, text in reports) >= 4
    assert any("64 x 64" in note for note in result.details["notes"])
    assert set(result.details) == {"notes", "crops", "box", "scale", "prior", "context_loss", "steps"}


@pytest.mark.usefixtures("installed")
def test_the_same_seed_gives_the_same_fill_and_another_one_another() -> None:
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    mask = generate("box", 64, 64, seed=1)
    one, same, other = (inpaint_core.inpaint(image, mask, "latent_search", seed=seed).image for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_absent_weights_and_a_prior_of_another_size_are_one_sentence(tmp_path: Path, square: torch.Tensor) -> None:
    with pytest.raises(InpaintError, match=r"python -m train\.dcgan"):
        LatentSearch(tmp_path).fill(torch.rand(1, 3, 64, 64), square)
    arguments = {"size": 32, "width": 4, "latent": 6}
    weights.save("latent_search", DCGAN(**arguments).state_dict(), arguments, tmp_path, **UNTRAINED, dtype="float32")
    with pytest.raises(InpaintError, match="64 px"):
        LatentSearch(tmp_path).fill(torch.rand(1, 3, 64, 64), square)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_it_works_on_a_gpu(folder: Path, square: torch.Tensor) -> None:
    truth = drawn_by(folder, "faces", 5)
    method = LatentSearch(folder, steps=60)
    context = FillContext(generator=torch.Generator("cuda").manual_seed(0))
    filled = method.fill(truth.cuda(), square.cuda(), context)
    assert filled.image.device.type == "cuda"
