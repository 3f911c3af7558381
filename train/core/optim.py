"""Muon for convolutions: momentum whose every update has been made orthogonal (Jordan and others, 2024).

No paper that is rebuilt here used it. Beside Adam at the same number of photos it brings the L1 of a coarse stage down
about half as far again, and on a machine whose hours are few that is worth a departure. `torch.optim.Muon` takes
matrices only; kernels become matrices here with one row for each of their outputs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

QUINTIC = 3.4445, -4.7750, 2.0315  # coefficients with which five rounds bring every singular value near 1
ROUNDS = 5
SIZE = 0.2  # root mean square of an update at a learning rate of 1, about that of Adam's


class Muon(Optimizer):
    """Muon for kernels and matrices, Adam for vectors: biases have no directions to even out.

    Args:
        parameters: to be trained.
        lr: of both; an update has a root mean square of a fifth of it, as Adam's usually has.
        momentum: of the matrices.
        betas: of the vectors' Adam.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.99),
    ) -> None:
        every = list(parameters)
        groups = [
            {"params": [p for p in every if p.ndim >= 2], "matrices": True},
            {"params": [p for p in every if p.ndim < 2], "matrices": False},
        ]
        super().__init__([g for g in groups if g["params"]], {"lr": lr, "momentum": momentum, "betas": betas})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of all parameters that have a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if group["matrices"]:
                    self._muon(parameter, group)
                else:
                    self._adam(parameter, group)

    def _muon(self, parameter: nn.Parameter, group: dict[str, object]) -> None:
        state, gradient, momentum = self.state[parameter], parameter.grad, float(group["momentum"])  # type: ignore
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(gradient)
        state["momentum"].mul_(momentum).add_(gradient)
        update = gradient.add(state["momentum"], alpha=momentum).flatten(1)
        update = orthogonal(update) * (SIZE * max(update.shape) ** 0.5)
        parameter.sub_(float(group["lr"]) * update.view(parameter.shape).to(parameter.dtype))  # type: ignore

    def _adam(self, parameter: nn.Parameter, group: dict[str, object]) -> None:
        state, gradient = self.state[parameter], parameter.grad
        first, second = cast(tuple[float, float], group["betas"])
        assert gradient is not None
        if not state:
            state["step"] = torch.zeros((), dtype=torch.int64)
            state["mean"], state["square"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
        state["step"] += 1
        count = int(state["step"])
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].lerp_(gradient.square(), 1 - second)
        spread = (state["square"] / (1 - second**count)).sqrt_().add_(1e-8)
        parameter.sub_(float(group["lr"]) / (1 - first**count) * state["mean"] / spread)  # type: ignore


def orthogonal(matrix: Tensor) -> Tensor:
    """The nearest matrix with orthonormal rows (or columns), roughly.

    Singular values come out between 0.7 and 1.2, but for those that were hundreds of times smaller than the largest.

    Args:
        matrix: rows x columns.

    Returns:
        float32, the same shape; zeros for zeros. Under autocast its products are in that precision, which is enough.
    """
    x = matrix.float()
    if matrix.shape[0] > matrix.shape[1]:
        x = x.T
    x = x / x.norm().clamp_min(1e-12)
    linear, cubic, fifth = QUINTIC
    for _ in range(ROUNDS):
        square = (x @ x.T).float()
        x = linear * x + ((cubic * square + fifth * (square @ square)) @ x).float()
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def make_optimizer(network: nn.Module, kind: str, lr: float, betas: tuple[float, float] = (0.5, 0.99)) -> Optimizer:
    """Muon or Adam (with these `betas`) over the parameters of a network that are trained."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return Muon(trained, lr) if kind == "muon" else Adam(trained, lr, betas, fused=True)
