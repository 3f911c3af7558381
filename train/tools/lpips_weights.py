"""Pack what LPIPS needs of AlexNet into checkpoints/: five convolutions and LPIPS's five layers, as float16.

Usage: python -m train.tools.lpips_weights   (nothing is trained; torchvision's file is downloaded if it is not cached)

Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (CVPR 2018), version 0.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from inpaint_core import weights
from inpaint_core.metrics.lpips_network import SHIPPED, published_state
from train.core.cli import run_cli


@dataclass(frozen=True)
class Config:
    """The command has no options."""


def main(config: Config) -> None:
    """Write the file and say how large it is."""
    record = pack()
    print(f"{record.file}: {record.bytes / 1e6:.1f} MB")


def pack() -> weights.Record:
    """Write the file and its record into the project's `checkpoints/`, and return the record.

    Raises:
        LpipsUnavailable: the published weights are neither here nor can they be downloaded.
    """
    return weights.save(
        SHIPPED,
        published_state("alex"),
        {},
        weights.shipped(),
        command="python -m train.tools.lpips_weights",
        data="none here; published weights: AlexNet of torchvision (ImageNet), layers of LPIPS 0.1 (BAPPS)",
        steps=0,
        images_seen=0,
        metrics={},
        licence="BSD-3-Clause (torchvision, AlexNet) and BSD-2-Clause (LPIPS)",
    )


if __name__ == "__main__":
    run_cli(main, Config)
