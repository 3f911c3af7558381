"""Critics that learn from few photos: when they join, when they count, how much."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from train.core.config import RunConfig
from train.core.critics import CriticConfig, PhotoCritics
from train.core.run import Run


def critics_at(step: int, out: Path, **options: object) -> PhotoCritics:
    """A patch critic in a run of a hundred steps of which so many are done."""
    run = Run(RunConfig(out=out, steps=100, precision="no"))
    run.step = step
    config = CriticConfig(out=out, data=(), critics=("patch",), **options)  # type: ignore[arg-type]
    return PhotoCritics(run, config, nn.Conv2d(3, 3, 3, padding=1).weight)


def batch() -> tuple[torch.Tensor, ...]:
    """Photos, grey fills of them, their masks."""
    truth = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(4, 1, 64, 64)
    mask[..., 16:48, 16:48] = 1
    return truth, torch.where(mask > 0, torch.full_like(truth, 0.5), truth), mask


def test_they_join_where_the_config_says_or_at_once_after_init(tmp_path: Path) -> None:
    critics = critics_at(29, tmp_path, critic_start=0.3)
    assert critics.phase(batch) == "off"
    critics.run.step = 30
    assert critics.phase(batch) == "warm-up"
    critics.run.step = 0
    critics.run.initialised.add("generator")
    assert critics.phase(batch) == "warm-up"


def test_the_generator_faces_them_once_they_are_trained_and_recognise_fills(tmp_path: Path) -> None:
    critics = critics_at(30, tmp_path, critic_warmup=10, critic_check=5, critic_auc=0.9)
    for step in range(30, 60):
        critics.run.step = step
        phase = critics.phase(batch)
        assert phase == "warm-up" or step >= 40
        critics.update(*batch())
    assert critics.auc(*batch()) >= 0.9, "noise and grey are easily separated"
    assert phase == "adversarial"


def test_critics_that_are_not_sure_go_on_training_without_effect(tmp_path: Path) -> None:
    critics = critics_at(50, tmp_path, critic_warmup=0, critic_auc=1.1)
    assert critics.phase(batch) == "warm-up"
    assert "auc" in critics.run.state


def test_the_weight_makes_the_adversarial_gradient_a_share_of_the_reconstructions(tmp_path: Path) -> None:
    critics = critics_at(50, tmp_path, adversarial_share=0.25, adversarial_cap=1e9)
    truth, _, mask = batch()
    output = functional.conv2d(truth, critics.last_kernel, padding=1)
    reconstruction = (output - truth).abs().mean()
    term = critics.term(torch.where(mask > 0, output, truth), mask, reconstruction, output)
    norms = [torch.autograd.grad(x, critics.last_kernel, retain_graph=True)[0].norm() for x in (term, reconstruction)]
    assert norms[0] == pytest.approx(float(0.25 * norms[1]), rel=1e-3)
    assert all(parameter.requires_grad for parameter in critics.networks["critic_patch"].parameters())


def test_without_critics_nothing_joins(tmp_path: Path) -> None:
    run = Run(RunConfig(out=tmp_path, steps=1, precision="no"))
    critics = PhotoCritics(run, CriticConfig(out=tmp_path, data=(), critic_start=0.0), torch.zeros(3, 3, 3, 3))
    assert critics.phase(batch) == "off"
    assert critics.networks == {}
