"""Select an object: a rough scribble on it, or a line around it, becomes its outline.

    hint, around = masks.object_hint(points, height, width)
    mask = masks.select_object(image, hint, around)

GrabCut (Rother, Kolmogorov, Blake: GrabCut, SIGGRAPH 2004; OpenCV's) on a small copy of the part around the hint, then
a guided filter (He, Sun, Tang: Guided image filtering, PAMI 2013) brings its rim to the photo's own edges.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from inpaint_core.errors import InpaintError
from inpaint_core.masks.boxes import Box, bounding_box

WORK_PIXELS = 30_000  # of the copy that is cut: one core needs a quarter of a second for it
ROUNDS = 3  # of GrabCut
REACH = 1.2  # a scribble's object is looked for so far around it, as a share of its longer side
LEAST_REACH = 0.06  # the same, at least, as a share of the photo's longer side
SEEN = 0.05  # of the photo's longer side around a line drawn around an object: what is not of it
LEAST_SHARE = 0.25  # of a region drawn around an object: it fills more of it
SMALL_PIECE = 0.02  # a piece of the object under this share of its largest is dropped, a hole of such a size closed
SMOOTH = 1e-3  # epsilon of the guided filter, in squares of brightness


def object_hint(
    points: Sequence[Sequence[float]], height: int, width: int, box: bool = False
) -> tuple[np.ndarray, bool]:
    """What a drawn line says of an object.

    Args:
        points: x, y of the line's places in pixels; at least one.
        height, width: of the photo.
        box: the first and the last place are corners of a rectangle around the object.

    Returns:
        bool H x W and whether it holds the whole object: the inside of a rectangle or of a closed line, else the line
        itself, which lies on the object.

    Raises:
        InpaintError: there is no place, or all of them lie beside the photo.
    """
    try:
        places = np.asarray(points, np.float64)
    except (TypeError, ValueError):  # no numbers, or lists of several lengths
        places = np.zeros(0)
    if places.ndim != 2 or places.shape[1] != 2 or not len(places) or not np.isfinite(places).all():
        raise InpaintError("A line on an object is a list of its places, x and y in pixels.")
    places = np.rint(np.clip(places, -1e4, 1e5)).astype(np.int32)
    drawn = np.zeros((height, width), np.uint8)
    around = box or _is_closed(places)
    if box:
        (left, top), (right, bottom) = places.min(axis=0), places.max(axis=0)
        drawn[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = 1
    elif around:
        cv2.fillPoly(drawn, [places], 1)
    else:
        line = np.concatenate([places, places[-1:]])  # a line of one place is a dot
        cv2.polylines(drawn, [line], False, 1, thickness=max(3, round(max(height, width) / 250)))
    if not drawn.any():
        raise InpaintError("The line lies beside the photo; draw it on the object.")
    return drawn > 0, around


def select_object(image: np.ndarray, hint: np.ndarray, around: bool = False, grow: float = 0) -> np.ndarray:
    """The object that a hint means.

    Args:
        image: uint8 H x W x 3.
        hint: bool H x W, not empty: pixels of the object, or with `around` a region that holds all of it.
        around: see `object_hint`.
        grow: pixels by which the object is widened, so that its rim goes too.

    Returns:
        bool H x W, True = object; a scribble is always of it.

    Raises:
        InpaintError: the hint is empty, or of another size.
    """
    if hint.shape != image.shape[:2]:
        raise InpaintError("The hint must have the image's size; draw it on the image.")
    if not hint.any():
        raise InpaintError("Nothing is drawn on the object yet; scribble on it or draw around it.")
    window = _window(hint, around)
    part, drawn = image[window.slices], hint[window.slices]
    scale = min(1.0, (WORK_PIXELS / window.area) ** 0.5)
    size = (max(8, round(window.width * scale)), max(8, round(window.height * scale)))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(drawn.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    cut = _cut_inside(small, share > 0.5) if around else _cut(small, _labels_of_scribble(small, share > 0.1))
    cut = _pieces(_refined(cut, part), drawn, around)
    if grow:
        cut = cv2.distanceTransform((~cut).astype(np.uint8), cv2.DIST_L2, 5) <= grow
    found = np.zeros(hint.shape, bool)
    found[window.slices] = cut
    return found if around else found | hint


def _is_closed(places: np.ndarray) -> bool:
    """True for a line around something: it ends near its start and runs along the outline of its own hull."""
    length = cv2.arcLength(places, True)
    if len(places) < 8 or not length:
        return False
    hull = cv2.convexHull(places)
    gap = float(np.linalg.norm(places[0] - places[-1]))
    return bool(
        gap < 0.1 * length
        and length < 1.6 * cv2.arcLength(hull, True)
        and cv2.contourArea(places) > 0.55 * cv2.contourArea(hull) > 0
    )


def _window(hint: np.ndarray, around: bool) -> Box:
    """The part of the photo that is looked at."""
    box, whole = bounding_box(hint), Box(0, 0, *hint.shape)
    if around:
        return box.grown(round(SEEN * max(hint.shape)) + 4, limit=whole)
    return box.grown(round(max(REACH * max(box.height, box.width), LEAST_REACH * max(hint.shape))), limit=whole)


def _cut_inside(small: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The object of a region that holds it, bool H x W: cut by its colours alone, or else from the region's middle."""
    labels = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    cut = _cut(small, labels)
    if cut.sum() < LEAST_SHARE * inside.sum():  # it looks like what is around it
        depth = cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
        labels = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
        labels[depth > 0.4 * depth.max()] = cv2.GC_FGD
        cut = _cut(small, labels)
    return cut if cut.sum() >= LEAST_SHARE * inside.sum() else inside


