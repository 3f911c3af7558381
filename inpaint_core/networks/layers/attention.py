"""Contextual attention: holes are filled with patches borrowed from the known part (DeepFill v1 section 4, also v2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inpaint_core.networks.layers.tiles import cut_tiles, join_tiles, overlap, tile_shares

ATTENTION_MARGIN = 4
"""The `margin` of DeepFill's networks: places around the hole, at 1/8 of the size, from which decoders reach it."""


@dataclass(frozen=True)
class Conventions:
    """Where published implementations differ; the defaults are the authors', in TensorFlow."""

    aligned: bool = True  # maps shrink with aligned corners; else the upper left pixel of each square is taken
    exclude: bool = False  # a patch that touches a hole scores minus infinity; else 0, and its share is dropped
    average: bool = False  # a pixel is divided by how many patches cover it (1, 2 or 4); else always by 4
    epsilon: float = 0.0  # added to each squared value before a patch's norm is taken


class ContextualAttention(nn.Module):
    """Compares 3 x 3 patches at a reduced scale and rebuilds the foreground from the background's patches.

    Every sample has its own mask. Matching and pasting are matrix products; queries go through in blocks of rows, so
    that the scores of a large image never exist all at once.

    Args:
        rate: how much smaller the maps are on which patches are compared.
        softmax_scale: sharpness of the choice between patches.
        fuse: let neighbouring queries agree on neighbouring patches (the paper's attention propagation).
        max_scores: how many scores one block of queries may hold; the result does not depend on it.
        margin: where only the hole's pixels will be used: rebuild the hole's bounding box and this many places around
            it (at the reduced scale) and leave zeros elsewhere. Inside the box nothing changes. None: rebuild all.
        smooth: blur the rebuilt features by a binomial of 3 x 3. Where the hole looks the same everywhere, all its
            places choose the same patch: pasted every `rate` = 2 features, it repeats with a period of 2, which
            becomes a lattice of 8 px in the fill. The binomial removes just that period. Not in the paper.
        conventions: of the implementation whose weights are used.
    """

    kernel = 3

    def __init__(
        self,
        rate: int = 2,
        softmax_scale: float = 10.0,
        fuse: bool = True,
        max_scores: int = 1 << 25,
        margin: int | None = None,
        smooth: bool = False,
        conventions: Conventions = Conventions(),
    ) -> None:
        super().__init__()
        self.rate = rate
        self.softmax_scale = softmax_scale
        self.fuse = fuse
        self.max_scores = max_scores
        self.margin = margin
        self.smooth = smooth
        self.conventions = conventions

    def forward(
        self,
        foreground: Tensor,
        background: Tensor | None = None,
        mask: Tensor | None = None,
        return_flow: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Rebuild `foreground` from patches of `background`.

        Args:
            foreground: N x C x H x W features; H and W multiples of `rate`.
            background: N x C x H' x W' features to borrow from; None: the foreground itself.
            mask: N x 1 x any size, 1 = hole: background patches that touch a hole are not borrowed. None: all are.
            return_flow: also return where each patch came from.

        Returns:
            The rebuilt features, N x C x H x W, and the flow or None: int64 N x 2 x H/rate x W/rate, the (row, column)
            of the best background patch at the reduced scale; a place outside of `margin` points at itself.

        Raises:
            ValueError: a side is no multiple of `rate`.
        """
        background = foreground if background is None else background
        for side in (*foreground.shape[-2:], *background.shape[-2:]):
            if side % self.rate:
                raise ValueError(f"contextual attention takes sides that are multiples of {self.rate}, not {side}")
        with torch.autocast(foreground.device.type, enabled=False):
            return self._attend(foreground, background.to(foreground.dtype), mask, return_flow)

    def _attend(
        self, foreground: Tensor, background: Tensor, mask: Tensor | None, return_flow: bool
    ) -> tuple[Tensor, Tensor | None]:
        n, _, full_height, full_width = foreground.shape
        rate, aligned, average = self.rate, self.conventions.aligned, self.conventions.average
        small = nearest_resize(foreground, full_height // rate, full_width // rate, aligned)
        height, width = small.shape[-2:]
        keys_map = nearest_resize(background, background.shape[-2] // rate, background.shape[-1] // rate, aligned)
        key_height, key_width = keys_map.shape[-2:]

        places = F.pad(small, (self.kernel // 2,) * 4).permute(0, 2, 3, 1).flatten(1, 2).contiguous()  # zeros around
        keys = patches(keys_map, self.kernel)  # (N, 9C, h' * w')
        energy = keys_map.float().square().sum(1, keepdim=True)
        energy = F.avg_pool2d(energy, self.kernel, 1, self.kernel // 2, divisor_override=1)  # of the patches
        energy = energy + self.conventions.epsilon * keys.shape[1]
        norm = energy.flatten(2).sqrt().clamp_min(1e-4)  # (N, 1, h' * w')
        keys = keys * (self.softmax_scale / norm).to(keys.dtype)
        usable = None if mask is None else self._usable(mask, key_height, key_width).to(keys.dtype)  # (N, 1, h' * w')
        tiles = cut_tiles(background, rate)  # (N, (h' + 1) * (w' + 1), rate * rate * C)

        top, bottom, left, right = self._window(mask, height, width)
        rows = max(1, min(bottom - top, self.max_scores // (n * (right - left) * key_height * key_width)))
        pasted = tiles.new_zeros(n, height + 1, width + 1, tiles.shape[2])
        flow = None
        if return_flow:  # a place that is not rebuilt points at itself
            flow = torch.arange(height * width, device=small.device).view(1, height, width).repeat(n, 1, 1)
        for first in range(top, bottom, rows):
            last = min(first + rows, bottom)
            scores = self._scores(places, keys, (first, last, left, right), (height, width), (key_height, key_width))
            if usable is None:
                attention = torch.softmax(scores, dim=2)  # (N, block, h' * w'); computed in float32 in any dtype
            elif self.conventions.exclude:  # the least number, not minus infinity: with no patch left there is no NaN
                scores.masked_fill_(usable == 0, torch.finfo(scores.dtype).min)
                attention = torch.softmax(scores, dim=2) * usable
            else:
                attention = torch.softmax(scores.mul_(usable), dim=2) * usable
            if flow is not None:
                flow[:, first:last, left:right] = attention.argmax(2).view(n, last - first, right - left)
            shares = tile_shares(attention.view(n, last - first, right - left, key_height, key_width))
            block = (shares @ tiles).view(n, last - first + 1, right - left + 1, -1)
            pasted[:, first : last + 1, left : right + 1] += block
        result = join_tiles(pasted, rate) / (overlap(full_height, full_width, rate, pasted) if average else 4)
        if self.smooth:
            result = F.avg_pool2d(F.avg_pool2d(F.pad(result, (1, 1, 1, 1), mode="replicate"), 2, 1), 2, 1)
        return result, None if flow is None else torch.stack((flow // key_width, flow % key_width), 1)

    def _usable(self, mask: Tensor, height: int, width: int) -> Tensor:
        """N x 1 x h' * w': 1 for background patches without a hole pixel."""
        small = nearest_resize(mask.float(), height, width, self.conventions.aligned)
        return (F.max_pool2d(small, self.kernel, 1, self.kernel // 2) == 0).flatten(2)

    def _window(self, mask: Tensor | None, height: int, width: int) -> tuple[int, int, int, int]:
        """First and last (exclusive) row and column of the queries to answer, for all samples together."""
        if self.margin is None or mask is None or not mask.any():
            return 0, height, 0, width
        hole = F.adaptive_max_pool2d(mask.float(), (height, width)).amax((0, 1)) > 0
        # One more on either side: the outermost column may lack its neighbour in the column before.
        window = []
        for line, side in ((hole.any(1), height), (hole.any(0), width)):
            places = line.nonzero().flatten().tolist()
            window += [max(places[0] - self.margin - 1, 0), min(places[-1] + self.margin + 2, side)]
        return window[0], window[1], window[2], window[3]

    def _scores(
        self,
        places: Tensor,
        keys: Tensor,
        span: tuple[int, int, int, int],
        size: tuple[int, int],
        key_size: tuple[int, int],
    ) -> Tensor:
        """Similarities of the queries of a span with all keys: N x (rows * columns) x (h' * w').

        Args:
            places: N x ((h + 2) * (w + 2)) x C: the features of the map with zeros around it.
            keys: N x 9C x (h' * w').
            span: first and last (exclusive) row, first and last column.
            size: h, w.
            key_size: h', w'.
        """
        height, width = size
        first, last, left, right = span
        if not self.fuse:
            index = torch.arange(first, last)[:, None] * width + torch.arange(left, right)
            return self._queries(places, index, size) @ keys

        # The second diagonal sum walks down columns, from the foot of one to the head of the next: a block needs the
        # row above and the row below it, and at the image's edge the row at the other end. The first sum walks along
        # rows and needs one more query at either end of each of them.
        whole = last - first == height
        needed = torch.arange(first, last) if whole else torch.arange(first - 1, last + 1) % height
        index = needed[:, None] * width + torch.arange(left - 1, right + 1)  # (R, w + 2)
        block = self._queries(places, index, size)
        raw = (block @ keys).unflatten(1, index.shape)  # (N, R, w + 2, K)

        along = raw[:, :, 1:-1].clone()
        along[..., 1:] += raw[:, :, :-2, :-1]
        along[..., :-1] += raw[:, :, 2:, 1:]
        along = along.unflatten(3, key_size)  # (N, R, w, h', w')

        middle = along if whole else along[:, 1:-1]
        result = middle.clone()
        before = along[:, :-1] if whole else along[:, :-2]
        after = along[:, 1:] if whole else along[:, 2:]
        top, bottom = first == 0, last == height
        # rows that have an upper (lower) neighbour in the image
        add_previous(result[:, 1:] if top else result, before if whole or not top else before[:, 1:])
        add_next(result[:, :-1] if bottom else result, after if whole or not bottom else after[:, :-1])
        if top:  # the query above the head of a column is the foot of the column before
            foot = along[:, -1] if whole else along[:, 0]
            add_previous(result[:, 0, 1:], foot[:, :-1])
        if bottom:
            head = along[:, 0] if whole else along[:, -1]
            add_next(result[:, -1, :-1], head[:, 1:])
        return result.flatten(3).flatten(1, 2)

    def _queries(self, places: Tensor, index: Tensor, size: tuple[int, int]) -> Tensor:
        """The patches around some places, N x (number of indices) x 9C; zeros for an index outside of the map."""
        height, width = size
        steps = torch.arange(self.kernel)
        taps = steps[:, None] * (width + self.kernel - 1) + steps  # of a patch, from its upper left corner
        corner = index // width * (width + self.kernel - 1) + index % width
        position = corner[..., None, None] + taps
        outside = (index < 0) | (index >= height * width)
        position = position.masked_fill(outside[..., None, None], 0)  # the padding's corner, where zeros are
        gathered = places.index_select(1, position.flatten().to(places.device))
        return gathered.view(places.shape[0], index.numel(), -1)


def add_previous(total: Tensor, scores: Tensor) -> None:
    """Add to the score of each key (.., h', w') the neighbour's score of the key before it, down the columns."""
    total[..., 1:, :] += scores[..., :-1, :]
    total[..., 0, 1:] += scores[..., -1, :-1]


def add_next(total: Tensor, scores: Tensor) -> None:
    """Add to the score of each key (.., h', w') the neighbour's score of the key after it, down the columns."""
    total[..., :-1, :] += scores[..., 1:, :]
    total[..., -1, :-1] += scores[..., 0, 1:]


def nearest_resize(x: Tensor, height: int, width: int, aligned: bool = True) -> Tensor:
    """Nearest-neighbour resizing of N x C x H x W.

    Args:
        x, height, width: the map, and its new size.
        aligned: first and last pixels stay in place, as the public TensorFlow weights expect; else torch's own way.
    """
    if x.shape[-2:] == (height, width):
        return x
    if not aligned:
        return F.interpolate(x, (height, width))
    return x[:, :, aligned_index(x.shape[-2], height, x.device)][..., aligned_index(x.shape[-1], width, x.device)]


def aligned_index(size: int, target: int, device: torch.device) -> Tensor:
    """Which of `size` pixels each of `target` takes when first maps to first and last to last (halves round up)."""
    step = (size - 1) / max(target - 1, 1)
    return (torch.arange(target, device=device, dtype=torch.float64) * step + 0.5).floor().long()


def patches(x: Tensor, kernel: int) -> Tensor:
    """N x C x H x W -> N x (kernel * kernel * C) x (H * W): the patch around every place, zeros around the map."""
    height, width = x.shape[-2:]
    padded = F.pad(x.contiguous(), (kernel // 2,) * 4)
    offsets = [(row, column) for row in range(kernel) for column in range(kernel)]
    return torch.cat([padded[..., r : r + height, c : c + width] for r, c in offsets], 1).flatten(2)
