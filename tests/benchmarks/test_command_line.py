"""`python -m benchmarks`: that it prints what was measured, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import masks
from benchmarks.section import Section
from benchmarks.workers import overhead
from inpaint_core.errors import InpaintError
from inpaint_core.masks import GENERATORS
from webui import limits

SPEED = Section("Speed", ("method", "seconds"), [("ns", "0.125")], note="A note.")


def test_a_table_is_printed_with_its_title(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "sections", lambda options: [SPEED] if options.quick else [])
    assert command.main(command.Options(quick=True)) == 0
    words = capsys.readouterr().out.split()
    assert words[0] == "Speed"
    assert words[-4:] == ["ns", "0.125", "A", "note."]


def test_json_holds_the_whole_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "sections", lambda options: [SPEED])
    assert command.main(command.Options(json=True)) == 0
    table = json.loads(capsys.readouterr().out)
    assert (
        Section(table["title"], tuple(table["columns"]), [tuple(row) for row in table["rows"]], table["note"]) == SPEED
    )


def test_an_error_of_the_user_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(options: command.Options) -> list[Section]:
        raise InpaintError("There is no such script.")

    monkeypatch.setattr(command, "sections", refuse)
    assert command.main(command.Options(training=True)) == 2
    assert capsys.readouterr().err == "Error: There is no such script.\n"


def test_without_workers_there_is_nothing_to_measure_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WORKERS", 0)
    with pytest.raises(InpaintError, match="set INPAINT_WORKERS to 1 or more"):
        overhead()


def test_the_rate_of_every_mask_generator_is_measured() -> None:
    section = masks.mask_rates(sizes=(32,))
    assert [row[0] for row in section.rows] == list(GENERATORS)
    assert all(float(row[1].replace(",", "")) > 0 for row in section.rows)


def test_the_library_knows_nothing_of_its_benchmarks() -> None:
    root = Path(__file__).parents[2]
    sources = sorted((root / "inpaint_core").rglob("*.py"))
    assert len(sources) > 50
    assert [path for path in sources if "benchmarks" in path.read_text(encoding="utf-8")] == []
