"""The search's inner loops where there are lines to follow: patches may turn and mirror, and compare by lines, too.

As `kernels.renew` and `kernels.sweep`; a turned source is read between its pixels, linearly. Barnes et al., "The
Generalized PatchMatch Correspondence Algorithm", ECCV 2010, section 3.1, has turned patches; there angles are searched
at random, here they follow from the lines of target and source.
"""

from __future__ import annotations

import numpy as np

from inpaint_core.methods.patchmatch.kernels import (
    CHANNELS,
    COLUMN,
    COSINE,
    MIRROR,
    POSE,
    ROW,
    SINE,
    TURNABLE,
    USABLE,
    compiled,
    inlined,
    random_number,
)
from inpaint_core.methods.patchmatch.kernels import difference as plain_difference

SMALL_TURN = 0.9945  # cosine of six degrees: less is not turned, so that pixels are copied as they are


@inlined
def difference(frame, guide, row, column, pose, limit):
    """As `kernels.difference`, of a target's middle and a source's pose, with the guide."""
    half, width = frame.half, frame.numbers.shape[1]
    cosine, sine, mirror = pose[COSINE], pose[SINE], pose[MIRROR]
    if cosine == 1 and mirror > 0:
        step, side = np.uint64(CHANNELS * width), np.uint64(2 * half + 1)
        target = np.uint64(CHANNELS * ((row - half) * width + column - half))
        source = np.uint64(CHANNELS * ((int(pose[ROW]) - half) * width + int(pose[COLUMN]) - half))
        least = np.float32(limit)
        total = plain_difference(frame.colour, frame.weight, step, side, target, source, least)
        if total > least:
            return total
        lines = guide.planes.reshape(-1)
        return total + plain_difference(lines, guide.weight, step, side, target, source, np.float32(least - total))
    twice_cosine, twice_sine = cosine * cosine - sine * sine, 2 * cosine * sine
    total = np.float32(0)
    for down in range(-half, half + 1):
        for right in range(-half, half + 1):
            y, x = row + down, column + right
            at_row = pose[ROW] + cosine * down + sine * mirror * right
            at_column = pose[COLUMN] - sine * down + cosine * mirror * right
            top, left = int(at_row), int(at_column)
            low, far = at_row - top, at_column - left
            here, there = CHANNELS * (y * width + x), CHANNELS * (top * width + left)
            apart = np.float32(0)
            for channel in range(CHANNELS):
                first = frame.colour[there + channel]
                beside = frame.colour[there + CHANNELS + channel]
                below = frame.colour[there + CHANNELS * width + channel]
                corner = frame.colour[there + CHANNELS * width + CHANNELS + channel]
                colour = (1 - low) * ((1 - far) * first + far * beside) + low * ((1 - far) * below + far * corner)
                apart += (frame.colour[here + channel] - colour) ** 2
            near_row, near_column = int(at_row + 0.5), int(at_column + 0.5)
            along, across = guide.planes[near_row, near_column, 2], guide.planes[near_row, near_column, 3]
            # the direction of the source's line once the source is turned back
            off = (guide.planes[y, x, 2] - (twice_cosine * along + twice_sine * across)) ** 2
            off += (guide.planes[y, x, 3] - mirror * (twice_cosine * across - twice_sine * along)) ** 2
            off += (guide.planes[y, x, 0] - guide.planes[near_row, near_column, 0]) ** 2
            off += (guide.planes[y, x, 1] - guide.planes[near_row, near_column, 1]) ** 2
            total += frame.weight[here] * (apart + guide.strength[y, x] * off)
        if total > limit:
            return total
    return total


@inlined
def cost_of(frame, prices, guide, target, pose, limit):
    """What a target costs from a source with this pose; some number above the limit if it is above the limit."""
    row, column = np.int64(frame.places[target, 0]), np.int64(frame.places[target, 1])
    down, right = pose[ROW] - row, pose[COLUMN] - column
    cost = prices.length * np.sqrt(down * down + right * right)
    if pose[COSINE] < 1 or pose[MIRROR] < 0:
        cost += prices.turn
    if cost >= limit:
        return cost
    total = frame.total[target]
    return cost + difference(frame, guide, row, column, pose, (limit - cost) * total) / total


@compiled
def renew(first, last, frame, prices, guide, matches):
    """The cost of each target's match, for the frame as it is now."""
    for target in range(first, last):
        matches.costs[target] = cost_of(frame, prices, guide, target, matches.poses[target], np.float32(np.inf))


