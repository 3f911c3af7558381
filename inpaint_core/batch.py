"""Which mask belongs to which photo, and where its result goes: from one file or from a folder of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inpaint_core import photo
from inpaint_core.errors import InpaintError

MASK_ENDINGS = ("", "_mask", "-mask")
_SUFFIXES = frozenset(suffix for suffixes in photo.FORMATS.values() for suffix in suffixes) | frozenset(
    photo.HEIC_SUFFIXES
)


@dataclass(frozen=True)
class Job:
    """One photo to fill."""

    photo: Path
    mask: Path
    sketch: Path | None
    output: Path


@dataclass(frozen=True)
class Plan:
    """What a call asks for: the jobs, and the photos of a folder that cannot be done, each with the reason."""

    jobs: list[Job]
    failures: list[tuple[Path, str]]
    is_batch: bool


def plan(source: Path, mask: Path, sketch: Path | None, output: Path, format: str | None) -> Plan:
    """The jobs of a call.

    Args:
        source: a photo, or a folder of photos (its sub-folders are left alone).
        mask: one mask for all, or a folder with a mask of the same name for each photo: `cat.png` or `cat_mask.png`
            for `cat.jpg`.
        sketch: likewise, or None; in a folder of sketches a photo may be without.
        output: for a folder of photos a folder; for one photo a file, or a folder (so is a name without suffix) to
            write it into by its own name.
        format: the results' format, or None for that of each photo.

    Raises:
        InpaintError: a folder without photos, a file where a folder must be, two results of one name.
    """
    suffix = None if format is None else suffix_of(format)
    for given in (source, mask, sketch):
        if given is not None and not given.exists():
            raise InpaintError(f"{given.name} was not found: check the path.")
    if source.is_dir():
        return _folder_plan(source, mask, sketch, output, suffix)
    if output.is_dir() or not output.suffix:
        output = output / _result_name(source, suffix)
    elif suffix is not None and suffix_of(output.suffix) != suffix:
        raise InpaintError(f"{output.name} is no name for the format {format}; leave --format out, or rename it.")
    job = Job(source, _one(mask, source), None if sketch is None else _one(sketch, source), output)
    if any(output.resolve() == other.resolve() for other in (job.mask, job.sketch) if other is not None):
        raise InpaintError(f"The result would take the place of {output.name}; choose another name after -o.")
    return Plan([job], [], is_batch=False)


def _folder_plan(source: Path, mask: Path, sketch: Path | None, output: Path, suffix: str | None) -> Plan:
    """The jobs of a folder of photos; arguments and errors as `plan`."""
    if output.exists() and not output.is_dir():
        raise InpaintError(f"{output.name} is a file, but {source.name} is a folder of photos: name a folder after -o.")
    if any(output.resolve() == other.resolve() for other in (source, mask, sketch) if other is not None):
        raise InpaintError("The results would take the places of the photos or masks; name another folder after -o.")
    photos = _pictures(source)
    if mask.is_dir() and mask.resolve() == source.resolve():  # photos and masks in one folder
        photos = [path for path in photos if not path.stem.endswith(MASK_ENDINGS[1:])]
    if not photos:
        raise InpaintError(f"The folder {source.name} holds no photos ({photo.picture.READABLE}); name another one.")
    masks = _by_stem(mask) if mask.is_dir() else None
    sketches = _by_stem(sketch) if sketch is not None and sketch.is_dir() else None
    jobs: list[Job] = []
    failures: list[tuple[Path, str]] = []
    taken: dict[Path, Path] = {}
    for path in photos:
        result = output / _result_name(path, suffix)
        if result in taken:
            raise InpaintError(
                f"{taken[result].name} and {path.name} would both be written to {result.name}; rename one of them."
            )
        taken[result] = path
        its_mask = mask if masks is None else _partner(path, masks)
        its_sketch = sketch if sketches is None else _partner(path, sketches)
        if its_mask is None:
            failures.append((path, f"There is no mask named {path.stem}.png in {mask.name}."))
        else:
            jobs.append(Job(path, its_mask, its_sketch, result))
    return Plan(jobs, failures, is_batch=True)


def suffix_of(format: str) -> str:
    """The usual file name suffix of a format; an unknown one is an `InpaintError`."""
    return photo.FORMATS[photo.picture.format_named(format)][0]


def _pictures(folder: Path) -> list[Path]:
    """The files of a folder that are named like pictures, sorted by name."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    """The pictures of a folder by name without suffix: listed once for all photos."""
    found: dict[str, list[Path]] = {}
    for path in _pictures(folder):
        found.setdefault(path.stem, []).append(path)
    return found


def _partner(path: Path, candidates: dict[str, list[Path]]) -> Path | None:
    """The mask or sketch that belongs to the photo at `path` by its name, or None; never the photo itself."""
    named = (other for ending in MASK_ENDINGS for other in candidates.get(path.stem + ending, ()))
    return next((other for other in named if other.resolve() != path.resolve()), None)


def _one(given: Path, path: Path) -> Path:
    """The mask or sketch of one photo: the file given, or that of the photo's name in the folder given."""
    if not given.is_dir():
        return given
    partner = _partner(path, _by_stem(given))
    if partner is None:
        raise InpaintError(f"There is no picture named {path.stem}.png in {given.name}; name the file itself.")
    return partner


def _result_name(path: Path, suffix: str | None) -> str:
    if suffix is None and path.suffix.lower() in photo.HEIC_SUFFIXES:
        suffix = suffix_of("jpeg")
    return path.name if suffix is None else path.stem + suffix
