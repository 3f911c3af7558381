"""Damaged files of every format are read or refused; more of them: `python -m tests.photo.fuzzing --seconds 3600`."""

from __future__ import annotations

import pytest

from tests.photo import fuzzing


def test_damaged_files_of_every_format_are_read_or_refused_in_a_sentence() -> None:
    assert not list(fuzzing.failures(range(600)))


def test_what_should_not_happen_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes, *_: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(fuzzing.photo, "read", broken)
    with pytest.raises(ZeroDivisionError):
        fuzzing.check(fuzzing.originals()["png"])
