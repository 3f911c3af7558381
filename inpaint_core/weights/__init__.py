"""Checkpoints on disk: a manifest that says what each file is, safetensors, checksums verified before anything loads.

A checkpoint is one `.safetensors` file beside `manifest.json`. The file's bytes are read once, hashed, compared with
the manifest and only then parsed. Matrices and kernels are stored as float16, or as int8 with one float32 scale for
each output channel; biases and normalisation statistics stay float32, for they are few and their range is wide.

Importing this module and asking `ready` does not import torch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    from torch import Tensor, nn

MANIFEST = "manifest.json"
SCALE = "::scale"
"""Suffix of the tensor that holds the scales of an int8 tensor."""
_DTYPES = ("float32", "float16", "int8")


@dataclasses.dataclass(frozen=True)
class Record:
    """What the manifest says of one checkpoint: enough to load it and to know where it comes from."""

    method: str  # the word of the catalogue
    file: str  # name of the file beside the manifest
    sha256: str  # of the whole file
    bytes: int  # size of the file
    arguments: dict[str, Any]  # of the network's constructor
    dtype: str  # float32, float16 or int8 (one scale for each output channel)
    command: str  # the training command that made it
    data: str  # what it was trained on
    steps: int
    images_seen: int
    metrics: dict[str, Any]  # measured values, and under "images" on which images and masks
    licence: str
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)  # wall time, device, ...


def directory() -> Path:
    """Where checkpoints are: `$INPAINT_CHECKPOINTS`, or `checkpoints/` beside the package."""
    chosen = os.environ.get("INPAINT_CHECKPOINTS")
    return Path(chosen).expanduser() if chosen else Path(__file__).resolve().parents[2] / "checkpoints"


def records(folder: str | Path | None = None) -> dict[str, Record]:
    """The manifest: method name -> record; empty where there is no manifest.

    Raises:
        InpaintError: the manifest is not JSON of this form.
    """
    path = Path(folder or directory()) / MANIFEST
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["checkpoints"]
        found = [Record(**entry) for entry in entries]
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InpaintError(f"The manifest {path} cannot be read ({_first_line(error)}): restore it.") from error
    for record in found:
        if Path(record.file).name != record.file or record.file in ("", ".", ".."):
            raise InpaintError(
                f"The manifest {path} names the file {record.file!r}, which is not beside it: restore it."
            )
    return {record.method: record for record in found}


def record_of(file: str | Path) -> Record | None:
    """What the manifest beside a file says of it; None where there is none, or it does not name the file."""
    file = Path(file)
    return next((record for record in records(file.parent).values() if record.file == file.name), None)


_verified: dict[tuple[str, int, int], str] = {}
"""Checksums already computed: (path, size, time of change in ns) -> sha256."""


def ready(method: str, folder: str | Path | None = None) -> bool:
    """True if the method's checkpoint is here and matches its checksum (hashed once per file and change)."""
    folder = Path(folder or directory())
    try:
        record = records(folder).get(method)
        if record is None:
            return False
        path = folder / record.file
        status = path.stat()
        key = (str(path.resolve()), status.st_size, status.st_mtime_ns)
        if status.st_size == record.bytes and key not in _verified:
            _verified[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, InpaintError):
        return False
    return _verified.get(key) == record.sha256


def load(method: str, folder: str | Path | None = None) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a method's checkpoint.

    Args:
        method: a name of the catalogue.
        folder: where manifest and files are; None: `directory()`.

    Returns:
        The arguments of the network's constructor, and its state dict in float32 (integer buffers stay integers).

    Raises:
        InpaintError: no such checkpoint, or a file that is missing, truncated, altered or not safetensors.
    """
    folder = Path(folder or directory())
    record = records(folder).get(method)
    if record is None:
        raise InpaintError(f"There are no weights for {method} in {folder}: train them with python -m train.{method}.")
    path = folder / record.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InpaintError(f"The weights of {method}, {path}, cannot be read: put the file back.") from error
    if len(content) < record.bytes:
        raise InpaintError(
            f"The weights {path} are truncated ({len(content)} of {record.bytes} bytes): copy them again."
        )
    if hashlib.sha256(content).hexdigest() != record.sha256:
        raise InpaintError(f"The weights {path} do not match the checksum of the manifest: copy them again.")
    return dict(record.arguments), _unpack(_parse(content, path))


def save(
    method: str,
    state: Mapping[str, Tensor],
    arguments: Mapping[str, Any],
    folder: str | Path | None = None,
    *,
    dtype: str = "float16",
    command: str,
    data: str,
    steps: int,
    images_seen: int,
    metrics: Mapping[str, Any],
    licence: str,
    **extra: Any,
) -> Record:
    """Write a checkpoint and its record in the manifest, each replaced in one move.

    Args:
        method: a name of the catalogue, also the file's name.
        state: the network's state dict.
        arguments: of the network's constructor, JSON values.
        folder: where to write; None: `directory()`.
        dtype: how kernels are stored: "float16", "int8" (per output channel) or "float32".
        command, data, steps, images_seen, metrics, licence, extra: for the record, see `Record`.

    Returns:
        The record written.

    Raises:
        InpaintError: a tensor holds NaN or infinity, also after rounding to float16.
        ValueError: an unknown dtype.
    """
    from safetensors.torch import save as serialise

    if dtype not in _DTYPES:
        raise ValueError(f"{dtype!r} is none of {', '.join(_DTYPES)}")
    folder = Path(folder or directory())
    folder.mkdir(parents=True, exist_ok=True)
    content = serialise(_pack(state, dtype), metadata={"method": method, "dtype": dtype})
    record = Record(
        method=method,
        file=f"{method}.safetensors",
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        arguments=dict(arguments),
        dtype=dtype,
        command=command,
        data=data,
        steps=steps,
        images_seen=images_seen,
        metrics=dict(metrics),
        licence=licence,
        extra=extra,
    )
    entries = {**records(folder), method: record}
    ordered = [dataclasses.asdict(entries[name]) for name in sorted(entries)]
    manifest = json.dumps(_plain({"checkpoints": ordered}), indent=2, allow_nan=False) + "\n"
    _replace(folder / record.file, content)
    _replace(folder / MANIFEST, manifest.encode())
    return record


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict from a file the user names: safetensors, or a PyTorch pickle with `weights_only`.

    A checkpoint that wraps the generator's weights under "G", "netG", "generator", "model" or "state_dict" is
    unwrapped, and the "module." of data-parallel training is cut off.

    Raises:
        InpaintError: missing, truncated, or anything else than a dictionary of tensors.
    """
    import torch

    path = Path(path)
    if not path.is_file():
        raise InpaintError(f"There is no weights file {path}: check the path.")
    if path.suffix == ".safetensors":
        return _unpack(_parse(path.read_bytes(), path))
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises whatever a damaged or hostile file provokes
        raise InpaintError(f"{path} is not a file of plain tensors: only weights-only PyTorch files load.") from error
    for wrapper in ("G", "netG", "generator", "model", "state_dict"):
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    if not isinstance(state, Mapping) or not state or not all(torch.is_tensor(value) for value in state.values()):
        raise InpaintError(f"{path} holds no state dict: give a dictionary of named tensors.")
    return {str(name).removeprefix("module."): value for name, value in state.items()}


