"""Photos in memory, or mapped: decoded once into one flat uint8 tensor, crops of all of them by one gather."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from train.core.checkpoint import write_checkpoint
from train.core.sources import archive_of, decode, members, source_name

LONG = 1.2  # a photo whose sides differ by more is two squares rather than one
IN_MEMORY = 2 << 30  # bytes: while decoding, more pixels than this wait in a file
AT_A_TIME = 256  # photos whose files are read before they are decoded
TENSORS = ("pixels", "offset", "height", "width", "has_edges")
logger = logging.getLogger(__name__)


class PhotoBank:
    """Photos of any sizes, one after the other in a uint8 tensor of pixels (P, channels).

    Args:
        pixels: uint8 (P, 3), or (P, 4) where an edge map (255 = edge) came with the photos.
        offset, height, width: int64 (N,): where each photo starts, and its size.
        has_edges: bool (N,).
        broken: names of the files that could not be read.
    """

    def __init__(
        self, pixels: Tensor, offset: Tensor, height: Tensor, width: Tensor, has_edges: Tensor, broken: list[str]
    ) -> None:
        self.pixels, self.offset, self.height, self.width = pixels, offset, height, width
        self.has_edges, self.broken = has_edges, broken

    def __len__(self) -> int:
        return len(self.offset)

    def to(self, device: torch.device) -> PhotoBank:
        """The same photos on `device`, the pixels only where they leave half of a GPU's free memory."""
        fits = device.type != "cuda" or self.pixels.numel() < torch.cuda.mem_get_info(device)[0] / 2
        tensors = {name: getattr(self, name) for name in TENSORS}
        moved = {name: x.to(device) if fits or name != "pixels" else x for name, x in tensors.items()}
        return PhotoBank(**moved, broken=self.broken)

    def mean_colour(self) -> Tensor:
        """Mean RGB of its pixels, float64 (3,) in [0, 1]; of many, sixteen million spread evenly."""
        every = max(len(self.pixels) >> 24, 1)
        return self.pixels[::every, :3].sum(0, dtype=torch.int64).double() / len(self.pixels[::every]) / 255

    def crops(self, index: Tensor, top: Tensor, left: Tensor, side: Tensor, mirror: Tensor, size: int) -> Tensor:
        """Square crops resized to `size`, by one gather for the whole batch.

        Args:
            index: int64 (B,): which photos.
            top, left, side: float (B,): the square cut out, in pixels.
            mirror: bool (B,): flip left to right.
            size: side of the result.

        Returns:
            float32 (B, channels, size, size) in [0, 1]. A crop larger than `size` is read at twice `size` and averaged,
            a smaller one is enlarged bilinearly.
        """
        if bool((side < size).any()):
            return self._enlarged(index, top, left, side, mirror, size)
        finer = 2 if bool((side > size).any()) else 1
        points = size * finer
        grid = (torch.arange(points, device=index.device) + 0.5) / points  # (S,)
        along = torch.where(mirror[:, None], 1 - grid, grid)
        last_row, last_column = self.height[index, None] - 1, self.width[index, None] - 1
        y = (top[:, None] + grid * side[:, None]).long().clamp_min(0).minimum(last_row)
        x = (left[:, None] + along * side[:, None]).long().clamp_min(0).minimum(last_column)
        where = self.offset[index, None, None] + y[:, :, None] * self.width[index, None, None] + x[:, None, :]
        photos = (
            self.pixels[where.to(self.pixels.device)].to(index.device).permute(0, 3, 1, 2).float() / 255
        )  # (B, C, S, S), channels last
        return photos if finer == 1 else F.avg_pool2d(photos, finer)

    def _enlarged(self, index: Tensor, top: Tensor, left: Tensor, side: Tensor, mirror: Tensor, size: int) -> Tensor:
        """`crops` where some are smaller than `size`: each is cut out and resized by itself."""
        parts = []
        for photo, y, x, length, flip in zip(index, top.long(), left.long(), side.long(), mirror, strict=True):
            height, width, length = int(self.height[photo]), int(self.width[photo]), int(length)
            start = int(self.offset[photo])
            pixels = self.pixels[start : start + height * width].view(height, width, -1)
            crop = pixels[int(y) : int(y) + length, int(x) : int(x) + length].to(index.device)
            planes = crop.permute(2, 0, 1)[None].float() / 255
            resized = F.interpolate(planes, (size, size), mode="bilinear", align_corners=False, antialias=True)
            parts.append(resized.flip(3) if flip else resized)
        return torch.cat(parts)

    def reduced(self, size: int) -> PhotoBank:
        """Small photos: each photo's square, or both ends of a long one, averaged down to `size` pixels a side."""
        shorts = torch.minimum(self.height, self.width).tolist()
        small: list[Tensor] = []
        for start, height, width, side in zip(
            self.offset.tolist(), self.height.tolist(), self.width.tolist(), shorts, strict=True
        ):
            photo = self.pixels[start : start + height * width, :3].view(height, width, 3).numpy()
            long = max(height, width) > LONG * side
            for top, left in (
                ((0, 0), (height - side, width - side)) if long else (((height - side) // 2, (width - side) // 2),)
            ):
                square = np.ascontiguousarray(photo[top : top + side, left : left + side])
                # Area averaging where it is made smaller, as `inpaint_core.predictor.resize` does it
                way = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
                small.append(torch.from_numpy(cv2.resize(square, (size, size), interpolation=way)))
        count, sides = len(small), torch.full((len(small),), size)
        pixels = torch.stack(small).view(-1, 3)
        no_edges = torch.zeros(count, dtype=torch.bool)
        return PhotoBank(pixels, torch.arange(count) * size * size, sides, sides, no_edges, self.broken)

    @classmethod
    def load(
        cls,
        sources: Iterable[str | Path],
        edges: Iterable[str | Path] = (),
        least: int = 32,
        most: int | None = None,
        folder: Path | None = None,
    ) -> PhotoBank:
        """Decode archives and folders.

        Args:
            sources: see `members`.
            edges: the same for edge maps, matched by SOURCE/NAME or by the member's name.
            least: photos with a shorter side are skipped like broken ones.
            most: longer short sides are reduced to this.
            folder: where pixels beyond `IN_MEMORY` wait; they stay memory-mapped. None: the system's place.

        Raises:
            FileNotFoundError: a source is absent, or none of them holds a photo.
        """
        maps = dict(members(edges))
        found = (
            (f"{source_name(source)}/{name}", name, data) for source in sources for name, data in members([source])
        )
        broken: list[str] = []
        sizes: list[tuple[int, int]] = []
        has_edges: list[bool] = []
        with (
            ThreadPoolExecutor(os.cpu_count()) as pool,
            tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(folder) if folder else None) as photos,
            tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(folder) if folder else None) as lines,
        ):
            while batch := list(islice(found, AT_A_TIME)):
                edges_of = [maps.get(full_name, maps.get(name)) for full_name, name, _ in batch]
                for (_, name, _), photo, edge in zip(
                    batch,
                    pool.map(lambda item: decode(item[2], "RGB", least, most), batch),
                    pool.map(lambda data: decode(data, "L", 1, most) if data else None, edges_of),
                    strict=True,
                ):
                    if photo is None:
                        broken.append(name)
                        continue
                    matches = edge is not None and edge.shape == photo.shape[:2]
                    sizes.append((photo.shape[0], photo.shape[1]))
                    has_edges.append(matches)
                    photos.write(photo.tobytes())
                    if maps:
                        lines.write(edge.tobytes() if matches and edge is not None else bytes(photo[..., 0].size))
            if broken:
                logger.warning("%d images could not be read and are skipped: %s", len(broken), ", ".join(broken[:10]))
            if not sizes:
                raise FileNotFoundError(f"no photos in {', '.join(map(str, sources))}")
            pixels = _mapped(photos, 3)
            if any(has_edges):
                pixels = _beside(pixels, _mapped(lines, 1), folder)
        height, width = torch.tensor(sizes).unbind(1)
        area = height * width
        return cls(pixels, area.cumsum(0) - area, height, width, torch.tensor(has_edges), broken)


