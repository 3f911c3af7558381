"""Measure any methods on any photos with any masks: tables, plots and contact sheets.

All ready methods:   python -m train.evaluation.evaluate --photos PHOTOS.tar --masks centre --masks free_form --out eval
Some of them:        ... --method ns --method deepfill_v2 --method deepfill_v2+edges --limit 50 --sheet 12
Reported tables:     python -m train.evaluation.evaluate --photos ANIMALS.tar --table animals --out eval/animals
                     python -m train.evaluation.evaluate --photos PLACES.tar --table places --out eval/places

`+edges` draws the photo's true edges in, as a user's sketch would be. Writes fills.csv (every fill), report.md (means
with intervals, shares of Navier-Stokes, groups by hole ratio), a plot by hole ratio for each kind of masks, and sheets.
A photo's mask depends on the photo's name, the kind and the seed alone, so all methods, and all runs, see the same
holes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from inpaint_core import catalogue, inpaint, masks, metrics
from inpaint_core.errors import InpaintError
from train.core.options import start
from train.core.sketches import thin_edges
from train.core.sources import decode, expand, members
from train.evaluation import report, reported

EDGES = "+edges"  # after a method's name: its sketch is the photo's edges
LABEL, PAPER, INK, HOLE = 18, (250, 250, 248), (28, 28, 30), (255, 45, 85)


def photos(sources: Iterable[Path], size: int, limit: int | None) -> Iterator[tuple[str, np.ndarray]]:
    """Names and pixels, uint8 H x W x 3: the largest central squares reduced to `size`, or 0: whole photos."""
    count = 0
    for name, data in members(sources):
        pixels = decode(data, "RGB", 32, None)
        if pixels is None:
            typer.echo(f"{name} cannot be read and is left out", err=True)
            continue
        if limit is not None and count == limit:
            return
        count += 1
        yield name, square(pixels, size) if size else pixels


def spread(items: Sequence[tuple[str, np.ndarray]], limit: int | None) -> list[tuple[str, np.ndarray]]:
    """`limit` of the items, evenly spread; all of them where there are no more."""
    if limit is None or len(items) <= limit:
        return list(items)
    return [items[round(place)] for place in np.linspace(0, len(items) - 1, limit)]


def square(pixels: np.ndarray, size: int) -> np.ndarray:
    """The largest central square at `size` x `size` pixels."""
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    cut = pixels[top : top + side, left : left + side]
    if side == size:
        return cut
    return np.asarray(Image.fromarray(cut).resize((size, size), Image.Resampling.LANCZOS))


def mask_for(name: str, kind: str, height: int, width: int, seed: int = 0) -> np.ndarray:
    """The photo's mask of this kind, bool H x W, True = hole: always the same one."""
    return masks.generate(kind, height, width, seed=zlib.crc32(f"{seed} {kind} {name}".encode()))


def fill(image: np.ndarray, hole: np.ndarray, method: str, device: str, seed: int = 0) -> tuple[np.ndarray, float]:
    """The completed photo, uint8 H x W x 3, and the seconds it took.

    Raises:
        InpaintError: see `inpaint_core.inpaint`.
    """
    name, sketched = method.removesuffix(EDGES), method.endswith(EDGES)
    result = inpaint(image, hole, name, edges_of(image) & hole if sketched else None, device=device, seed=seed)
    assert result.image is not None
    return result.image, result.seconds


def edges_of(image: np.ndarray) -> np.ndarray:
    """Thin edges of the whole photo, uint8 H x W x 3 -> bool H x W."""
    return thin_edges(torch.from_numpy(image.copy()).permute(2, 0, 1)[None] / 255)[0, 0].bool().numpy()


def sheet(rows: Sequence[Sequence[np.ndarray]], labels: Sequence[str], path: Path, most: int = 192) -> None:
    """Pictures in rows, each column with its label; `most` is the longest side a picture is reduced to."""
    side = min(most, max(max(row[0].shape[:2]) for row in rows))
    image = Image.new("RGB", (len(labels) * (side + 4), LABEL + len(rows) * (side + 4)), PAPER)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    for column, label in enumerate(labels):
        pen.text((column * (side + 4) + 2, 1), label, INK, font)
        for line, row in enumerate(rows):
            picture = Image.fromarray(row[column])
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
            image.paste(picture, (column * (side + 4), LABEL + line * (side + 4)))
    image.save(path)


