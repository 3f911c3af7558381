"""What holds for every paper's script: it learns, a resumed run is the same run, and what it exports loads."""

from __future__ import annotations

import json
import math
import re
import sys
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from inpaint_core import weights
from tests.train.runs import SIZE, checkpoint, scalars, train
from train import (
    autoencoder,
    context_encoder,
    dcgan,
    deepfill_v1,
    deepfill_v2,
    glcic,
    lama,
    partial_conv,
    pixel_networks,
)
from train.core import export
from train.core.cli import run_cli
from train.core.critics import CriticConfig


@dataclass(frozen=True)
class Script:
    """A script at a size for tests; `falls`: a logged loss and the share of it that is left after some steps."""

    module: ModuleType
    method: str
    falls: tuple[str, float]
    lr: float = 3e-3
    options: dict[str, Any] = field(default_factory=dict)


PLAIN = {"levels": 5, "features": 0.0, "style": 0.0}  # PartialConv without its trunk, whose weights may not be here
V1 = {"width": 4, "critic_width": 4, "critic_start": 0.4, "critic_steps": 1}
SCRIPTS = {
    "autoencoder": Script(autoencoder, "autoencoder", ("l2", 0.7), options={"width": 4}),
    "context_encoder": Script(context_encoder, "context_encoder", ("l2", 0.7), options={"width": 4, "critic_width": 4}),
    "context_encoder of the centre": Script(
        context_encoder,
        "context_encoder",
        ("l2", 0.7),
        options={"width": 4, "critic_width": 4, "region": "centre"},
    ),
    "glcic": Script(
        glcic,
        "glcic",
        ("l2", 0.7),
        options={"width": 4, "critic_width": 4, "critic_start": 0.6, "critic_phase": 0.2},
    ),
    "deepfill_v1": Script(deepfill_v1, "deepfill_v1", ("refined", 0.9), lr=1e-3, options=V1),
    "deepfill_v1_mosaic": Script(
        deepfill_v1, "deepfill_v1_mosaic", ("refined", 0.9), lr=1e-3, options={**V1, "mosaic": True}
    ),
    "lama": Script(
        lama,
        "lama",
        ("l1", 0.9),
        options={"width": 8, "blocks": 1, "critic_width": 4, "perceptual": 0.0, "critic_check": 4, "critic_photos": 4},
    ),
    "partial_conv": Script(partial_conv, "partial_conv", ("hole", 0.8), options={"width": 4, **PLAIN}),
}
PAPERS = [
    autoencoder,
    context_encoder,
    dcgan,
    deepfill_v1,
    deepfill_v2,
    glcic,
    lama,
    partial_conv,
    pixel_networks,
]
each_script = pytest.mark.parametrize("name", SCRIPTS)


