"""Completes one image from patches of its own known part, coarse to fine.

Wexler, Shechtman, Irani, "Space-Time Completion of Video", PAMI 2007: at each level of a pyramid, alternate between
finding the nearest known patch of every patch that overlaps the hole (`search`), and letting these patches vote for
the hole's pixels (`voting`). Departures: no time axis; comparisons, not only votes, trust pixels near the hole's
border more; nearby sources are preferred; in the last step each pixel is a copy of its best vote, so nothing is
blurred; small steps of brightness between the copies are evened out (`seams`).
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from inpaint_core.errors import InpaintError
from inpaint_core.methods.patchmatch.pyramid import double, halve, hole_depth, smooth_fill
from inpaint_core.methods.patchmatch.search import NearestPatches, patch_overlaps
from inpaint_core.methods.patchmatch.voting import copy_best, vote

PATCH_SIZES = (5, 3, 1)  # the first with enough sources is taken
TARGETS_PER_SOURCE = 100  # at most, for a patch size to have enough sources
MIN_SIDE = 48  # of a level that is halved again
TRUST = 2.0  # a pixel one step further inside the hole counts this many times less (gamma, section 3.2)
DEEPEST = 16  # steps inside the hole after which trust does not fall further
ROUNDS_AT_COARSEST = 15  # of search and vote
ROUNDS_BY_LEVEL = (3, 4, 8)  # at full size, at half, at a quarter and below
ROUNDS_FROM_INITIAL = 2  # at the coarsest level of an initial fill: each round more forgets some of its structure
SEARCHES = 2  # rounds of propagation and random search before a vote


def complete(
    image: Tensor, hole: Tensor, generator: Generator, initial: Tensor | None = None
) -> tuple[Tensor, Tensor, list[str]]:
    """Complete one image from the coarsest level of its pyramid to the finest.

    Args:
        image: float32 H x W x 3.
        hole: bool H x W, with at least one pixel in it and one outside.
        generator: of the random search, on the image's device.
        initial: float32 H x W x 3 whose hole is a first guess, or None.

    Returns:
        The completed image, the offsets (int64 2 x H x W, zero outside the hole), and notes for the user.

    Raises:
        InpaintError: no pixel is known.
    """
    patch = patch_size(hole)
    levels = pyramid(image, hole, patch)
    if initial is None:
        guess = smooth_fill(*levels[-1])
    else:  # anything coarser than half the size would forget the structure of the initial fill
        levels, guess = levels[:2], initial
        for _ in levels[1:]:
            guess, _ = halve(guess, torch.zeros(guess.shape[:2], dtype=torch.bool, device=guess.device))
    current = torch.where(levels[-1][1][..., None], guess, levels[-1][0])
    coarser: NearestPatches | None = None
    for level in reversed(range(len(levels))):
        known, inside = levels[level]
        field = NearestPatches(inside, patch, generator)
        # An initial fill is trusted everywhere; a guess grown from the border, less the farther from it.
        depth = hole_depth(inside, DEEPEST) if initial is None else torch.zeros_like(known[..., 0])
        field.set_weights(TRUST**-depth)
        middle = patch // 2 * (field.width + 1)
        trust = TRUST ** -depth.flatten()[field.targets + middle]
        if coarser is None:
            field.set_image(current)
            field.improve(2 * SEARCHES, (8, 4, 2, 1))
            rounds = ROUNDS_AT_COARSEST if initial is None else ROUNDS_FROM_INITIAL
        else:
            current = torch.where(inside[..., None], double(current, *inside.shape), known)
            field.start_from(coarser)
            field.set_image(current)
            # The coarse image is blurred at this size: its matches, not its pixels, have the details.
            current = vote(field, current, inside, trust)
            rounds = ROUNDS_BY_LEVEL[min(level, len(ROUNDS_BY_LEVEL) - 1)]
        for iteration in range(rounds):
            field.set_image(current)
            field.improve(SEARCHES, (2, 1) if iteration else (8, 4, 2, 1))
            if level or iteration < rounds - 1:
                current = vote(field, current, inside, trust)
        coarser = field
    completed, offsets = copy_best(field, current, hole)
    notes = []
    if patch < PATCH_SIZES[0]:
        notes.append(
            f"Too little is known in one piece for patches of {PATCH_SIZES[0]} x {PATCH_SIZES[0]} pixels; "
            f"PatchMatch copied {patch} x {patch} ones."
        )
    return completed, offsets, notes


def patch_size(hole: Tensor) -> int:
    """The largest patch of which enough are wholly known: bool H x W -> 5, 3 or 1."""
    for patch in PATCH_SIZES:
        if patch > min(hole.shape):
            continue
        overlaps = patch_overlaps(hole, patch)
        targets = int(overlaps.sum())
        if (overlaps.numel() - targets) * TARGETS_PER_SOURCE > targets:
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
        if min(hole.shape) < MIN_SIDE or float(hole_depth(hole, patch // 2 + 1).max()) <= patch // 2:
            break
        image, share = halve(image, hole)
        hole = share < 0.5
        if not bool(hole.any()) or patch_size(hole) < patch:
            break
        levels.append((image, hole))
    return levels
