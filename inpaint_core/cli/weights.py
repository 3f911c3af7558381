"""`weights`: the public weights of the papers' authors: listed, fetched, imported, converted, removed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional, arg

from inpaint_core.cli.status import SOME_FAILED
from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    from inpaint_core.weights.public.published import PublicWeights

DESCRIPTION = "Public weights: list them, fetch them, import and convert files, remove them."
NO_SIZE = "not published"

Name = Positional[Annotated[str, arg(metavar="NAME")]]
WeightsFile = Positional[Annotated[Path, arg(metavar="FILE")]]


@dataclass(frozen=True, kw_only=True)
class List:
    """List the public weights: what each is, its source, licence and size, and whether it is here.

    For example: `python -m inpaint_core weights list --json`
    """

    as_json: Annotated[bool, arg(name="json")] = False
    """Print everything known of each as JSON."""
    as_markdown: Annotated[bool, arg(name="markdown")] = False
    """Print the table of docs/PUBLIC_WEIGHTS.md."""

    def run(self) -> int:
        """Print the table; returns the exit status."""
        from inpaint_core.weights.public import registry, store

        if self.as_markdown:
            print(markdown_table(registry.rows()))
        elif self.as_json:
            rows = [
                {"name": row.name, **asdict(row), "bytes": row.bytes, "here": store.ready(row.name)}
                for row in registry.rows()
            ]
            print(json.dumps([*rows, *_imported()], indent=2, ensure_ascii=False))
        else:
            _print_table()
        return 0


@dataclass(frozen=True, kw_only=True)
class Get:
    """Fetch public weights; they run as a method of their own, such as lama@big.

    A download that was cut goes on where it stopped. Files are checked against their published checksums and kept in
    the user's cache folder, or in the folder that INPAINT_WEIGHTS names.

    For example: `python -m inpaint_core weights get lama glcic@places --accept-licence`
    """

    names: Positional[Annotated[tuple[str, ...], arg(metavar="NAME")]] = ()
    """From `weights list`; a method's name alone means the first of its own."""
    all_free: bool = False
    """All that are not forbidden for commercial use."""
    accept_licence: bool = False
    """Do not ask about licences that forbid commercial use or do not state it."""

    def run(self) -> int:
        """Fetch; returns the exit status."""
        from inpaint_core.cli import console
        from inpaint_core.weights.public import registry, store

        if bool(self.names) == self.all_free:
            raise InpaintError("Name the weights to fetch, as in 'weights get lama', or say --all-free.")
        wanted = [registry.find(name) for name in self.names]
        if self.all_free:
            wanted = [row for row in registry.rows() if row.commercial != "no"]
        wanted = list({row.name: row for row in wanted if not store.ready(row.name)}.values())
        if not wanted:
            console.out.print("All of them are here already.")
            return 0
        wanted = self._accepted(wanted)
        failures = []
        for row in wanted:
            try:
                _fetch(row)
            except InpaintError as error:
                failures.append(str(error))
        if len(failures) == 1 and len(wanted) == 1:
            raise InpaintError(failures[0])
        for failure in failures:
            console.err.print(f"Failed: {failure}")
        return SOME_FAILED if failures else 0

    def _accepted(self, wanted: list[PublicWeights]) -> list[PublicWeights]:
        """Those whose licence is accepted, asked for where that is needed.

        Raises:
            InpaintError: a licence is not accepted, or there is nobody to ask.
        """
        from inpaint_core.cli import console

        doubtful = [row for row in wanted if row.commercial != "yes"]
        for row in wanted:
            console.err.print(f"{row.name}, by {row.source}. Licence: {row.licence}. {row.commerce}")
        if not doubtful or self.accept_licence:
            return wanted
        names = ", ".join(row.name for row in doubtful)
        free = [row for row in wanted if row.commercial == "yes"]
        if not sys.stdin.isatty():
            if self.all_free and free:
                console.err.print(f"Left out without --accept-licence: {names}.")
                return free
            raise InpaintError(
                f"The licence of {names} forbids commercial use or does not state it: read it above, and say "
                "--accept-licence to fetch."
            )
        if input(f"Fetch {names} under these terms? [y/N] ").strip().lower() in ("y", "yes"):
            return wanted
        if self.all_free and free:
            return free
        raise InpaintError("The licence was not accepted, so nothing was fetched.")


