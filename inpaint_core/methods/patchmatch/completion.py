"""Completes one image from patches of its own known part, coarse to fine.

Wexler, Shechtman, Irani, "Space-Time Completion of Video", PAMI 2007: at each level of a pyramid, alternate between
finding the nearest known patch of every patch that overlaps the hole (`search`), and letting these patches vote for
the hole's pixels. Departures: no time axis; comparisons, not only votes, trust pixels near the hole's
border more; nearby sources are preferred; in the last step each pixel is a copy of its best vote, so nothing is
blurred; small steps of brightness between the copies are evened out (`seams`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inpaint_core.masks.boxes import bounding_box
from inpaint_core.methods.patchmatch.levels import PATCH_SIZES, Level, Wanted, plan_of
from inpaint_core.methods.patchmatch.pyramid import double, hole_depth
from inpaint_core.methods.patchmatch.search import NearestPatches

TRUST = 5.0  # a pixel one step further inside the hole counts this many times less (gamma, section 3.2)
DEEPEST = 16  # steps inside the hole after which trust does not fall further
DAB = 0.7  # how much of a painted colour the coarse levels take after each vote


def complete(
    image: np.ndarray,
    hole: np.ndarray,
    seed: int,
    wanted: Wanted,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Complete one image from the coarsest level of its pyramid to the finest.

    Args:
        image: float32 H x W x 3.
        hole: bool H x W, with at least one pixel in it and one outside.
        seed: of the random search.
        wanted: an initial fill, lines, colours.
        progress: called very often with the share done in [0, 1]; what it raises ends the work.

    Returns:
        The completed image, the pixels of the hole's origins (float32 P x POSE), and notes for the user.

    Raises:
        InpaintError: no pixel is known.
    """
    plan = plan_of(image, hole, wanted)
    planned, finished = plan.trials, 0.0

    def worked(trials: float) -> None:
        nonlocal finished
        finished += trials
        progress(min(finished / planned, 1.0))

    coarser: NearestPatches | None = None
    current = np.where(plan.levels[-1].hole[..., None], plan.guess, plan.levels[-1].image)
    for number in reversed(range(len(plan.levels))):
        level = plan.levels[number]
        trust = trust_in(level, plan.guessed and coarser is None)
        field = NearestPatches(level.hole, plan.patch, trust, seed + number, worked)
        if level.lines is not None:
            field.follow(level.lines, number)
        if coarser is None:
            field.set_image(current)
            field.improve(2 * level.searches)
        else:
            part = bounding_box(level.hole).slices
            doubled, current = double(current, *level.hole.shape), level.image.copy()
            current[part] = np.where(level.hole[part][..., None], doubled[part], current[part])
            field.start_from(coarser)
            field.set_image(current)
            # The coarse image is blurred at this size: its matches, not its pixels, have the details.
            current[level.hole] = field.choose()[0] if level.quick else field.vote()
        for iteration in range(level.rounds):
            if level.dabs is not None:
                painted = level.dabs.where
                current[painted, :3] += DAB * (level.dabs.colours[painted] - current[painted, :3])
            field.set_image(current)
            field.improve(level.searches, level.radius)
            if number or iteration < level.rounds - 1:
                current[level.hole] = field.vote()
        coarser = field
    current[hole], origins = field.choose()
    notes = []
    if plan.patch < PATCH_SIZES[0]:
        notes.append(
            f"Too little is known in one piece for patches of {PATCH_SIZES[0]} x {PATCH_SIZES[0]} pixels; "
            f"PatchMatch copied {plan.patch} x {plan.patch} ones."
        )
    return np.ascontiguousarray(current[..., :3]), origins, notes


def trust_in(level: Level, guessed: bool) -> np.ndarray:
    """How much each pixel counts in comparisons: float32 H x W.

    All alike where the hole's content is a guess to be trusted everywhere. A guess grown from the border, or from
    painted colours, counts less the farther from it.
    """
    unsure = level.hole if level.dabs is None else level.hole & ~level.dabs.where
    if guessed:
        return np.ones(unsure.shape, np.float32)
    trust = (TRUST ** -np.arange(DEEPEST + 1.0)).astype(np.float32)
    return trust[np.minimum(hole_depth(unsure), DEEPEST).astype(np.uint8)]
