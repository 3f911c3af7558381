"""What the scripts of PixelCNN and PixelRNN share: small held-out photos, the optimizer, bits per dimension."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from inpaint_core.networks.pixel_network import PixelNetwork
from train.core.config import PhotoConfig
from train.core.photo_bank import PhotoBank
from train.core.run import Run
from train.core.sources import expand
from train.core.validation import Validation, ValidationSet

HELD_OUT = 400  # photos over which bits per dimension are measured ...
FILLED = 40  # ... and this many of them are filled
LINEAR_LR = 0.1  # share of the learning rate for the linear prediction, which starts at its optimum
LITERATURE = 3.0  # bits per dimension of PixelRNN on CIFAR-10, on other photos


def spread_evenly(bank: PhotoBank, count: int = HELD_OUT) -> Tensor:
    """At most `count` photos, spread evenly over a bank of equal squares: N x 3 x S x S in [0, 1]."""
    index = torch.linspace(0, len(bank) - 1, min(count, len(bank))).round().long()
    size = int(bank.height[0])
    side = torch.full((len(index),), float(size))
    corner, mirror = torch.zeros(len(index)), torch.zeros(len(index), dtype=torch.bool)
    return bank.crops(index, corner, corner, side, mirror, size).contiguous(memory_format=torch.channels_last)


def centre_quarter(count: int, size: int) -> Tensor:
    """Holes of a quarter of each side in the middle (8 x 8 of 32 x 32): count x 1 x size x size, 1 = hole."""
    mask = torch.zeros(count, 1, size, size)
    side = size // 4
    start = (size - side) // 2
    mask[:, :, start : start + side, start : start + side] = 1
    return mask


def pixel_optimizer(network: PixelNetwork, lr: float, betas: tuple[float, float]) -> Optimizer:
    """Adam, with `LINEAR_LR` of the learning rate for the network's linear prediction, where it has one."""
    linear = [] if network.direct is None else list(network.direct.parameters())
    others = [p for p in network.parameters() if not any(p is parameter for parameter in linear)]
    groups: list[dict[str, Any]] = [{"params": others, "lr": lr}, {"params": linear, "lr": lr * LINEAR_LR}]
    return Adam([group for group in groups if group["params"]], lr, betas, fused=True)


@torch.no_grad()
def bits_per_dimension(network: PixelNetwork, image: Tensor, run: Run) -> float:
    """Mean negative log2 probability of the values of N x 3 x S x S photos, evaluated on the run's device."""
    total = 0.0
    for batch in image.split(50):
        batch = batch.to(run.device)
        with run.autocast():
            parameters = network(batch)
        total += float(network.bits(parameters.float(), batch)) * len(batch)
    return total / len(image)


class PixelValidation:
    """Validation of a pixel network: bits per dimension of held-out photos, and fills of a quarter of each side.

    Figures go to `validation.jsonl`, pictures (hole | likeliest values | drawn values | truth) to `grids/`.

    Args:
        config: its validation photos are reduced to its size; without any nothing is measured.
        run: its main process measures.
        network: the one that will be exported, on the run's device.
    """

    def __init__(self, config: PhotoConfig, run: Run, network: nn.Module) -> None:
        assert isinstance(network, PixelNetwork)
        self.config, self.run, self.network = config, run, network
        files = expand([*config.val_small, *config.val]) if run.main else []
        self.photos = spread_evenly(PhotoBank.load(files).reduced(config.size)) if files else torch.empty(0)
        sets = []
        if files:
            few = self.photos[:: max(len(self.photos) // FILLED, 1)][:FILLED]
            sets = [ValidationSet.with_masks(f"quarter_{config.size}", few, centre_quarter(len(few), config.size))]
        self.fills = Validation(run, self.fill, sets, config.eval_every, config.grid_every)

    def fill(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Photos whose holes have the likeliest value at every pixel in its turn, and values drawn at temperature 1."""
        return self.network.complete(image, mask, temperature=0.0)[0], self.network.complete(image, mask)[0]

    def after_step(self) -> None:
        """Measure and draw where it is due; for the end of a loop's body."""
        if self.run.due(self.config.grid_every):
            self.fills.grid()
        if self.run.due(self.config.eval_every):
            self.measure()

    def measure(self) -> dict[str, dict[str, float]]:
        """Bits per dimension and the figures of the fills; empty without validation photos."""
        if not len(self.photos):
            return {}
        bits = bits_per_dimension(self.network, self.photos, self.run)
        self.run.log(**{"validation/bits_per_dimension": bits})
        whole = {"bits_per_dimension": bits, "photos": len(self.photos), "cifar10_in_literature": LITERATURE}
        return self.fills.measure({f"whole_{self.config.size}": whole})
