"""Completes one image from patches of its own known part, coarse to fine.

Wexler, Shechtman, Irani, "Space-Time Completion of Video", PAMI 2007: at each level of a pyramid, alternate between
finding the nearest known patch of every patch that overlaps the hole (`search`), and letting these patches vote for
the hole's pixels. Departures: no time axis; comparisons, not only votes, trust pixels near the hole's
border more; nearby sources are preferred; in the last step each pixel is a copy of its best vote, so nothing is
blurred; small steps of brightness between the copies are evened out (`seams`).
"""

from __future__ import annotations

import numpy as np

from inpaint_core.errors import InpaintError
from inpaint_core.methods.patchmatch.diffusion import membrane
from inpaint_core.methods.patchmatch.guidance import Lines
from inpaint_core.methods.patchmatch.pyramid import double, halve, hole_depth, smooth_fill
from inpaint_core.methods.patchmatch.search import NearestPatches, patch_overlaps

PATCH_SIZES = (5, 3, 1)  # the first with enough sources is taken
TARGETS_PER_SOURCE = 100  # at most, for a patch size to have enough sources
MIN_SIDE = 48  # of a level that is halved again
TRUST = 2.0  # a pixel one step further inside the hole counts this many times less (gamma, section 3.2)
DEEPEST = 16  # steps inside the hole after which trust does not fall further
ROUNDS_AT_COARSEST = 15  # of search and vote
ROUNDS_BY_LEVEL = (3, 4, 8)  # at full size, at half, at a quarter and below
ROUNDS_FROM_INITIAL = 2  # at the coarsest level of an initial fill: each round more forgets some of its structure
DEPTH_WITH_LINES = 6.0  # pixels: the coarsest level of a hole with a sketch is deeper
MANY, AROUND = 150_000, 8  # above so many hole pixels one round, of a search this far around the coarser match
DAB = 0.7  # how much of a painted colour the coarse levels take after each vote
ROUNDS_FROM_MEMBRANE = 6  # at the coarsest level where lines or colours are drawn
SEARCHES = 3  # sweeps of propagation and random search before a vote


