"""PixelCNN's and PixelRNN's training: bits fall, an interrupted run continues, its export fills holes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from inpaint_core import weights
from inpaint_core.networks.pixel_cnn import PixelCNN
from inpaint_core.networks.pixel_rnn import PixelRNN
from tests.train.recording import record_logs
from train import pixel_networks
from train.core.checkpoint import CHECKPOINT, read_checkpoint
from train.core.config import RunConfig
from train.core.photo_bank import PhotoBank
from train.core.run import Run
from train.core.small_photos import bits_per_dimension, centre_quarter, pixel_optimizer, spread_evenly

SIZE = 16
NETWORKS: dict[str, tuple[Any, dict[str, Any]]] = {
    "pixel_cnn": (PixelCNN, {"width": 6, "blocks": 2}),
    "pixel_rnn": (PixelRNN, {"width": 6, "layers": 1}),
}
each_network = pytest.mark.parametrize("name", NETWORKS)


def train(name: str, photos: Path, out: Path, **options: Any) -> None:
    short = {"size": SIZE, "batch": 4, "steps": 6, "precision": "no", "warmup": 1, **NETWORKS[name][1]}
    pixel_networks.main(pixel_networks.Config(network=name, data=(photos,), out=out, **{**short, **options}))


@each_network
@pytest.mark.parametrize("distribution", ["logistic_mixture", "softmax"])
def test_bits_fall_on_one_photo(
    name: str, distribution: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = record_logs(monkeypatch)
    train(name, photos / "0.png", tmp_path, distribution=distribution, lr=1e-2, steps=20, cosine=False)
    bits = [log["bits_per_dimension"] for log in logs]
    assert len(bits) == 20
    assert bits[-1] < 0.97 * bits[0]
    if distribution == "softmax":
        assert bits[0] == pytest.approx(8, abs=0.2), "untrained, all 256 values are about equally likely"
    else:
        assert bits[0] < 6.5, "it starts from the best linear prediction"


@each_network
def test_bf16_trains_too(name: str, photos: Path, tmp_path: Path) -> None:
    train(name, photos, tmp_path, precision="bf16", steps=2)
    for key, tensor in read_checkpoint(tmp_path / CHECKPOINT)["networks"]["generator"].items():
        assert tensor.isfinite().all(), key


@each_network
def test_a_run_in_two_sessions_equals_one_and_its_export_fills(
    name: str, shared: Path, photos: Path, tmp_path: Path
) -> None:
    train(name, photos, tmp_path / "one", size=32)
    train(name, photos, tmp_path / "two", size=32, minutes=0.0)
    assert read_checkpoint(tmp_path / "two" / CHECKPOINT)["step"] == 1
    options = {"export": True, "val_small": (photos,), "grid_every": 6}
    train(name, photos, tmp_path / "two", size=32, resume=True, **options)
    one, two = (read_checkpoint(tmp_path / run / CHECKPOINT) for run in ("one", "two"))
    for key, tensor in one["networks"]["generator"].items():
        assert torch.equal(tensor, two["networks"]["generator"][key]), key
    assert (tmp_path / "two" / "grids" / "0000005.png").exists()

    record = weights.records(tmp_path / "two" / "export")[name]
    figures = record.metrics["whole_32"]
    assert 0 < figures["bits_per_dimension"] < 8
    assert figures["photos"] == 9, "six photos, three of them long: two squares each"
    assert {"l1", "lpips_of_ns"} <= set(record.metrics["quarter_32"])
    (validation,) = (tmp_path / "two" / "validation.jsonl").read_text().splitlines()
    assert {"step", "whole_32", "quarter_32"} <= set(json.loads(validation)), "one line a validation"

    arguments, state = weights.load(name, tmp_path / "two" / "export")
    network = NETWORKS[name][0](**arguments).eval()
    network.load_state_dict(state)
    with torch.no_grad():
        assert network.bits_per_dimension(torch.rand(1, 3, 32, 32)).isfinite()


def test_a_network_from_init_keeps_its_linear_prediction(photos: Path, tmp_path: Path) -> None:
    train("pixel_cnn", photos, tmp_path / "first", steps=2, export=True, stored="float32")
    exported = tmp_path / "first" / "export" / "pixel_cnn.safetensors"
    train("pixel_cnn", photos, tmp_path / "next", steps=1, lr=0.0, init=exported)
    state = weights.read_state_dict(exported)
    for key, tensor in read_checkpoint(tmp_path / "next" / CHECKPOINT)["networks"]["generator"].items():
        assert torch.equal(tensor, state[key]), key


def test_the_linear_prediction_has_a_tenth_of_the_learning_rate() -> None:
    network = PixelCNN(6, 1, "logistic_mixture")
    groups = pixel_optimizer(network, 1e-2, (0.9, 0.99)).param_groups
    assert [group["lr"] for group in groups] == pytest.approx([1e-2, 1e-3])
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    assert len(pixel_optimizer(PixelCNN(6, 1, "softmax"), 1e-2, (0.9, 0.99)).param_groups) == 1


def test_the_figures_are_bits(photos: Path, tmp_path: Path) -> None:
    network = PixelCNN(6, 1, "softmax").eval()
    for parameter in network.last.parameters():
        parameter.data.zero_()
    held_out = spread_evenly(PhotoBank.load([photos]).reduced(SIZE))
    run = Run(RunConfig(out=tmp_path, precision="no"))
    assert bits_per_dimension(network, held_out, run) == pytest.approx(math.log2(256)), "all values equally likely"


def test_photos_are_averaged_down_whole_and_long_ones_at_both_ends(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    square = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    wide = np.zeros((64, 96, 3), np.uint8)
    wide[:, :32], wide[:, 64:] = 200, 100
    Image.fromarray(square).save(tmp_path / "a.png")
    Image.fromarray(wide).save(tmp_path / "b.png")
    bank = PhotoBank.load([tmp_path]).reduced(16)
    small = spread_evenly(bank, 3) * 255
    assert small.shape == (3, 3, 16, 16)
    mean = torch.from_numpy(square).view(16, 4, 16, 4, 3).float().mean((1, 3)).permute(2, 0, 1)
    torch.testing.assert_close(small[0], mean, atol=0.51, rtol=0)
    assert small[1, 0, 5].tolist() == [200] * 8 + [0] * 8
    assert small[2, 0, 5].tolist() == [0] * 8 + [100] * 8


def test_a_quarter_of_each_side_is_hidden() -> None:
    mask = centre_quarter(2, 32)
    assert mask.sum() == 2 * 64
    assert mask[:, :, 12:20, 12:20].all()
