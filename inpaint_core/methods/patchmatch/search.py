"""The randomised nearest-neighbour field of PatchMatch: for each patch that touches the hole its best source so far.

Barnes, Shechtman, Finkelstein, Goldman, "PatchMatch: A Randomized Correspondence Algorithm for Structural Image
Editing", SIGGRAPH 2009, section 3; turned and mirrored sources as in Barnes et al., "The Generalized PatchMatch
Correspondence Algorithm", ECCV 2010. A patch is named by its middle.
"""

from __future__ import annotations

import cv2
import numpy as np

from inpaint_core.methods.patchmatch import kernels
from inpaint_core.methods.patchmatch.kernels import CHANNELS, COLUMN, COSINE, MIRROR, POSE, ROW, TURNABLE, USABLE
from inpaint_core.methods.patchmatch.ranges import run

NEARNESS = 0.01
"""What a copy from the far end of the image costs, in squared units of colour: of two equally similar patches
the nearer one is the likelier to continue the object at hand."""

TURNED = 0.0005
"""What turning or mirroring a source costs."""

REPEATED = 0.0
"""What each use of a source above its share costs (Kaspar et al., "Self tuning texture optimization", 2015)."""


class NearestPatches:
    """For each target patch the best source patch found so far.

    Attributes:
        targets: see `kernels.Targets`.
        scene: see `kernels.Scene`.
        poses: float32 M x POSE, the source of each target.
        costs: float32 M, weighted mean squared difference of each pair plus the prices of the source.
    """

    def __init__(self, hole: np.ndarray, patch: int, trust: np.ndarray, seed: int) -> None:
        """Lay out the targets and the sources of one image; every target starts at a random source.

        Args:
            hole: bool H x W.
            patch: side of a patch, odd, at most the image's shorter side.
            trust: float32 H x W above 0, how much a pixel counts in a comparison, relative within a patch.
            seed: of the random field and the random search.

        Raises:
            ValueError: no patch is wholly known, so there is nothing to copy from.
        """
        self.hole, self.patch, self.trust, self.seed = hole, patch, trust, seed
        self.pixels = np.argwhere(hole).astype(np.int32)
        self.half = half = patch // 2
        height, width = hole.shape
        self.height, self.width = height, width
        overlaps, fits = patch_overlaps(hole, patch)
        usable = np.where(fits & ~overlaps, USABLE, 0).astype(np.uint8)
        self.sources = np.argwhere(usable).astype(np.int32)
        if not len(self.sources):
            raise ValueError(f"no {patch} x {patch} patch is wholly known")
        places = np.argwhere(fits & overlaps).astype(np.int32)
        index = np.full(hole.shape, -1, np.int32)
        index[places[:, 0], places[:, 1]] = np.arange(len(places))
        self.places, self.usable = places, usable
        weight = np.repeat(trust.astype(np.float32).reshape(-1, 1), CHANNELS, axis=1)
        total = cv2.boxFilter(trust, -1, (patch, patch), normalize=False, borderType=cv2.BORDER_CONSTANT)
        uses = np.zeros(hole.shape, np.float32)
        planes = np.zeros((height, width, CHANNELS), np.float32)
        self.planes = planes
        summed = 3 * total[places[:, 0], places[:, 1]].astype(np.float32)
        self.frame = kernels.Frame(planes.reshape(-1), weight.reshape(-1), usable, uses, places, index, summed)
        self.prices = kernels.Prices(np.float32(NEARNESS / max(height, width)), np.float32(REPEATED), np.float32(TURNED))
        self.sweeps = 0
        numbers = np.random.default_rng(seed)
        self.poses = np.zeros((len(places), POSE), np.float32)
        self.poses[:, COSINE] = self.poses[:, MIRROR] = 1
        self.poses[:, : COLUMN + 1] = self.sources[numbers.integers(len(self.sources), size=len(places))]
        self.costs = np.full(len(places), np.inf, np.float32)

    def set_image(self, image: np.ndarray) -> None:
        """Compare with this image from now on: float32 H x W x 3 with the hole's present content."""
        self.planes[..., :3] = image
        run(kernels.renew, len(self.costs), self.half, self.frame, self.prices, self.poses, self.costs)

    def improve(self, rounds: int, radius: int | None = None) -> None:
        """Run sweeps of propagation and random search (Barnes section 3.2), to and fro.

        Args:
            rounds: the number of sweeps.
            radius: the widest window of the random search in pixels; None: the whole image. 0: none.
        """
        radius = max(self.height, self.width) if radius is None else radius
        for _ in range(rounds):
            plan = (-1 if self.sweeps % 2 else 1, (self.seed + self.sweeps) & 0x7FFFFFFF, radius)
            self.sweeps += 1
            before = self.poses.copy()
            arguments = (self.half, self.frame, self.prices, plan, before, self.poses, self.costs)
            run(kernels.sweep, len(self.costs), *arguments)

    def suggest(self, pixels: np.ndarray, trust: np.ndarray | None) -> np.ndarray:
        """What the matches suggest for pixels of the hole: see `kernels.vote`. int32 P x 2 -> float32 P x (3 + POSE)."""
        colours = np.ones((len(pixels), 3 + POSE), np.float32)
        trust = np.zeros(0, np.float32) if trust is None else trust[self.places[:, 0], self.places[:, 1]]
        run(kernels.vote, len(pixels), self.half, pixels, self.frame, self.poses, self.costs, trust, colours)
        return colours

    def start_from(self, coarse: NearestPatches) -> None:
        """Take the poses of the field found at half the size, doubled, where they lead to a source here."""
        row, column = self.places.T
        parent_row = np.clip(row // 2, coarse.half, coarse.height - 1 - coarse.half)
        parent_column = np.clip(column // 2, coarse.half, coarse.width - 1 - coarse.half)
        parent = coarse.frame.index[parent_row, parent_column]
        poses = coarse.poses[np.maximum(parent, 0)].copy()
        # Middles of pixels: a fine row r lies at (r - 0.5) / 2 in coarse rows.
        down, right = (row - 0.5) / 2 - parent_row, (column - 0.5) / 2 - parent_column
        cosine, sine, mirror = poses[:, COSINE], poses[:, 3], poses[:, MIRROR]
        poses[:, ROW] = 2 * (poses[:, ROW] + cosine * down + sine * mirror * right) + 0.5
        poses[:, COLUMN] = 2 * (poses[:, COLUMN] - sine * down + cosine * mirror * right) + 0.5
        plain = (cosine == 1) & (mirror > 0)
        poses[plain, : COLUMN + 1] = np.rint(poses[plain, : COLUMN + 1])
        at_row, at_column = (np.rint(poses[:, axis]).astype(np.int64) for axis in (ROW, COLUMN))
        leads = (parent >= 0) & (at_row >= 0) & (at_column >= 0) & (at_row < self.height) & (at_column < self.width)
        usable = self.usable[np.where(leads, at_row, 0), np.where(leads, at_column, 0)]
        leads &= np.where(plain, usable >= USABLE, usable == TURNABLE)
        self.poses[leads] = poses[leads]


def patch_overlaps(hole: np.ndarray, patch: int) -> tuple[np.ndarray, np.ndarray]:
    """Which patches, by their middles, touch the hole, and which lie inside the image: bool H x W, twice."""
    half = patch // 2
    square = np.ones((patch, patch), np.uint8)
    touches = cv2.dilate(hole.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    fits = np.zeros(hole.shape, bool)
    fits[half : hole.shape[0] - half, half : hole.shape[1] - half] = True
    return touches, fits
