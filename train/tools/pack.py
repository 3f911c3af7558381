"""Pack photos into shards for a slow link: each under a size, each a fair sample of all sources.

python -m train.tools.pack --data photos/ --data 'shards/*.tar' --size 256 --limit-mb 50 --out packs/

The order is random over all sources, so the first pack alone is a fair mixture to start training with; `--data packs/`
reads what has arrived. Photos are reduced to a short side of --size and stored as WebP. Edge maps (--edges, matched by
name) go into packs of the same photos in a folder of their own, for `--edges`.
"""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from inpaint_core.errors import InpaintError
from train.core.cli import run_cli
from train.core.config import Paths
from train.core.sources import decode, expand, members

LEAST_SIDE = 32  # pixels: smaller photos are left out, as training leaves them out


@dataclass(frozen=True, kw_only=True)
class Config:
    """What is packed, and how."""

    data: Paths  # folder, archive or quoted pattern of photos; repeat for more
    out: Path  # folder of the packs, new or empty
    size: int = 256  # short side of the packed photos, pixels; smaller photos stay as they are
    limit_mb: float = 50.0  # largest size of a pack, megabytes (10^6 bytes)
    quality: int = 90  # of the WebP files, 1 to 100
    edges: Paths = ()  # edge maps of the photos, matched by name
    edges_out: Path | None = None  # folder of their packs
    seed: int = 0  # of the order


def main(config: Config) -> list[Path]:
    """Write the packs; returns their paths.

    Raises:
        InpaintError: options that do not fit each other, a folder that is not empty, or no photo at all.
        FileNotFoundError: a source is absent.
    """
    if config.size < LEAST_SIDE or config.limit_mb <= 0 or not 1 <= config.quality <= 100:
        raise InpaintError(f"Give a --size of at least {LEAST_SIDE}, a --limit-mb above 0, a --quality of 1 to 100.")
    if bool(config.edges) != (config.edges_out is not None):
        raise InpaintError("Give --edges and --edges-out together.")
    folders = [folder for folder in (config.out, config.edges_out) if folder is not None]
    for folder in folders:
        if folder.exists() and any(folder.iterdir()):
            raise InpaintError(f"{folder} is not empty: name a new folder.")

    maps = dict(members(expand(config.edges)))
    photos: list[tuple[str, bytes]] = []
    edges: dict[str, bytes] = {}
    skipped = 0
    for number, (name, content) in enumerate(members(expand(config.data))):
        photo = decode(content, "RGB", LEAST_SIDE, config.size)
        if photo is None:
            skipped += 1
            continue
        packed = f"{number:07d}.webp"
        photos.append((packed, _webp(photo, config.quality)))
        if name in maps and (edge := decode(maps[name], "L", 1, config.size)) is not None:
            edges[packed] = _webp(edge, config.quality)
    if not photos:
        raise InpaintError("None of the files is a photo that can be read: check --data.")
    random.Random(config.seed).shuffle(photos)

    packs = []
    for number, pack in enumerate(_divide(photos, round(config.limit_mb * 1e6))):
        packs.append(_write_tar(config.out / f"pack-{number:03d}.tar", pack))
        if config.edges_out is not None:
            present = [(name, edges[name]) for name, _ in pack if name in edges]
            _write_tar(config.edges_out / f"edges-{number:03d}.tar", present)
    print(f"{len(photos)} photos in {len(packs)} packs, {skipped} files left out")
    return packs


def _webp(pixels: np.ndarray, quality: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "webp", quality=quality)
    return stream.getvalue()


def _divide(files: list[tuple[str, bytes]], limit: int) -> Iterator[list[tuple[str, bytes]]]:
    """Consecutive files whose tar has at most `limit` bytes (one file at least)."""
    pack: list[tuple[str, bytes]] = []
    size = end = 2 * tarfile.RECORDSIZE  # the end of a tar, padded to whole records
    for name, content in files:
        blocks = tarfile.BLOCKSIZE * (1 + -(-len(content) // tarfile.BLOCKSIZE))  # a header, then whole blocks
        if pack and size + blocks > limit:
            yield pack
            pack, size = [], end
        pack.append((name, content))
        size += blocks
    yield pack


def _write_tar(path: Path, files: list[tuple[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


if __name__ == "__main__":
    run_cli(main, Config)
