"""Photos in memory: tar shards and folders decoded once into one flat uint8 tensor, batches cropped on the device."""

from __future__ import annotations

import glob
import hashlib
import io
import logging
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor
from torch.nn import functional as F

SUFFIXES = {".webp", ".jpg", ".jpeg", ".png", ".bmp"}
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
        """The same photos with every tensor on `device`."""
        return PhotoBank(**{name: getattr(self, name).to(device) for name in TENSORS}, broken=self.broken)

    def crops(self, index: Tensor, top: Tensor, left: Tensor, side: Tensor, mirror: Tensor, size: int) -> Tensor:
        """Square crops resized to `size`, by one gather for the whole batch.

        Args:
            index: int64 (B,): which photos.
            top, left, side: float (B,): the square cut out, in pixels.
            mirror: bool (B,): flip left to right.
            size: side of the result.

        Returns:
            float32 (B, channels, size, size) in [0, 1]. A crop larger than `size` is read at twice `size` and averaged.
        """
        finer = 2 if bool((side > size).any()) else 1
        points = size * finer
        grid = (torch.arange(points, device=index.device) + 0.5) / points  # (S,)
        along = torch.where(mirror[:, None], 1 - grid, grid)
        last_row, last_column = self.height[index, None] - 1, self.width[index, None] - 1
        y = (top[:, None] + grid * side[:, None]).long().clamp_min(0).minimum(last_row)
        x = (left[:, None] + along * side[:, None]).long().clamp_min(0).minimum(last_column)
        where = self.offset[index, None, None] + y[:, :, None] * self.width[index, None, None] + x[:, None, :]
        photos = self.pixels[where].permute(0, 3, 1, 2).float() / 255  # (B, C, S, S), channels last
        return photos if finer == 1 else F.avg_pool2d(photos, finer)

    @classmethod
    def load(
        cls, sources: Iterable[str | Path], edges: Iterable[str | Path] = (), least: int = 32, most: int | None = None
    ) -> PhotoBank:
        """Decode tar shards and folders.

        Args:
            sources: tar files, folders (searched recursively) or single image files.
            edges: the same for edge maps, matched by member name.
            least: photos with a shorter side are skipped like broken ones.
            most: longer short sides are reduced to this.

        Raises:
            FileNotFoundError: a source is absent, or none of them holds a photo.
        """
        maps = dict(members(edges))
        names_and_data = list(members(sources))
        broken: list[str] = []
        kept: list[tuple[np.ndarray, np.ndarray | None]] = []
        with ThreadPoolExecutor(2) as pool:
            for (name, _), photo, edge in zip(
                names_and_data,
                pool.map(lambda item: decode(item[1], "RGB", least, most), names_and_data),
                pool.map(lambda item: decode(maps[item[0]], "L", 1, most) if item[0] in maps else None, names_and_data),
                strict=True,
            ):
                if photo is None:
                    broken.append(name)
                else:
                    kept.append((photo, edge if edge is not None and edge.shape == photo.shape[:2] else None))
        if broken:
            logger.warning("%d images could not be read and are skipped: %s", len(broken), ", ".join(broken[:10]))
        if not kept:
            raise FileNotFoundError(f"no photos in {', '.join(map(str, sources))}")
        height = torch.tensor([photo.shape[0] for photo, _ in kept])
        width = torch.tensor([photo.shape[1] for photo, _ in kept])
        area = height * width
        offset = area.cumsum(0) - area
        has_edges = torch.tensor([edge is not None for _, edge in kept])
        pixels = torch.zeros(int(area.sum()), 4 if bool(has_edges.any()) else 3, dtype=torch.uint8)
        for (photo, edge), start, count in zip(kept, offset.tolist(), area.tolist(), strict=True):
            pixels[start : start + count, :3] = torch.from_numpy(photo.reshape(-1, 3))
            if edge is not None:
                pixels[start : start + count, 3] = torch.from_numpy(edge.reshape(-1))
        return cls(pixels, offset, height, width, has_edges, broken)


