"""Average exported generators of one method: the weighted mean of their weights, as one more checkpoint.

One mean: python -m train.tools.average one/deepfill_v2.safetensors two/deepfill_v2.safetensors \
--shares 0.65 --shares 0.35 --out runs/average
Statistics: python -m train.tools.average one/glcic.safetensors --data 'shards/*.tar' --out runs/statistics

Points on one path of training often have a mean that is better than either (Izmailov et al.: Averaging weights leads to
wider optima and better generalization, UAI 2018); of networks that were initialised apart it is useless. The files lie
beside their manifests, as `--export` writes them. The record written is the first one's, without its figures, which are
another network's: with `--val` the mean is measured as a run's export is. With `--data` the statistics of batch
normalisation are measured anew (the paper's section 3.2), without it they are averaged as the weights are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Generator, Tensor, nn
from tyro.conf import Positional, UseAppendAction

from inpaint_core import catalogue, metrics, weights
from inpaint_core.errors import InpaintError
from inpaint_core.masks.pixelate import mosaic
from inpaint_core.methods.feed_forward import FeedForward
from train.core.cli import run_cli
from train.core.config import MIXED_MASKS, Paths, PhotoConfig
from train.core.export import STATISTICS_BATCHES, measure_batch_statistics
from train.core.masks import draw_masks
from train.core.sources import expand
from train.core.validation import validation_sets
from train.evaluation.photos import read_photos, spread_evenly

BATCH = 8  # photos
BLOCKS = 16  # of a mosaic along a side of the photo, as in the training of methods that restore


@dataclass(frozen=True, kw_only=True)
class Config:
    """What is averaged, how it is stored, and what it is measured on."""

    files: Positional[tuple[Path, ...]]  # exported generators of one method, two or more; with --data one will do
    out: Path  # folder of the mean and its manifest
    shares: UseAppendAction[tuple[float, ...]] = ()  # a weight for each file; default: equal ones
    stored: Literal["float32", "float16", "int8"] | None = None  # default: as the first file
    data: Paths = ()  # training photos: measure the statistics of batch normalisation anew
    val: Paths = ()  # measure on these photos of 256 px or more
    val_small: Paths = ()  # and on these of the training size


@dataclass(frozen=True)
class Exported:
    """A checkpoint as it was read: its file, what its manifest says of it, and its weights in float32."""

    file: Path
    record: weights.Record
    state: dict[str, Tensor]

    @classmethod
    def read(cls, file: Path) -> Exported:
        """The checkpoint in a file that lies beside its manifest; int8 weights are decoded.

        Raises:
            InpaintError: the file has no entry in the manifest, or does not match it.
        """
        record = weights.record_of(file)
        if record is None:
            raise InpaintError(f"No {weights.MANIFEST} beside {file} lists it: give files as --export writes them.")
        return cls(file, record, weights.load(record.method, file.parent)[1])

    @property
    def size(self) -> int:
        """The side of the photos it was trained with, in pixels."""
        return self.record.extra.get("recipe", {}).get("size", PhotoConfig.size)

    def origin(self, share: float) -> dict[str, Any]:
        """What the mean's record says of this one; of a mean, also what that was made of."""
        before = {"averaged": self.record.extra["averaged"]} if "averaged" in self.record.extra else {}
        return {"file": self.record.file, "sha256": self.record.sha256, "share": share, **before}


def normalised(shares: Sequence[float], count: int) -> list[float]:
    """Shares that sum to 1; none given: equal ones.

    Raises:
        InpaintError: there are not `count` of them, or not all of them are positive.
    """
    given = list(shares) or [1.0] * count
    if len(given) != count or not all(0 < share < math.inf for share in given):
        raise InpaintError(f"Give one positive --shares for each of the {count} files, not {given}.")
    return [share / math.fsum(given) for share in given]


