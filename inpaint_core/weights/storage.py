"""Reads and writes the checkpoints that the manifest names.

A checkpoint is one `.safetensors` file. Its bytes are read once, hashed, compared with the manifest and only then
parsed. Matrices and kernels are stored as float16, or as int8 with one float32 scale for each output channel; biases
and normalisation statistics stay float32, for they are few and their range is wide.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inpaint_core.errors import InpaintError
from inpaint_core.files import write_atomically
from inpaint_core.weights.manifest import Record, directory, first_line, records, write_records

if TYPE_CHECKING:
    from torch import Tensor

SCALE = "::scale"
"""Suffix of the tensor that holds the scales of an int8 tensor."""
DTYPES = ("float32", "float16", "int8")


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
        raise InpaintError(
            f"There are no weights for {method} in {folder}: 'python -m inpaint_core methods' prints how to train them."
        )
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
    if not isinstance(record.arguments, dict):
        raise InpaintError(f"The manifest in {folder} has no arguments for {method}: restore it.")
    return dict(record.arguments), parse(content, path)


def save(
    method: str,
    state: Mapping[str, Tensor],
    arguments: Mapping[str, Any],
    folder: str | Path | None = None,
    *,
    dtype: str = "float16",
    **provenance: Any,
) -> Record:
    """Write a checkpoint and its record in the manifest, each replaced in one move.

    Args:
        method: a name of the catalogue, also the file's name.
        state: the network's state dict.
        arguments: of the network's constructor, JSON values.
        folder: where to write; None: `directory()`.
        dtype: how kernels are stored: "float16", "int8" (per output channel) or "float32".
        provenance: the fields `command`, `data`, `steps`, `images_seen`, `metrics` and `licence` of `Record`; any
            others are kept in its field `extra`.

    Returns:
        The record written.

    Raises:
        InpaintError: a tensor holds NaN or infinity, also after rounding to float16.
        ValueError: an unknown dtype.
    """
    from safetensors.torch import save as serialise

    if dtype not in DTYPES:
        raise ValueError(f"{dtype!r} is none of {', '.join(DTYPES)}")
    folder = Path(folder or directory())
    folder.mkdir(parents=True, exist_ok=True)
    content = serialise(_pack(state, dtype), metadata={"method": method, "dtype": dtype})
    fields = {field.name for field in dataclasses.fields(Record)}
    record = Record(
        method=method,
        file=f"{method}.safetensors",
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        arguments=dict(arguments),
        dtype=dtype,
        extra={name: value for name, value in provenance.items() if name not in fields},
        **{name: value for name, value in provenance.items() if name in fields},
    )
    kept = records(folder)
    write_atomically(folder / record.file, content)
    write_records(folder, [*(other for name, other in kept.items() if name != method), record])
    return record


def parse(content: bytes, path: Path) -> dict[str, Tensor]:
    """The state dict in the bytes of a safetensors file: float32 tensors, integers as they are.

    Raises:
        InpaintError: the bytes are something else; it names `path`.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as deserialise

    try:
        return _unpack(deserialise(content))
    except (SafetensorError, ValueError, KeyError) as error:
        raise InpaintError(f"{path} is no complete safetensors file ({first_line(error)}): copy it again.") from error


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
            packed[name] = (tensor / _along_first_axis(scale, tensor)).round().to(torch.int8).contiguous()
            packed[name + SCALE] = scale
    return packed


def _unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Undo `_pack`: float32 tensors, integers as they are."""
    state: dict[str, Tensor] = {}
    for name, tensor in packed.items():
        if name.endswith(SCALE):
            continue
        if name + SCALE in packed:
            state[name] = tensor.float() * _along_first_axis(packed[name + SCALE], tensor)
        else:
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state


def _along_first_axis(scale: Tensor, tensor: Tensor) -> Tensor:
    return scale.reshape(-1, *[1] * (tensor.ndim - 1))
