"""The randomised nearest-neighbour field of PatchMatch, for a flat list of patches.

Barnes, Shechtman, Finkelstein, Goldman, "PatchMatch: A Randomized Correspondence Algorithm for Structural Image
Editing", SIGGRAPH 2009, section 3. The paper scans the image line by line; here all patches move at once, so good
matches travel by shifted candidates of several strides (as in jump flooding) and the same code runs on CPU and GPU.

A patch is named by its top left pixel, as a flat index `row * width + column`.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

CHUNK = 8192
"""Patches compared at once: their pixels stay in the cache of a CPU core."""

GPU_CHUNK = 1 << 18

NEARNESS = 0.01
"""What a copy from the far end of the image costs, in squared units of colour: of two equally similar patches
the nearer one is the likelier to continue the object at hand."""


class NearestPatches:
    """For each target patch the most similar source patch found so far.

    Attributes:
        targets: int64 (M,), the patches that overlap the hole.
        nearest: int64 (M,), the source patch of each, wholly known and wholly inside the image.
        distance: float32 (M,), weighted mean squared difference of each pair plus the price of its length.
        index: int64 (H * W,), the place of a patch in `targets`, -1 for all others.
    """

    def __init__(self, hole: Tensor, patch: int, generator: Generator) -> None:
        """Lay out the targets and the sources of one image; every target starts at a random source.

        Args:
            hole: bool H x W.
            patch: side of a patch, at most the image's shorter side.
            generator: draws the random field and the random search; on the hole's device.

        Raises:
            ValueError: no patch is wholly known, so there is nothing to copy from.
        """
        self.height, self.width = hole.shape
        self.patch = patch
        self.generator = generator
        overlaps = patch_overlaps(hole, patch)
        self.rows, self.columns = overlaps.shape
        beyond = (0, self.width - self.columns, 0, self.height - self.rows)
        self.is_source = F.pad(~overlaps, beyond).flatten()
        self.sources = self.is_source.nonzero()[:, 0]
        if not len(self.sources):
            raise ValueError(f"no {patch} x {patch} patch is wholly known")
        self.targets = F.pad(overlaps, beyond).flatten().nonzero()[:, 0]
        self.target_row, self.target_column = self.targets // self.width, self.targets % self.width
        self.index = torch.full_like(self.is_source, -1, dtype=torch.int64)
        self.index[self.targets] = torch.arange(len(self.targets), device=hole.device)
        self.row_starts = torch.arange(patch, device=hole.device) * self.width
        self.chunk = CHUNK if hole.device.type == "cpu" else GPU_CHUNK
        chosen = torch.randint(len(self.sources), self.targets.shape, generator=generator, device=hole.device)
        self.nearest = self.sources[chosen]
        self.distance = torch.full(self.targets.shape, torch.inf, device=hole.device)

    def set_weights(self, weight: Tensor) -> None:
        """Set how much each pixel counts in a comparison: float32 H x W, above 0. Relative within a patch."""
        flat = weight.contiguous().flatten()
        count = len(flat) - (self.patch - 1) * (self.width + 1)
        windows = flat.as_strided((count, self.patch, self.patch), (1, self.width, 1))[self.targets].flatten(1)
        self.weight = windows / windows.sum(1, keepdim=True)  # (M, p * p)

    def set_image(self, image: Tensor) -> None:
        """Compare with this image from now on: float32 H x W x C with the hole's present content.

        Call `set_weights` before. The distances of the present pairs are renewed.
        """
        self.strips = image.new_empty(0)  # the old table goes before the new one is made
        pixels = image.reshape(-1, image.shape[-1]).contiguous()
        count, channels = pixels.shape
        self.channels = channels
        strips = pixels.as_strided((count - self.patch + 1, self.patch * channels), (channels, 1))
        self.strips = strips.contiguous()  # every row of every patch
        every_target = torch.arange(len(self.targets), device=self.targets.device)
        self.distance = torch.cat(
            [self.compare(which, self.nearest[which]) for which in every_target.split(self.chunk)],
        )

    def compare(self, which: Tensor, sources: Tensor) -> Tensor:
        """How far targets are from sources, as `distance` has it: int64 (n,) indices, (n,) patches -> float32 (n,)."""
        targets = self.targets[which]
        difference = self._pixels(targets).sub_(self._pixels(sources)).square_()
        distance = torch.bmm(self.weight[which][:, None], difference)[:, 0].mean(1)
        down = sources // self.width - targets // self.width
        right = sources % self.width - targets % self.width
        length = (down.square() + right.square()).float().sqrt_()
        return distance.add_(length, alpha=NEARNESS / max(self.height, self.width))

    def offer(self, which: Tensor, candidates: Tensor) -> None:
        """Take a candidate source wherever it is more similar than the present one.

        Args:
            which: int64 (n,), indices into `targets`, each at most once.
            candidates: int64 (n,), a patch position for each. One that is no source is skipped.
        """
        new = self.is_source[candidates] & (candidates != self.nearest[which])
        for here, there in zip(which[new].split(self.chunk), candidates[new].split(self.chunk), strict=True):
            distance = self.compare(here, there)
            better = distance < self.distance[here]
            self.nearest[here[better]] = there[better]
            self.distance[here[better]] = distance[better]

    def propagate(self, stride: int) -> None:
        """Offer every target the sources of its four neighbours at this stride, shifted back (section 3.2)."""
        for down, right in ((0, -stride), (-stride, 0), (0, stride), (stride, 0)):
            row, column = self.target_row + down, self.target_column + right
            which = self._inside(row, column).nonzero()[:, 0]
            neighbour = self.index[row[which] * self.width + column[which]]
            which, neighbour = which[neighbour >= 0], neighbour[neighbour >= 0]
            source = self.nearest[neighbour]
            row, column = source // self.width - down, source % self.width - right
            inside = self._inside(row, column)
            self.offer(which[inside], (row * self.width + column)[inside])

    def search_randomly(self) -> None:
        """Offer every target random sources around its present one, in windows that halve down to one pixel."""
        every_target = torch.arange(len(self.targets), device=self.targets.device)
        radius = max(self.height, self.width)
        while radius >= 1:
            jump = torch.rand((2, len(every_target)), generator=self.generator, device=every_target.device)
            jump = (jump * (2 * radius + 1)).long() - radius
            row = (self.nearest // self.width + jump[0]).clamp_(0, self.rows - 1)
            column = (self.nearest % self.width + jump[1]).clamp_(0, self.columns - 1)
            self.offer(every_target, row * self.width + column)
            radius //= 2

    def improve(self, rounds: int, strides: tuple[int, ...]) -> None:
        """Run rounds of propagation, at each of these strides, and random search."""
        for _ in range(rounds):
            for stride in strides:
                self.propagate(stride)
            self.search_randomly()

    def start_from(self, coarse: NearestPatches) -> None:
        """Take the offsets of the field found at half the size, doubled, where they lead to a source here."""
        middle = self.patch // 2
        row = ((self.target_row + middle) // 2 - middle).clamp(0, coarse.rows - 1)
        column = ((self.target_column + middle) // 2 - middle).clamp(0, coarse.columns - 1)
        parent = coarse.index[row * coarse.width + column]
        nearest = coarse.nearest[parent.clamp_min(0)]
        source_row = self.target_row + 2 * (nearest // coarse.width - row)
        source_column = self.target_column + 2 * (nearest % coarse.width - column)
        leads = (parent >= 0) & self._inside(source_row, source_column)
        source = torch.where(leads, source_row * self.width + source_column, 0)
        leads &= self.is_source[source]
        self.nearest = torch.where(leads, source, self.nearest)

    def _inside(self, row: Tensor, column: Tensor) -> Tensor:
        return (row >= 0) & (row < self.rows) & (column >= 0) & (column < self.columns)

    def _pixels(self, positions: Tensor) -> Tensor:
        strips = (positions[:, None] + self.row_starts).flatten()
        return self.strips.index_select(0, strips).view(len(positions), self.patch**2, self.channels)  # (n, p * p, C)


def patch_overlaps(hole: Tensor, patch: int) -> Tensor:
    """Which patches touch the hole: bool H x W -> bool (H - patch + 1) x (W - patch + 1)."""
    return F.max_pool2d(hole[None, None].float(), patch, stride=1)[0, 0] > 0
