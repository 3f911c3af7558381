"""The inner loops of PatchMatch, compiled: the cost of a match, a sweep of the search, the votes.

Each works on a range of targets or pixels and without Python's lock, so that ranges run side by side in threads (see
`ranges`). A range sees the matches of the others as they were before the sweep: the result does not depend on the
number of threads.

A match is a pose: row and column of the middle of the source, cosine and sine of its turn, and 1, or -1 for a mirrored
one. What lies (down, right) from the middle of the target is compared with what lies
(cosine * down + sine * mirror * right, -sine * down + cosine * mirror * right) from the middle of the source.

Indices are unsigned and planes flat where it counts: so the compiler makes vector instructions of the innermost loop.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

POSE = 5
ROW, COLUMN, COSINE, SINE, MIRROR = range(POSE)
USABLE, TURNABLE = 1, 2
CHANNELS = 4  # of the flat planes: red, green, blue and texture

# Sums may be reordered, so that they become vector instructions; infinity, the limit of no limit, stays what it is.
FAST_MATH = {"reassoc", "nsz", "arcp", "contract", "afn"}
_OPTIONS: Any = {"nogil": True, "cache": True, "fastmath": FAST_MATH, "error_model": "numpy"}
compiled: Any = njit(**_OPTIONS)
# What compiled functions call is always part of them. As a function of its own it would be in their machine code and in
# its own, differently rounded, and which one runs would depend on what was compiled now and what came from the cache.
# The cache of a function is renewed when its own file changes only: after a change of what others inline, delete
# __pycache__/*.nbi.
inlined: Any = njit(**_OPTIONS, forceinline=True)


class Frame(NamedTuple):
    """One level of the pyramid, as the comparisons see it."""

    half: int  # side of a patch // 2
    colour: np.ndarray  # float32 (H * W * 4,), the hole with its present content
    weight: np.ndarray  # float32 (H * W * 4,), how much a pixel counts in a comparison
    usable: np.ndarray  # uint8 H x W: USABLE as the middle of a source, TURNABLE too, or 0
    places: np.ndarray  # int32 M x 2, row and column of the middle of each patch that touches the hole: the targets
    numbers: np.ndarray  # int32 H x W, the target with its middle there, or -1
    total: np.ndarray  # float32 (M,), the weight of all its pixels


class Matches(NamedTuple):
    """The best source of each target so far."""

    poses: np.ndarray  # float32 M x POSE
    costs: np.ndarray  # float32 (M,), weighted mean squared difference plus the prices of the source


class Prices(NamedTuple):
    """What a match costs beside its difference, in squared units of colour."""

    length: float  # for each pixel of distance
    turn: float  # of being turned or mirrored


@inlined
def random_number(seed, target, draw):
    """32 random bits of three numbers (the finaliser of MurmurHash3)."""
    state = np.uint32(np.uint32(seed) ^ np.uint32(np.uint32(target) * np.uint32(0x9E3779B1)))
    state = np.uint32(state ^ np.uint32(np.uint32(draw) * np.uint32(0x85EBCA77)))
    state = np.uint32((state ^ np.uint32(state >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    state = np.uint32((state ^ np.uint32(state >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.int64(np.uint32(state ^ np.uint32(state >> np.uint32(16))))


@inlined
def difference(colour, weight, step, side, target, source, limit):
    """Weighted sum of squared differences of two patches; some number above the limit if it is above the limit.

    `target` and `source` are the flat positions of the first values of the patches, `step` is that of a row.
    """
    total = np.float32(0)
    for _ in range(side):
        part = np.float32(0)
        for place in range(np.uint64(CHANNELS) * side):
            apart = colour[target + place] - colour[source + place]
            part += weight[target + place] * apart * apart
        total += part
        if total > limit:
            return total
        target += step
        source += step
    return total


@compiled
def renew(first, last, frame, prices, matches):
    """The cost of each target's match, for the frame as it is now; of matches that are not turned."""
    half, width = frame.half, frame.numbers.shape[1]
    step, side = np.uint64(CHANNELS * width), np.uint64(2 * half + 1)
    for target in range(first, last):
        row, column = frame.places[target, 0], frame.places[target, 1]
        source_row, source_column = int(matches.poses[target, ROW]), int(matches.poses[target, COLUMN])
        down, right = np.float32(source_row - row), np.float32(source_column - column)
        price = prices.length * np.sqrt(down * down + right * right)
        here = np.uint64(CHANNELS * ((row - half) * width + column - half))
        there = np.uint64(CHANNELS * ((source_row - half) * width + source_column - half))
        apart = difference(frame.colour, frame.weight, step, side, here, there, np.float32(np.inf))
        matches.costs[target] = price + apart / frame.total[target]


