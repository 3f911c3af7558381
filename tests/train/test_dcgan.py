"""DCGAN's training: both objectives learn, a run can be interrupted, and its export is a prior that fills holes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from typer.testing import CliRunner

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.methods.latent_search import LatentSearch
from inpaint_core.networks.dcgan import DCGAN
from train import dcgan
from train.core.data import PhotoBank, Photos, PhotoSampler
from train.core.engine import CHECKPOINT, Engine

SMALL: dict[str, Any] = {"size": 64, "batch": 4, "width": 4, "critic_width": 4, "latent": 8}
OBJECTIVES: dict[str, dict[str, Any]] = {
    "entropy": {"rate": 2e-3, "critic_rate": 2e-3},
    "wgan": {"objective": "wgan", "wgan_rate": 1e-3, "critic_first": 6, "critic_steps": 3},
}
each_objective = pytest.mark.parametrize("objective", OBJECTIVES)


def make(objective: str, **options: Any) -> dcgan.DCGANTraining:
    return dcgan.DCGANTraining(dcgan.Recipe(**{**SMALL, **OBJECTIVES[objective], **options}))


def overfit(training: dcgan.DCGANTraining, out: Path, steps: int, photos: Photos) -> list[dict[str, torch.Tensor]]:
    """Train on one batch of photos and one of latents."""
    options: dict[str, Any] = {"precision": "no", "warmup": 1, "cosine": False}
    engine = Engine(out, training.networks, training.optimizers(), steps=steps, **options)
    logs: list[dict[str, torch.Tensor]] = []

    def step(number: int) -> dict[str, torch.Tensor]:
        logs.append(training.step(engine, photos, torch.Generator().manual_seed(0)))
        return logs[-1]

    assert engine.fit(step)
    return logs


@pytest.fixture
def batch(photos: Path) -> Photos:
    return PhotoSampler([PhotoBank.load([photos])], [1.0], 64, 4, jitter=0, whole=True)(0)


def test_the_discriminator_tells_photos_from_samples_within_twenty_steps(batch: Photos, tmp_path: Path) -> None:
    logs = overfit(make("entropy"), tmp_path, 20, batch)
    first, last = (float(logs[i]["critic"]) for i in (0, -1))
    assert last < 0.7 * first
    assert last > 0.325 / 2, "smoothed: with 0.9 real, its loss cannot fall below half of the entropy of 0.9"


def test_the_generator_learns_from_the_discriminator(batch: Photos, tmp_path: Path) -> None:
    training = make("entropy", rate=5e-3, critic_rate=0.0)
    logs = overfit(training, tmp_path, 20, batch)
    assert float(logs[-1]["opinion"]) < 0.7 * float(logs[0]["opinion"]), "against one that stands still it wins"


def test_a_wasserstein_critic_works_first_and_more_often_and_stays_clipped(batch: Photos, tmp_path: Path) -> None:
    training = make("wgan")
    before = [tensor.clone() for tensor in training.networks["generator"].parameters()]
    logs = overfit(training, tmp_path, 20, batch)
    turns = [number for number, log in enumerate(logs) if "opinion" in log]
    assert turns == [9, 13, 17]
    assert float(logs[8]["distance"]) > float(logs[0]["distance"]), "its estimate of the distance rises"
    assert all(parameter.abs().max() <= 0.01 for parameter in training.critic.parameters())
    after = list(training.networks["generator"].parameters())
    assert any((a != b).any() for a, b in zip(before, after, strict=True))


@each_objective
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_run_in_two_sessions_equals_one_and_its_export_fills(objective: str, photos: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"data": [photos], "steps": 10, "precision": "no", **SMALL, **OBJECTIVES[objective]}
    dcgan.main(out=tmp_path / "one", **options)
    dcgan.main(out=tmp_path / "two", minutes=0.0, **options)
    assert torch.load(tmp_path / "two" / CHECKPOINT, weights_only=True)["step"] == 1
    dcgan.main(out=tmp_path / "two", resume=True, export=True, stored="float32", **options)
    one, two = (torch.load(tmp_path / run / CHECKPOINT, weights_only=True) for run in ("one", "two"))
    for network, state in one["modules"].items():
        for key, tensor in state.items():
            assert torch.equal(tensor, two["modules"][network][key]), f"{network}.{key}"

    arguments, state = weights.load("latent_search", tmp_path / "two" / "export")
    assert arguments["objective"] == objective
    prior = DCGAN(**arguments)
    prior.load_state_dict(state)
    for key, tensor in two["modules"]["critic"].items():
        assert torch.equal(prior.state_dict()[key.replace("critic.", "discriminator.", 1)], tensor)
    for key, tensor in two["average"].items():
        if "running" not in key and "num_batches" not in key:
            assert torch.equal(prior.generator.state_dict()[key], tensor)
    image, mask = torch.rand(2, 3, 64, 64), torch.zeros(2, 1, 64, 64)
    mask[..., 20:44, 20:44] = 1
    filled = LatentSearch(tmp_path / "two" / "export", steps=4, restarts=2).fill(image, mask).image
    assert filled.isfinite().all()
    record = json.loads((tmp_path / "two" / "export" / "manifest.json").read_text())["checkpoints"][0]
    assert (record["method"], record["steps"]) == ("latent_search", 10)


def test_scenes_are_exported_beside_the_faces_and_int8_says_what_it_costs(
    shared: Path, photos: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"data": [photos], "steps": 2, "precision": "no", "export": True, **SMALL}
    for prior in ("faces", "scenes"):
        out = tmp_path / prior
        dcgan.main(
            out=out,
            prior=prior,
            export_to=tmp_path / "export",
            val_small=[photos],
            stored="int8",
            grid_every=1,
            **options,
        )
    records = weights.records(tmp_path / "export")
    assert set(records) == {"latent_search", "latent_search_scenes"}
    record = records["latent_search_scenes"]
    assert record.dtype == "int8"
    assert "frechet_change" in record.extra
    assert record.metrics["samples_64"]["frechet"] > 0
    assert (tmp_path / "scenes" / "grids" / "0000002.png").exists()
    assert set(LatentSearch(tmp_path / "export").priors()) == {"faces", "scenes"}


def test_whole_photos_are_shown_unless_mirrored_all_the_same(photos: Path) -> None:
    bank = PhotoBank.load([photos])
    sampler = PhotoSampler([bank], [1.0], 64, 40, jitter=0, whole=True)
    shown = {tuple(photo.flatten()[::97].tolist()) for photo in sampler(0).image}
    assert len(shown) <= 2 * len(bank)


def test_the_command_line_says_how_to_run_it_and_refuses_what_it_does_not_know() -> None:
    assert dcgan.__doc__ is not None
    assert "python -m train.dcgan --data" in dcgan.__doc__
    assert "Departs from" in dcgan.__doc__
    app = typer.Typer()
    app.command()(dcgan.main)
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert result.exit_code == 0
    for option in ("--resume", "--objective", "--critic-steps", "--prior", "--width"):
        assert option in result.output
    for wrong in ({"objective": "hinge"}, {"prior": "cats"}):
        with pytest.raises(InpaintError, match=next(iter(wrong.values()))):
            dcgan.DCGANTraining(dcgan.Recipe(**SMALL, **wrong))
