"""The page of results: both reported tables, ratios with intervals, and its optional sections."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.networks.glcic import CompletionNetwork
from tests.provenance import UNTRAINED
from tests.train.evaluation.conftest import MakeRecords
from train.evaluation import reported, results
from train.evaluation.records import FillRecord
from train.evaluation.results import Config, MeasuredSet, main, page

ERRORS = [0.1 + 0.01 * number for number in range(8)]  # of Navier-Stokes on eight photos


@pytest.fixture
def records(make_records: MakeRecords):
    """Makes the records of some methods, whose errors are a given share of Navier-Stokes', on some sets of masks."""

    def make(mask_sets: list[str], shares: dict[str, float]) -> list[FillRecord]:
        found = []
        for masks in mask_sets:
            ratios = [0.25 if masks == "centre" else 0.05 + 0.05 * number for number in range(8)]
            for method, share in shares.items():
                found += make_records(method, [share * error for error in ERRORS], ratios, masks)
        return found

    return make


def test_the_page_has_both_tables_with_ratios_and_intervals_by_hole_ratio(records) -> None:
    methods = {"ns": 1.0, "telea": 1.1, "ns+patchmatch": 0.9, "deepfill_v1_mosaic": 0.5}
    text = page(
        MeasuredSet(reported.ANIMALS, records(["centre"], methods), 8, 450),
        MeasuredSet(reported.PLACES, records(["box", "free_form"], methods), 8, 8),
        ["pixel_rnn"],
        ["## Training speed"],
    )
    assert "8 photos, evenly spread over the 450 there are." in text
    assert "Left out because they are slow: pixel_rnn." in text
    assert "| deepfill_v1_mosaic † |" in text
    assert "1.10 [1.10, 1.10]" in text
    assert "10% to 20% (2)" in text
    assert reported.ANIMALS.title in text
    assert reported.PLACES.title in text
    assert text.endswith("## Training speed\n")
    assert "nan" not in text


def test_the_mark_of_restoring_methods_is_explained_only_where_it_stands(records) -> None:
    animals = MeasuredSet(reported.ANIMALS, records(["centre"], {"ns": 1.0}), 8, 8)
    scenes = MeasuredSet(reported.PLACES, records(["box", "free_form"], {"ns": 1.0}), 8, 8)
    assert "†" not in page(animals, scenes, [])


def test_networks_with_public_weights_say_who_published_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INPAINT_WEIGHTS", str(tmp_path))
    facts = {**UNTRAINED, "source": "someone", "recipe": {"size": 256}}
    state = CompletionNetwork(width=4).state_dict()
    weights.save("glcic", state, {"width": 4}, tmp_path / "glcic@mine", dtype="float32", **facts)
    table = results.checkpoints_table(["ns", "glcic@mine"])
    assert "| glcic@mine | 256 px |  |  |  | someone | 0.1 MB float32 |" in table


def test_one_command_measures_and_writes_the_page(shared: Path, photos: Path, tmp_path: Path) -> None:
    write, speeds = tmp_path / "docs" / "RESULTS.md", tmp_path / "speeds.json"
    columns, row = ["script", "device", "images/s"], ["deepfill_v2", "cpu", "3.0"]
    speeds.write_text(json.dumps({"title": "Training", "columns": columns, "rows": [row], "note": "Of the best."}))
    sources = {"animals": (photos,), "scenes": (photos,), "write": write, "speeds": speeds}
    main(Config(**sources, method=("telea",), animals_limit=2, scenes_limit=3, size=64, by_share=True))
    text = write.read_text()
    assert "Here: 2 photos, evenly spread over the 6 there are." in text
    assert "| telea |" in text
    assert "![LPIPS against the share of the photo that is missing](by_share.png)" in text
    assert "| method | 1-10 % | 6-16 % |" in text
    assert text.endswith(
        "## Training speed\n\n| script | device | images/s |\n|---|---|---|\n"
        "| deepfill_v2 | cpu | 3.0 |\n\nOf the best.\n"
    )
    assert {path.name for path in write.parent.iterdir()} == {"RESULTS.md", "by_share.csv", "by_share.png"}


def test_an_unknown_method_is_refused_before_anything_is_measured(shared: Path, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(InpaintError, match="photoshop"):
        main(Config(animals=(photos,), scenes=(photos,), write=tmp_path / "page.md", method=("photoshop",)))
    assert not (tmp_path / "page.md").exists()


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"columns": 1, "rows": 2, "note": null}', None])
def test_a_file_without_speeds_is_refused(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InpaintError, match="--training --json > FILE"):
        results.training_section(path)


def test_the_networks_of_the_manifest_have_a_row_each() -> None:
    table = results.checkpoints_table(["deepfill_v2", "ns"])
    assert [line.split(" | ")[0] for line in table.splitlines()[2:]] == ["| deepfill_v2"]
