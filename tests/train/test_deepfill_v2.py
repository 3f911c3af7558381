"""Training DeepFill v2: it learns, its critics join, it survives being killed, and what it exports loads again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.networks.deepfill_v2 import DeepFillV2
from tests.train.runs import scalars
from train.core.checkpoint import CHECKPOINT
from train.core.run import Run
from train.deepfill_v2 import Config, main

ROOT = Path(__file__).resolve().parents[2]
TINY: dict[str, Any] = {
    "size": 64,
    "batch": 2,
    "width": 4,
    "perceptual": 0.0,
    "critics": ("patch",),
    "precision": "no",
    "log_every": 1,
    "critic_photos": 4,
    "critic_check": 2,
    "critic_auc": 0.0,
    "critic_warmup": 2,
}
TINY_WORDS = [word for name, value in TINY.items() for word in (f"--{name.replace('_', '-')}", str(value))]
TINY_WORDS[TINY_WORDS.index("--critics") + 1] = "patch"


def train(photos: Path, out: Path, **options: Any) -> Run:
    return main(Config(**{**TINY, "data": (photos,), "out": out, **options}))


def test_both_stages_learn_and_the_critics_join_where_the_config_says(one_photo: Path, tmp_path: Path) -> None:
    options = {"width": 8, "lr": 1e-2, "warmup": 1, "cosine": False, "masks": (("centre", 1.0),)}
    train(one_photo, tmp_path / "run", steps=20, critic_start=0.5, **options)
    logged = scalars(tmp_path / "run")
    refined, coarse = (list(logged[name].values()) for name in ("l1", "coarse"))
    assert sum(refined[-3:]) < 0.8 * sum(refined[:3])
    assert sum(coarse[-3:]) < 0.8 * sum(coarse[:3])
    assert min(logged["critic_patch"]) == 11, "steps are counted from 1 in the log"
    assert min(logged["adversarial"]) == 13, "the critics train alone first"
    assert {"gradients/l1", "gradients/adversarial", "auc"} <= set(logged)


def test_the_adversarial_gradient_has_the_share_asked_for(photos: Path, tmp_path: Path) -> None:
    options = {"critic_start": 0.0, "adversarial_share": 0.3, "adversarial_cap": 1e9, "sketches": 0.0}
    train(photos, tmp_path / "run", steps=6, **options)
    logged = scalars(tmp_path / "run")
    assert logged["gradients/adversarial"]
    for step, norm in logged["gradients/adversarial"].items():
        assert norm == pytest.approx(0.3 * logged["gradients/l1"][step], rel=1e-3)


def test_critics_that_cannot_tell_fills_from_photos_do_not_count(photos: Path, tmp_path: Path) -> None:
    train(photos, tmp_path / "run", steps=8, critic_start=0.0, critic_auc=1.1)
    logged = scalars(tmp_path / "run")
    assert len(logged["critic_patch"]) == 8
    assert "adversarial" not in logged


@pytest.mark.parametrize("critic", ["sn_patchgan", "projected"])
def test_every_critic_trains_beside_the_perceptual_term(
    critic: str, shared: Path, photos: Path, tmp_path: Path
) -> None:
    options = {"perceptual": 0.2, "perceptual_start": -1.0, "perceptual_full": 0.0, "critic_start": 0.0}
    train(photos, tmp_path / "run", steps=4, critics=(critic,), **options)
    logged = scalars(tmp_path / "run")
    assert logged["perceptual"][1] > 0
    assert logged[f"critic_{critic}"][4] > 0
    assert logged["adversarial"]


KILLED_IN_A_STEP = """
import os, signal, sys
from train import deepfill_v2
from train.core.cli import run_cli
from train.core.run import Run

log = Run.log
def log_or_die(run, **scalars):
    if run.step == 8:
        os.kill(os.getpid(), signal.SIGKILL)
    log(run, **scalars)