def load_network(name: str, folder: str | Path | None = None) -> nn.Module:
    """A network with the weights of its checkpoint, float32 on the CPU."""
    from inpaint_core import catalogue
    from inpaint_core.methods.feed_forward import FeedForward

    method = catalogue.get(name).build()
    assert isinstance(method, FeedForward)
    arguments, state = load(name, folder)
    network = method.build(**arguments)
    load_into(network, state, f"The weights of {name}")
    return network


def load_into(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Put a state dict into a network, or say in one sentence why it does not fit.

    Args:
        network: receives the weights.
        state: name -> tensor.
        source: what the sentence calls the weights, e.g. "The weights of glcic".

    Raises:
        InpaintError: names or shapes of another architecture.
    """
    own = network.state_dict()
    missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if missing or unknown:
        odd = f"{missing[0]} is missing" if missing else f"{unknown[0]} has no place in it"
        raise InpaintError(f"{source} belong to another architecture than {type(network).__name__} ({odd}).")
    for name, tensor in own.items():
        if tensor.shape != state[name].shape:
            shapes = f"{name} is {tuple(state[name].shape)} and should be {tuple(tensor.shape)}"
            raise InpaintError(f"{source} are of another size than this {type(network).__name__} ({shapes}).")
    network.load_state_dict(state)


def _pack(state: Mapping[str, Tensor], dtype: str) -> dict[str, Tensor]:
    """The tensors as they are stored: kernels in `dtype`, the rest float32 or integers."""
    import torch

    packed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        tensor = tensor.detach().cpu()
        if tensor.is_floating_point():
            tensor = tensor.float()
            if not tensor.isfinite().all():
                raise InpaintError(f"The weights hold NaN or infinity in {name}: export an earlier checkpoint.")
        if not tensor.is_floating_point() or tensor.ndim < 2 or dtype == "float32":
            packed[name] = tensor.clone(memory_format=torch.contiguous_format)
        elif dtype == "float16":
            packed[name] = tensor.half().contiguous()
            if not packed[name].isfinite().all():
                raise InpaintError(f"The weights in {name} are too large for float16: export them as float32.")
        else:
            # The first axis is the output channel of a convolution or a linear layer (of a transposed convolution it
            # is the input channel: a scale for each works as well there).
            scale = tensor.flatten(1).abs().amax(dim=1).clamp_min(1e-12) / 127
            rows = (-1, *[1] * (tensor.ndim - 1))
            packed[name] = (tensor / scale.reshape(rows)).round().to(torch.int8).contiguous()
            packed[name + SCALE] = scale
    return packed


def _unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Undo `_pack`: float32 tensors, integers as they are."""
    state: dict[str, Tensor] = {}
    for name, tensor in packed.items():
        if name.endswith(SCALE):
            continue
        if name + SCALE in packed:
            rows = (-1, *[1] * (tensor.ndim - 1))
            state[name] = tensor.float() * packed[name + SCALE].reshape(rows)
        else:
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state


def _parse(content: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors in the bytes of a safetensors file."""
    from safetensors import SafetensorError
    from safetensors.torch import load as parse

    try:
        return parse(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise InpaintError(f"{path} is no complete safetensors file ({_first_line(error)}): copy it again.") from error


def _plain(value: Any) -> Any:
    """The value as JSON has it: scalars of numpy and torch become numbers, NaN and infinity null, paths text.

    A long training run must not lose its export over a metric that could not be measured.
    """
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one move, so that a killed export never leaves half of one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
