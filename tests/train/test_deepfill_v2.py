"""Training DeepFill v2: it learns, it survives being killed, and what it exports loads again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.networks.deepfill_v2 import DeepFillV2
from train.core.data import PhotoBank, Photos, PhotoSampler
from train.core.engine import CHECKPOINT, Engine
from train.core.session import Session, run, start_from
from train.deepfill_v2 import DeepFillV2Training, Recipe

ROOT = Path(__file__).resolve().parents[2]
TINY: dict[str, Any] = {"size": 64, "batch": 2, "width": 4, "critic_width": 4, "perceptual": 0.0}


def train(*, critic_from: float = 0.6, **session: Any) -> Engine:
    """A whole session of a tiny network, in this process."""
    return run(DeepFillV2Training(Recipe(critic_from=critic_from, **TINY)), Session(precision="no", **session))


def engine_of(trainer: DeepFillV2Training, out: Path, steps: int, **options: Any) -> Engine:
    return Engine(out, trainer.networks, trainer.optimizers(), steps=steps, **{"precision": "no", **options})


def test_the_loss_falls_on_an_overfit_batch_and_the_critic_learns(photos: Path, tmp_path: Path) -> None:
    recipe = Recipe(size=64, batch=2, width=8, critic_width=8, rate=3e-3, perceptual=0, critic_from=0.5, critic_alone=2)
    trainer = DeepFillV2Training(recipe)
    engine = engine_of(trainer, tmp_path, 20, warmup=1, cosine=False)
    batch = PhotoSampler([PhotoBank.load([photos])], [1.0], 64, 2, jitter=0)(0)
    logs: list[dict[str, torch.Tensor]] = []

    def step(number: int) -> dict[str, torch.Tensor]:
        logs.append(trainer.step(engine, batch, torch.Generator().manual_seed(0)))
        return logs[-1]

    assert engine.fit(step)
    assert len(logs) == 20
    assert logs[-1]["refined"] < 0.7 * logs[0]["refined"]
    assert logs[-1]["coarse"] < 0.9 * logs[0]["coarse"]
    assert "critic" not in logs[9]
    assert "opinion" not in logs[11], "the critic trains alone first"
    assert "opinion" in logs[12]
    assert logs[-1]["critic"] < logs[10]["critic"]


def test_bf16_and_the_perceptual_term_train_too(shared: Path, photos: Path, tmp_path: Path) -> None:
    recipe = Recipe(size=64, batch=2, width=4, critic_width=4, perceptual_from=-1, perceptual_full=0, critic_from=0)
    trainer = DeepFillV2Training(recipe)
    engine = engine_of(trainer, tmp_path, 2, precision="bf16")
    sampler = PhotoSampler([PhotoBank.load([photos])], [1.0], 64, 2)
    seen: dict[str, torch.Tensor] = {}

    def step(number: int) -> dict[str, torch.Tensor]:
        seen.update(trainer.step(engine, sampler(number), sampler.generator(number)))
        return seen

    assert engine.fit(step)
    assert seen["perceptual"] > 0


def test_a_killed_run_resumes_to_the_same_weights(photos: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"data": [photos], "steps": 30, "checkpoint_minutes": 0.0, "critic_from": 0.3}
    train(out=tmp_path / "whole", **options)

    words = ["--precision", "no", "--perceptual", "0", "--critic-from", "0.3", "--checkpoint-minutes", "0"]
    words += ["--size", "64", "--batch", "2", "--width", "4", "--critic-width", "4", "--steps", "30"]
    killed = tmp_path / "killed"
    command = [sys.executable, "-m", "train.deepfill_v2", "--data", str(photos), "--out", str(killed), *words]
    run = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not (killed / CHECKPOINT).exists() and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert run.returncode == -signal.SIGKILL, "the run must have been killed in its middle"
    begun = torch.load(killed / CHECKPOINT, weights_only=True)["step"]
    assert 0 < begun < 30

    train(out=killed, resume=True, **options)
    expected, resumed = (torch.load(tmp_path / name / CHECKPOINT, weights_only=True) for name in ("whole", "killed"))
    assert resumed["step"] == expected["step"] == 30
    for part in ("generator", "critic"):
        for name, tensor in expected["modules"][part].items():
            assert torch.equal(tensor, resumed["modules"][part][name]), f"{part}.{name}"
    for name, tensor in expected["average"].items():
        assert torch.equal(tensor, resumed["average"][name]), f"average of {name}"


def test_a_session_ends_in_time_and_the_export_loads(photos: Path, tmp_path: Path) -> None:
    train(data=[photos], out=tmp_path, steps=10_000, minutes=0.0, export=True)
    arguments, state = weights.load("deepfill_v2", tmp_path / "export")
    network = DeepFillV2(**arguments)
    network.load_state_dict(state)
    record = json.loads((tmp_path / "export" / "manifest.json").read_text())["checkpoints"][0]
    assert record["steps"] == 1
    assert record["images_seen"] == 2
    assert record["extra"]["complete"] is False

    exported = tmp_path / "export" / "deepfill_v2.safetensors"
    train(data=[photos], out=tmp_path / "next", steps=1, init=exported)
    state_of_next = torch.load(tmp_path / "next" / CHECKPOINT, weights_only=True)
    for name, tensor in state.items():  # the critic trained alone: the generator is still the exported one
        assert torch.equal(tensor, state_of_next["modules"]["generator"][name])


def test_a_run_may_start_from_all_networks_of_another(photos: Path, tmp_path: Path) -> None:
    train(data=[photos], out=tmp_path, steps=3)
    stored = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    training = DeepFillV2Training(Recipe(seed=7, **TINY))
    start_from(training, tmp_path / CHECKPOINT)
    assert training.started
    for name, tensor in training.generator.state_dict().items():
        assert torch.equal(tensor, stored["average"][name])
    for name, tensor in training.critic.state_dict().items():
        assert torch.equal(tensor, stored["modules"]["critic"][name])


def test_validation_writes_figures_and_a_picture(shared: Path, photos: Path, tmp_path: Path) -> None:
    train(data=[photos], out=tmp_path, val_small=[photos], steps=1, eval_every=1, grid_every=1)
    figures = json.loads((tmp_path / "validation.jsonl").read_text())
    assert figures["centre_64"]["l1_of_ns"] > 0
    assert figures["free_form_64"]["lpips_of_ns"] > 0
    assert (tmp_path / "grids" / "0000001.png").stat().st_size > 1000


def gradients(rank: int, port: int, photos: Photos, mask: torch.Tensor, folder: str) -> None:
    """One of two processes: half of the batch, gradients averaged by DDP; the first one writes them down."""
    settings = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in settings.items()})
    torch.set_num_threads(1)
    trainer = DeepFillV2Training(Recipe(size=64, width=4, critic_width=4, perceptual=0))
    engine = engine_of(trainer, Path(folder) / "run", 1)
    assert engine.accelerator.num_processes == 2
    losses(trainer, engine, photos.image[rank::2], mask[rank::2])
    if rank == 0:
        torch.save({name: p.grad for name, p in trainer.generator.named_parameters()}, f"{folder}/two.pt")
    torch.distributed.destroy_process_group()


def losses(trainer: DeepFillV2Training, engine: Engine, image: torch.Tensor, mask: torch.Tensor) -> None:
    from train.core.losses import border_weight, hole_and_known_l1

    _, refined = engine.wrapped["generator"](image, mask)
    engine.accelerator.backward(hole_and_known_l1(refined, image, mask, border_weight(mask)))


def test_two_processes_give_the_gradients_of_one_with_twice_the_batch(photos: Path, tmp_path: Path) -> None:
    trainer = DeepFillV2Training(Recipe(size=64, width=4, critic_width=4, perceptual=0))
    engine = engine_of(trainer, tmp_path / "one", 1)
    batch = PhotoSampler([PhotoBank.load([photos])], [1.0], 64, 4)(0)
    mask = trainer.masks(4, torch.Generator().manual_seed(0), torch.device("cpu"))
    losses(trainer, engine, batch.image, mask)
    port = 20_000 + os.getpid() % 20_000
    torch.multiprocessing.spawn(gradients, (port, batch, mask, str(tmp_path)), nprocs=2)
    two = torch.load(tmp_path / "two.pt", weights_only=True)
    for name, parameter in trainer.generator.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(two[name], parameter.grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("world", [1, 2])
def test_processes_share_a_batch_without_overlap(photos: Path, world: int) -> None:
    bank = PhotoBank.load([photos])
    whole = PhotoSampler([bank], [1.0], 64, 4)(3).image
    parts = [PhotoSampler([bank], [1.0], 64, 4, rank=rank, world=world)(3).image for rank in range(world)]
    assert torch.equal(torch.stack(parts, 1).flatten(0, 1), whole)


@pytest.mark.parametrize("stage", ["coarse", "fine"])
def test_a_stage_learns_alone_and_the_other_stays_as_it_was(stage: str, photos: Path, tmp_path: Path) -> None:
    recipe = Recipe(size=64, width=8, critic_width=4, stages=stage, optimizer="muon", rate=1e-2, perceptual=0)
    trainer = DeepFillV2Training(recipe)
    before = {name: value.clone() for name, value in trainer.generator.state_dict().items()}
    engine = engine_of(trainer, tmp_path, 12, warmup=1, cosine=False)
    batch = PhotoSampler([PhotoBank.load([photos])], [1.0], 64, 2, jitter=0)(0)
    logs: list[float] = []

    def step(number: int) -> dict[str, torch.Tensor]:
        log = trainer.step(engine, batch, torch.Generator().manual_seed(0))
        logs.append(float(log["coarse" if stage == "coarse" else "refined"]))
        return log

    assert engine.fit(step)
    assert logs[-1] < 0.7 * logs[0]
    changed = {
        name.split(".")[0] for name, value in trainer.generator.state_dict().items() if (value != before[name]).any()
    }
    assert changed == {"coarse" if stage == "coarse" else "refinement"}


def test_stages_and_optimizers_that_are_none_are_refused() -> None:
    with pytest.raises(InpaintError, match="both, coarse or fine"):
        DeepFillV2Training(Recipe(stages="first", **TINY))
    with pytest.raises(InpaintError, match="adam or muon"):
        DeepFillV2Training(Recipe(optimizer="sgd", **TINY))


def test_the_wish_for_the_sketchs_lines_joins_the_loss(photos: Path, tmp_path: Path) -> None:
    trainer = DeepFillV2Training(Recipe(**{**TINY, "follow": 0.1, "sketches": 1.0}))
    engine = engine_of(trainer, tmp_path, 1)
    sampler = PhotoSampler([PhotoBank.load([photos])], [1.0], 64, 4, jitter=0)
    assert float(trainer.step(engine, sampler(0), torch.Generator().manual_seed(0))["lines"]) > 0