def choose(methods: Sequence[str] | None) -> list[str]:
    """The methods asked for, Navier-Stokes first; by default all that are ready.

    Raises:
        InpaintError: an unknown method, or one without its weights.
    """
    if methods:
        for name in methods:
            record = catalogue.require_ready(name.removesuffix(EDGES))
            if name.endswith(EDGES) and not record.accepts_sketch:
                raise InpaintError(f"{record.name} takes no sketch; leave {EDGES} out.")
        names = list(methods)
    else:
        names = [method.name for method in catalogue.methods() if method.ready]
    return report.unique([report.BASELINE, *names])


def measure(
    named_photos: Sequence[tuple[str, np.ndarray]],
    methods: Sequence[str],
    kinds: Sequence[str],
    lpips: bool = True,
    device: str = "auto",
    seed: int = 0,
    sheets: int = 0,
) -> tuple[list[report.Fill], dict[str, list[list[np.ndarray]]]]:
    """Fill every photo by every method with a mask of every kind.

    Returns:
        The fills measured, and for each kind of masks the first `sheets` photos: hole, fills in the order of the
        methods, truth.
    """
    for name in methods:  # nobody's first fill is timed with the reading of weights
        fill(np.zeros((256, 256, 3), np.uint8), masks.generate("centre", 256, 256), name, device)
    fills: list[report.Fill] = []
    shown: dict[str, list[list[np.ndarray]]] = {each: [] for each in kinds}
    for photo, pixels in tqdm(named_photos, unit="photo"):
        for each in kinds:
            hole = mask_for(photo, each, pixels.shape[0], pixels.shape[1], seed)
            row = [np.where(hole[..., None], np.array(HOLE, np.uint8), pixels)]
            for name in methods:
                filled, seconds = fill(pixels, hole, name, device, seed)
                found = metrics.measure(filled, pixels, hole, lpips)
                fills.append(report.Fill(photo, each, float(hole.mean()), name, seconds, found))
                row.append(filled)
            if len(shown[each]) < sheets:
                shown[each].append([*row, pixels])
    return fills, shown


def main(
    photos_from: Annotated[list[Path], typer.Option("--photos", help="folder, tar shard or quoted pattern; repeat")],
    out: Annotated[Path, typer.Option(help="folder of the results")],
    method: Annotated[list[str] | None, typer.Option(help="a method; repeat; default: all that are ready")] = None,
    kind: Annotated[list[str] | None, typer.Option("--masks", help="centre, box, free_form, ...; repeat")] = None,
    table: Annotated[str | None, typer.Option(help="masks of a reported table, put beside it: animals, places")] = None,
    size: Annotated[int, typer.Option(help="side of the central squares; 0: whole photos")] = 256,
    limit: Annotated[int | None, typer.Option(help="at most so many photos")] = None,
    sheets: Annotated[int, typer.Option("--sheet", help="photos on the contact sheet of each kind of masks")] = 0,
    lpips: Annotated[bool, typer.Option(help="measure LPIPS, too")] = True,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda")] = "auto",
    seed: Annotated[int, typer.Option(help="of masks and methods")] = 0,
) -> None:
    """Measure methods on photos with random masks."""
    if table is not None and table not in reported.TABLES:
        raise InpaintError(f"There is no reported table {table!r}; choose one of {', '.join(reported.TABLES)}.")
    known = None if table is None else reported.TABLES[table]
    kinds = report.unique([*(kind or ()), *(known.masks if known else ())]) or ["centre", "free_form"]
    methods = choose(method)
    if lpips and (why := metrics.lpips_unavailable_reason()):
        raise InpaintError(f"{why} Or leave LPIPS out with --no-lpips.")
    named_photos = list(photos(expand(photos_from), size, limit))
    fills, shown = measure(named_photos, methods, kinds, lpips, device, seed, sheets)
    if not fills:
        raise InpaintError("There are no photos to measure on: check --photos and --limit.")

    out.mkdir(parents=True, exist_ok=True)
    report.write_csv(out / "fills.csv", fills)
    heading = f"{len({f.photo for f in fills})} photos of {', '.join(p.name for p in photos_from)}"
    text = report.markdown(fills, heading) + ("" if known is None else "\n" + reported.beside(fills, known))
    (out / "report.md").write_text(text)
    for each in kinds:
        of_kind = [f for f in fills if f.masks == each]
        if len({f.ratio for f in of_kind}) > 1:
            report.plot(of_kind, out / f"{each}.png")
        if shown[each]:
            sheet(shown[each], ["hole", *methods, "truth"], out / f"sheet_{each}.png")
    typer.echo(text)


if __name__ == "__main__":
    start(main)
