"""The network behind LPIPS: the package's layers on torchvision's trunk.

AlexNet's weights come with the project, as float16; SqueezeNet's, which only training uses, are found or downloaded
once.
"""

from __future__ import annotations

import contextlib
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
from torch import Tensor, nn

from inpaint_core.errors import InpaintError
from inpaint_core.weights import load, shipped

SHIPPED = "lpips_alex"  # its name in the manifest; it fills nothing, so it is not in the catalogue
NETWORKS = ("alex", "squeeze")
CONNECT_SECONDS = 5.0  # no byte for so long: the network is off
DOWNLOAD_SECONDS = 120.0  # AlexNet's file is 233 MB
RETRY_SECONDS = 300.0  # a failed load is remembered for so long, so that a page without a connection stays quick

_networks: dict[tuple[str, str], nn.Module] = {}  # (net, device) -> network; loaded once a process
_failures: dict[str, tuple[float, str]] = {}  # net -> (when, why)
_lock = threading.Lock()


class LpipsUnavailable(InpaintError):
    """LPIPS is not available here; the message says why and what to do."""


def network(net: str = "alex", device: torch.device | str = "cpu") -> nn.Module:
    """The frozen LPIPS network `net` ("alex" or "squeeze") on `device`, loaded at the first call and then shared.

    AlexNet's weights are read from the project's `checkpoints/`, SqueezeNet's from torch hub's checkpoints folder
    (`TORCH_HOME`), or downloaded into it.
    Raises InpaintError for another `net` and LpipsUnavailable, a kind of it, where package or weights are missing.
    """
    if net not in NETWORKS:
        raise InpaintError(f'LPIPS has the networks {", ".join(NETWORKS)}: choose one of them instead of "{net}".')
    key = (net, str(device))
    with _lock:
        if key not in _networks:
            when, reason = _failures.get(net, (-RETRY_SECONDS, ""))
            if time.monotonic() - when < RETRY_SECONDS:
                raise LpipsUnavailable(reason)
            try:
                # Parameters created in inference mode could never have a gradient afterwards.
                with torch.inference_mode(False):
                    _networks[key] = _load(net).to(device)
            except LpipsUnavailable as error:
                _failures[net] = (time.monotonic(), str(error))
                raise
        return _networks[key]


def unavailable_reason(net: str = "alex") -> str | None:
    """Why LPIPS is not available here, as a sentence for the user; None where it is. Loads the network if need be."""
    try:
        network(net)
    except LpipsUnavailable as error:
        return str(error)
    return None


def forget() -> None:
    """Drop the loaded networks and the reasons of failures: the next use loads anew, say from another `TORCH_HOME`."""
    with _lock:
        _networks.clear()
        _failures.clear()


def published_state(net: str) -> dict[str, Tensor]:
    """The weights as published, float32: torchvision's convolutions (`features.*`) and the package's layers (`lin*`).

    The trunk's file is read from torch hub's checkpoints folder, or downloaded into it. Raises LpipsUnavailable.
    """
    lpips, torchvision = _packages()
    weights = {
        "alex": torchvision.models.AlexNet_Weights.IMAGENET1K_V1,
        "squeeze": torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1,
    }[net]
    trunk = _read(_trunk_file(net, weights.url))
    convolutions = {name: each.clone() for name, each in trunk.items() if name.startswith("features.")}
    return convolutions | _read(Path(lpips.__file__).parent / "weights" / "v0.1" / f"{net}.pth")


def _load(net: str) -> nn.Module:
    lpips, _ = _packages()
    weights = _shipped_state() if net == "alex" else published_state(net)

    # Built on "meta" because only the convolutions are used: no 61 million random numbers for AlexNet's classifier,
    # and the caller's random state stays as it was.
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package calls torchvision by an argument deprecated since 0.13
        model = lpips.LPIPS(net=net, pnet_rand=True, pretrained=False, verbose=False)
    model.scaling_layer = lpips.ScalingLayer()
    state = dict(model.scaling_layer.state_dict(prefix="scaling_layer."))
    for name in model.state_dict():
        if name.startswith("net."):  # net.slice2.3.weight is torchvision's features.3.weight
            state[name] = weights["features." + name.split(".", 2)[2]].clone()
        elif name.startswith("lin"):  # lin0 and lins.0 are one layer
            state[name] = weights[name.replace("lins.", "lin")].clone()
    model.load_state_dict(state, assign=True)
    return model.requires_grad_(False).eval()


def _packages() -> tuple[Any, Any]:
    """The modules lpips and torchvision."""
    try:
        import lpips
        import torchvision
    except ImportError as error:
        raise LpipsUnavailable(f"LPIPS needs a package that is missing ({error}): run pip install lpips.") from error
    return lpips, torchvision


def _shipped_state() -> dict[str, Tensor]:
    """AlexNet's part of `published_state`, from the project's own file."""
    try:
        return load(SHIPPED, shipped())[1]
    except InpaintError as error:
        file = shipped() / f"{SHIPPED}.safetensors"
        raise LpipsUnavailable(
            f"LPIPS needs the file {file.name}, which is missing or damaged: copy {file.parent} from the project again."
        ) from error


def _read(path: Path) -> dict[str, Tensor]:
    """A state dict; memory-mapped where its format allows, since AlexNet's file is 233 MB and 10 of them are used."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # bytes that are no pickle raise any exception, KeyError included
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