def _mapped(file: tempfile.SpooledTemporaryFile[bytes], channels: int) -> Tensor:
    """The bytes written, uint8 (P, channels): in memory, or mapped where they have gone to the disk."""
    count = file.tell()
    file.seek(0)
    if count <= IN_MEMORY:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8).view(-1, channels)
    file.flush()
    return torch.from_numpy(np.memmap(file, np.uint8, "r+", shape=(count // channels, channels)))


def _beside(pixels: Tensor, edges: Tensor, folder: Path | None) -> Tensor:
    """(P, 3) and (P, 1) -> (P, 4), mapped where it is large."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(folder) if folder else None) as both:
        for photo, edge in zip(pixels.split(1 << 24), edges.split(1 << 24), strict=True):
            both.write(torch.cat((photo, edge), 1).numpy().tobytes())
        return _mapped(both, 4)


def cached_bank(sources: Sequence[Path], edges: Sequence[Path], cache: Path) -> PhotoBank:
    """`PhotoBank.load`, decoded once and then memory-mapped from `cache`, so that processes of a machine share it."""
    files = [file for source in (*sources, *edges) for file in (source, *sorted(source.rglob("*")))]
    stamps = [(str(file.resolve()), *_stamp(archive_of(file)[0])) for file in files]
    path = cache / f"{hashlib.sha256(repr((stamps, len(edges))).encode()).hexdigest()[:16]}.pt"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        bank = PhotoBank.load(sources, edges, folder=cache)
        write_checkpoint({**{name: getattr(bank, name) for name in TENSORS}, "broken": bank.broken}, path)
    stored = torch.load(path, mmap=True, weights_only=True)
    return PhotoBank(**{name: stored[name] for name in (*TENSORS, "broken")})


def _stamp(file: Path) -> tuple[int, int]:
    return file.stat().st_mtime_ns, file.stat().st_size
