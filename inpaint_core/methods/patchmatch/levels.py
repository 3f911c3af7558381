"""The pyramid of a completion: what each level is made of, and how long it is searched.

LPIPS of Navier-Stokes' at a centre and an irregular hole, 12 photos of 256 px, before the rounds were doubled (0.716,
0.720) and with other settings: patches of 7 px 0.723, 0.757; colours trusted by twice the exponent 0.695, 0.741; no
rule for flat places 0.726, 0.751; nearness three times as dear 0.731, 0.769, a third as dear 0.725, 0.715; texture
counting half 0.723, 0.738, twice 0.722, 0.735. Rounds doubled: 0.697, 0.713.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inpaint_core.errors import InpaintError
from inpaint_core.methods.patchmatch.diffusion import membrane
from inpaint_core.methods.patchmatch.guidance import Lines
from inpaint_core.methods.patchmatch.pyramid import halve, hole_depth, smooth_fill, with_texture
from inpaint_core.methods.patchmatch.search import RENEWAL, VOTE, patch_overlaps, trials_of

PATCH_SIZES = (5, 3, 1)  # the first with enough sources is taken
TARGETS_PER_SOURCE = 100  # at most, for a patch size to have enough sources
MIN_SIDE = 48  # of a level that is halved again
ROUNDS_AT_COARSEST = 15  # of search and vote
ROUNDS_BY_LEVEL = (6, 8, 12)  # at full size, at half, at a quarter and below
ROUNDS_IF_LARGE_OR_HINTED = (3, 4, 8)  # above LARGE hole pixels; or where colours are given, which each round forgets
ROUNDS_FROM_INITIAL = 2  # at the coarsest level of an initial fill: each round more forgets some of its structure
ROUNDS_FROM_MEMBRANE = 6  # at the coarsest level where lines or colours are drawn
TEXTURED = 1.0  # what texture counts beside colours
DEPTH_WITH_LINES = 6.0  # pixels: the coarsest level of a hole with a sketch is deeper
LARGE = 40_000  # hole pixels of a level
HUGE = 150_000  # hole pixels of a level: from here on one round, of a search around the coarser match
LOCAL_RADIUS = 8  # pixels of that search
SEARCHES_IF_HUGE = 2  # sweeps of it: a third one finds matches that are better by a hundredth
SEARCHES = 3  # sweeps of propagation and random search before a vote


@dataclass(frozen=True)
class ColourHints:
    """Colours wanted in a hole."""

    colours: np.ndarray  # float32 H x W x 3
    where: np.ndarray  # bool H x W


@dataclass(frozen=True)
class Hints:
    """What a fill shall look like; all may be absent."""

    initial: np.ndarray | None = None  # float32 H x W x 3, whose hole is a first guess
    lines: Lines | None = None  # to be followed
    colours: ColourHints | None = None  # colours to be had


@dataclass(frozen=True)
class Level:
    """One level of the pyramid, and how it is searched."""

    image: np.ndarray  # float32 H x W x CHANNELS, with its texture
    hole: np.ndarray  # bool H x W
    rounds: int  # of search and vote
    radius: int | None = None  # of the random search; None: the whole image
    lines: Lines | None = None
    colours: ColourHints | None = None

    @property
    def quick(self) -> bool:
        """Whether the hole is so large that only what lies around the coarser matches is searched."""
        return self.radius is not None

    @property
    def searches(self) -> int:
        """Sweeps of the search before a vote."""
        return SEARCHES_IF_HUGE if self.quick else SEARCHES

    def trials(self, patch: int) -> float:
        """About how many trials of a search the level takes, for its share in the work."""
        touches, fits = patch_overlaps(self.hole, patch)
        targets, pixels = float((touches & fits).sum()), float(self.hole.sum())
        sweep = trials_of(max(self.hole.shape) if self.radius is None else self.radius)
        return (self.rounds + 1) * (RENEWAL * targets + VOTE * pixels) + self.rounds * self.searches * sweep * targets


@dataclass(frozen=True)
class Plan:
    """A pyramid from the finest level to the coarsest."""

    patch: int  # side of a patch
    levels: list[Level]
    guess: np.ndarray  # float32 H x W x CHANNELS of the coarsest level, the hole's first content
    guessed: bool  # whether all of that is to be trusted, not only what is near the border

    @property
    def trials(self) -> float:
        """About how many trials of a search the completion takes."""
        coarsest = self.levels[-1]
        return sum(level.trials(self.patch) for level in self.levels) + coarsest.trials(self.patch) / coarsest.rounds


def plan_of(image: np.ndarray, hole: np.ndarray, hints: Hints) -> Plan:
    """Lay out the pyramid of a completion.

    Args:
        image: float32 H x W x 3.
        hole: bool H x W, with at least one pixel in it.
        hints: of the fill.

    Raises:
        InpaintError: no pixel is known.
    """
    patch = patch_size(hole)
    sizes = pyramid(with_texture(image, hole, TEXTURED), hole, patch)
    if hints.initial is not None:  # anything coarser than half the size would forget the initial fill's structure
        sizes, least = sizes[:2], ROUNDS_FROM_INITIAL
    elif hints.lines is not None or hints.colours is not None:  # anything coarser would not see the sides of a line
        sizes = [size for size in sizes if size is sizes[0] or hole_depth(size[1]).max() > DEPTH_WITH_LINES]
        least = ROUNDS_FROM_MEMBRANE
    else:
        least = ROUNDS_AT_COARSEST
    levels: list[Level] = []
    lines, colours = hints.lines, hints.colours
    for number, (pixels, inside) in enumerate(sizes):
        if levels:
            lines = lines and lines.halved(*inside.shape)
            colours = colours and halved(colours, inside)
        pixels_inside = int(inside.sum())
        given = hints.initial is not None or colours is not None
        by_level = ROUNDS_IF_LARGE_OR_HINTED if given or pixels_inside > LARGE else ROUNDS_BY_LEVEL
        rounds, radius = by_level[min(number, len(by_level) - 1)], None
        if number == len(sizes) - 1:
            rounds = least
        elif pixels_inside > HUGE:
            rounds, radius = 1, LOCAL_RADIUS
        finest = number == 0 and len(sizes) > 1  # which copies the photo as it is
        levels.append(Level(pixels, inside, rounds, radius, lines, None if finest else colours))
    return Plan(patch, levels, first_guess(levels, hints.initial), least != ROUNDS_AT_COARSEST)


def first_guess(levels: list[Level], initial: np.ndarray | None) -> np.ndarray:
    """What the hole of the coarsest level holds first: float32 H x W x CHANNELS."""
    image, hole, lines, colours = levels[-1].image, levels[-1].hole, levels[-1].lines, levels[-1].colours
    if initial is None and lines is None and colours is None:
        return smooth_fill(image, hole)
    barrier = np.zeros_like(hole) if lines is None else lines.drawn
    # Of the texture, too: an initial fill or a dab is flat, and need not stay so.
    guess = membrane(image, hole, barrier)
    if initial is not None:
        for _ in levels[1:]:
            initial, _ = halve(initial, np.zeros(initial.shape[:2], bool))
        guess[..., :3] = initial
    elif colours is not None:
        painted = np.where(colours.where[..., None], colours.colours, image[..., :3])
        guess[..., :3] = membrane(painted, hole & ~colours.where, barrier)
    return guess


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
        (float32 H x W x C, bool H x W) from the finest level to the coarsest.
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


def halved(colours: ColourHints, hole: np.ndarray) -> ColourHints:
    """The colours wanted at half the size, in that size's hole."""
    smaller, share = halve(colours.colours, ~colours.where)
    return ColourHints(smaller, (share > 0) & hole)
