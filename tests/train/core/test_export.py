"""Exports: batch statistics are measured anew, commands name no folders of the machine."""

from __future__ import annotations

import torch
from torch import nn

from train.core.export import command_line, measure_batch_statistics


def test_batch_statistics_become_those_of_the_inputs_and_nothing_else_changes() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5)).eval()
    inputs = [torch.randn(4, 1, 6, 6) * 3 + 1 for _ in range(5)]
    kernels = network[0].weight.clone()
    measure_batch_statistics(network, [(x,) for x in inputs])
    features = torch.cat([network[0](x) for x in inputs]).transpose(0, 1).flatten(1)
    torch.testing.assert_close(network[1].running_mean, features.mean(1))
    torch.testing.assert_close(network[1].running_var, features.var(1), rtol=0.05, atol=0)
    assert torch.equal(network[0].weight, kernels)
    assert not network[1].training
    assert network[1].momentum == 0.1


def test_commands_name_no_folders_of_the_machine() -> None:
    command = command_line("train.glcic", ["--data", "/home/someone/photos.tar", "--out", "runs/glcic"])
    assert command == "python -m train.glcic --data photos.tar --out runs/glcic"
