"""The LPIPS term that most scripts may add to their paper's losses, once colours are right."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from train.core.losses import PerceptualLoss, ramp, shift_together
from train.core.run import Run


@dataclass(frozen=True, kw_only=True)
class PerceptualConfig:
    """Options of `PerceptualTerm`, to be inherited by the config of a script that uses it."""

    perceptual: float = 0.0  # weight of LPIPS on SqueezeNet
    perceptual_start: float = 0.05  # share of the run after which it joins; at once where --init is given ...
    perceptual_full: float = 0.3  # ... and at which it has its full weight


class PerceptualTerm:
    """LPIPS on SqueezeNet's features between completed and true photos, with its weight at this step.

    Args:
        run: with a generator; receives the distance as the scalar "perceptual".
        config: the weight, and when it joins.
    """

    def __init__(self, run: Run, config: PerceptualConfig) -> None:
        self.run, self.config = run, config
        self.network = run.frozen(PerceptualLoss("squeeze")) if config.perceptual > 0 else None

    @property
    def joined(self) -> float:
        """The share of its weight that it has at this step, 0 to 1."""
        start, full = self.config.perceptual_start, self.config.perceptual_full
        return 1.0 if "generator" in self.run.initialised else ramp(self.run.progress, start, full)

    def distance(self, completed: Tensor, truth: Tensor, shift: bool = True) -> Tensor:
        """The distance of N x 3 x H x W photos in [0, 1], a scalar without its weight.

        Args:
            completed, truth: the photos.
            shift: False: they have gone through `shift_together` already.
        """
        assert self.network is not None
        images = shift_together(completed, truth, step=self.run.step) if shift else (completed, truth)
        with self.run.autocast():
            return self.network(*images)

    def __call__(self, completed: Tensor, truth: Tensor, shift: bool = True) -> Tensor | float:
        """The weighted distance, logged as well; 0.0 where it does not count (yet). Arguments as for `distance`."""
        joined = self.joined
        if self.network is None or joined == 0:
            return 0.0
        distance = self.distance(completed, truth, shift)
        self.run.log(perceptual=distance)
        return joined * self.config.perceptual * distance
