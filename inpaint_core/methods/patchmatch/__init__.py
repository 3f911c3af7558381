"""PatchMatch completion: the hole is woven from patches of the photo's own known part, coarse to fine.

Search: `_patch_search`, after Barnes et al., "PatchMatch", SIGGRAPH 2009.
Completion: Wexler, Shechtman, Irani, "Space-Time Completion of Video", PAMI 2007: at each level of a pyramid,
alternate between finding the nearest known patch of every patch that overlaps the hole, and letting these patches
vote for the hole's pixels. Departures: no time axis; comparisons, not only votes, trust pixels near the hole's border
more; nearby sources are preferred; in the last step each pixel is a copy of its best vote, so nothing is blurred;
small steps of brightness between the copies are evened out (`_seams`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from inpaint_core.errors import InpaintError
from inpaint_core.methods.base import FillMethod
from inpaint_core.methods.patchmatch.pyramid import double, halve, hole_depth, smooth_fill
from inpaint_core.methods.patchmatch.seams import even_out
from inpaint_core.methods.patchmatch.search import NearestPatches, patch_overlaps

PATCH_SIZES = (5, 3, 1)  # the first with enough sources is taken
TARGETS_A_SOURCE = 100  # enough: one source for so many targets
SHORTEST_SIDE = 48  # of a level that is halved again
TRUST = 2.0  # a pixel one step further inside the hole counts this many times less (gamma, Wexler section 3.2)
DEEPEST = 16  # steps inside the hole after which trust does not fall further
ROUNDS_AT_COARSEST = 15  # of search and vote
ROUNDS_BY_LEVEL = (3, 4, 8)  # at full size, at half, at a quarter and below
ROUNDS_FROM_INITIAL = 2  # where a given fill enters: each round more forgets some of its structure
SEARCHES = 2  # rounds of propagation and random search before a vote
VOTE_CHUNK = 16384  # pixels


class PatchMatch(FillMethod):
    """Copies the photo's own patches into the hole. Has no weights and reads nothing but the known pixels.

    Args:
        even: even out small steps of brightness between the copies; False leaves every hole pixel an exact copy.
    """

    max_pixels = 2 << 20
    uses_gpu = True
    min_context = 64

    def __init__(self, even: bool = True) -> None:
        self.even = even

    def fill(
        self,
        image: Tensor,
        mask: Tensor,
        sketch: Tensor | None = None,
        generator: Generator | None = None,
        details: dict[str, Any] | None = None,
        initial: Tensor | None = None,
    ) -> Tensor:
        """Complete the images from their own known patches.

        Args:
            image: float32, N x 3 x H x W in [0, 1]; what it holds inside the hole is not read.
            mask: float32, N x 1 x H x W, 1 = hole.
            sketch: ignored.
            generator: one number is drawn from it and seeds every sample, so a batch gives what its samples give
                alone. None seeds with 0.
            details: receives `offsets`, int64 N x 2 x H x W: (rows, columns) from each hole pixel to the known pixel
                it was copied from, 0 outside the hole; and a line in `notes` where patches had to be smaller.
            initial: float32, N x 3 x H x W, another method's completion. Its structure is kept, its texture replaced
                by the photo's own patches; only its hole is read.

        Returns:
            float32, N x 3 x H x W: hole pixels copied from known ones (see `even`), the others unchanged.

        Raises:
            InpaintError: an image has no known pixel.
        """
        seed = 0
        if generator is not None:
            seed = int(torch.randint(1 << 31, (1,), generator=generator, device=generator.device))
        completed = torch.empty_like(image)
        offsets = torch.zeros(len(image), 2, *image.shape[2:], dtype=torch.int64, device=image.device)
        notes = []
        for sample in range(len(image)):
            hole = mask[sample, 0] > 0.5
            pixels = image[sample].permute(1, 2, 0)
            start = None if initial is None else initial[sample].permute(1, 2, 0)
            filled = pixels
            if hole.any():
                dice = torch.Generator(image.device).manual_seed(seed)
                filled, offsets[sample], note = complete(pixels, hole, dice, start)
                notes += note
                if self.even:
                    filled = even_out(filled, hole, offsets[sample])
            completed[sample] = filled.permute(2, 0, 1)
        if details is not None:
            details["offsets"] = offsets
            known_notes = details.setdefault("notes", [])
            known_notes += [note for note in dict.fromkeys(notes) if note not in known_notes]
        return completed


def complete(
    image: Tensor, hole: Tensor, generator: Generator, initial: Tensor | None = None
) -> tuple[Tensor, Tensor, list[str]]:
    """Complete one image from the coarsest level of its pyramid to the finest.

    Args:
        image: float32 H x W x 3.
        hole: bool H x W, with at least one pixel in it and one outside.
        generator: on the image's device.
        initial: float32 H x W x 3 whose hole is a first guess, or None.

    Returns:
        The completed image, the offsets (int64 2 x H x W, zero outside the hole), and notes for the user.

    Raises:
        InpaintError: no pixel is known.
    """
    patch = patch_size(hole)
    notes = []
    if patch < PATCH_SIZES[0]:
        notes.append(
            f"Too little is known in one piece for patches of {PATCH_SIZES[0]} x {PATCH_SIZES[0]} pixels; "
            f"PatchMatch copied {patch} x {patch} ones."
        )
    levels = pyramid(image, hole, patch)
    if initial is None:
        guess = smooth_fill(*levels[-1])
    else:  # anything coarser than half the size would forget the structure that was handed over
        levels, guess = levels[:2], initial
        for _ in levels[1:]:
            guess, _ = halve(guess, torch.zeros(guess.shape[:2], dtype=torch.bool, device=guess.device))
    current = torch.where(levels[-1][1][..., None], guess, levels[-1][0])
    coarser: NearestPatches | None = None
    for level in reversed(range(len(levels))):
        known, inside = levels[level]
        field = NearestPatches(inside, patch, generator)
        # A guess handed over is trusted everywhere; one grown from the border, less the farther from it.
        depth = hole_depth(inside, DEEPEST) if initial is None else torch.zeros_like(known[..., 0])
        field.weigh(TRUST**-depth)
        middle = patch // 2 * (field.width + 1)
        trust = TRUST ** -depth.flatten()[field.targets + middle]
        if coarser is None:
            field.look_at(current)
            field.improve(2 * SEARCHES, (8, 4, 2, 1))
            rounds = ROUNDS_AT_COARSEST if initial is None else ROUNDS_FROM_INITIAL
        else:
            current = torch.where(inside[..., None], double(current, *inside.shape), known)
            field.start_from(coarser)
            field.look_at(current)
            # The coarse image is blurred at this size: its matches, not its pixels, tell the details.
            current = vote(field, current, inside, trust)
            rounds = ROUNDS_BY_LEVEL[min(level, len(ROUNDS_BY_LEVEL) - 1)]
        for again in range(rounds):
            field.look_at(current)
            field.improve(SEARCHES, (2, 1) if again else (8, 4, 2, 1))
            if level or again < rounds - 1:
                current = vote(field, current, inside, trust)
        coarser = field
    completed, offsets = copy_best(field, current, hole)
    return completed, offsets, notes


def patch_size(hole: Tensor) -> int:
    """The largest patch of which enough are wholly known: bool H x W -> 5, 3 or 1."""
    for patch in PATCH_SIZES:
        if patch > min(hole.shape):
            continue
        overlaps = patch_overlaps(hole, patch)
        targets = int(overlaps.sum())
        if (overlaps.numel() - targets) * TARGETS_A_SOURCE > targets:
            return patch
    if bool(hole.all()):
        raise InpaintError(
            "PatchMatch needs known pixels to copy from, but all are masked; unmask a part of the photo."
        )
    return 1


def pyramid(image: Tensor, hole: Tensor, patch: int) -> list[tuple[Tensor, Tensor]]:
    """Halve image and hole until a patch reaches across the hole, or no more known patches would be left.

    Returns:
        (float H x W x 3, bool H x W) from the finest level to the coarsest.
    """
    levels = [(image, hole)]
    while patch == PATCH_SIZES[0]:
        image, hole = levels[-1]
        if min(hole.shape) < SHORTEST_SIDE or float(hole_depth(hole, patch // 2 + 1).max()) <= patch // 2:
            break
        image, share = halve(image, hole)
        hole = share < 0.5
        if not bool(hole.any()) or patch_size(hole) < patch:
            break
        levels.append((image, hole))
    return levels


def vote(field: NearestPatches, image: Tensor, hole: Tensor, trust: Tensor) -> Tensor:
    """Renew the hole: each pixel is the weighted mean of what the patches over it suggest (Wexler section 3.2).

    Args:
        field: the nearest sources.
        image: float H x W x 3.
        hole: bool H x W.
        trust: float (M,), the confidence in each target patch.

    Returns:
        float H x W x 3.
    """
    flat = image.reshape(-1, image.shape[-1])
    renewed = flat.clone()
    for pixels in hole.flatten().nonzero()[:, 0].split(VOTE_CHUNK):
        patches, sources, distance = votes(field, pixels)
        voters = distance.isfinite()
        ranked = distance.sort(1).values
        # The scale of a pixel's votes is their 75th percentile: one bad patch does not spoil the mean of good ones.
        scale = ranked.gather(1, ((voters.sum(1, keepdim=True) - 1) * 3) // 4) + 1e-6
        weight = torch.exp(-distance / (2 * scale)) * trust[patches] * voters
        weight /= weight.sum(1, keepdim=True)
        renewed[pixels] = torch.bmm(weight[:, None], flat[sources])[:, 0]
    return renewed.view(image.shape)


def copy_best(field: NearestPatches, image: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """Copy into each hole pixel the suggestion of the most similar patch over it.

    Returns:
        The image, float H x W x 3, and the offset to the pixel copied, int64 2 x H x W (rows, columns).
    """
    flat = image.reshape(-1, image.shape[-1])
    copied = flat.clone()
    offsets = torch.zeros(2, len(flat), dtype=torch.int64, device=image.device)
    for pixels in hole.flatten().nonzero()[:, 0].split(VOTE_CHUNK):
        _, sources, distance = votes(field, pixels)
        source = sources.gather(1, distance.argmin(1, keepdim=True))[:, 0]
        copied[pixels] = flat[source]
        offsets[0, pixels] = source // field.width - pixels // field.width
        offsets[1, pixels] = source % field.width - pixels % field.width
    return copied.view(image.shape), offsets.view(2, *hole.shape)


def votes(field: NearestPatches, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the patches over each pixel suggest.

    Args:
        field: the nearest sources.
        pixels: int64 (n,), flat positions inside the hole.

    Returns:
        Three of shape (n, p * p): the patch (index into the field's targets), the source pixel (flat position), the
        patch's distance, infinite where such a patch would reach beyond the image.
    """
    step = torch.arange(field.patch, device=pixels.device)
    down, right = step.repeat_interleave(field.patch), step.repeat(field.patch)
    row = (pixels // field.width)[:, None] - down
    column = (pixels % field.width)[:, None] - right
    inside = (row >= 0) & (column >= 0) & (row < field.rows) & (column < field.columns)
    patches = field.index[torch.where(inside, row * field.width + column, field.targets[0])]
    sources = field.nearest[patches] + down * field.width + right
    return patches, sources, field.distance[patches].masked_fill(~inside, torch.inf)