def _labels_of_scribble(small: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """GrabCut's labels for pixels of the object: near ones that look like them are probably of it.

    What looks like the window's rim is probably not. Both are judged by the distance to the nearest of a few colours.
    """
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    rim = np.ones(drawn.shape, bool)
    width = max(2, round(0.08 * min(drawn.shape)))
    rim[width:-width, width:-width] = False
    rim &= ~drawn
    of_object, of_rim = (_nearest(lab, lab[where]) for where in (drawn, rim))
    distance = cv2.distanceTransform((~drawn).astype(np.uint8), cv2.DIST_L2, 5) / max(drawn.shape)
    # Equally like both, it counts as the object's up to a sixth of the window away.
    looks = of_object * (1 + 6 * distance) < of_rim
    labels = np.where(looks, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[rim] = cv2.GC_BGD
    labels[drawn] = cv2.GC_FGD
    return labels


def _nearest(lab: np.ndarray, sample: np.ndarray, colours: int = 6) -> np.ndarray:
    """Distance of every pixel's colour to the nearest of the few that stand for a sample, float32 H x W."""
    chosen = np.random.default_rng(0).permutation(len(sample))[:2000]
    sample = np.ascontiguousarray(sample[chosen])
    count = min(colours, len(sample))
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    _, _, centres = cv2.kmeans(sample, count, None, criteria, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    return np.min([np.linalg.norm(lab - centre, axis=2) for centre in centres], axis=0).astype(np.float32)


def _cut(small: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """GrabCut's object, bool H x W."""
    known = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if known.all() or not known.any() or min(known.sum(), (~known).sum()) < 6:  # one side has no colours to learn from
        return known
    cv2.setRNGSeed(0)
    model = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(small), labels, None, *model, ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _refined(cut: np.ndarray, part: np.ndarray) -> np.ndarray:
    """The object of the small copy at the part's own size, its rim on the part's edges (guided filter, eq. 5 and 6)."""
    height, width = part.shape[:2]
    rough = cv2.resize(cut.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    radius = max(2, round(2 * width / cut.shape[1]))
    guide = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255

    def mean(plane: np.ndarray) -> np.ndarray:
        return cv2.boxFilter(plane, -1, (2 * radius + 1, 2 * radius + 1))

    mean_guide, mean_rough = mean(guide), mean(rough)
    slope = (mean(guide * rough) - mean_guide * mean_rough) / (mean(guide * guide) - mean_guide**2 + SMOOTH)
    offset = mean_rough - slope * mean_guide
    return mean(slope) * guide + mean(offset) > 0.5


def _pieces(cut: np.ndarray, drawn: np.ndarray, around: bool) -> np.ndarray:
    """The object without specks and pinholes; of a scribble only the pieces that it touches."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cut.astype(np.uint8), connectivity=8)
    if count < 2:
        return drawn
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    keep = areas >= SMALL_PIECE * areas.max()
    if not around:
        touched = np.zeros(count, bool)
        touched[labels[drawn]] = True
        keep &= touched
    keep[0] = False
    cut = keep[labels] if keep.any() else drawn
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~cut).astype(np.uint8), connectivity=4)
    closed = stats[:, cv2.CC_STAT_AREA] < SMALL_PIECE * cut.sum()
    closed[0] = False
    return cut | closed[labels]
