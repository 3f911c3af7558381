"""DCGAN's training: both objectives learn, a run can be interrupted, and its export is a prior that fills holes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from inpaint_core import metrics, weights
from inpaint_core.methods.latent_search import LatentSearch
from inpaint_core.networks.dcgan import DCGAN
from tests.train.recording import record_logs
from train import dcgan
from train.core.checkpoint import CHECKPOINT, read_checkpoint
from train.core.data import CropOptions, PhotoLoader
from train.core.gan import entropy_critic
from train.core.photo_bank import PhotoBank

OBJECTIVES: dict[str, dict[str, Any]] = {
    "entropy": {"lr": 2e-3, "critic_lr": 2e-3},
    "wgan": {"objective": "wgan", "wgan_lr": 1e-3, "critic_first": 6, "critic_steps": 3},
}
each_objective = pytest.mark.parametrize("objective", OBJECTIVES)


def config(objective: str, photos: Path, out: Path, **options: Any) -> dcgan.Config:
    small = {"batch": 4, "width": 4, "critic_width": 4, "latent": 8, "steps": 10, "precision": "no", "warmup": 1}
    return dcgan.Config(data=(photos,), out=out, **{**small, **OBJECTIVES[objective], **options})


def test_the_discriminator_separates_photos_from_samples(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = record_logs(monkeypatch)
    dcgan.main(config("entropy", photos / "0.png", tmp_path / "run", steps=20, cosine=False))
    assert logs[-1]["critic"] < 0.7 * logs[0]["critic"]


def test_smoothing_bounds_the_discriminators_loss_from_below() -> None:
    sure = torch.full((4,), 20.0)
    assert entropy_critic(sure, -sure) < 1e-6
    best = torch.full((4,), 0.9).logit()
    assert entropy_critic(best, -sure, 0.9) == pytest.approx(0.325 / 2, abs=1e-3), "half of the entropy of 0.9"
    assert entropy_critic(sure, -sure, 0.9) > entropy_critic(best, -sure, 0.9)


def test_the_generator_learns_from_the_discriminator(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = record_logs(monkeypatch)
    dcgan.main(config("entropy", photos / "0.png", tmp_path / "run", steps=30, lr=5e-3, critic_lr=0.0, cosine=False))
    assert logs[-1]["adversarial"] < 0.8 * logs[0]["adversarial"], "it wins against one that does not learn"


def test_a_wasserstein_critic_trains_first_and_more_often_and_stays_clipped(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = record_logs(monkeypatch)
    dcgan.main(config("wgan", photos / "0.png", tmp_path / "run", steps=20, cosine=False))
    assert [step for step, log in enumerate(logs) if "adversarial" in log] == [9, 13, 17]
    assert logs[8]["distance"] > logs[0]["distance"], "its estimate of the distance grows"
    critic = read_checkpoint(tmp_path / "run" / CHECKPOINT)["networks"]["critic"]
    assert all(tensor.abs().max() <= 0.01 for name, tensor in critic.items() if name.endswith("weight"))


@each_objective
def test_a_run_in_two_sessions_equals_one_and_its_export_fills(objective: str, photos: Path, tmp_path: Path) -> None:
    dcgan.main(config(objective, photos, tmp_path / "one"))
    dcgan.main(config(objective, photos, tmp_path / "two", minutes=0.0))
    assert read_checkpoint(tmp_path / "two" / CHECKPOINT)["step"] == 1
    dcgan.main(config(objective, photos, tmp_path / "two", resume=True, export=True, stored="float32"))
    one, two = (read_checkpoint(tmp_path / name / CHECKPOINT) for name in ("one", "two"))
    for network, state in one["networks"].items():
        for key, tensor in state.items():
            assert torch.equal(tensor, two["networks"][network][key]), f"{network}.{key}"

    arguments, state = weights.load("latent_search", tmp_path / "two" / "export")
    assert arguments["objective"] == objective
    prior = DCGAN(**arguments)
    prior.load_state_dict(state)
    for key, tensor in two["networks"]["critic"].items():
        assert torch.equal(prior.state_dict()[key.replace("critic.", "discriminator.", 1)], tensor)
    for key, tensor in two["averages"]["generator"].items():
        name = key.removeprefix("module.")
        if "running" not in key and "num_batches" not in key and key != "n_averaged":
            assert torch.equal(prior.generator.state_dict()[name], tensor)
        elif "running" in key:
            assert not torch.equal(prior.generator.state_dict()[name], tensor), "measured anew"
    image, mask = torch.rand(2, 3, 64, 64), torch.zeros(2, 1, 64, 64)
    mask[..., 20:44, 20:44] = 1
    filled = LatentSearch(tmp_path / "two" / "export", steps=4, restarts=2).fill(image, mask)
    assert getattr(filled, "image", filled).isfinite().all()
    record = weights.records(tmp_path / "two" / "export")["latent_search"]
    assert record.steps == 10

    exported = tmp_path / "two" / "export" / "latent_search.safetensors"
    still = {"lr": 0.0, "critic_lr": 0.0, "wgan_lr": 0.0, "steps": 1, "init": exported}
    dcgan.main(config(objective, photos, tmp_path / "next", **still))
    begun = read_checkpoint(tmp_path / "next" / CHECKPOINT)
    assert begun["initialised"] == ["critic", "generator"], "both are in the one file"
    for name, parameter in prior.generator.named_parameters():
        assert torch.equal(begun["networks"]["generator"][name], parameter), name


def test_scenes_are_exported_beside_the_faces_with_the_figures_of_the_stored_weights(
    shared: Path, photos: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"steps": 2, "export": True, "val_small": (photos,), "stored": "int8", "grid_every": 1}
    for prior in ("faces", "scenes"):
        out = tmp_path / prior
        dcgan.main(config("entropy", photos, out, prior=prior, export_to=tmp_path / "export", **options))
    records = weights.records(tmp_path / "export")
    assert set(records) == {"latent_search", "latent_search_scenes"}
    record = records["latent_search_scenes"]
    assert record.dtype == "int8"
    figures = [json.loads(line) for line in (tmp_path / "scenes" / "validation.jsonl").read_text().splitlines()]
    assert record.metrics["samples_64"] == figures[-1]["samples_64"]
    assert record.metrics["samples_64"]["frechet"] > 0
    assert Image.open(tmp_path / "scenes" / "grids" / "0000001.png").size[0] > 16 * 64
    assert set(LatentSearch(tmp_path / "export").priors()) == {"faces", "scenes"}


def test_the_frechet_distance_is_small_for_photos_and_large_for_noise(shared: Path) -> None:
    bank = PhotoBank.load([shared / "data" / "bsds500-val.tar"])
    loader = PhotoLoader([bank], [1.0], 64, 48, CropOptions(whole=True))
    photos, others = dcgan.features(loader(0).image), dcgan.features(loader(1).image)
    noise = dcgan.features(torch.rand(48, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    assert metrics.frechet_distance(noise, photos) > 3 * metrics.frechet_distance(others, photos) > 0


def test_whole_photos_are_shown_unless_mirrored_all_the_same(photos: Path) -> None:
    bank = PhotoBank.load([photos])
    loader = PhotoLoader([bank], [1.0], 64, 40, CropOptions(jitter=0, whole=True))
    shown = {tuple(photo.flatten()[::97].tolist()) for photo in loader(0).image}
    assert 1 < len(shown) <= 2 * len(bank)
