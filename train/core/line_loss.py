"""A loss that wants the lines of a sketch to be found in the fill, by the studio's own edge detector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inpaint_core import sketch, weights
from inpaint_core.errors import InpaintError
from inpaint_core.networks.edge_detector import EdgeDetector

TOLERANCE = 2  # pixels between a line and the edge that counts for it
ENOUGH = 1.0  # logit of the detector from which an edge is as good as any; lines are drawn from about 0.4 on


class LineLoss(nn.Module):
    """How much the detector misses edges along the lines of a sketch; edges where none are drawn cost nothing.

    The detector is frozen. A pixel of a line counts with the strongest edge within `TOLERANCE` pixels, so that a line
    that was drawn beside the contour is found, too.

    Raises:
        InpaintError: the detector's weights are absent.
    """

    def __init__(self) -> None:
        super().__init__()
        if not sketch.ready():
            raise InpaintError(
                "--follow needs the edge detector's weights: train them with "
                "python -m train.edge_detection.train, or leave it out."
            )
        arguments, state = weights.load(sketch.DETECTOR)
        self.detector = EdgeDetector(**{**arguments, "scales": (1.0,)})  # a step of training can afford one look
        weights.load_into(self.detector, state, "The weights of the edge detector")
        self.detector.eval().requires_grad_(False)

    def forward(self, completed: Tensor, lines: Tensor) -> Tensor:
        """The mean over the lines' pixels of what the detector's logit lacks to `ENOUGH`, a scalar; 0 without lines.

        Args:
            completed: N x 3 x H x W in [0, 1].
            lines: N x 1 x H x W, 1 = line.
        """
        drawn = lines.amax((1, 2, 3)) > 0
        if not drawn.any():
            return completed.new_zeros(())
        logits = self.detector(completed[drawn])[0].float()
        near = F.max_pool2d(logits, 2 * TOLERANCE + 1, 1, TOLERANCE)
        targets = lines[drawn]
        return (torch.relu(ENOUGH - near) * targets).sum() / targets.sum()
