"""Random masks, a batch at a time: the holes that networks are trained and measured on.

Every generator has the form

    masks(count, height, width, *, generator, device="cpu") -> float32, count x 1 x height x width, 1 = hole

draws one different mask a sample, all its numbers from `generator` (which may live on the CPU while `device` is a GPU;
the same seed then gives the same masks), and never returns an empty or a full mask. Lengths in the papers are for
256 x 256; here they scale with the square root of the area, so 128 and 512 px look like 256.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, Tensor

from inpaint_core.errors import InpaintError
from inpaint_core.masks import fields
from inpaint_core.masks.shapes import Device, Sampler, gated_strokes, lama_boxes, lama_strokes, square_box
from inpaint_core.numeric import as_seed

NARROW = {"times": (4, 50), "length": (10, 49), "thickness": (5, 14)}  # of `lama_strokes`
WIDE = {"times": (1, 5), "length": (10, 209), "thickness": (5, 104)}


def free_form(
    count: int,
    height: int,
    width: int,
    *,
    generator: Generator,
    device: Device = "cpu",
    strokes: tuple[int, int] = (1, 3),
) -> Tensor:
    """Brush strokes as a user draws them (DeepFill v2, section 3.4 and algorithm 1).

    Strokes of 4 to 11 segments, 12 to 40 px wide at 256 px, turning by about 2 pi / 5 to the left and right in turn.
    Masks are mirrored at random, as the paper says; its released code leaves that out.

    Args:
        count, height, width, generator, device: see the module.
        strokes: the least and the greatest number of strokes.

    Returns:
        float32, count x 1 x height x width, 1 = hole.

    Raises:
        InpaintError: for a size under two pixels or no masks at all.
    """
    _check(count, height, width)
    sampler, size = Sampler(generator, device), (height, width)
    return _finish(_gated_field(sampler, count, size, strokes) <= 0, sampler)


def box(count: int, height: int, width: int, *, generator: Generator, device: Device = "cpu") -> Tensor:
    """One box of half the height and width anywhere, each side moved inwards by up to 1/16 (DeepFill v1).

    At 256 px: a 128 px box whose height and width shrink by 0 to 32 px. Shapes and errors as `free_form`.
    """
    _check(count, height, width)
    sampler, size = Sampler(generator, device), (height, width)
    return _finish(square_box(sampler, count, size).field() <= 0, sampler)


def deepfill(count: int, height: int, width: int, *, generator: Generator, device: Device = "cpu") -> Tensor:
    """The union of a `box` and `free_form` strokes, as DeepFill v2 is trained on. Shapes, errors as `free_form`."""
    _check(count, height, width)
    sampler, size = Sampler(generator, device), (height, width)
    strokes = _gated_field(sampler, count, size, (1, 3)) <= 0
    return _finish(strokes | (square_box(sampler, count, size).field() <= 0), sampler)


def centre(count: int, height: int, width: int, *, generator: Generator, device: Device = "cpu") -> Tensor:
    """The box of half the height and width in the middle, always the same one: the classical test mask.

    Draws nothing from the generator. Shapes and errors as `free_form`.
    """
    _check(count, height, width)
    hole_height, hole_width = max(height // 2, 1), max(width // 2, 1)
    top, left = (height - hole_height) // 2, (width - hole_width) // 2
    mask = torch.zeros(count, 1, height, width, device=device)
    mask[:, :, top : top + hole_height, left : left + hole_width] = 1
    return mask


def irregular(
    count: int,
    height: int,
    width: int,
    *,
    generator: Generator,
    device: Device = "cpu",
    ratio: tuple[float, float] = (0.01, 0.60),
) -> Tensor:
    """Free-form strokes whose share of the picture lies in a range, evenly spread over it (as the PConv test sets do).

    The number of strokes follows the share wanted, then all are grown or thinned a little until the share is exact.

    Args:
        count, height, width, generator, device: see the module.
        ratio: the least and the greatest share of the hole, 0 < least <= greatest < 1. Where a small picture has no
            whole number of pixels in between, the nearest number is taken.

    Returns:
        float32, count x 1 x height x width, 1 = hole.

    Raises:
        InpaintError: for an invalid range, a size under two pixels or no masks at all.
    """
    _check(count, height, width)
    low, high = ratio
    if not 0 < low <= high < 1:
        raise InpaintError(f"Give a range of hole shares between 0 and 1, such as (0.1, 0.2), not {ratio}.")
    sampler, size = Sampler(generator, device), (height, width)
    area = height * width
    share = low + (high - low) * sampler.uniform(count)
    pixels = (share * area).round().clamp(math.ceil(low * area - 1e-6), math.floor(high * area + 1e-6))
    pixels = pixels.clamp(1, area - 1).long()
    # One stroke covers some 9 % of a picture; overlap grows with the share: 1 - (1 - 0.09)^n = share.
    wanted = torch.log1p(-share) / math.log(0.91)  # (N)
    most = max(int(wanted.max().round().item()), 1)
    field = _gated_field(sampler, count, size, (most, most), wanted)
    return _finish(fields.least(field, pixels), sampler)


def narrow(count: int, height: int, width: int, *, generator: Generator, device: Device = "cpu") -> Tensor:
    """Many short thin strokes (LaMa, supplementary material: "narrow"): 4 to 50 strokes, 5 to 14 px wide at 256 px.

    Masks of more than half of the picture are drawn anew. Shapes and errors as `free_form`.
    """
    _check(count, height, width)
    sampler, size = Sampler(generator, device), (height, width)

    def draw(some: int) -> Tensor:
        return _lama_field(sampler, some, size, NARROW)

    return _finish(_at_most(0.5, draw, count, sampler), sampler)


def wide(count: int, height: int, width: int, *, generator: Generator, device: Device = "cpu") -> Tensor:
    """Large strokes and boxes (LaMa, section 2.4: "wide"): 1 to 5 strokes up to 104 px wide at 256 px, or boxes.

    Three masks in ten have one to three boxes of 30 to 149 px besides. Masks of more than half of the picture are
    drawn anew. Shapes and errors as `free_form`.
    """
    _check(count, height, width)
    sampler, size = Sampler(generator, device), (height, width)

    def draw(some: int) -> Tensor:
        strokes = _lama_field(sampler, some, size, WIDE)
        return torch.minimum(strokes, lama_boxes(sampler, some, size).field())

    return _finish(_at_most(0.5, draw, count, sampler), sampler)


def random_pixels(
    count: int, height: int, width: int, *, generator: Generator, device: Device = "cpu", share: float = 0.8
) -> Tensor:
    """Single pixels at random (the 80 % masks of semantic inpainting, Yeh et al. 2017, section 4).

    Args:
        count, height, width, generator, device: see the module.
        share: the chance of each pixel to be hole, between 0 and 1.

    Returns:
        float32, count x 1 x height x width, 1 = hole.

    Raises:
        InpaintError: for an invalid share, a size under two pixels or no masks at all.
    """
    _check(count, height, width)
    if not 0 < share < 1:
        raise InpaintError(f"Give a share of hidden pixels between 0 and 1, such as 0.8, not {share}.")
    sampler = Sampler(generator, device)
    return _finish(sampler.uniform(count, height, width) < share, sampler)


GENERATORS: dict[str, Callable[..., Tensor]] = {
    "free_form": free_form,
    "box": box,
    "deepfill": deepfill,
    "centre": centre,
    "irregular": irregular,
    "narrow": narrow,
    "wide": wide,
    "random_pixels": random_pixels,
}
"""Every generator of random masks by its name."""


def generate(name: str, height: int, width: int, seed: int = 0, **options: object) -> np.ndarray:
    """One random mask by name.

    >>> generate("free_form", 256, 384, seed=7).shape
    (256, 384)

    Args:
        name: a key of `GENERATORS`.
        height, width: size of the mask in pixels.
        seed: the same seed gives the same mask.
        options: further arguments of the generator, such as `ratio` of "irregular".

    Returns:
        bool, height x width, True = hole.

    Raises:
        InpaintError: for an unknown name, or whatever the generator refuses.
    """
    if name not in GENERATORS:
        raise InpaintError(f'There are no "{name}" masks; choose one of {", ".join(GENERATORS)}.')
    generator = torch.Generator().manual_seed(as_seed(seed))
    return GENERATORS[name](1, height, width, generator=generator, **options)[0, 0].bool().numpy()


def _gated_field(
    sampler: Sampler, count: int, size: tuple[int, int], strokes: tuple[int, int], wanted: Tensor | None = None
) -> Tensor:
    """The field of `gated_strokes`, on a grid that sees their thinnest brush."""
    thinnest = 12 / 2 * math.sqrt(size[0] * size[1]) / 256
    return gated_strokes(sampler, count, size, strokes, wanted).field(fields.grid_step(thinnest))


def _lama_field(sampler: Sampler, count: int, size: tuple[int, int], ranges: dict[str, tuple[int, int]]) -> Tensor:
    """The field of `lama_strokes`, on a grid that sees their thinnest brush."""
    thinnest = ranges["thickness"][0] / 2 * math.sqrt(size[0] * size[1]) / 256
    return lama_strokes(sampler, count, size, **ranges).field_of_windows(fields.grid_step(thinnest))


def _at_most(share: float, draw: Callable[[int], Tensor], count: int, sampler: Sampler, tries: int = 20) -> Tensor:
    """Masks of the fields that `draw` gives, drawn anew where the hole takes more than this share of the picture.

    On a picture of a few pixels every shape may be too large: what still is after all tries is thinned.
    """
    field = draw(count)
    for _ in range(tries):
        over = (field <= 0).float().mean(dim=(1, 2)) > share
        if not over.any():
            return field <= 0
        field[over] = draw(int(over.sum().item()))
    mask = field <= 0
    most = max(int(share * mask[0].numel()), 1)
    thinned = fields.least(field, torch.full((count,), most, device=sampler.device))
    return torch.where(mask.sum(dim=(1, 2), keepdim=True) > most, thinned, mask)


def _finish(mask: Tensor, sampler: Sampler) -> Tensor:
    """N x H x W bool to N x 1 x H x W float; one pixel, drawn, is turned over where a mask is empty or full."""
    flat = mask.flatten(1)
    holes = flat.sum(dim=1)
    empty, full = holes == 0, holes == flat.shape[1]
    place = sampler.integers(len(flat), 1, low=0, high=flat.shape[1] - 1)
    flat = flat.scatter(1, place, (flat.gather(1, place) | empty[:, None]) & ~full[:, None])
    return flat.view(mask.shape)[:, None].float()


def _check(count: int, height: int, width: int) -> None:
    if count < 1:
        raise InpaintError(f"Ask for at least one mask, not {count}.")
    if height < 1 or width < 1 or height * width < 2:
        raise InpaintError(f"A mask needs at least two pixels, one hidden and one known; {height} x {width} has not.")
