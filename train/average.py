"""Average exported generators of one method: the weighted mean of their weights, as one more checkpoint.

Usage: python -m train.average one/deepfill_v2.safetensors two/deepfill_v2.safetensors --shares 0.65 --shares 0.35
       --out runs/average

Points on one road of training often have a mean that is better than either (Izmailov et al.: Averaging weights leads
to wider optima and better generalization, UAI 2018); of networks that were begun apart it is nothing. The files lie
beside their manifests, as `--export` writes them. The record written is the first one's, without its figures, for they
are another network's: with `--val` the mean is measured as a run's export is.

Departs from the paper: the statistics of batch normalisation are averaged as the weights are, not gathered anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from inpaint_core import catalogue, metrics, weights
from inpaint_core.errors import InpaintError
from inpaint_core.masks.pixelate import mosaic
from inpaint_core.methods.base import FillContext
from inpaint_core.methods.feed_forward import FeedForward
from train.core.data import expand
from train.core.options import start
from train.core.session import STORED, Recipe, validation

KINDS = tuple(word for word in STORED if word != "auto")


@dataclass(frozen=True)
class Exported:
    """A checkpoint as it was read: what its manifest says of it, and its weights in float32."""

    record: weights.Record
    state: dict[str, Tensor]

    @classmethod
    def read(cls, file: Path) -> Exported:
        """The checkpoint in a file that lies beside its manifest; int8 weights become what they stand for.

        Raises:
            InpaintError: the manifest does not know the file, or the file is not what the manifest says.
        """
        record = weights.record_of(file)
        if record is None:
            raise InpaintError(f"No {weights.MANIFEST} beside {file} knows it: give files as --export writes them.")
        return cls(record, weights.load(record.method, file.parent)[1])

    def origin(self, share: float) -> dict[str, Any]:
        """What the mean's record says of this one; of a mean, also what that was made of."""
        before = {"averaged": self.record.extra["averaged"]} if "averaged" in self.record.extra else {}
        return {"file": self.record.file, "sha256": self.record.sha256, "share": share, **before}


def normalised(shares: Sequence[float] | None, count: int) -> list[float]:
    """Shares that sum to 1; None: equal ones.

    Raises:
        InpaintError: there are not `count` of them, or not all of them are positive.
    """
    given = [1.0] * count if shares is None else list(shares)
    if len(given) != count or not all(0 < share < math.inf for share in given):
        raise InpaintError(f"Give one positive --shares for each of the {count} files, not {given}.")
    return [share / math.fsum(given) for share in given]


def mean(states: Sequence[Mapping[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """The weighted mean of state dicts of one architecture; what is no float (counters) is the first one's."""
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
        shapes = [{name: tensor.shape for name, tensor in each.state.items()} for each in (first, other)]
        if other.record.arguments != first.record.arguments or shapes[0] != shapes[1]:
            raise InpaintError(
                f"Only generators of one architecture have a mean, not {first.record.method} with "
                f"{first.record.arguments} and with {other.record.arguments}."
            )


def measurable(name: str) -> FeedForward:
    """The method, if a run's figures can be measured on it.

    Raises:
        InpaintError: it is no network that fills photos of any size in one pass.
    """
    method = catalogue.get(name).build()
    if not isinstance(method, FeedForward) or method.fixed_size:
        raise InpaintError(f"{name} does not fill photos of any size in one pass: leave --val and --val-small out.")
    if why := metrics.lpips_unavailable_reason():
        raise InpaintError(f"{why} Or leave --val and --val-small out.")
    return method


def measure(method: FeedForward, size: int, small: list[Path], large: list[Path]) -> dict[str, Any]:
    """The figures of `train.core.session.validation`; of its first set with true edges where sketches are taken.

    Args:
        method: fills; its weights are in its `folder`.
        size: of the photos it was trained with.
        small, large: validation photos of that size, and of 256 px or more.
    """

    def fill(image: Tensor, mask: Tensor, sketch: Tensor | None) -> tuple[Tensor, Tensor]:
        shown = mosaic(image, mask, image.shape[-1] // 16) if method.reads_hole else image  # as it is trained
        filled = method.fill(shown, mask, FillContext(sketch=sketch)).image
        return filled, filled

    with TemporaryDirectory() as folder:  # there is no run whose log the figures would belong to
        sets = validation(Path(folder), small, large, size)
        return sets.measure(fill, 0, 0, catalogue.get(method.name).accepts_sketch)


def main(
    files: Annotated[list[Path], typer.Argument(help="exported generators of one method, two or more")],
    out: Annotated[Path, typer.Option(help="folder of the mean and its manifest")],
    shares: Annotated[list[float] | None, typer.Option(help="a weight for each file; default: equal ones")] = None,
    stored: Annotated[str | None, typer.Option(help=f"{', '.join(KINDS)}; default: as the first file")] = None,
    val: Annotated[list[Path] | None, typer.Option(help="measure on these photos of 256 px or more")] = None,
    val_small: Annotated[list[Path] | None, typer.Option(help="and on these of the training size")] = None,
) -> None:
    """Average exported generators of one method."""
    if len(files) < 2:
        raise InpaintError("One file is its own mean: give two or more.")
    if stored is not None and stored not in KINDS:
        raise InpaintError(f"Weights are stored as {', '.join(KINDS)}, not as {stored!r}.")
    parts = normalised(shares, len(files))
    exported = [Exported.read(file) for file in files]
    check_alike(exported)
    record = exported[0].record
    if any(file.resolve() == (out / f"{record.method}.safetensors").resolve() for file in files):
        raise InpaintError(f"The mean would take the place of a file it is made of: choose another folder than {out}.")
    large, small = expand(val), expand(val_small)
    method = measurable(record.method) if large or small else None

    state = mean([each.state for each in exported], parts)
    # what storing the first one as int8 cost is a figure of that network, too
    about = {name: value for name, value in record.extra.items() if not name.endswith("_change")}
    about["averaged"] = [each.origin(part) for each, part in zip(exported, parts, strict=True)]

    def write(figures: dict[str, Any]) -> weights.Record:
        return weights.save(
            record.method,
            state,
            record.arguments,
            out,
            dtype=stored or record.dtype,
            command=record.command,
            data=record.data,
            steps=record.steps,
            images_seen=record.images_seen,
            metrics=figures,
            licence=record.licence,
            **about,
        )

    written = write({})
    if method is not None:
        method.folder = out  # the figures are of the weights as they are stored
        figures = measure(method, record.extra.get("recipe", {}).get("size", Recipe.size), small, large)
        photos = ", ".join(source.name for source in (*(val_small or ()), *(val or ())))
        written = write({**figures, "images": f"central squares of {photos}; see train/session.py"})
        for name, values in figures.items():
            lpips = f"LPIPS {values['lpips']:.4f} ({values['lpips_of_ns']:.3f} of ns)"
            typer.echo(f"{name:<20} {lpips}   L1 in the hole {values['l1']:.4f} ({values['l1_of_ns']:.3f})")
    typer.echo(f"wrote {written.file}, {written.bytes / 1e6:.1f} MB {written.dtype}, the mean of {len(files)}")


if __name__ == "__main__":
    start(main)
