"""The small-image study: CIFAR-10 read safely, the augmentation, every contestant trains, the table is made."""

from __future__ import annotations

import colorsys
import csv
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner

from inpaint_core.errors import InpaintError
from train.core import cifar
from train.core.data import PhotoBank, PhotoSampler
from train.core.engine import Engine
from train.core.pixels import centre_quarter
from train.small_images import models as study_models
from train.small_images import study
from train.small_images.augment import augment, blur, turn_hue

SMALL: dict[str, dict[str, Any]] = {
    "pixel_cnn": {"width": 6, "blocks": 1},
    "pixel_rnn": {"width": 6, "layers": 1},
    "wgan": {"width": 4, "critic_width": 4, "critic_steps": 2, "critic_first": 1, "critic_most": 4, "warmup": 1},
    "dcgan": {"width": 4, "critic_width": 4},
}


def small(name: str) -> study_models.Contestant:
    """The contestant at a size for tests."""
    contestant = study_models.CONTESTANTS[name]
    options = {"batch": 4, "rate": 3e-3, "warmup": 1, **SMALL.get(name, {"width": 4})}
    return replace(contestant, recipe=replace(contestant.recipe, **options))


@pytest.fixture
def colours() -> np.ndarray:
    """Photos as CIFAR-10 has them, uint8 12 x 32 x 32 x 3."""
    return np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def cifar_folder(colours: np.ndarray, tmp_path: Path) -> Path:
    """A folder in the owners' layout: two training batches and a test batch."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    rows = colours.transpose(0, 3, 1, 2).reshape(12, -1)
    for name, part in {"data_batch_1": rows[:5], "data_batch_2": rows[5:9], "test_batch": rows[9:]}.items():
        batch = {b"data": np.ascontiguousarray(part), b"labels": [0] * len(part), b"batch_label": b"one of two"}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": [b"airplane"]}, protocol=2))
    return folder


def test_cifar_10_is_read_as_it_is_handed_out(cifar_folder: Path, colours: np.ndarray) -> None:
    bank = PhotoBank.load([cifar_folder])
    assert len(bank) == 9, "the training batches, and not the test batch"
    assert np.array_equal(bank.pixels.numpy().reshape(-1, 32, 32, 3), colours[:9])
    test = PhotoBank.load([cifar_folder / "test_batch"])
    assert np.array_equal(test.pixels.numpy().reshape(-1, 32, 32, 3), colours[9:])


def test_the_binary_version_of_cifar_10_is_read_too(colours: np.ndarray, tmp_path: Path) -> None:
    rows = colours.transpose(0, 3, 1, 2).reshape(12, -1)
    labelled = np.concatenate((np.full((12, 1), 7, np.uint8), rows), axis=1)
    (tmp_path / "data_batch_1.bin").write_bytes(labelled.tobytes())
    bank = PhotoBank.load([tmp_path])
    assert np.array_equal(bank.pixels.numpy().reshape(-1, 32, 32, 3), colours)
    (tmp_path / "data_batch_1.bin").write_bytes(labelled.tobytes()[:-1])
    with pytest.raises(ValueError, match="multiple of 3073"):
        cifar.photos(tmp_path / "data_batch_1.bin")


class _Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("harm_done"),)


@pytest.mark.parametrize(
    "content", [_Harm(), {b"data": _Harm()}, {b"data": "no array"}, {b"other": 1}, [1], np.zeros(3, np.uint8)]
)
def test_a_pickle_that_holds_anything_else_is_refused(
    content: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(ValueError, match="no pickled CIFAR-10 batch"):
        cifar.photos(tmp_path / "data_batch_1")
    assert not (tmp_path / "harm_done").exists()


def test_hues_turn_as_colour_wheels_do() -> None:
    red, third = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1), torch.tensor([1 / 3])
    torch.testing.assert_close(turn_hue(red, third).flatten(), torch.tensor([0.0, 1, 0]), atol=1e-6, rtol=0)
    torch.testing.assert_close(turn_hue(red, third * 0), red)
    colour = torch.tensor([0.6, 0.4, 0.3])
    turned = turn_hue(colour.view(1, 3, 1, 1), torch.tensor([0.05])).flatten()
    before, after = (colorsys.rgb_to_hsv(*c.tolist())[0] for c in (colour, turned))
    assert after - before == pytest.approx(0.05, abs=0.02)
    torch.testing.assert_close(turned.mean(), colour.mean())


def test_a_blur_spreads_a_point_and_keeps_its_sum() -> None:
    point = torch.zeros(2, 3, 9, 9)
    point[..., 4, 4] = 1
    blurred = blur(point, torch.tensor([0.3, 1.0]))
    torch.testing.assert_close(blurred.sum((2, 3)), torch.ones(2, 3))
    assert blurred[0, 0, 4, 4] > 0.95
    assert blurred[1, 0, 4, 4] == pytest.approx(0.16, abs=0.02)
    torch.testing.assert_close(blurred, blurred.transpose(2, 3))


def test_augmented_photos_repeat_for_a_seed_and_have_256_colours() -> None:
    image = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    changed = augment(image, torch.Generator().manual_seed(1))
    assert torch.equal(changed, augment(image, torch.Generator().manual_seed(1)))
    assert not torch.equal(changed, augment(image, torch.Generator().manual_seed(2)))
    torch.testing.assert_close(changed * 255, (changed * 255).round(), atol=1e-3, rtol=0)
    assert changed.min() >= 0
    assert changed.max() <= 1


@pytest.mark.parametrize("name", study_models.CONTESTANTS)
def test_every_contestant_learns_from_a_batch_and_fills_the_centre(name: str, photos: Path, tmp_path: Path) -> None:
    contestant = small(name)
    training = contestant.make(contestant.recipe)
    batch = PhotoSampler([PhotoBank.load([photos]).reduced(32)], [1.0], 32, 4, jitter=0, whole=True)(0)
    engine = Engine(
        tmp_path, training.networks, training.optimizers(), steps=24, warmup=1, cosine=False, precision="no"
    )
    logs: list[dict[str, Tensor]] = []

    def step(number: int) -> dict[str, Tensor]:
        logs.append(training.step(engine, batch, torch.Generator().manual_seed(0)))
        return logs[-1]

    assert engine.fit(step)
    word = "bits_per_dimension" if name.startswith("pixel") else "squared"
    values = [float(log[word]) for log in logs if word in log]
    assert values[-1] < (0.97 if word == "bits_per_dimension" else 0.9) * values[0]

    mask = centre_quarter(4, 32)
    fills = contestant.fill(training.networks["generator"].eval(), batch.image, mask)
    assert next(iter(fills)) == ""
    assert len(fills) == (3 if name.startswith("pixel") else 1)
    for filled in fills.values():
        assert filled.shape == batch.image.shape
        assert filled.isfinite().all()


def test_the_wasserstein_critic_works_longer_at_first_and_keeps_its_weights_small(photos: Path, tmp_path: Path) -> None:
    contestant = small("wgan")
    training = contestant.make(contestant.recipe)
    batch = PhotoSampler([PhotoBank.load([photos]).reduced(32)], [1.0], 32, 4, jitter=0, whole=True)(0)
    engine = Engine(tmp_path, training.networks, training.optimizers(), steps=12, precision="no")
    turns: list[bool] = []

    def step(number: int) -> dict[str, Tensor]:
        log = training.step(engine, batch, torch.Generator().manual_seed(number))
        turns.append("squared" in log)
        return log

    engine.fit(step)
    assert [number for number, turn in enumerate(turns) if turn] == [4, 7, 10]
    assert max(float(p.detach().abs().max()) for p in training.networks["critic"].parameters()) <= 0.01 + 1e-6


def test_the_l2_is_the_sum_of_squares_in_the_hole() -> None:
    truth, mask = torch.full((2, 3, 32, 32), 0.6), centre_quarter(2, 32)
    filled = torch.ones_like(truth)
    filled[1] = 0.6
    filled[:, :, 0] = 0.0  # outside of the hole nothing counts
    l2, psnr = study.figures(filled, truth, mask)
    assert l2 == pytest.approx(192 * 0.16 / 2, rel=1e-5)
    assert psnr == pytest.approx(-10 * np.log10(0.08), rel=1e-5)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_one_command_trains_and_makes_the_table(
    cifar_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("autoencoder_vgg", "pixel_cnn"):
        monkeypatch.setitem(study_models.CONTESTANTS, name, small(name))
    app = typer.Typer()
    app.command()(study.main)
    words = ["--data", str(cifar_folder), "--held-back", str(cifar_folder / "test_batch"), "--out", str(tmp_path)]
    words += ["--minutes", "0.02", "--photos", "2", "--precision", "no"]
    words += ["--model", "autoencoder_vgg", "--model", "pixel_cnn"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "study.md").read_text()
    assert text in result.output
    assert "| 8.56 |" in text
    assert "| 6.98 |" in text
    assert "the hole's 8 x 8 x 3 values" in text
    rows = list(csv.DictReader((tmp_path / "study.csv").open()))
    titles = [row["title"] for row in rows]
    assert titles[:3] == ["Navier-Stokes (not on the poster)", "Autoencoder, VGG encoder", "PixelCNN"]
    assert all(float(row["l2"]) > 0 for row in rows)
    assert all(int(row["photos"]) > 0 for row in rows[1:])
    assert Image.open(tmp_path / "study.png").size == (2 * 32 * 3, (len(rows) + 2) * 32 * 3)
    seen = {row["title"]: row["photos"] for row in rows}
    again = CliRunner().invoke(app, [*words, "--resume"])
    assert again.exit_code == 0
    assert {row["title"]: row["photos"] for row in csv.DictReader((tmp_path / "study.csv").open())} == seen
    refused = CliRunner().invoke(app, [*words, "--model", "diffusion"])
    assert isinstance(refused.exception, InpaintError)