@inlined
def allowed(frame, guide, target, pose):
    """Whether a target may be filled from this source."""
    row, column = int(np.floor(pose[ROW] + 0.5)), int(np.floor(pose[COLUMN] + 0.5))
    height, width = frame.numbers.shape
    if not (0 <= row < height and 0 <= column < width):
        return False
    turned = pose[COSINE] < 1 or pose[MIRROR] < 0
    if frame.usable[row, column] < (TURNABLE if turned else USABLE) or (turned and guide.line[target, 3] == 0):
        return False
    down, right = guide.direction[target, 0], guide.direction[target, 1]
    if down == 0 and right == 0:
        return True
    away = right * (pose[ROW] - frame.places[target, 0]) - down * (pose[COLUMN] - frame.places[target, 1])
    return not turned and abs(away) <= 1


@compiled
def sweep(first, last, frame, prices, plan, guide, before, matches):
    """Propagation and random search as in `kernels.sweep`, and sources at the photo's lines for targets at lines.

    `plan` also has how many of those a target is offered; `guide` is a `guidance.Guide`.
    """
    poses, costs = matches.poses, matches.costs
    direction, seed, widest, tries = plan
    height, width = frame.numbers.shape
    pose = np.ones(POSE, np.float32)
    for number in range(last - first):
        target = first + number if direction > 0 else last - 1 - number
        row, column = np.int64(frame.places[target, 0]), np.int64(frame.places[target, 1])
        at_line = guide.line[target, 3] > 0
        trial, radius, left_over = 0, widest, tries if at_line and len(guide.models) else 0
        while trial < 2 or radius >= 1 or left_over:
            if trial < 2:  # the matches of the neighbours that the sweep comes from, moved on by one pixel
                down, right = direction * trial, direction * (1 - trial)
                trial += 1
                if not (0 <= row - down < height and 0 <= column - right < width):
                    continue
                neighbour = frame.numbers[row - down, column - right]
                if neighbour < 0:
                    continue
                for part in range(POSE):
                    pose[part] = poses[neighbour, part] if first <= neighbour < last else before[neighbour, part]
                pose[ROW], pose[COLUMN] = (
                    pose[ROW] + pose[COSINE] * down + pose[SINE] * pose[MIRROR] * right,
                    pose[COLUMN] - pose[SINE] * down + pose[COSINE] * pose[MIRROR] * right,
                )
            elif radius >= 1:  # random ones around the best so far, in windows that halve down to one pixel
                for part in range(POSE):
                    pose[part] = poses[target, part]
                drawn = random_number(seed, target, trial) % (2 * radius + 1) - radius
                if guide.direction[target, 0] != 0 or guide.direction[target, 1] != 0:
                    pose[ROW] += np.float32(np.floor(drawn * guide.direction[target, 0] + 0.5))
                    pose[COLUMN] += np.float32(np.floor(drawn * guide.direction[target, 1] + 0.5))
                else:
                    pose[ROW] += np.float32(drawn)
                    pose[COLUMN] += np.float32(random_number(seed, target, trial + 1) % (2 * radius + 1) - radius)
                trial += 2
                radius //= 2
            else:  # ones at a random line of the photo, turned as the target's line is
                drawn = random_number(seed, target, trial)
                chosen = (drawn >> 2) % len(guide.models)
                mirror = 1 - 2 * (drawn & 1)
                turn = guide.models[chosen, 2] - mirror * guide.line[target, 2] + np.pi * ((drawn >> 1) & 1)
                cosine, sine = np.cos(turn), np.sin(turn)
                plain = mirror > 0 and cosine > SMALL_TURN
                if plain:
                    cosine, sine = 1.0, 0.0
                down_from, right_from = row - guide.line[target, 0], column - guide.line[target, 1]
                source_row = guide.models[chosen, 0] + cosine * down_from + sine * mirror * right_from
                source_column = guide.models[chosen, 1] - sine * down_from + cosine * mirror * right_from
                if plain:
                    source_row, source_column = np.floor(source_row + 0.5), np.floor(source_column + 0.5)
                pose[ROW], pose[COLUMN], pose[COSINE], pose[SINE] = source_row, source_column, cosine, sine
                pose[MIRROR] = mirror
                trial += 1
                left_over -= 1
            if allowed(frame, guide, target, pose):
                cost = cost_of(frame, prices, guide, target, pose, costs[target])
                if cost < costs[target]:
                    costs[target] = cost
                    for part in range(POSE):
                        poses[target, part] = pose[part]
