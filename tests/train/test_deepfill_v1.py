"""Training DeepFill v1: its critics' share of the steps, and the variant that sees a mosaic."""

from __future__ import annotations

from pathlib import Path

from inpaint_core import weights
from tests.train.runs import checkpoint, scalars, train
from train import deepfill_v1

TINY = {"width": 4, "critic_width": 4}


def test_the_critics_train_more_often_than_the_generator(photos: Path, tmp_path: Path) -> None:
    train(deepfill_v1, photos, tmp_path / "run", steps=24, critic_lr=1e-3, critic_steps=5, **TINY)
    logged = scalars(tmp_path / "run")
    assert list(logged["refined"]) == list(logged["adversarial"]) == [6, 12, 18, 24]
    for name in ("critic_global", "critic_local"):
        distance, penalty = (list(logged[f"{name}/{value}"].values()) for value in ("distance", "penalty"))
        assert len(distance) == len(penalty) == 20
        assert distance[-1] > distance[0], "they learn to score photos above fills"
    assert penalty[-1] < penalty[0]


def test_critics_without_a_weight_do_not_exist(photos: Path, tmp_path: Path) -> None:
    train(deepfill_v1, photos, tmp_path / "run", steps=3, adversarial=0.0, **TINY)
    logged = scalars(tmp_path / "run")
    assert list(logged["refined"]) == [1, 2, 3]
    assert "adversarial" not in logged
    assert set(checkpoint(tmp_path / "run")["networks"]) == {"generator"}


def test_steps_whose_gradients_are_summed_belong_to_the_same_networks(photos: Path, tmp_path: Path) -> None:
    train(deepfill_v1, photos, tmp_path / "run", steps=8, accumulate=2, critic_steps=1, **TINY)
    logged = scalars(tmp_path / "run")
    assert list(logged["critic_global/distance"]) == [1, 2, 5, 6]
    assert list(logged["refined"]) == [3, 4, 7, 8]


def test_the_mosaic_variant_keeps_what_the_hole_shows(photos: Path, tmp_path: Path) -> None:
    train(deepfill_v1, photos, tmp_path / "run", steps=1, mosaic=True, adversarial=0.0, export=True, **TINY)
    arguments, _ = weights.load("deepfill_v1_mosaic", tmp_path / "run" / "export")
    assert arguments == {"width": 4, "keep_hole": True}
