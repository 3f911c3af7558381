"""The randomised nearest-neighbour field of PatchMatch: for each patch that touches the hole its best source so far.

Barnes, Shechtman, Finkelstein, Goldman, "PatchMatch: A Randomized Correspondence Algorithm for Structural Image
Editing", SIGGRAPH 2009, section 3; turned and mirrored sources as in Barnes et al., "The Generalized PatchMatch
Correspondence Algorithm", ECCV 2010. A patch is named by its middle.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from inpaint_core.masks.boxes import bounding_box
from inpaint_core.methods.patchmatch import guided_kernels, kernels
from inpaint_core.methods.patchmatch.guidance import Guide, Lines, guide_of
from inpaint_core.methods.patchmatch.kernels import CHANNELS, COLUMN, COSINE, MIRROR, POSE, ROW, SINE, TURNABLE, USABLE
from inpaint_core.methods.ranges import run

NEARNESS = 0.01
"""What a copy from the far end of the image costs, in squared units of colour: of two equally similar patches
the nearer one is the likelier to continue the object at hand."""

TURNED = 0.0005
"""What turning or mirroring a source costs."""

TRIES = 3
"""Sources at lines of the photo that a target at a line of the sketch is offered in a sweep."""

RENEWAL, VOTE = 2, 8
"""What a renewed cost of a target and a vote on a pixel take, in trials of a sweep (measured)."""


class NearestPatches:
    """For each target patch the best source patch found so far.

    Attributes:
        places: int32 M x 2, row and column of the middle of each target.
        usable: uint8 H x W, above 0 at the middle of each source: wholly known and wholly inside the image.
        poses: float32 M x POSE, the match of each target (see `kernels`).
        costs: float32 (M,), weighted mean squared difference of each pair plus the prices of the source.
    """

    def __init__(
        self,
        hole: np.ndarray,
        patch: int,
        trust: np.ndarray,
        seed: int,
        worked: Callable[[float], None] = lambda trials: None,
    ) -> None:
        """Lay out the targets and the sources of one image; every target starts at a random source.

        Args:
            hole: bool H x W.
            patch: side of a patch, odd, at most the image's shorter side.
            trust: float32 H x W above 0, how much a pixel counts in a comparison, relative within a patch.
            seed: of the random field and the random search.
            worked: called while the other methods run with the trials done since the last call, so that a fill can
                say how far it is; what it raises ends the work.

        Raises:
            ValueError: no patch is wholly known, so there is nothing to copy from.
        """
        self.hole, self.patch, self.trust, self.seed, self.worked = hole, patch, trust, seed, worked
        self.pixels = positions(hole)
        self.half = patch // 2
        height, width = hole.shape
        self.height, self.width = height, width
        overlaps, fits = patch_overlaps(hole, patch)
        usable = np.where(fits & ~overlaps, USABLE, 0).astype(np.uint8)
        sources = np.flatnonzero(usable)
        if not len(sources):
            raise ValueError(f"no {patch} x {patch} patch is wholly known")
        places = positions(fits & overlaps)
        index = np.full(hole.shape, -1, np.int32)
        index[places[:, 0], places[:, 1]] = np.arange(len(places))
        self.places, self.usable = places, usable
        weight = cv2.merge([trust] * CHANNELS)
        total = cv2.boxFilter(trust, -1, (patch, patch), normalize=False, borderType=cv2.BORDER_CONSTANT)
        planes = np.zeros((height, width, CHANNELS), np.float32)
        self.planes, self.has_image = planes, False
        summed = 3 * total[places[:, 0], places[:, 1]].astype(np.float32)
        self.frame = kernels.Frame(self.half, planes.reshape(-1), weight.reshape(-1), usable, places, index, summed)
        self.prices = kernels.Prices(NEARNESS / max(height, width), TURNED)
        self.guide: Guide | None = None
        self.sweeps = 0
        numbers = np.random.default_rng(seed)
        self.poses = np.zeros((len(places), POSE), np.float32)
        self.poses[:, COSINE] = self.poses[:, MIRROR] = 1
        self.poses[:, SINE] = 0
        drawn = sources[numbers.integers(len(sources), size=len(places))]
        self.poses[:, ROW], self.poses[:, COLUMN] = drawn // width, drawn % width
        self.costs = np.full(len(places), np.inf, np.float32)
        self.matches = kernels.Matches(self.poses, self.costs)

    def follow(self, lines: Lines, level: int) -> None:
        """Let lines guide the comparisons from now on, and let patches near those in the hole turn and mirror.

        Args:
            lines: of this image.
            level: 0 = full size.
        """
        reach = 2 * int(np.ceil(self.half * 2**0.5 + 1)) + 1  # of a turned square
        touches, fits = patch_overlaps(self.hole, reach)
        self.usable[fits & ~touches & (self.usable > 0)] = TURNABLE
        self.guide = guide_of(lines, self.hole, level, self.places, self.usable == TURNABLE, self.trust)

    def set_image(self, image: np.ndarray) -> None:
        """Compare with this image from now on: float32 H x W x CHANNELS with the hole's present content.

        Outside of the hole it must be the same every time.
        """
        part = bounding_box(self.hole).slices if self.has_image else slice(None)
        self.planes[part] = image[part]
        self.has_image = True
        seen = (self.frame, self.prices)
        if self.guide is None:
            self._run(kernels.renew, len(self.costs), RENEWAL, *seen, self.matches)
        else:
            self._run(guided_kernels.renew, len(self.costs), RENEWAL, *seen, self.guide, self.matches)

    def improve(self, rounds: int, radius: int | None = None) -> None:
        """Run sweeps of propagation and random search (Barnes section 3.2), to and fro.

        Args:
            rounds: the number of sweeps.
            radius: the widest window of the random search in pixels; None: the whole image. 0: none.
        """
        radius = max(self.height, self.width) if radius is None else radius
        trials = trials_of(radius)
        for _ in range(rounds):
            plan = (-1 if self.sweeps % 2 else 1, (self.seed + self.sweeps) & 0x7FFFFFFF, radius)
            self.sweeps += 1
            before, seen = self.poses.copy(), (self.frame, self.prices)
            if self.guide is None:
                self._run(kernels.sweep, len(self.costs), trials, *seen, plan, before, self.matches)
            else:
                guided = (*seen, (*plan, TRIES), self.guide)
                self._run(guided_kernels.sweep, len(self.costs), trials, *guided, before, self.matches)

    def vote(self) -> np.ndarray:
        """What the matches suggest for the hole's pixels together: float32 P x CHANNELS."""
        colours = np.empty((len(self.pixels), CHANNELS), np.float32)
        self._run(kernels.vote, len(colours), VOTE, self.pixels, self.frame, self.matches, self.trust, colours)
        return colours

    def choose(self) -> tuple[np.ndarray, np.ndarray]:
        """What the best match over each pixel of the hole suggests, float32 P x CHANNELS, and its pose, P x POSE."""
        colours, origins = (np.empty((len(self.pixels), count), np.float32) for count in (CHANNELS, POSE))
        self._run(kernels.choose, len(colours), VOTE, self.pixels, self.frame, self.matches, colours, origins)
        return colours, origins

    def _run(self, loop: Callable[..., None], count: int, trials: float, *arguments: object) -> None:
        """Run a loop over `count` items, each of which takes as long as `trials` trials."""
        run(loop, count, *arguments, done=lambda items: self.worked(items * trials))

    def start_from(self, coarse: NearestPatches) -> None:
        """Take the poses of the field found at half the size, doubled, where they lead to a source here."""
        row, column = self.places.T
        parent_row = np.clip(row // 2, coarse.half, coarse.height - 1 - coarse.half)
        parent_column = np.clip(column // 2, coarse.half, coarse.width - 1 - coarse.half)
        parent = coarse.frame.numbers[parent_row, parent_column]
        poses = coarse.poses[np.maximum(parent, 0)].copy()
        # Middles of pixels: a fine row r lies at (r - 0.5) / 2 in coarse rows.
        down, right = (row - 0.5) / 2 - parent_row, (column - 0.5) / 2 - parent_column
        cosine, sine, mirror = poses[:, COSINE], poses[:, SINE], poses[:, MIRROR]
        poses[:, ROW] = 2 * (poses[:, ROW] + cosine * down + sine * mirror * right) + 0.5
        poses[:, COLUMN] = 2 * (poses[:, COLUMN] - sine * down + cosine * mirror * right) + 0.5
        plain = (cosine == 1) & (mirror > 0)
        poses[plain, : COLUMN + 1] = np.rint(poses[plain, : COLUMN + 1])
        at_row, at_column = (np.rint(poses[:, axis]).astype(np.int64) for axis in (ROW, COLUMN))
        leads = (parent >= 0) & (at_row >= 0) & (at_column >= 0) & (at_row < self.height) & (at_column < self.width)
        usable = self.usable[np.where(leads, at_row, 0), np.where(leads, at_column, 0)]
        leads &= np.where(plain, usable >= USABLE, usable == TURNABLE)
        self.poses[leads] = poses[leads]


def positions(chosen: np.ndarray) -> np.ndarray:
    """Row and column of each chosen pixel, int32 P x 2, row by row."""
    return np.stack(np.divmod(np.flatnonzero(chosen), chosen.shape[1]), axis=1).astype(np.int32)


def trials_of(radius: int) -> int:
    """The places that a sweep tries for a target: two neighbours' and one in each of the halving windows."""
    return 2 + radius.bit_length()


def patch_overlaps(hole: np.ndarray, patch: int) -> tuple[np.ndarray, np.ndarray]:
    """Which patches, by their middles, touch the hole, and which lie inside the image: bool H x W, twice."""
    half = patch // 2
    square = np.ones((patch, patch), np.uint8)
    touches = cv2.dilate(hole.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    fits = np.zeros(hole.shape, bool)
    fits[half : hole.shape[0] - half, half : hole.shape[1] - half] = True
    return touches, fits
