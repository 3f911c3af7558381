"""Weights of losses by their gradients: each term's gradient at the output, its norm at the last layer, their sum.

The terms' gradients are taken at the generator's output, one backward pass through each loss. The sum then goes back
through the generator once, so that measuring every term costs nothing beyond the last layer.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def gradients_at(output: Tensor, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The gradient of each scalar term with respect to the output it was computed from."""
    return {name: torch.autograd.grad(term, output, retain_graph=True)[0] for name, term in terms.items()}


def last_layer_norms(output: Tensor, weight: Tensor, gradients: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The norm of each term's gradient with respect to the generator's last kernel, the measure of VQGAN.

    Args:
        output: of the generator.
        weight: the kernel of the layer it came from.
        gradients: with respect to `output`, by term.
    """
    return {
        name: torch.autograd.grad(output, weight, gradient, retain_graph=True)[0].norm()
        for name, gradient in gradients.items()
    }


def adaptive_weight(norms: Mapping[str, Tensor], term: str, reference: str, ratio: float, cap: float = 1.0) -> Tensor:
    """The weight with which `term` has `ratio` times the gradient norm of `reference`, at most `cap`.

    Esser, Rombach, Ommer: Taming transformers (VQGAN), CVPR 2021, equation 7.
    """
    return (ratio * norms[reference] / norms[term].clamp_min(1e-8)).clamp_max(cap).detach()


def combined(output: Tensor, gradients: Mapping[str, Tensor], weights: Mapping[str, Tensor | float]) -> Tensor:
    """A scalar whose gradient at `output` is the weighted sum of the terms' gradients; its value means nothing."""
    total = sum(weights[name] * gradient for name, gradient in gradients.items())
    assert isinstance(total, Tensor)
    return (output * total.detach()).sum()
