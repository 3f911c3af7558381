"""LPIPS: the network behind it, where its weights come from, and its distance maps tile by tile.

Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (CVPR 2018), section 3,
version 0.1 of the authors' `lpips` package: the package gives the architecture and its learned layer weights, the
trunk's ImageNet weights are torchvision's. This is the engine room; callers use `inpaint_core.metrics`.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import tempfile
import threading
import time
import urllib.error
import urllib.request
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.errors import InpaintError

# Pixels between two neighbours of each layer's map; the authors' order of layers.
STRIDES = {"alex": (4, 8, 16, 16, 16), "squeeze": (2, 4, 8, 16, 16, 16, 16)}
SMALLEST_SIDE = 32  # AlexNet's poolings leave nothing of a side below 31
TILE = 768  # a multiple of every stride, so tiles and the whole photo share one feature grid
MARGIN = 128  # the deepest feature sees 66 pixels before and 96 after itself (alex), 88 and 118 (squeeze)

CONNECT_SECONDS = 5.0  # no byte for so long: the network is off
DOWNLOAD_SECONDS = 120.0  # AlexNet's file is 233 MB
RETRY_SECONDS = 300.0  # a failed load is remembered for so long, so a page that is offline stays quick

_networks: dict[tuple[str, str], nn.Module] = {}  # (net, device) -> network; loaded once a process
_failures: dict[str, tuple[float, str]] = {}  # net -> (when, why)
_lock = threading.Lock()


class LpipsUnavailable(InpaintError):
    """LPIPS cannot be had here: its sentence says why and what would help."""


def network(net: str = "alex", device: torch.device | str = "cpu") -> nn.Module:
    """The frozen LPIPS network `net` ("alex" or "squeeze") on `device`, loaded at the first call and then shared.

    The trunk's weights are read from torch hub's checkpoints folder (`TORCH_HOME`), or downloaded into it.
    Raises InpaintError for another `net` and LpipsUnavailable, a kind of it, where package or weights are missing.
    """
    if net not in STRIDES:
        raise InpaintError(f'LPIPS knows the networks {", ".join(STRIDES)}: choose one of them instead of "{net}".')
    key = (net, str(device))
    with _lock:
        if key not in _networks:
            when, reason = _failures.get(net, (-RETRY_SECONDS, ""))
            if time.monotonic() - when < RETRY_SECONDS:
                raise LpipsUnavailable(reason)
            try:
                # Parameters born inside inference mode could never carry a gradient afterwards.
                with torch.inference_mode(False):
                    _networks[key] = _load(net).to(device)
            except LpipsUnavailable as error:
                _failures[net] = (time.monotonic(), str(error))
                raise
        return _networks[key]


def _load(net: str) -> nn.Module:
    try:
        import lpips
        import torchvision
    except ImportError as error:
        raise LpipsUnavailable(f"LPIPS needs a package that is missing ({error}): run pip install lpips.") from error
    weights = {
        "alex": torchvision.models.AlexNet_Weights.IMAGENET1K_V1,
        "squeeze": torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1,
    }[net]
    trunk = _read(_trunk_file(net, weights.url))
    layers = _read(Path(lpips.__file__).parent / "weights" / "v0.1" / f"{net}.pth")

    # Built on "meta" because only the convolutions are used: no 61 million random numbers for AlexNet's classifier,
    # and the caller's random state stays as it was.
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package calls torchvision by an argument deprecated since 0.13
        model = lpips.LPIPS(net=net, pnet_rand=True, pretrained=False, verbose=False)
    model.scaling_layer = lpips.ScalingLayer()
    state = dict(model.scaling_layer.state_dict(prefix="scaling_layer."))
    for name in model.state_dict():
        if name.startswith("net."):  # net.slice2.3.weight is torchvision's features.3.weight
            state[name] = trunk["features." + name.split(".", 2)[2]].clone()
        elif name.startswith("lin"):  # lin0 and lins.0 are one layer
            state[name] = layers[name.replace("lins.", "lin")].clone()
    model.load_state_dict(state, assign=True)
    return model.requires_grad_(False).eval()


def _read(path: Path) -> dict[str, Tensor]:
    """A state dict; memory-mapped where its format allows, since AlexNet's file is 233 MB and 10 of them are used."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # bytes that are no pickle raise whatever they happen to spell, KeyError included
        raise LpipsUnavailable(f"LPIPS cannot read {path}: delete the broken file, it is fetched anew.") from error