@compiled
def sweep(first, last, frame, prices, plan, before, matches):
    """Propagation and random search (Barnes section 3.2) over a range of targets, without turns.

    Args:
        first, last: the range.
        frame, prices: see there.
        plan: direction of the sweep (1 or -1), seed, and the largest radius of the random search.
        before: float32 M x POSE, the poses before the sweep.
        matches: renewed in place.
    """
    poses, costs, half = matches.poses, matches.costs, frame.half
    direction, seed, widest = plan
    height, width = frame.numbers.shape
    step, side = np.uint64(CHANNELS * width), np.uint64(2 * half + 1)
    for number in range(last - first):
        target = first + number if direction > 0 else last - 1 - number
        row, column = np.int64(frame.places[target, 0]), np.int64(frame.places[target, 1])
        best_row, best_column, best = int(poses[target, ROW]), int(poses[target, COLUMN]), costs[target]
        here = np.uint64(CHANNELS * ((row - half) * width + column - half))
        trial, radius = 0, widest
        while trial < 2 or radius >= 1:
            if trial < 2:  # the matches of the neighbours that the sweep comes from, moved on by one pixel
                down, right = direction * trial, direction * (1 - trial)
                trial += 1
                if not (0 <= row - down < height and 0 <= column - right < width):
                    continue
                neighbour = frame.numbers[row - down, column - right]
                if neighbour < 0:
                    continue
                if first <= neighbour < last:
                    new_row, new_column = int(poses[neighbour, ROW]) + down, int(poses[neighbour, COLUMN]) + right
                else:
                    new_row, new_column = int(before[neighbour, ROW]) + down, int(before[neighbour, COLUMN]) + right
            else:  # random ones around the best so far, in windows that halve down to one pixel
                new_row = best_row + random_number(seed, target, trial) % (2 * radius + 1) - radius
                new_column = best_column + random_number(seed, target, trial + 1) % (2 * radius + 1) - radius
                trial += 2
                radius //= 2
            if not (0 <= new_row < height and 0 <= new_column < width) or not frame.usable[new_row, new_column]:
                continue
            if new_row == best_row and new_column == best_column:
                continue
            down_to, right_to = np.float32(new_row - row), np.float32(new_column - column)
            price = prices.length * np.sqrt(down_to * down_to + right_to * right_to)
            if price >= best:
                continue
            there = np.uint64(CHANNELS * ((new_row - half) * width + new_column - half))
            limit = np.float32((best - price) * frame.total[target])
            apart = difference(frame.colour, frame.weight, step, side, here, there, limit)
            if apart < limit:
                best_row, best_column, best = new_row, new_column, price + apart / frame.total[target]
        poses[target, ROW], poses[target, COLUMN], costs[target] = best_row, best_column, best


@inlined
def read(frame, at_row, at_column, into):
    """The colour of the frame between four pixels, linearly, into float32 (CHANNELS,)."""
    width = frame.numbers.shape[1]
    top, left = np.int64(at_row), np.int64(at_column)
    low, far = np.float32(at_row - top), np.float32(at_column - left)
    place = CHANNELS * (top * width + left)
    if low == 0 and far == 0:
        for channel in range(CHANNELS):
            into[channel] = frame.colour[place + channel]
        return
    below = place + (CHANNELS * width if low > 0 else 0)
    beside = CHANNELS if far > 0 else 0
    for channel in range(CHANNELS):
        upper = (1 - far) * frame.colour[place + channel] + far * frame.colour[place + beside + channel]
        lower = (1 - far) * frame.colour[below + channel] + far * frame.colour[below + beside + channel]
        into[channel] = (1 - low) * upper + low * lower