def complete(
    image: np.ndarray,
    hole: np.ndarray,
    seed: int,
    initial: np.ndarray | None = None,
    lines: Lines | None = None,
    dabs: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Complete one image from the coarsest level of its pyramid to the finest.

    Args:
        image: float32 H x W x 3.
        hole: bool H x W, with at least one pixel in it and one outside.
        seed: of the random search.
        initial: float32 H x W x 3 whose hole is a first guess, or None.
        lines: to be followed, or None.
        dabs: colours wanted, float32 H x W x 3, and where in the hole, bool H x W; or None.

    Returns:
        The completed image, the pixels of the hole's origins (float32 P x POSE), and notes for the user.

    Raises:
        InpaintError: no pixel is known.
    """
    patch = patch_size(hole)
    levels = pyramid(image, hole, patch)
    drawn = [] if lines is None else lines_of(lines, levels)
    painted = [] if dabs is None else dabs_of(dabs, levels)
    if initial is not None:  # anything coarser than half the size would forget the structure of the initial fill
        levels, guess = levels[:2], initial
        for _ in levels[1:]:
            guess, _ = halve(guess, np.zeros(guess.shape[:2], bool))
    elif drawn or painted:  # anything coarser would not see on which side of a line it is
        levels = [level for level in levels if level is levels[0] or hole_depth(level[1]).max() > DEPTH_WITH_LINES]
        barrier = drawn[len(levels) - 1].drawn if drawn else np.zeros_like(levels[-1][1])
        guess = colour_membrane(*levels[-1], barrier, painted[len(levels) - 1] if painted else None)
    else:
        guess = smooth_fill(*levels[-1])
    current = np.where(levels[-1][1][..., None], guess, levels[-1][0])
    coarser: NearestPatches | None = None
    radius: int | None = None
    for level in reversed(range(len(levels))):
        known, inside = levels[level]
        # An initial fill is trusted everywhere; a guess grown from the border, less the farther from it.
        dab = (
            painted[level] if painted and (level or len(levels) == 1) else None
        )  # the finest copies the photo as it is
        unsure = inside if dab is None else inside & ~dab[1]
        guessed = initial is not None or (coarser is None and bool(drawn or painted))
        depth = np.zeros(inside.shape, np.float32) if guessed else np.minimum(hole_depth(unsure), DEEPEST)
        trust = (TRUST**-depth).astype(np.float32)
        field = NearestPatches(inside, patch, trust, seed + level)
        if drawn:
            field.follow(drawn[level], level)
        if coarser is None:
            field.set_image(current)
            field.improve(2 * SEARCHES)
            rounds = ROUNDS_AT_COARSEST
            if guessed:
                rounds = ROUNDS_FROM_INITIAL if initial is not None else ROUNDS_FROM_MEMBRANE
        else:
            current = np.where(inside[..., None], double(current, *inside.shape), known)
            field.start_from(coarser)
            field.set_image(current)
            # The coarse image is blurred at this size: its matches, not its pixels, have the details.
            current = vote(field, current)
            rounds = ROUNDS_BY_LEVEL[min(level, len(ROUNDS_BY_LEVEL) - 1)]
            if len(field.pixels) > MANY:
                rounds, radius = 1, AROUND
        for iteration in range(rounds):
            if dab is not None:
                current[dab[1]] += DAB * (dab[0][dab[1]] - current[dab[1]])
            field.set_image(current)
            field.improve(SEARCHES, radius)
            if level or iteration < rounds - 1:
                current = vote(field, current)
        coarser = field
    completed, origins = copy_best(field, current)
    notes = []
    if patch < PATCH_SIZES[0]:
        notes.append(
            f"Too little is known in one piece for patches of {PATCH_SIZES[0]} x {PATCH_SIZES[0]} pixels; "
            f"PatchMatch copied {patch} x {patch} ones."
        )
    return completed, origins, notes


def vote(field: NearestPatches, image: np.ndarray) -> np.ndarray:
    """Renew the hole of float32 H x W x 3: each pixel is the weighted mean of what the matches over it suggest."""
    renewed = image.copy()
    renewed[field.hole] = field.suggest(field.pixels, field.trust)[:, :3]
    return renewed


def copy_best(field: NearestPatches, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Copy into each hole pixel what the best match over it suggests.

    Returns:
        The image, float32 H x W x 3, and the pose of each hole pixel's origin, float32 P x POSE.
    """
    suggested = field.suggest(field.pixels, None)
    copied = image.copy()
    copied[field.hole] = suggested[:, :3]
    return copied, suggested[:, 3:]


def patch_size(hole: np.ndarray) -> int:
    """The largest patch of which enough are wholly known: bool H x W -> 5, 3 or 1."""
    for patch in PATCH_SIZES:
        if patch > min(hole.shape):
            continue
        touches, fits = patch_overlaps(hole, patch)
        targets = int((touches & fits).sum())
        if (int(fits.sum()) - targets) * TARGETS_PER_SOURCE > targets:
            return patch
    if hole.all():
        raise InpaintError(
            "PatchMatch needs known pixels to copy from, but all are masked; unmask a part of the photo."
        )
    return 1


def pyramid(image: np.ndarray, hole: np.ndarray, patch: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Halve image and hole until a patch reaches across the hole, or no more known patches would be left.

    Returns:
        (float32 H x W x 3, bool H x W) from the finest level to the coarsest.
    """
    levels = [(image, hole)]
    while patch == PATCH_SIZES[0]:
        image, hole = levels[-1]
        if min(hole.shape) < MIN_SIDE or float(hole_depth(hole).max()) <= patch // 2:
            break
        image, share = halve(image, hole)
        hole = share < 0.5
        if not hole.any() or patch_size(hole) < patch:
            break
        levels.append((image, hole))
    return levels


def lines_of(lines: Lines, levels: list[tuple[np.ndarray, np.ndarray]]) -> list[Lines]:
    """The lines at each level."""
    drawn = [lines]
    for _, hole in levels[1:]:
        drawn.append(drawn[-1].halved(*hole.shape))
    return drawn


def dabs_of(
    dabs: tuple[np.ndarray, np.ndarray], levels: list[tuple[np.ndarray, np.ndarray]]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The colours wanted at each level, and where."""
    painted = [dabs]
    for _, hole in levels[1:]:
        colours, share = halve(painted[-1][0], ~painted[-1][1])
        painted.append((colours, (share > 0) & hole))
    return painted


def colour_membrane(
    image: np.ndarray, hole: np.ndarray, barrier: np.ndarray, dab: tuple[np.ndarray, np.ndarray] | None
) -> np.ndarray:
    """The membrane of a hole between its border and the colours painted in it: float32 H x W x 3."""
    if dab is None:
        return membrane(image, hole, barrier)
    return membrane(np.where(dab[1][..., None], dab[0], image), hole & ~dab[1], barrier)
