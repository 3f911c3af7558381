"""Reads the files that weights come in, ours and published ones; no code that a pickle names is ever run."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inpaint_core.errors import InpaintError
from inpaint_core.weights.storage import parse

if TYPE_CHECKING:
    from torch import Tensor

STAND_INS = (
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    "omegaconf.nodes.AnyNode",
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "typing.Any",
)
"""What Lightning checkpoints name beside tensors: the training's configuration and callbacks, of no use here."""

WRAPPERS = ("G", "netG", "generator", "model", "state_dict")
"""Where a checkpoint keeps the generator's weights."""

_allowing = threading.Lock()


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read the state dict in a file: safetensors, a PyTorch pickle, a Lightning checkpoint or TorchScript.

    Pickles are read with `weights_only`, so that they hold tensors and plain values or are refused. A Lightning
    checkpoint also names the classes of its configuration; inert classes stand in for those. TorchScript is a program
    of its own kind, which `torch.jit.load` reads and which is not run here.

    Args:
        path: of the file.

    Returns:
        Name -> tensor, on the CPU, as the file has them; what lies under one of `WRAPPERS` is
        taken out, and the "module." of data-parallel training is cut off.

    Raises:
        InpaintError: there is no such file, it is damaged, or it holds something else.
    """
    import torch

    path = Path(path)
    if not path.is_file():
        raise InpaintError(f"There is no weights file {path}: check the path.")
    if path.suffix == ".safetensors":
        return parse(path.read_bytes(), path)
    try:
        if _is_torchscript(path):
            return _plain_state_dict(torch.jit.load(path, map_location="cpu").state_dict(), path)
        with _inert_stand_ins():
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # both readers raise whatever a damaged or hostile file provokes
        raise InpaintError(
            f"{path} is damaged or no file of plain tensors: fetch it again, or save its state dict as safetensors."
        ) from error
    return _plain_state_dict(content, path)


def _plain_state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    """The state dict in what a PyTorch file held."""
    import torch

    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content or not all(torch.is_tensor(value) for value in content.values()):
        raise InpaintError(f"{path} holds no state dict: give a dictionary of named tensors.")
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def _is_torchscript(path: str | Path) -> bool:
    """True for an archive of TorchScript, which holds code beside its tensors."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name or name.endswith("/constants.pkl") for name in archive.namelist())


@contextmanager
def _inert_stand_ins() -> Iterator[None]:
    """Let `torch.load` make objects that do nothing where a checkpoint names these classes."""
    from torch.serialization import safe_globals

    classes: list[Any] = [(type(name.rpartition(".")[2], (_Inert,), {}), name) for name in STAND_INS]
    classes += [
        (kind, f"{module}.{kind.__name__}") for kind in (dict, list, int) for module in ("builtins", "__builtin__")
    ]
    classes.append((_empty, "collections.defaultdict"))
    with _allowing, safe_globals(classes):  # the list is the process's, so two threads must not change it at once
        yield


def _empty(*arguments: Any) -> dict[Any, Any]:
    """In place of a `defaultdict`: torch's reader puts items into plain dictionaries only."""
    return {}


class _Inert:
    """Takes any arguments and any state, and keeps none."""

    def __new__(cls, *arguments: Any, **named: Any) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        pass

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        pass