def cached_bank(sources: Sequence[Path], edges: Sequence[Path], cache: Path) -> PhotoBank:
    """`PhotoBank.load`, decoded once and then memory-mapped from `cache`, so that processes of a machine share it."""
    files = [file for source in (*sources, *edges) for file in (source, *sorted(source.rglob("*")))]
    stamps = [(str(file.resolve()), file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    path = cache / f"{hashlib.sha256(repr((stamps, len(edges))).encode()).hexdigest()[:16]}.pt"
    if not path.exists():
        bank = PhotoBank.load(sources, edges)
        cache.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        torch.save({**{name: getattr(bank, name) for name in TENSORS}, "broken": bank.broken}, temporary)
        os.replace(temporary, path)
    stored = torch.load(path, mmap=True, weights_only=True)
    return PhotoBank(**{name: stored[name] for name in (*TENSORS, "broken")})


def expand(patterns: Iterable[str | Path] | None) -> list[Path]:
    """Files and folders of patterns such as `shards/places-*.tar`, sorted; a plain name stays itself.

    Raises:
        FileNotFoundError: nothing matches.
    """
    found: list[Path] = []
    for pattern in map(str, patterns or ()):
        matches = sorted(glob.glob(pattern))
        if not matches:
            raise FileNotFoundError(f"nothing is there by the name {pattern}")
        found += map(Path, matches)
    return found


def members(sources: Iterable[str | Path]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every image file in tar shards, folders and single files, in sorted order."""
    for source in map(Path, sources):
        if not source.exists():
            raise FileNotFoundError(f"{source} is not there")
        if source.is_dir():
            for path in sorted(source.rglob("*")):
                if path.suffix.lower() in SUFFIXES:
                    yield str(path.relative_to(source)), path.read_bytes()
        elif source.suffix == ".tar":
            with tarfile.open(source) as shard:
                for member in shard:
                    if member.isfile() and Path(member.name).suffix.lower() in SUFFIXES:
                        stream = shard.extractfile(member)
                        assert stream is not None
                        yield member.name, stream.read()
        else:
            yield source.name, source.read_bytes()


def decode(data: bytes, mode: str, least: int, most: int | None) -> np.ndarray | None:
    """The picture as uint8 H x W (x 3), or None where the file is broken or its shorter side is under `least`."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            photo = picture.convert(mode)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    short = min(photo.size)
    if short < least:
        return None
    if most is not None and short > most:
        photo = photo.resize(
            (round(photo.width * most / short), round(photo.height * most / short)), Image.Resampling.LANCZOS
        )
    return np.array(photo)


@dataclass
class Photos:
    """A batch of training photos: `image` float32 B x 3 x S x S in [0, 1], `edges` B x 1 x S x S in [0, 1] and
    `has_edges` bool (B,): whether a teacher's edge map came with the photo (else its edges are zeros)."""

    image: Tensor
    edges: Tensor
    has_edges: Tensor


class PhotoSampler:
    """Draws batches from several banks. A batch depends on (seed, step) alone, so a resumed run needs no position.

    Args:
        banks: where photos come from.
        weights: how often each bank is drawn from.
        size: side of the batch's photos.
        batch: photos of all processes together.
        seed: source of all randomness.
        rank, world: this process takes every world-th photo, starting with its rank.
        jitter: brightness, contrast and saturation change by up to this share.
    """

    def __init__(
        self,
        banks: Sequence[PhotoBank],
        weights: Sequence[float],
        size: int,
        batch: int,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        device: torch.device | str = "cpu",
        jitter: float = 0.1,
    ) -> None:
        if batch % world:
            raise ValueError(f"a batch of {batch} cannot be shared by {world} processes")
        self.banks = [bank.to(torch.device(device)) for bank in banks]
        self.weights = torch.tensor(weights, dtype=torch.float64)
        self.size, self.batch, self.seed, self.rank, self.world = size, batch, seed, rank, world
        self.device, self.jitter = torch.device(device), jitter

    def generator(self, step: int) -> Generator:
        """The random numbers of one step of this process (a CPU generator, on any device the same)."""
        return Generator().manual_seed((self.seed * 1_000_003 + step) * 4096 + 1 + self.rank)

    def __call__(self, step: int) -> Photos:
        """The photos of one step: this process's share of the batch."""
        dice = Generator().manual_seed((self.seed * 1_000_003 + step) * 4096)
        bank_of = torch.multinomial(self.weights, self.batch, replacement=True, generator=dice)
        numbers = torch.rand(self.batch, 10, generator=dice)
        mine = slice(self.rank, None, self.world)
        bank_of, numbers = bank_of[mine], numbers[mine].to(self.device)
        image, edges, has_edges = [], [], []
        for number, bank in enumerate(self.banks):  # grouped by bank: order within a batch does not matter
            chosen = numbers[bank_of == number]
            if len(chosen):
                crop, known = self.crop(bank, chosen)
                colours = jitter_colours(crop[:, :3], chosen[:, 7:], self.jitter)
                image.append(colours)
                edges.append(crop[:, 3:] if crop.shape[1] == 4 else torch.zeros_like(crop[:, :1]))
                has_edges.append(known)
        photos = torch.cat(image).contiguous(memory_format=torch.channels_last)
        return Photos(photos, torch.cat(edges), torch.cat(has_edges))

    def crop(self, bank: PhotoBank, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Half of the crops at the photo's own scale, half reduced by a random factor; mirrored half of the time."""
        index = (numbers[:, 0] * len(bank)).long()
        height, width = bank.height[index].float(), bank.width[index].float()
        largest = torch.minimum(height, width)
        smallest = largest.clamp_max(self.size)
        scale = torch.where(numbers[:, 1] < 0.5, torch.zeros_like(largest), numbers[:, 2])
        side = (smallest + scale * (largest - smallest)).round()
        top = (numbers[:, 3] * (height - side + 1)).floor()
        left = (numbers[:, 4] * (width - side + 1)).floor()
        return bank.crops(index, top, left, side, numbers[:, 5] < 0.5, self.size), bank.has_edges[index]


def jitter_colours(image: Tensor, numbers: Tensor, strength: float) -> Tensor:
    """Brightness, contrast and saturation, each changed by up to `strength`; numbers (B, 3) in [0, 1]."""
    factor = 1 + strength * (numbers * 2 - 1)
    brightness, contrast, saturation = (factor[:, i].view(-1, 1, 1, 1) for i in range(3))
    grey = image.mean(1, keepdim=True)
    image = grey + (image - grey) * saturation
    mean = image.mean((1, 2, 3), keepdim=True)
    return ((image - mean) * contrast + mean * brightness).clamp(0, 1)