@pytest.fixture(autouse=True)
def few_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch statistics over two batches are enough to be there."""
    monkeypatch.setattr(export, "STATISTICS_BATCHES", 2)


def run(name: str, photos: Path, out: Path, **options: Any) -> None:
    script = SCRIPTS[name]
    train(script.module, photos, out, **{"lr": script.lr, **script.options, **options})


@each_script
def test_the_loss_falls_on_one_photo(name: str, one_photo: Path, tmp_path: Path) -> None:
    run(name, one_photo, tmp_path / "run", steps=30, masks=(("centre", 1.0),))
    logged, (loss, share) = scalars(tmp_path / "run"), SCRIPTS[name].falls
    values = list(logged[loss].values())
    assert sum(values[-3:]) < share * sum(values[:3]), values
    assert all(math.isfinite(value) for each in logged.values() for value in each.values())


@each_script
def test_muon_trains_every_generator(name: str, one_photo: Path, tmp_path: Path) -> None:
    run(name, one_photo, tmp_path / "run", steps=10, masks=(("centre", 1.0),), lr=3e-3, optimizer="muon")
    values = list(scalars(tmp_path / "run")[SCRIPTS[name].falls[0]].values())
    assert values[-1] < values[0], values


@each_script
def test_a_run_in_two_sessions_equals_one_and_its_export_loads(name: str, photos: Path, tmp_path: Path) -> None:
    run(name, photos, tmp_path / "one", steps=6)
    run(name, photos, tmp_path / "two", steps=6, minutes=0.0)
    assert checkpoint(tmp_path / "two")["step"] == 1
    run(name, photos, tmp_path / "two", steps=6, resume=True, export=True)
    one, two = checkpoint(tmp_path / "one"), checkpoint(tmp_path / "two")
    assert one["step"] == two["step"] == 6
    for part in ("networks", "averages"):
        for network, state in one[part].items():
            for key, tensor in state.items():
                assert torch.equal(tensor, two[part][network][key]), f"{part} {network} {key}"

    script, folder = SCRIPTS[name], tmp_path / "two" / "export"
    network = weights.load_network(script.method, folder).eval()
    state = network.state_dict()
    for key, tensor in two["averages"]["generator"].items():
        key = key.removeprefix("module.")
        if key != "n_averaged" and "running" not in key and "num_batches" not in key:
            torch.testing.assert_close(state[key], tensor, atol=1e-3, rtol=1e-3)  # stored as float16
    mask = torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 16:48, 16:48] = 1
    with torch.no_grad():
        filled = network(torch.rand(1, 3, SIZE, SIZE), mask)
    filled = filled[-1] if isinstance(filled, tuple) else filled
    assert filled.shape == (1, 3, SIZE, SIZE)
    assert filled.isfinite().all()
    record = weights.records(folder)[script.method]
    assert record.steps == 6
    assert record.extra["complete"] is True

    # another run starts from the export and the critics beside it
    run(name, photos, tmp_path / "next", steps=1, init=folder / f"{script.method}.safetensors")
    assert checkpoint(tmp_path / "next")["initialised"] == sorted(two["networks"])


def test_validation_writes_figures_and_a_picture(shared: Path, photos: Path, tmp_path: Path) -> None:
    run("glcic", photos, tmp_path / "run", val_small=(photos,), steps=2, eval_every=1, grid_every=2)
    figures = [json.loads(line) for line in (tmp_path / "run" / "validation.jsonl").read_text().splitlines()]
    assert len(figures) == 2
    assert figures[0][f"centre_{SIZE}"]["l1_of_ns"] > 0
    assert figures[1][f"free_form_{SIZE}"]["lpips_of_ns"] > 0
    assert [grid.stat().st_size > 1000 for grid in (tmp_path / "run" / "grids").iterdir()] == [True]


@pytest.mark.parametrize("name", ["autoencoder", "context_encoder", "glcic", "deepfill_v1", "partial_conv"])
def test_the_perceptual_term_joins_at_once_after_init_and_bf16_trains(
    name: str, shared: Path, photos: Path, tmp_path: Path
) -> None:
    run(name, photos, tmp_path / "first", steps=1, precision="bf16")
    start = {"init": tmp_path / "first" / "last.pt", "perceptual": 0.1, "perceptual_start": 0.9, "precision": "bf16"}
    run(name, photos, tmp_path / "next", steps=3, **start)
    assert max(scalars(tmp_path / "next")["perceptual"].values()) > 0
    assert all(x.isfinite().all() for x in checkpoint(tmp_path / "next")["networks"]["generator"].values())


@pytest.mark.parametrize("name", ["glcic", "deepfill_v1", "partial_conv"])
def test_critics_that_learn_from_few_photos_count_once_they_have_trained(
    name: str, photos: Path, tmp_path: Path
) -> None:
    options = {"critics": ("patch",), "critic_start": 0.25, "critic_warmup": 2, "critic_auc": 0.0, "critic_photos": 4}
    run(name, photos, tmp_path / "run", steps=8, export=True, **options)
    logged = scalars(tmp_path / "run")
    assert list(logged["critic_patch"]) == [3, 4, 5, 6, 7, 8], "they join after a quarter of the run"
    assert list(logged["adversarial"]) == [5, 6, 7, 8], "and count two steps later"
    assert all(0 < weight <= 1 for weight in logged["adversarial_weight"].values())
    assert 0 <= logged["auc"][3] <= 1
    assert "critic" not in logged, "the paper's critic is not there beside them"
    files = {path.name for path in (tmp_path / "run" / "export").iterdir()}
    assert f"{name}_critic_patch.safetensors" in files


def test_every_script_has_a_command_line_and_a_usage_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("autoencoder", "context_encoder", "glcic", "deepfill_v1", "partial_conv"):
        module = SCRIPTS[name].module
        assert f"python -m train.{name} --data" in (module.__doc__ or "")
        assert "Where it departs from the" in (module.__doc__ or "")
        monkeypatch.setattr(sys, "argv", [name, "--help"])
        with pytest.raises(SystemExit) as stop:
            run_cli(module.main, module.Config)
        assert stop.value.code == 0
        shown = capsys.readouterr().out
        for option in ("--resume", "--minutes", "--lr", "--width", "--masks", "--data"):
            assert option in shown


def test_an_error_a_user_can_correct_is_one_sentence_and_exit_status_2(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, sentence in (
        (["--data", str(tmp_path / "nothing")], str(tmp_path / "nothing")),
        (["--data", str(photos), "--masks", "round", "1"], 'There are no "round" masks'),
    ):
        monkeypatch.setattr(sys, "argv", ["autoencoder", *options, "--out", str(tmp_path / "run")])
        with pytest.raises(SystemExit) as stop:
            run_cli(autoencoder.main, autoencoder.Config)
        assert stop.value.code == 2
        assert sentence in capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize("module", PAPERS)
def test_the_comment_above_a_config_lists_every_option_that_it_inherits(module: ModuleType) -> None:
    source = Path(str(module.__file__)).read_text()
    listed = set(re.findall(r"[a-z]+(?:_[a-z]+)*", source.partition("# It inherits")[2].partition("@dataclass")[0]))
    inherited = {each.name for base in module.Config.__mro__[1:-1] for each in fields(base)}
    assert inherited <= listed
    others = {each.name for each in fields(CriticConfig)} - inherited
    assert not {name for name in others if "_" in name} & listed


@pytest.mark.parametrize(
    ("module", "option"), [(dcgan, "--masks"), (dcgan, "--zoom"), (pixel_networks, "--masks"), (lama, "--edges")]
)
def test_an_option_that_would_do_nothing_is_unknown(
    module: ModuleType, option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["script", "--data", "photos", "--out", "run", option, "1"])
    with pytest.raises(SystemExit) as stop:
        run_cli(module.main, module.Config)
    assert stop.value.code == 2
    assert option in capsys.readouterr().err
