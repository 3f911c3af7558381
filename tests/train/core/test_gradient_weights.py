"""Losses weighed by gradients: the sum's gradient is the weighted sum, and the ratio asked for is kept."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from train.core.gradient_weights import adaptive_weight, combined, gradients_at, last_layer_norms


def problem() -> tuple[nn.Linear, torch.Tensor, dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    output = layer(torch.rand(5, 3))
    return layer, output, {"l1": output.abs().mean(), "adversarial": -1e-3 * output.square().sum()}


def test_one_backward_pass_has_the_gradient_of_the_weighted_sum() -> None:
    layer, output, terms = problem()
    gradients = gradients_at(output, terms)
    combined(output, gradients, {"l1": 1.0, "adversarial": 7.0}).backward()
    found = layer.weight.grad
    assert found is not None
    layer, output, terms = problem()
    (terms["l1"] + 7 * terms["adversarial"]).backward()
    torch.testing.assert_close(found, layer.weight.grad)


def test_the_adaptive_weight_keeps_the_ratio_of_the_norms_up_to_its_cap() -> None:
    layer, output, terms = problem()
    norms = last_layer_norms(output, layer.weight, gradients_at(output, terms))
    weight = adaptive_weight(norms, "adversarial", "l1", 0.4, cap=1e6)
    assert float(weight * norms["adversarial"]) == pytest.approx(0.4 * float(norms["l1"]))
    assert adaptive_weight(norms, "adversarial", "l1", 0.4, cap=0.01) == pytest.approx(0.01)


def test_norms_are_those_of_the_kernels_gradient() -> None:
    layer, output, terms = problem()
    norms = last_layer_norms(output, layer.weight, gradients_at(output, terms))
    (expected,) = torch.autograd.grad(terms["l1"], layer.weight)
    torch.testing.assert_close(norms["l1"], expected.norm())
