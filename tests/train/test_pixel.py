"""PixelCNN's and PixelRNN's training: bits fall, a stopped run goes on, what is exported fills holes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from inpaint_core.methods import autoregressive
from train import pixel_cnn, pixel_rnn
from train.core import pixels
from train.core.data import PhotoBank, PhotoSampler
from train.core.engine import CHECKPOINT, Engine

SIZE = 16
SCRIPTS: dict[str, tuple[Any, type[pixels.PixelTraining], dict[str, Any]]] = {
    "pixel_cnn": (pixel_cnn, pixel_cnn.PixelCNNTraining, {"width": 6, "blocks": 2}),
    "pixel_rnn": (pixel_rnn, pixel_rnn.PixelRNNTraining, {"width": 6, "layers": 1}),
}
each_script = pytest.mark.parametrize("name", SCRIPTS)


def make(name: str, **options: Any) -> pixels.PixelTraining:
    module, training, own = SCRIPTS[name]
    return training(module.Recipe(size=SIZE, batch=4, **own, **options))


def overfit(training: pixels.PixelTraining, out: Path, photos: Path, steps: int, precision: str = "no") -> list[float]:
    """Bits per dimension of one batch, step after step."""
    batch = PhotoSampler([training.prepare(PhotoBank.load([photos]))], [1.0], SIZE, 4, jitter=0, whole=True)(0)
    engine = Engine(
        out, training.networks, training.optimizers(), steps=steps, warmup=1, cosine=False, precision=precision
    )
    bits: list[float] = []

    def step(number: int) -> dict[str, torch.Tensor]:
        log = training.step(engine, batch, torch.Generator())
        bits.append(float(log["bits_per_dimension"]))
        return log

    assert engine.fit(step)
    return bits


@each_script
@pytest.mark.parametrize("distribution", ["logistic_mixture", "softmax"])
def test_bits_fall_on_an_overfit_batch(name: str, distribution: str, photos: Path, tmp_path: Path) -> None:
    bits = overfit(make(name, distribution=distribution, rate=1e-2), tmp_path, photos, 20)
    assert len(bits) == 20
    assert bits[-1] < 0.95 * bits[0], "from equal chances, or from the best linear prediction"
    if distribution == "softmax":
        assert bits[0] == pytest.approx(8, abs=0.2), "untrained, all 256 values are about equally likely"


@each_script
def test_bf16_trains_too(name: str, photos: Path, tmp_path: Path) -> None:
    training = make(name, rate=1e-2)
    bits = overfit(training, tmp_path, photos, 12, precision="bf16")
    assert bits[-1] < bits[0]
    for parameter in training.generator.parameters():
        assert parameter.isfinite().all()


@each_script
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_run_in_two_sessions_equals_one_and_its_export_fills(
    name: str, shared: Path, photos: Path, tmp_path: Path
) -> None:
    module, _, own = SCRIPTS[name]
    options: dict[str, Any] = {"data": [photos], "steps": 6, "precision": "no", "size": 32, "batch": 4, **own}
    module.main(out=tmp_path / "one", **options)
    module.main(out=tmp_path / "two", minutes=0.0, **options)
    assert torch.load(tmp_path / "two" / CHECKPOINT, weights_only=True)["step"] == 1
    module.main(out=tmp_path / "two", resume=True, export=True, val_small=[photos], **options)
    one, two = (torch.load(tmp_path / run / CHECKPOINT, weights_only=True) for run in ("one", "two"))
    assert two["step"] == 6
    for key, tensor in one["modules"]["generator"].items():
        assert torch.equal(tensor, two["modules"]["generator"][key]), key

    record = json.loads((tmp_path / "two" / "export" / "manifest.json").read_text())["checkpoints"][0]
    assert record["method"] == name
    figures = record["metrics"]["whole_32"]
    assert 0 < figures["bits_per_dimension"] < 8
    assert figures["photos"] == 9, "six photos, three of them long: two squares each"
    assert {"l1", "lpips_of_ns"} <= set(record["metrics"]["quarter_32"])

    method = getattr(autoregressive, name)()
    method.folder, method.samples = tmp_path / "two" / "export", 2
    image, mask = torch.rand(1, 3, 32, 32), pixels.centre_quarter(1, 32)
    filled = method.fill(image, mask).image
    known = mask.expand_as(image) == 0
    assert torch.equal(filled[known], image[known])
    assert filled[~known].std() > 0


def test_only_an_untrained_network_starts_from_the_linear_prediction(photos: Path, tmp_path: Path) -> None:
    assert overfit(make("pixel_cnn"), tmp_path / "first", photos, 1)[0] < 6
    begun = make("pixel_cnn")
    begun.started = True  # as after --init
    batch = PhotoSampler([begun.prepare(PhotoBank.load([photos]))], [1.0], SIZE, 4, jitter=0, whole=True)(0)
    expected = float(begun.generator.bits_per_dimension(batch.image))
    assert overfit(begun, tmp_path / "second", photos, 1)[0] == pytest.approx(expected, rel=1e-5)


def test_the_figures_are_of_held_back_photos_and_in_bits(photos: Path, tmp_path: Path) -> None:
    training = make("pixel_cnn", distribution="softmax")
    for parameter in training.generator.last[3].parameters():
        parameter.data.zero_()
    engine = Engine(tmp_path, training.networks, training.optimizers(), steps=1, precision="no")
    held_back = pixels.held_back(PhotoBank.load([photos]).reduced(SIZE))
    assert training.bits(engine, held_back) == pytest.approx(math.log2(256)), "all values equally likely: 8 bits"


def test_photos_are_averaged_down_whole_and_long_ones_at_both_ends(tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    square = dice.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    wide = np.zeros((64, 96, 3), np.uint8)
    wide[:, :32], wide[:, 64:] = 200, 100
    Image.fromarray(square).save(tmp_path / "a.png")
    Image.fromarray(wide).save(tmp_path / "b.png")
    bank = PhotoBank.load([tmp_path]).reduced(16)
    small = pixels.held_back(bank, 3) * 255
    assert small.shape == (3, 3, 16, 16)
    mean = torch.from_numpy(square).view(16, 4, 16, 4, 3).float().mean((1, 3)).permute(2, 0, 1)
    torch.testing.assert_close(small[0], mean, atol=0.51, rtol=0)
    assert small[1, 0, 5].tolist() == [200] * 8 + [0] * 8
    assert small[2, 0, 5].tolist() == [0] * 8 + [100] * 8


def test_a_quarter_of_each_side_is_hidden() -> None:
    mask = pixels.centre_quarter(2, 32)
    assert mask.sum() == 2 * 64
    assert mask[:, :, 12:20, 12:20].all()


@each_script
def test_the_script_has_a_command_line_and_says_how_to_run_it(name: str) -> None:
    module = SCRIPTS[name][0]
    assert f"python -m train.{name} --data" in module.__doc__
    assert "Departs from" in module.__doc__
    app = typer.Typer()
    app.command()(module.main)
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert result.exit_code == 0
    for option in ("--resume", "--minutes", "--rate", "--width", "--distribution"):
        assert option in result.output
