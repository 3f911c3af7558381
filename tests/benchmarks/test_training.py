"""The speed of the training scripts: that it is measured on whole steps of the scripts themselves."""

from __future__ import annotations

import pytest

pytest.importorskip("accelerate")

from benchmarks import training
from inpaint_core.errors import InpaintError

SMALL = {"batch": 1, "width": 8, "perceptual": 0.0, "critics": ("patch",), "precision": "no"}  # needs no weights


def test_the_speed_of_a_script_is_that_of_whole_steps_with_their_critics() -> None:
    speed = training.measure("deepfill_v2", cycles=1, size=32, **SMALL)
    assert (speed.size, speed.batch) == (32, 1)
    assert speed.images > 0.05
    assert speed.operations == pytest.approx(speed.operations_an_image * speed.images)
    without = training.measure("deepfill_v2", cycles=1, size=32, **{**SMALL, "critics": ()})
    assert speed.operations_an_image > 1.01 * without.operations_an_image


def test_only_training_scripts_are_measured() -> None:
    names = training.names()
    assert "deepfill_v2" in names
    assert not {"session", "options", "evaluation", "core"} & set(names)
    with pytest.raises(InpaintError, match="deepfill_v2"):
        training.check_name("stable_diffusion")


def test_the_table_gives_shares_of_the_machines_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(function: object, name: str, device: str, batch: int | None) -> training.Speed:
        if name == "b":
            raise InpaintError("Get the features.")
        return training.Speed(size=128, batch=8, images=10.0, operations_an_image=2e10)

    monkeypatch.setattr(training, "names", lambda: ["a", "b"])
    monkeypatch.setattr(training, "in_a_fresh_process", measured)
    rates = {"cpu float32": 2e11, "cpu bfloat16": 1e12, "cuda bfloat16": 4e12, "cuda float32": 1e12}
    section = training.table(rates=rates)
    assert [row[:2] for row in section.rows] == [("a", "cpu"), ("a", "cuda")]
    assert [row[-1] for row in section.rows] == ["20%", "5%"]
    assert section.note is not None
    assert "b is not here" in section.note
