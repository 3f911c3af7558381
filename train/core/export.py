"""What a run leaves behind: EMA weights, batch statistics measured anew, its critics, and their manifest entries."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inpaint_core import weights
from train.core.config import ExportConfig
from train.core.run import Run

LARGEST_FILE = 10_000_000
"""Bytes: a checkpoint that would be larger as float16 is stored as int8."""

STATISTICS_BATCHES = 64
"""Batches over which the statistics of batch normalisation are measured."""


@torch.no_grad()
def measure_batch_statistics(network: nn.Module, inputs: Iterable[tuple[Tensor, ...]]) -> None:
    """Measure the running statistics of every batch normalisation anew, over `inputs`, in place.

    The average of weights has other statistics than the network it follows: those would be wrong for it.

    Layers that stay in evaluation mode while the network trains keep theirs.

    Args:
        network: receives the statistics; ends in the mode it was in.
        inputs: arguments of the network's calls.
    """
    was_training, _ = network.training, network.train()
    layers = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    norms = [layer for layer in layers if layer.training]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    if not norms:
        network.train(was_training)
        return
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative mean over all inputs
        norm.train()
    for arguments in inputs:
        network(*arguments)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.train(was_training)


def refresh_statistics(run: Run, inputs: Callable[[int], tuple[Tensor, ...]]) -> None:
    """Measure the batch statistics of the run's EMA generator on the batches of its first steps.

    Args:
        run: with an EMA of "generator".
        inputs: the generator's arguments in a step.
    """
    with run.autocast():
        measure_batch_statistics(run.ema["generator"], map(inputs, range(STATISTICS_BATCHES)))


def command_line(script: str, arguments: Iterable[str]) -> str:
    """The command of a run as a manifest states it: without the folders of the machine it ran on.

    Args:
        script: its module; "__main__" is the one that this process was started with.
        arguments: its options.
    """
    if script == "__main__" and (spec := sys.modules[script].__spec__) is not None:
        script = spec.name
    return " ".join([f"python -m {script}", *(Path(a).name if Path(a).is_absolute() else a for a in arguments)])


def export(
    run: Run,
    method: str,
    arguments: Mapping[str, Any],
    *,
    critics: Mapping[str, nn.Module] | None = None,
    network: nn.Module | None = None,
    measure: Callable[[], dict[str, Any]] | None = None,
    statistics: Callable[[], None] | None = None,
) -> weights.Record | None:
    """Write the EMA weights of the run's network (and its critics) with their manifest entries.

    Kernels are stored as float16, or as int8 where float16 would pass `LARGEST_FILE`, unless `config.stored` decides.

    Args:
        run: with an `ExportConfig`.
        method: the name in the manifest; the file is METHOD.safetensors, a critic's METHOD_NAME.safetensors.
        arguments: of the network's constructor.
        critics: by name; what a later run needs to continue, see `Run.load`.
        network: what is exported; None: the EMA of "generator".
        measure: gives the figures of the manifest. Called again after int8 weights were rounded, so that the figures
            are of the weights as they are stored.
        statistics: measures the batch statistics of what is exported, see `refresh_statistics`.

    Returns:
        The network's record; None on all but the main process.
    """
    if not run.main:
        return None
    config = run.config
    assert isinstance(config, ExportConfig)
    network = network or run.ema["generator"]
    if statistics is not None:
        statistics()
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    folder = config.export_to or config.out / "export"

    def write(name: str, tensors: Mapping[str, Tensor], dtype: str, metrics: dict[str, Any]) -> weights.Record:
        return weights.save(
            name,
            tensors,
            arguments if name == method else {},
            folder,
            dtype=dtype,
            command=command_line(type(config).__module__, sys.argv[1:]),
            data=", ".join(source.name for source in config.sources),
            steps=run.step,
            images_seen=run.step * config.batch,
            metrics=metrics and {**metrics, "images": config.measured_on},
            licence="see MODEL_CARD.md",
            recipe={key: value for key, value in asdict(config).items() if not _is_path(value)},
            minutes=round(run.elapsed / 60, 1),
            device=str(run.device),
            processes=run.accelerator.num_processes,
            complete=run.complete,
        )

    floats = sum(tensor.numel() for tensor in state.values() if tensor.is_floating_point())
    dtype = config.stored
    if dtype == "auto":
        dtype = "int8" if 2 * floats > LARGEST_FILE else "float16"
    metrics = measure() if measure is not None else {}
    record = write(method, state, dtype, metrics)
    if dtype == "int8" and measure is not None and metrics:
        rounded = weights.read_state_dict(folder / record.file)
        weights.load_into(network, rounded, str(folder / record.file))
        record = write(method, state, dtype, measure())
        network.load_state_dict(state)
    for name, critic in (critics or {}).items():
        write(f"{method}_{name}", critic.state_dict(), "float16", {})
    print(f"exported {record.file}, {record.bytes / 1e6:.1f} MB {dtype}, after {run.step} steps")
    return record


def _is_path(value: Any) -> bool:
    return isinstance(value, Path) or (isinstance(value, tuple) and bool(value) and isinstance(value[0], Path))
