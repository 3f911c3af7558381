"""Muon: updates without a favourite direction, and a lower loss than Adam's after as many steps."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from train.core.optim import SIZE, Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (16, 48)])
def test_an_orthogonal_update_stretches_every_direction_about_equally(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0)) @ torch.diag(
        torch.logspace(0, -1.5, shape[1])
    )
    before, after = torch.linalg.svdvals(matrix), torch.linalg.svdvals(orthogonal(matrix))
    assert before.max() > 3 * before.min()
    assert after.min() > 0.6
    assert after.max() < 1.3
    assert (orthogonal(matrix) * matrix).sum() > 0, "it goes the gradient's way"


def test_a_zero_gradient_moves_nothing_and_is_no_nan() -> None:
    kernel = nn.Parameter(torch.ones(4, 3, 3, 3))
    kernel.grad = torch.zeros_like(kernel)
    Muon([kernel], 0.1).step()
    assert torch.equal(kernel.detach(), torch.ones(4, 3, 3, 3))


def test_the_size_of_an_update_follows_the_rate_and_not_the_gradient() -> None:
    gradient = torch.randn(16, 8, 3, 3, generator=torch.Generator().manual_seed(1))
    for scale in (1e-6, 1e3):
        kernel = nn.Parameter(torch.zeros(16, 8, 3, 3))
        kernel.grad = gradient * scale
        Muon([kernel], 0.01).step()
        size = kernel.detach().square().mean().sqrt()
        assert 0.7 * SIZE * 0.01 < size < 1.3 * SIZE * 0.01


def test_kernels_in_channels_last_get_the_same_update() -> None:
    draw = torch.Generator().manual_seed(2)
    start, gradient = (torch.randn(6, 4, 3, 3, generator=draw) for _ in range(2))
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        kernel = nn.Parameter(start.clone().to(memory_format=layout))
        kernel.grad = gradient.clone().to(memory_format=layout)
        Muon([kernel], 0.1).step()
        results.append(kernel.detach())
    torch.testing.assert_close(*results)


def test_biases_move_as_adam_moves_them() -> None:
    start = torch.linspace(-1, 1, 5)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    muon, adam = Muon([ours], 0.01, betas=(0.9, 0.99)), torch.optim.Adam([theirs], 0.01, (0.9, 0.99))
    for number in range(4):
        ours.grad = theirs.grad = torch.sin(start * (number + 1))
        muon.step()
        adam.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_an_ill_conditioned_regression_is_learned_faster_than_with_adam() -> None:
    draw = torch.Generator().manual_seed(3)
    inputs = torch.randn(256, 24, generator=draw) * torch.logspace(0, -1.5, 24)
    wanted = inputs @ torch.randn(24, 12, generator=draw)
    losses = {}
    for name in ("muon", "adam"):
        torch.manual_seed(0)
        layer = nn.Linear(24, 12)
        optimizer = Muon(layer.parameters(), 0.05) if name == "muon" else torch.optim.Adam(layer.parameters(), 0.01)
        for _ in range(100):
            loss = (layer(inputs) - wanted).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses[name] = float(loss.detach())
    assert losses["muon"] < 0.7 * losses["adam"], losses


def test_a_resumed_run_goes_on_with_the_same_updates() -> None:
    draw = torch.Generator().manual_seed(4)
    gradients = [[torch.randn(6, 4, 3, 3, generator=draw), torch.randn(6, generator=draw)] for _ in range(4)]

    def go_on(parameters: list[nn.Parameter], optimizer: Muon, steps: list[list[torch.Tensor]]) -> None:
        for step in steps:
            for parameter, gradient in zip(parameters, step, strict=True):
                parameter.grad = gradient.clone()
            optimizer.step()

    whole = [nn.Parameter(torch.zeros(6, 4, 3, 3)), nn.Parameter(torch.zeros(6))]
    optimizer = Muon(whole, 0.1)
    go_on(whole, optimizer, gradients[:2])
    parts, state = [nn.Parameter(p.detach().clone()) for p in whole], copy.deepcopy(optimizer.state_dict())
    go_on(whole, optimizer, gradients[2:])
    resumed = Muon(parts, 0.1)
    resumed.load_state_dict(state)
    go_on(parts, resumed, gradients[2:])
    assert all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))
