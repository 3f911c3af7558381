"""Completes one image from patches of its own known part, coarse to fine.

Wexler, Shechtman, Irani, "Space-Time Completion of Video", PAMI 2007: at each level of a pyramid, alternate between
finding the nearest known patch of every patch that overlaps the hole (`search`), and letting these patches vote for
the hole's pixels. Departures: no time axis; comparisons, not only votes, trust pixels near the hole's
border more; texture counts beside colour; nearby sources are preferred; in the last step each pixel is a copy of
its best vote, so nothing is blurred; small steps of brightness between the copies are evened out (`seams`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from inpaint_core.masks.boxes import bounding_box
from inpaint_core.methods.patchmatch.diffusion import membrane
from inpaint_core.methods.patchmatch.levels import PATCH_SIZES, Hints, Level, plan_of
from inpaint_core.methods.patchmatch.pyramid import double, hole_depth
from inpaint_core.methods.patchmatch.search import NearestPatches

TRUST = 5.0  # a pixel one step further inside the hole counts this many times less (gamma, section 3.2)
DEEPEST = 16  # steps inside the hole after which trust does not fall further
TRUST_IF_GUESSED = 2.0  # the same where lines, colours or an initial fill say what the middle of the hole is like
HINT_SHARE = 0.7  # how much of a painted colour the coarse levels take after each vote
MEMBRANE_SHARE, MEMBRANE_SHARE_AT_COARSEST = 0.3, 0.5  # the same of the membrane between the hole's border and lines
FLAT = 0.012  # texture below which, without lines, too: in a sky or on a wall two sides that meet must agree


class ColourTarget(NamedTuple):
    """Colours that the hole is drawn to before each search of a coarse level."""

    colours: np.ndarray  # float32 H x W x 3
    where: np.ndarray  # bool H x W
    share: float  # of the way there


def complete(
    image: np.ndarray,
    hole: np.ndarray,
    seed: int,
    hints: Hints,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Complete one image from the coarsest level of its pyramid to the finest.

    Args:
        image: float32 H x W x 3.
        hole: bool H x W, with at least one pixel in it and one outside.
        seed: of the random search.
        hints: an initial fill, lines, colours.
        progress: called very often with the share done in [0, 1]; what it raises ends the work.

    Returns:
        The completed image, the pixels of the hole's origins (float32 P x POSE), and notes for the user.

    Raises:
        InpaintError: no pixel is known.
    """
    plan = plan_of(image, hole, hints)
    planned, finished = plan.trials, 0.0

    def worked(trials: float) -> None:
        nonlocal finished
        finished += trials
        progress(min(finished / planned, 1.0))

    coarser: NearestPatches | None = None
    current = np.where(plan.levels[-1].hole[..., None], plan.guess, plan.levels[-1].image)
    for number in reversed(range(len(plan.levels))):
        level = plan.levels[number]
        trust = trust_in(level, plan.guessed, coarser is None)
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
        targets = colour_targets(level, number == 0, coarser is None, hints.initial is None)
        for iteration in range(level.rounds):
            for target in targets:
                current[target.where, :3] += target.share * (target.colours[target.where] - current[target.where, :3])
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


def colour_targets(level: Level, finest: bool, coarsest: bool, free: bool) -> list[ColourTarget]:
    """The colours painted, and those of the border between lines and in flat places: patches lose sight of them there.

    Args:
        level: to be searched.
        finest: of the levels; it copies the photo as it is.
        coarsest: of the levels.
        free: no initial fill says what the hole's colours are.
    """
    targets = []
    if free and not finest and not level.quick:
        lines = level.lines
        between = membrane(level.image, level.hole, np.zeros_like(level.hole) if lines is None else lines.drawn)
        where = level.hole if lines is not None else level.hole & (between[..., 3] < FLAT)
        targets.append(
            ColourTarget(between[..., :3], where, MEMBRANE_SHARE_AT_COARSEST if coarsest else MEMBRANE_SHARE)
        )
    if level.colours is not None:
        targets.append(ColourTarget(level.colours.colours, level.colours.where, HINT_SHARE))
    return targets


def trust_in(level: Level, guessed: bool, coarsest: bool) -> np.ndarray:
    """How much each pixel counts in comparisons: float32 H x W.

    A hole's content grows from the border and counts less the farther from it; less so where an initial fill, lines
    or colours said what the middle is like: there all counts alike at the coarsest level.

    Args:
        level: of the pyramid.
        guessed: whether they did.
        coarsest: of the levels.
    """
    unsure = level.hole if level.colours is None else level.hole & ~level.colours.where
    if guessed and coarsest:
        return np.ones(unsure.shape, np.float32)
    trust = ((TRUST_IF_GUESSED if guessed else TRUST) ** -np.arange(DEEPEST + 1.0)).astype(np.float32)
    return trust[np.minimum(hole_depth(unsure), DEEPEST).astype(np.uint8)]