Run.log = log_or_die
run_cli(deepfill_v2.main, deepfill_v2.Config)
"""


def test_a_killed_run_resumes_to_the_same_weights_critics_included(photos: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"steps": 14, "checkpoint_minutes": 0.0, "critic_start": 0.2}
    train(photos, tmp_path / "whole", **options)

    killed = tmp_path / "killed"
    words = [*TINY_WORDS, "--steps", "14", "--checkpoint-minutes", "0", "--critic-start", "0.2"]
    command = [sys.executable, "-c", KILLED_IN_A_STEP, "--data", str(photos), "--out", str(killed), *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    assert torch.load(killed / CHECKPOINT, weights_only=True)["step"] == 8

    train(photos, killed, resume=True, **options)
    expected, resumed = (torch.load(tmp_path / name / CHECKPOINT, weights_only=True) for name in ("whole", "killed"))
    assert resumed["step"] == expected["step"] == 14
    assert resumed["state"] == expected["state"]
    for part in ("generator", "critic_patch"):
        for name, tensor in expected["networks"][part].items():
            assert torch.equal(tensor, resumed["networks"][part][name]), f"{part}.{name}"
    for name, tensor in expected["averages"]["generator"].items():
        assert torch.equal(tensor, resumed["averages"]["generator"][name]), f"average of {name}"


def test_an_export_and_its_critics_start_another_run(photos: Path, tmp_path: Path) -> None:
    train(photos, tmp_path, steps=10_000, minutes=0.0, critic_start=0.0, export=True)
    arguments, state = weights.load("deepfill_v2", tmp_path / "export")
    network = DeepFillV2(**arguments)
    network.load_state_dict(state)
    record = weights.records(tmp_path / "export")["deepfill_v2"]
    assert (record.steps, record.images_seen, record.extra["complete"]) == (1, 2, False)

    exported = tmp_path / "export" / "deepfill_v2.safetensors"
    run = train(photos, tmp_path / "next", steps=1, init=exported)
    assert run.initialised == {"generator", "critic_patch"}
    for name, tensor in run.networks["generator"].state_dict().items():
        assert torch.equal(tensor, state[name]), "the critics train alone first, the generator waits"


def test_validation_writes_figures_and_a_picture(shared: Path, photos: Path, tmp_path: Path) -> None:
    train(photos, tmp_path, val_small=(photos,), steps=1, eval_every=1, grid_every=1)
    figures = json.loads((tmp_path / "validation.jsonl").read_text())
    assert figures["centre_64"]["l1_of_ns"] > 0
    assert figures["free_form_64"]["lpips_of_ns"] > 0
    assert figures["centre_64_sketch"]["l1_of_ns"] > 0
    (picture,) = (tmp_path / "grids").iterdir()
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize("stage", ["coarse", "fine"])
def test_a_stage_learns_alone_and_the_other_stays_as_it_was(stage: str, photos: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = DeepFillV2(in_channels=6, width=4, noise=True).state_dict()
    run = train(photos, tmp_path, steps=3, stages=stage, lr=1e-2, critics=())
    after = run.networks["generator"].state_dict()
    changed = {name.split(".")[0] for name, value in after.items() if (value != before[name]).any()}
    assert changed == {"coarse" if stage == "coarse" else "refinement"}


def test_the_term_for_the_sketchs_lines_joins_the_loss(photos: Path, tmp_path: Path) -> None:
    train(photos, tmp_path, steps=2, follow=0.2, sketches=1.0, batch=4, critics=())
    assert max(scalars(tmp_path)["lines"].values()) > 0


def test_unknown_masks_are_refused_before_anything_is_written(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(InpaintError, match="round"):
        train(photos, tmp_path / "run", masks=(("round", 1.0),))
    assert not (tmp_path / "run").exists()


def test_two_processes_train_as_one_with_the_same_batch_and_resume(photos: Path, tmp_path: Path) -> None:
    """The gradients of two halves, averaged, are those of the whole: the loss is a mean over photos."""

    def session(out: str, *more: str) -> str:
        words = ["--data", str(photos), "--out", str(tmp_path / out), *TINY_WORDS, *more]
        return json.dumps([*words, "--critic-start", "0.3", "--no-cosine"])

    sessions = session("whole", "--steps", "4"), session("parts", "--steps", "2")
    command = [sys.executable, "-m", "tests.train.two_processes", "train.deepfill_v2", *sessions]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    resumed = session("parts", "--steps", "4", "--resume")
    done = subprocess.run([*command, resumed], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    states = [torch.load(tmp_path / name / CHECKPOINT, weights_only=True) for name in ("whole", "parts")]
    assert states[0]["step"] == states[1]["step"] == 4
    assert states[0]["state"]["critics_since"] == 2