def _trunk_file(net: str, url: str) -> Path:
    """Torch hub's copy of `url`, downloaded if it is not there."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[1]
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(url, path)
    except (OSError, urllib.error.URLError, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise LpipsUnavailable(
            f"LPIPS ({net}) needs the file {path.name}, which could not be downloaded ({why}): "
            f"go online once or put {url} into {path.parent}."
        ) from error
    return path


def _download(url: str, path: Path) -> None:
    """Fetch `url` under a deadline into `path`, which appears whole and with the checksum in its name or not at all.

    torch.hub's own download has no timeout: offline behind a silent firewall it would hold the page for minutes.
    """
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    digest = hashlib.sha256()
    opener = urllib.request.build_opener()  # a fresh one, as urlopen keeps the proxy of its first call for ever
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file, opener.open(url, timeout=CONNECT_SECONDS) as answer:
            while block := answer.read(1 << 20):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"slower than {DOWNLOAD_SECONDS:.0f} seconds")
                digest.update(block)
                file.write(block)
        if not digest.hexdigest().startswith(path.stem.rsplit("-", 1)[1]):
            raise ValueError("its checksum is wrong")
        os.replace(partial, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(partial)


def distance_maps(image: Tensor, reference: Tensor, net: str = "alex") -> list[Tensor]:
    """LPIPS distance of two images at every place of every layer, before any averaging.

    `image` and `reference` are float N x 3 x H x W in [0, 1]; a side below 32 pixels is first padded to 32 on both by
    repeating the border. Returns one N x 1 x h x w tensor a layer.

    A photo larger than 768 x 768 is measured in tiles of that size which overlap by what a feature can see, on the
    photo's own feature grid, and a tile where both images are equal costs nothing: the maps are those of the whole
    photo, without the gigabytes that 12 megapixels take at once.
    """
    model = network(net, image.device)
    image, reference = pad_to_smallest(image), pad_to_smallest(reference)
    height, width = image.shape[2:]
    rows = []
    for top in range(0, height, TILE):
        row = []
        for left in range(0, width, TILE):
            y, x = max(top - MARGIN, 0), max(left - MARGIN, 0)
            window = (..., slice(y, top + TILE + MARGIN), slice(x, left + TILE + MARGIN))
            maps = _maps_of_tile(model, image[window], reference[window])
            row.append(
                [
                    m[:, :, (top - y) // s : (top - y + TILE) // s, (left - x) // s : (left - x + TILE) // s]
                    for m, s in zip(maps, STRIDES[net], strict=True)
                ]
            )
        rows.append([torch.cat(layer, dim=3) for layer in zip(*row, strict=True)])
    return [torch.cat(layer, dim=2) for layer in zip(*rows, strict=True)]


def _maps_of_tile(model: Any, image: Tensor, reference: Tensor) -> list[Tensor]:
    if torch.equal(image, reference):
        sizes = copy.deepcopy(model.net).to("meta")(image.to("meta"))
        return [image.new_zeros(len(image), 1, *features.shape[2:]) for features in sizes]
    with torch.autocast(image.device.type, enabled=False):  # a metric keeps float32 inside a bfloat16 training step
        ours, theirs = (model.net(model.scaling_layer(2 * each - 1)) for each in (image, reference))
        return [
            layer((_unit(a) - _unit(b)) ** 2)  # (N, 1, h, w)
            for layer, a, b in zip(model.lins, ours, theirs, strict=True)
        ]


def _unit(features: Tensor) -> Tensor:
    """Channels scaled to length 1; vector_norm has a finite gradient at 0, which the package's sqrt has not."""
    return features / (torch.linalg.vector_norm(features, dim=1, keepdim=True) + 1e-10)


def whole(maps: list[Tensor]) -> Tensor:
    """The published LPIPS (N,): the mean of each layer's map, summed over the layers (the paper's equation 1)."""
    return torch.stack([m.mean(dim=(1, 2, 3)) for m in maps]).sum(dim=0)


def spatial(maps: list[Tensor], height: int, width: int) -> Tensor:
    """The layers' maps brought to the photo's size (bilinear) and summed: N x 1 x height x width."""
    padded = (max(height, SMALLEST_SIDE), max(width, SMALLEST_SIDE))
    total = maps[0].new_zeros(len(maps[0]), 1, *padded)
    for m in maps:
        total = total + F.interpolate(m, size=padded, mode="bilinear", align_corners=False)
    top, left = (padded[0] - height) // 2, (padded[1] - width) // 2
    return total[:, :, top : top + height, left : left + width]


def trunk_features(image: Tensor) -> Tensor:
    """AlexNet's last convolution (after its ReLU), averaged over the image: N x 256, of N x 3 x H x W in [0, 1]."""
    model: Any = network("alex", image.device)
    with torch.autocast(image.device.type, enabled=False):
        return model.net(model.scaling_layer(2 * pad_to_smallest(image) - 1))[-1].mean(dim=(2, 3))


def pad_to_smallest(image: Tensor) -> Tensor:
    """The image in the middle of at least 32 x 32 pixels, its border repeated outwards."""
    rows, columns = (max(SMALLEST_SIDE - side, 0) for side in image.shape[2:])
    if not rows and not columns:
        return image
    return F.pad(image, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2), mode="replicate")
