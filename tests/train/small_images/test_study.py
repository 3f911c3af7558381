"""The small-image study: CIFAR-10 read safely, the augmentation, every model trains, the table is made."""

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
from PIL import Image

from inpaint_core.errors import InpaintError
from tests.train.recording import record_logs
from train.core import cifar
from train.core.checkpoint import CHECKPOINT, read_checkpoint
from train.core.config import RunConfig
from train.core.photo_bank import PhotoBank
from train.core.small_photos import centre_quarter, spread_evenly
from train.small_images import study
from train.small_images.augment import augment, blur, turn_hue
from train.small_images.models import MODELS, Model

SMALL: dict[str, dict[str, Any]] = {
    "pixel_cnn": {"width": 6, "depth": 1},
    "pixel_rnn": {"width": 6, "depth": 1},
    "wgan": {"width": 4, "critic_width": 4, "critic_steps": 2, "critic_first": 1, "critic_most": 4},
    "dcgan": {"width": 4, "critic_width": 4},
}


def small(name: str) -> Model:
    """The model at a size for tests."""
    model = MODELS[name]
    options = {"batch": 4, "lr": 3e-3, "warmup": 1, **SMALL.get(name, {"width": 4})}
    return replace(model, settings=replace(model.settings, **options))


def short_run(out: Path, steps: int) -> RunConfig:
    return RunConfig(out=out, steps=steps, batch=4, warmup=1, cosine=False, precision="no")


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


@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_from_a_photo_and_fills_the_centre(
    name: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = record_logs(monkeypatch)
    bank = PhotoBank.load([photos / "0.png"]).reduced(32)
    run = study.train_model(small(name), bank, short_run(tmp_path, 24))
    loss = "bits_per_dimension" if name.startswith("pixel") else "squared"
    values = [log[loss] for log in logs if loss in log]
    assert values[-1] < (0.99 if loss == "bits_per_dimension" else 0.9) * values[0]

    image, mask = spread_evenly(bank), centre_quarter(1, 32)
    fills = MODELS[name].fill(run.ema["generator"], image, mask)
    assert next(iter(fills)) == ""
    assert len(fills) == (3 if name.startswith("pixel") else 1)
    for filled in fills.values():
        assert filled.shape == image.shape
        assert filled.isfinite().all()


def test_the_wasserstein_critic_trains_longer_at_first_and_keeps_its_weights_small(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = record_logs(monkeypatch)
    study.train_model(small("wgan"), PhotoBank.load([photos]).reduced(32), short_run(tmp_path, 12))
    assert [step for step, log in enumerate(logs) if "squared" in log] == [4, 7, 10]
    checkpoint = read_checkpoint(tmp_path / CHECKPOINT)
    assert checkpoint["state"] == {"generator_steps": 3, "critic_steps": 1}, "a resumed run keeps its turn"
    assert max(float(tensor.abs().max()) for tensor in checkpoint["networks"]["critic"].values()) <= 0.01 + 1e-6


def test_the_l2_is_the_sum_of_squares_in_the_hole() -> None:
    truth, mask = torch.full((2, 3, 32, 32), 0.6), centre_quarter(2, 32)
    filled = torch.ones_like(truth)
    filled[1] = 0.6
    filled[:, :, 0] = 0.0  # outside of the hole nothing counts
    l2, psnr = study.figures(filled, truth, mask)
    assert l2 == pytest.approx(192 * 0.16 / 2, rel=1e-5)
    assert psnr == pytest.approx(-10 * np.log10(0.08), rel=1e-5)


def test_one_command_trains_and_makes_the_table(
    cifar_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("autoencoder_vgg", "pixel_cnn"):
        monkeypatch.setitem(MODELS, name, small(name))
    config = study.Config(
        data=(cifar_folder,),
        held_back=(cifar_folder / "test_batch",),
        out=tmp_path,
        minutes=0.02,
        photos=2,
        precision="no",
        model=("autoencoder_vgg", "pixel_cnn"),
    )
    study.main(config)
    text = (tmp_path / "study.md").read_text()
    assert text in capsys.readouterr().out
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
    with pytest.raises(InpaintError, match="--resume"):
        study.main(config)
    study.main(replace(config, resume=True))
    assert {row["title"]: row["photos"] for row in csv.DictReader((tmp_path / "study.csv").open())} == seen