def mean(states: Sequence[Mapping[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """The weighted mean of state dicts of one architecture; integers (counters) are the first one's."""
    average = {name: tensor.clone() for name, tensor in states[0].items()}
    for name, tensor in average.items():
        if tensor.is_floating_point():
            parts = [share * state[name].double() for state, share in zip(states, shares, strict=True)]
            average[name] = torch.stack(parts).sum(0).to(tensor.dtype)
    return average


def check_alike(exported: Sequence[Exported]) -> None:
    """Raise `InpaintError` unless all are of one method and one architecture."""
    first = exported[0]
    for other in exported[1:]:
        if other.record.method != first.record.method:
            raise InpaintError(
                f"Only generators of one method have a mean, not {first.record.method} and {other.record.method}."
            )
        shapes = [{name: tensor.shape for name, tensor in checkpoint.state.items()} for checkpoint in (first, other)]
        if other.record.arguments != first.record.arguments or shapes[0] != shapes[1]:
            raise InpaintError(
                f"Only generators of one architecture have a mean, not {first.record.method} with "
                f"{first.record.arguments} and with {other.record.arguments}."
            )


def check_measurable(name: str) -> None:
    """Raise `InpaintError` unless a network of this method can be shown photos of any size, and LPIPS be measured."""
    method = catalogue.get(name).build()
    if not isinstance(method, FeedForward) or method.fixed_size:
        raise InpaintError(f"{name} does not fill photos of any size in one pass: leave --val and --val-small out.")
    if why := metrics.lpips_unavailable_reason():
        raise InpaintError(f"{why} Or leave --val and --val-small out.")


def as_trained(name: str, image: Tensor, mask: Tensor) -> Tensor:
    """The photos as the method's network is shown them: one that restores sees the hole as a mosaic."""
    return mosaic(image, mask, image.shape[-1] // BLOCKS) if catalogue.get(name).restores else image


def with_measured_statistics(
    first: Exported, state: Mapping[str, Tensor], sources: Sequence[Path]
) -> dict[str, Tensor]:
    """The weights with the statistics of batch normalisation measured over training photos.

    Args:
        first: the network's architecture, and the size and masks it was trained with.
        state: the weights.
        sources: of the photos.
    """
    name = first.record.method
    network = weights.load_network(name, first.file.parent)
    network.load_state_dict(state)
    kinds = tuple(map(tuple, first.record.extra.get("recipe", {}).get("masks", MIXED_MASKS)))
    photos = spread_evenly(list(read_photos(sources, first.size)), BATCH * STATISTICS_BATCHES)
    generator = Generator().manual_seed(0)

    def inputs() -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, len(photos), BATCH):
            pixels = [torch.from_numpy(photo.pixels.copy()) for photo in photos[start : start + BATCH]]
            image = torch.stack(pixels).permute(0, 3, 1, 2).float() / 255
            mask = draw_masks(kinds, len(image), first.size, generator, image.device)
            yield as_trained(name, image, mask), mask

    measure_batch_statistics(network, inputs())
    return network.state_dict()


@torch.no_grad()
def measure(name: str, network: nn.Module, config: PhotoConfig) -> dict[str, Any]:
    """The figures of a run's validation; of its first set with true edges, too, where sketches are taken.

    Args:
        name: of the method.
        network: float32 on the CPU.
        config: its `size`, `val` and `val_small` say what is measured on.
    """

    def fill(image: Tensor, mask: Tensor, sketch: Tensor | None) -> Any:
        return network(as_trained(name, image, mask), mask, sketch)

    network.eval()
    sets = validation_sets(config)
    figures = {photos.name: photos.measure(fill) for photos in sets}
    if catalogue.get(name).accepts_sketch:
        figures[f"{sets[0].name}_sketch"] = sets[0].measure(fill, sketch=True)
    return figures


def main(config: Config) -> None:
    """Average exported generators of one method.

    Raises:
        InpaintError: the files have no mean, or it cannot be measured or written.
    """
    if len(config.files) < 2 and not config.data:
        raise InpaintError(
            "One file is its own mean: give two or more, or --data to measure its batch statistics anew."
        )
    shares = normalised(config.shares, len(config.files))
    exported = [Exported.read(file) for file in config.files]
    check_alike(exported)
    first, record, out = exported[0], exported[0].record, config.out
    if any(file.resolve() == (out / f"{record.method}.safetensors").resolve() for file in config.files):
        raise InpaintError(f"The mean would take the place of a file it is made of: choose another folder than {out}.")
    data, validated = expand(config.data), [*expand(config.val_small), *expand(config.val)]
    if validated:
        check_measurable(record.method)

    state = mean([checkpoint.state for checkpoint in exported], shares)
    if data:
        state = with_measured_statistics(first, state, data)
    # what rounding the first one to int8 cost is a figure of that network, too
    about = {name: value for name, value in record.extra.items() if not name.endswith("_change")}
    if len(exported) > 1:
        about["averaged"] = [checkpoint.origin(share) for checkpoint, share in zip(exported, shares, strict=True)]
    if data:
        about["statistics"] = f"measured anew over {', '.join(source.name for source in config.data)}"

    def write(figures: dict[str, Any]) -> weights.Record:
        return weights.save(
            record.method,
            state,
            record.arguments,
            out,
            dtype=config.stored or record.dtype,
            command=record.command,
            data=record.data,
            steps=record.steps,
            images_seen=record.images_seen,
            metrics=figures,
            licence=record.licence,
            **about,
        )

    written = write({})
    if validated:
        network = weights.load_network(record.method, out)  # the figures are of the weights as they are stored
        photo_config = PhotoConfig(data=(), out=out, size=first.size, val=config.val, val_small=config.val_small)
        figures = measure(record.method, network, photo_config)
        photos = ", ".join(source.name for source in validated)
        written = write({**figures, "images": f"central squares of {photos}; see train/core/validation.py"})
        for name, values in figures.items():
            lpips = f"LPIPS {values['lpips']:.4f} ({values['lpips_of_ns']:.3f} of ns)"
            print(f"{name:<20} {lpips}   L1 in the hole {values['l1']:.4f} ({values['l1_of_ns']:.3f})")
    print(f"wrote {written.file}, {written.bytes / 1e6:.1f} MB {written.dtype}, the mean of {len(exported)}")


if __name__ == "__main__":
    run_cli(main, Config)
