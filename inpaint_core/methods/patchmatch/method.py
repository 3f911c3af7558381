"""PatchMatch as a method: a batch of images, one after the other, each from its own known patches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from inpaint_core.methods.base import FillContext, Filled, FillMethod
from inpaint_core.methods.patchmatch.completion import complete
from inpaint_core.methods.patchmatch.guidance import Lines, find_straight_lines
from inpaint_core.methods.patchmatch.kernels import COLUMN, ROW
from inpaint_core.methods.patchmatch.levels import ColourHints, Hints
from inpaint_core.methods.patchmatch.seams import even_out
from inpaint_core.progress import Progress, part_of, throttled

SEARCH = 0.85  # the search's share of the time, the rest evens out seams
WARM_UP_SIDE = 48  # pixels of the photo that is filled so that all loops are compiled


class PatchMatch(FillMethod):
    """Copies the photo's own patches into the hole. Has no weights and reads nothing but the known pixels.

    Args:
        even: even out small steps of brightness between the copies; False leaves every hole pixel an exact copy.
    """

    max_pixels = 16 << 20
    margin = 0.5  # memory goes with the crop: a hole of a million pixels is searched in four
    min_margin = 128
    reads_edges = True

    def __init__(self, even: bool = True) -> None:
        self.even = even

    def fill(self, image: Tensor, mask: Tensor, context: FillContext = FillContext()) -> Filled:
        """See `FillMethod.fill`: hole pixels are copied from known ones (see `even`), the others unchanged.

        Of the context it uses `generator`, from which one number is drawn that seeds every sample, so that a batch
        gives what its samples give alone, and `initial`, whose structure is kept and whose texture is replaced by the
        photo's own patches, and `sketch` with `edges`: lines in the hole are filled by patches along lines of the
        photo (see `guidance`). Where `colours` has colours, the coarse levels have their colours.

        The extra `offsets`, int64 N x 2 x H x W, leads from each hole pixel to the known pixel it was copied from
        (rows, columns); it is 0 outside the hole. A note says where patches had to be smaller.

        Raises:
            InpaintError: an image has no known pixel.
        """
        seed = 0
        if context.generator is not None:
            seed = int(torch.randint(1 << 31, (1,), generator=context.generator, device=context.generator.device))
        completed = image.clone()
        offsets = torch.zeros(len(image), 2, *image.shape[2:], dtype=torch.int64)
        notes: list[str] = []
        for sample in range(len(image)):
            hole = (mask[sample, 0] > 0.5).numpy()
            if not hole.any():
                continue
            initial = None if context.initial is None else _pixels(context.initial[sample])
            hints = Hints(initial, _lines(context, sample, hole), _colours(context, sample, hole))
            report = part_of(context.progress, sample / len(image), (sample + 1) / len(image))
            filled, origins, sample_notes = complete(
                _pixels(image[sample]), hole, seed, hints, _stage(report, 0, SEARCH, "Copying patches")
            )
            rows, columns = np.nonzero(hole)
            offsets[sample, 0][hole] = torch.from_numpy(np.rint(origins[:, ROW]).astype(np.int64) - rows)
            offsets[sample, 1][hole] = torch.from_numpy(np.rint(origins[:, COLUMN]).astype(np.int64) - columns)
            notes += sample_notes
            if self.even:
                filled = even_out(filled, hole, origins, _stage(report, SEARCH, 1, "Evening out the seams"))
            completed[sample] = torch.from_numpy(filled).permute(2, 0, 1)
        return Filled(completed, tuple(dict.fromkeys(notes)), {"offsets": offsets})


def _lines(context: FillContext, sample: int, hole: np.ndarray) -> Lines | None:
    """The lines to follow: the photo's where it is known, the sketch's in the hole; None where nothing is drawn."""
    if context.sketch is None:
        return None
    sketch = (context.sketch[sample, 0] > 0.5).numpy() & hole
    if not sketch.any():
        return None
    edges = np.zeros_like(hole) if context.edges is None else (context.edges[sample, 0] > 0.5).numpy() & ~hole
    return Lines(sketch | edges, find_straight_lines(sketch, edges, hole))


def _colours(context: FillContext, sample: int, hole: np.ndarray) -> ColourHints | None:
    """The colours wanted in the hole; None where nothing is painted."""
    if context.colours is None:
        return None
    painted = (context.colours[sample, 3] > 0.5).numpy() & hole
    return ColourHints(_pixels(context.colours[sample, :3]), painted) if painted.any() else None


def _stage(progress: Progress | None, low: float, high: float, text: str) -> Callable[[float], None]:
    """Says how far a stage is that spans [low, high] of the whole, a few times a second."""
    if progress is None:
        return lambda share: None
    return throttled(lambda share: progress(low + share * (high - low), f"{text}, {share:.0%}"))


def _pixels(planes: Tensor) -> np.ndarray:
    """float32 3 x H x W -> H x W x 3."""
    return np.ascontiguousarray(planes.permute(1, 2, 0).numpy())


def warm_up() -> None:
    """Compile the loops, or load what an earlier process compiled: the first fill need not wait for it."""
    image, mask = torch.rand(1, 3, WARM_UP_SIDE, WARM_UP_SIDE), torch.zeros(1, 1, WARM_UP_SIDE, WARM_UP_SIDE)
    mask[:, :, WARM_UP_SIDE // 3 : WARM_UP_SIDE // 2, WARM_UP_SIDE // 3 : WARM_UP_SIDE // 2] = 1
    for sketch in (None, mask):
        PatchMatch().fill(image, mask, FillContext(sketch=sketch))
