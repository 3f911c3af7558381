"""Write the edge maps of photos by our own detector into a tar, for the option --edges of train.deepfill_v2.

    python -m train.edge_detection.maps --data 'photos-*.tar' --data faces.tar --out maps.tar

A member is named SOURCE/NAME as its photo, for sources number their photos alike; it holds an 8-bit greyscale PNG of
the photo's size, 255 = edge. Photos of one size are evaluated together. Finished maps wait in the folder OUT.part,
where a run that was stopped continues; the tar appears when it is whole.
"""

from __future__ import annotations

import shutil
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from inpaint_core import sketch, weights
from inpaint_core.arguments import choose_device
from inpaint_core.errors import InpaintError
from inpaint_core.files import replacing, write_atomically
from inpaint_core.methods.engines.precision import fastest_precision
from inpaint_core.methods.engines.pytorch import prepare
from train.core.cli import run_cli
from train.core.config import Paths
from train.core.sources import decode, expand, members, source_name


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which photos get a map, where the maps go, how they are computed."""

    data: Paths  # photos: folder, tar, zip or quoted pattern of them; repeat
    out: Path  # the tar to write
    batch: int = 8  # photos of one size that are evaluated together
    device: str = "auto"  # auto, cpu, cuda, mps


def main(config: Config) -> None:
    """Write the maps, and pack them.

    Raises:
        InpaintError: the tar exists, there are no photos, or the detector's weights are absent.
    """
    if config.out.exists():
        raise InpaintError(f"{config.out} exists: remove it, or name another --out.")
    network = load_detector(config.device)
    finished = config.out.with_name(f"{config.out.name}.part")
    count, started = 0, time.monotonic()
    with tqdm(unit="photo", mininterval=10) as bar:
        for paths, photos in batches_by_size(config, finished):
            for path, soft in zip(paths, edge_maps(network, photos), strict=True):
                write_map(path, soft)
            count += len(paths)
            bar.update(len(paths))
    if not finished.exists():
        raise InpaintError("The sources of --data hold no photos: name folders or archives of pictures.")
    print(f"{count} edge maps, {count / max(time.monotonic() - started, 1e-9):.1f} a second")
    pack(finished, config.out)


def load_detector(device: str) -> nn.Module:
    """The edge detector with its weights, in the precision that is fastest on the device.

    Raises:
        InpaintError: its weights are absent or damaged.
    """
    target = torch.device(choose_device(device))
    return prepare(weights.load_network(sketch.DETECTOR), target, fastest_precision(target))


def batches_by_size(config: Config, finished: Path) -> Iterator[tuple[list[Path], np.ndarray]]:
    """Photos of one size, uint8 N x H x W x 3, whose maps are not `finished`, and the paths of their maps in there."""
    waiting: dict[tuple[int, ...], list[tuple[Path, np.ndarray]]] = {}
    for source in expand(config.data):
        for name, data in members([source]):
            path = finished / source_name(source) / name
            photo = None if path.exists() else decode(data, "RGB", 32, None)
            if photo is None:
                continue
            group = waiting.setdefault(photo.shape, [])
            group.append((path, photo))
            if len(group) == config.batch:
                yield [path for path, _ in group], np.stack([pixels for _, pixels in group])
                group.clear()
    for group in waiting.values():
        if group:
            yield [path for path, _ in group], np.stack([pixels for _, pixels in group])


@torch.inference_mode()
def edge_maps(network: nn.Module, photos: np.ndarray) -> np.ndarray:
    """The soft maps of photos of one size: uint8 N x H x W x 3 -> uint8 N x H x W, 255 = edge."""
    kernel = next(parameter for parameter in network.parameters() if parameter.ndim == 4)
    planes = torch.from_numpy(photos).to(kernel.device).permute(0, 3, 1, 2).float() / 255
    fused, _ = network(planes.to(kernel.dtype).contiguous(memory_format=torch.channels_last))
    return (fused.float().sigmoid()[:, 0] * 255).round().byte().cpu().numpy()


def write_map(path: Path, soft: np.ndarray) -> None:
    """Write one map, uint8 H x W, as PNG in one move."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, cv2.imencode(".png", soft)[1].tobytes())


def pack(folder: Path, out: Path) -> None:
    """Move the maps of a folder into a tar, which appears when it is whole."""
    with replacing(out) as unfinished, tarfile.open(unfinished, "w") as maps:
        for path in sorted(file for file in folder.rglob("[!.]*") if file.is_file()):
            maps.add(path, path.relative_to(folder).as_posix())
    shutil.rmtree(folder)


if __name__ == "__main__":
    run_cli(main, Config)
