"""The commands of `weights`, against a publisher on localhost."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inpaint_core.weights.public import store, table
from inpaint_core.weights.public.published import Checksum
from tests.cli.running import pixels, run
from tests.weights.conftest import changed, publish
from tests.weights.publishing import Publisher

DOCUMENT = Path(__file__).parents[2] / "docs" / "PUBLIC_WEIGHTS.md"


def test_the_list_names_every_set_with_its_licence_and_whether_it_is_here(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("weights", "list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["licence"], row["commercial"], row["here"]) == ("lama@small", "CC BY-NC 4.0", "no", False)
    assert run("weights", "get", "lama", "--accept-licence") == 0
    capsys.readouterr()
    assert run("weights", "list") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "lama@small" in line]
    assert line.split()[-1] == "yes"


def test_the_document_has_the_table_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("weights", "list", "--markdown") == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == len(table.PUBLIC_WEIGHTS) + 2
    assert printed in DOCUMENT.read_text(encoding="utf-8")


def test_fetched_weights_fill_and_compare_beside_ours(folder: Path, publisher: Publisher) -> None:
    assert run("weights", "get", "lama", "--accept-licence") == 0
    call = (folder / "photo.png", folder / "mask.png")
    assert run("fill", *call, "-m", "lama@small", "-o", folder / "out.png") == 0
    assert run("compare", *call, "-m", "ns", "-m", "lama@small", "-o", folder / "compared") == 0
    known = pixels(folder / "mask.png") == 0
    filled = pixels(folder / "out.png")
    assert np.array_equal(filled[known], pixels(folder / "photo.png")[known])
    assert np.array_equal(filled, pixels(folder / "compared" / "lama@small.png"))
    assert not np.array_equal(filled, pixels(folder / "compared" / "ns.png"))
    assert "lama@small" in (folder / "compared" / "results.csv").read_text()
    assert run("weights", "remove", "lama@small") == 0
    assert run("fill", *call, "-m", "lama@small", "-o", folder / "again.png") == 2


def test_a_licence_is_shown_and_must_be_accepted(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("weights", "get", "lama@small") == 2, "there is no terminal to ask on"
    said = capsys.readouterr().err
    assert "Licence: CC BY-NC 4.0. Commercial use is NOT allowed." in said
    assert "--accept-licence" in said.splitlines()[-1]
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert run("weights", "get", "lama@small") == 2
    assert capsys.readouterr().err.endswith("Error: The licence was not accepted, so nothing was fetched.\n")
    assert publisher.asked == []
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert run("weights", "get", "lama@small") == 0
    assert store.ready("lama@small")


def test_what_is_free_for_commerce_needs_no_question(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, changed(commercial="yes"))
    assert run("weights", "get", "lama@small") == 0


def test_all_free_leaves_out_what_is_forbidden_and_goes_on_after_a_failure(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = changed(word="moved", commercial="not stated", url=publisher.url("moved.pth"))
    publish(monkeypatch, changed(word="forbidden"), moved, changed(commercial="yes"))
    assert run("weights", "get", "--all-free", "--accept-licence") == 3
    assert store.names() == ["lama@small"]
    assert run("weights", "remove", "lama@small") == 0
    (failed,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Failed: ")]
    assert "lama@moved could not be fetched" in failed
    assert run("weights", "get", "--all-free") == 0
    assert "Left out without --accept-licence: lama@moved." in capsys.readouterr().err
    assert store.names() == ["lama@small"]


def test_a_file_fetched_by_hand_is_imported_and_converted(folder: Path, publisher: Publisher) -> None:
    file = folder / "mine.pth"
    file.write_bytes(publisher.files["small.pth"])
    assert run("weights", "import", file, "--method", "lama@mine") == 0
    assert run("weights", "convert", file, "-o", folder / "converted") == 0
    assert run("weights", "convert", file, "-o", folder / "converted") == 2, "weights are there already"
    assert run("weights", "convert", file, "-o", folder / "converted", "--overwrite") == 0
    call = ("fill", folder / "photo.png", folder / "mask.png")
    converted = folder / "converted" / "lama.safetensors"
    assert run(*call, "-m", "lama@mine", "-o", folder / "imported.png") == 0
    assert run(*call, "-m", "lama", "--weights", file, "-o", folder / "named.png") == 0
    assert run(*call, "-m", "lama", "--weights", converted, "-o", folder / "converted.png") == 0
    assert run(*call, "--weights", file, "-o", folder / "recognised.png") == 0
    assert run(*call, "--weights", converted, "-o", folder / "its own.png") == 0
    for name in ("named", "converted", "recognised", "its own"):
        assert np.array_equal(pixels(folder / f"{name}.png"), pixels(folder / "imported.png"))


BAD_CALLS = {
    "unknown name": "get lama@large",
    "unknown method": "get magic",
    "nothing named": "get",
    "names and all": "get lama --all-free",
    "moved": "get lama@moved --accept-licence",
    "wrong checksum": "get lama@wrong --accept-licence",
    "no network": "get lama@unreachable --accept-licence",
    "import nothing": "import {0}/none.pth --method lama",
    "import a photo": "import {0}/photo.png --method lama",
    "import for an unknown method": "import {0}/small.pth --method magic",
    "import for another method": "import {0}/small.pth --method glcic",
    "import under a bad name": "import {0}/small.pth --method lama@A/B",
    "convert nothing": "convert {0}/none.pth -o {0}/out",
    "convert a photo": "convert {0}/photo.png -o {0}/out",
    "convert into a file": "convert {0}/small.pth -o {0}/mask.png",
    "remove what is not here": "remove lama@small",
    "remove another folder": "remove ../photo.png",
}


@pytest.mark.parametrize("call", BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_a_bad_call_is_one_sentence_and_changes_nothing(
    folder: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, call: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "small.pth").write_bytes(publisher.files["small.pth"])
    wrong = Checksum("sha256", "0" * 64)
    rows = (
        changed(),
        changed(word="moved", url=publisher.url("moved.pth")),
        changed(word="wrong", checksum=wrong),
        changed(word="unreachable", url="http://127.0.0.1:9/small.pth"),
    )
    publish(monkeypatch, *(replace(row, commercial="yes") for row in rows))
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert run("weights", *call.format(folder).split()) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if "Licence: " not in line]
    assert len(said) == 1
    assert said[0].startswith("Error: ")
    assert said[0].endswith(".")
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert store.names() == []
    assert not list(folder.rglob("*.safetensors"))


def test_a_folder_that_cannot_be_made_is_one_sentence(
    folder: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INPAINT_WEIGHTS", str(folder / "photo.png" / "weights"))
    assert run("weights", "get", "lama", "--accept-licence") == 2
    assert "let INPAINT_WEIGHTS name another one" in capsys.readouterr().err