@compiled
def vote(first, last, pixels, frame, matches, trust, colours):
    """The weighted mean of what all matches over each pixel of a range suggest for it (Wexler section 3.2).

    Args:
        first, last: the range of `pixels`, int32 P x 2.
        frame, matches: as in a sweep.
        trust: float32 H x W, the confidence in what lies around each target's middle.
        colours: float32 P x CHANNELS, the result.
    """
    poses, costs, half = matches.poses, matches.costs, frame.half
    height, width = frame.numbers.shape
    voters, highest = np.empty((2 * half + 1) ** 2, np.int32), np.empty((2 * half + 1) ** 2, np.float32)
    colour, mean = np.empty(CHANNELS, np.float32), np.empty(CHANNELS, np.float32)
    for pixel in range(first, last):
        row, column = np.int64(pixels[pixel, 0]), np.int64(pixels[pixel, 1])
        count = 0
        for y in range(max(row - half, 0), min(row + half + 1, height)):
            for x in range(max(column - half, 0), min(column + half + 1, width)):
                if frame.numbers[y, x] >= 0:
                    voters[count] = frame.numbers[y, x]
                    count += 1
        # The scale of a pixel's votes is their 75th percentile: one bad patch does not spoil the mean of good ones.
        above, found = count - ((count - 1) * 3) // 4, 0
        for number in range(count):  # the highest costs, sorted, down to that percentile
            cost = costs[voters[number]]
            if found == above and cost <= highest[found - 1]:
                continue
            place = found if found < above else found - 1
            while place > 0 and highest[place - 1] < cost:
                highest[place] = highest[place - 1]
                place -= 1
            highest[place] = cost
            found = min(found + 1, above)
        sharpness = np.float32(-0.5) / (highest[above - 1] + np.float32(1e-6))
        total = np.float32(0)
        mean[:] = 0
        for number in range(count):
            target = voters[number]
            y, x = frame.places[target, 0], frame.places[target, 1]
            at_row, at_column = moved(poses[target], row - y, column - x)
            read(frame, at_row, at_column, colour)
            weight = np.float32(np.exp(costs[target] * sharpness)) * trust[y, x]
            total += weight
            for channel in range(CHANNELS):
                mean[channel] += weight * colour[channel]
        for channel in range(CHANNELS):
            colours[pixel, channel] = mean[channel] / total


@compiled
def choose(first, last, pixels, frame, matches, colours, origins):
    """What the cheapest match over each pixel of a range suggests for it.

    Args:
        first, last, pixels, frame, matches: as for `vote`.
        colours: float32 P x CHANNELS, the result.
        origins: float32 P x POSE, the pose of that match, moved to the pixel.
    """
    poses, costs, half = matches.poses, matches.costs, frame.half
    height, width = frame.numbers.shape
    for pixel in range(first, last):
        row, column = np.int64(pixels[pixel, 0]), np.int64(pixels[pixel, 1])
        cheapest, least = -1, np.float32(np.inf)
        for y in range(max(row - half, 0), min(row + half + 1, height)):
            for x in range(max(column - half, 0), min(column + half + 1, width)):
                target = frame.numbers[y, x]
                if target >= 0 and (cheapest < 0 or costs[target] < least):
                    cheapest, least = target, costs[target]
        down, right = row - frame.places[cheapest, 0], column - frame.places[cheapest, 1]
        at_row, at_column = moved(poses[cheapest], down, right)
        read(frame, at_row, at_column, colours[pixel])
        origins[pixel, ROW], origins[pixel, COLUMN] = at_row, at_column
        for part in range(COSINE, POSE):
            origins[pixel, part] = poses[cheapest, part]


@inlined
def moved(pose, down, right):
    """Row and column in a source of what lies (down, right) from the middle of its target."""
    cosine, sine, mirror = pose[COSINE], pose[SINE], pose[MIRROR]
    return pose[ROW] + cosine * down + sine * mirror * right, pose[COLUMN] - sine * down + cosine * mirror * right