@dataclass(frozen=True, kw_only=True)
class Import:
    """Put a file of public weights that was fetched by hand where `get` would have put it.

    Safetensors, PyTorch pickles and TorchScript in the layouts of the methods' public networks are recognised. The
    file itself is left as it is.

    For example: `python -m inpaint_core weights import states_tf_places2.pth --method deepfill_v2`
    """

    file: WeightsFile
    """What was fetched."""
    method: Annotated[str | None, arg(metavar="NAME")] = None
    """Whose weights they are; or a name for the set, as in deepfill_v2@mine."""

    def run(self) -> int:
        """Import; returns the exit status."""
        from inpaint_core import catalogue
        from inpaint_core.cli import console
        from inpaint_core.weights.public import store

        if self.method is not None:
            catalogue.get(self.method.partition("@")[0])
        name = store.import_file(self.file, self.method)
        console.out.print(f"{name} is ready: fill with '-m {name}'.")
        return 0


@dataclass(frozen=True, kw_only=True)
class Convert:
    """Write public weights as safetensors with a manifest, for other machines and programs.

    For example: `python -m inpaint_core weights convert big-lama.pt -o converted/`
    """

    file: WeightsFile
    """A file in one of the public layouts."""
    output: Annotated[Path, arg(aliases=["-o"], metavar="DIR")]
    """The folder to write METHOD.safetensors and manifest.json into."""
    dtype: Literal["float32", "float16", "int8"] = "float32"
    """How kernels are stored; only float32 is exact."""
    overwrite: bool = False
    """Replace weights of the same method in DIR."""

    def run(self) -> int:
        """Convert; returns the exit status."""
        from inpaint_core.cli import console
        from inpaint_core.weights.public import store

        record = store.convert(self.file, self.output, self.dtype, self.overwrite)
        console.out.print(f"{self.output / record.file}  ({record.method}, {record.bytes / 1e6:.1f} MB {record.dtype})")
        return 0


@dataclass(frozen=True, kw_only=True)
class Remove:
    """Remove public weights from this machine.

    For example: `python -m inpaint_core weights remove lama@big`
    """

    name: Name
    """Such as lama@big."""

    def run(self) -> int:
        """Remove; returns the exit status."""
        from inpaint_core.cli import console
        from inpaint_core.weights.public import store

        freed = store.remove(self.name)
        console.out.print(f"{self.name} is removed; {freed / 1e6:.1f} MB are free again.")
        return 0


app = tyro.extras.SubcommandApp()
for command in (List, Get, Import, Convert, Remove):
    app.command(name=command.__name__.lower())(command)


def markdown_table(rows: Sequence[PublicWeights]) -> str:
    """The table of the public weights for a document."""
    lines = ["| name | weights | trained on | published by | size | licence | commercial use |", "|---" * 7 + "|"]
    for row in rows:
        cells = [f"`{row.name}`", row.title, row.trained_on, f"[{row.source}]({row.files[0].url})", _size(row)]
        lines.append("| " + " | ".join([*cells, row.licence, row.commercial]) + " |")
    return "\n".join(lines)


def _fetch(row: PublicWeights) -> None:
    """Fetch one set with a progress bar."""
    from inpaint_core.cli import console
    from inpaint_core.weights.public import fetch

    with console.download_bar(row.name) as progress:
        record = fetch.get(
            row.name, progress, lambda: console.err.print(f"Another process is fetching {row.name}; waiting for it.")
        )
    console.out.print(f"{row.name} is ready ({record.bytes / 1e6:.1f} MB): fill with '-m {row.name}'.")


def _print_table() -> None:
    from rich import box
    from rich.table import Table

    from inpaint_core.cli import console
    from inpaint_core.weights.public import registry, store

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("name", "weights", "source", "licence", "commercial", "size", "here"):
        table.add_column(heading, no_wrap=heading in ("name", "here"))
    for row in registry.rows():
        here = "yes" if store.ready(row.name) else "no"
        table.add_row(row.name, row.title, row.source, row.licence, row.commercial, _size(row), here)
    for each in _imported():
        table.add_row(
            each["name"], each["title"], each["source"], each["licence"], each["commercial"], _megabytes(each["bytes"]),
            "yes" if each["here"] else "no",
        )  # fmt: skip
    console.out.print(table)
    console.out.print(f"They are kept in {store.directory()}. To fetch one: python -m inpaint_core weights get NAME")


def _imported() -> list[dict]:
    """What is known of the sets that were imported and are not in the table."""
    from inpaint_core.weights.public import registry, store

    of_table = {row.name for row in registry.rows()}
    found = []
    for name in store.names():
        record = store.record_of(name)
        if name not in of_table and record is not None:
            facts = {key: record.extra.get(key, "not known") for key in ("title", "source", "commercial")}
            found.append(
                {"name": name, **facts, "licence": record.licence, "bytes": record.bytes, "here": store.ready(name)}
            )
    return found


def _size(row: PublicWeights) -> str:
    return NO_SIZE if row.bytes is None else _megabytes(row.bytes)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e6:.1f} MB"
