"""The command `suggest`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import run


def test_the_methods_are_printed_best_first_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.rglob("*"))
    assert run("suggest", folder / "photo.png", folder / "mask.png", "-m", "ns", "-m", "telea", "--places", 2) == 0
    *rows, sentence = capsys.readouterr().out.strip().splitlines()
    assert {row.split()[0] for row in rows} == {"ns", "telea"}
    assert "of this photo" in sentence
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("words", [["-m", "magic"], ["--places", "0"], ["--places", "many"]])
def test_a_bad_call_is_one_sentence(folder: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("suggest", folder / "photo.png", folder / "mask.png", *words) == 2
    message = capsys.readouterr().err
    assert message.startswith("Error: ")
    assert message.count("\n") == 1
