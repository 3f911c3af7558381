"""One command trains everything: the budget is divided, phases follow one another, interruptions resume."""

from __future__ import annotations

import importlib
import shlex
from pathlib import Path

import pytest
import tyro

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from train import all as everything
from train.all import PHASES, Config, main


def commands(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """What a dry run printed."""
    return [shlex.split(line) for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def test_the_shares_are_a_whole_and_every_network_starts_small() -> None:
    assert sum(phase.share for phase in PHASES) == pytest.approx(1)
    for method in {phase.method for phase in PHASES}:
        sizes = [phase.size for phase in PHASES if phase.method == method]
        assert sizes == sorted(sizes)


def test_a_dry_run_divides_the_time_and_chains_the_phases(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(Config(data=(photos,), minutes=100, out=tmp_path, dry_run=True))
    found = commands(capsys)
    assert len(found) == len(PHASES)
    assert sum(float(option(words, "--total-minutes")) for words in found) == pytest.approx(100, abs=0.1)
    for phase, words, before in zip(PHASES, found, [None, *PHASES[:-1]], strict=True):
        assert f"train.{phase.method}" in words
        follows = before is not None and before.method == phase.method
        assert ("--init" in words) == follows
        if follows:
            assert option(words, "--init") == str(tmp_path / f"{before.method}_{before.name}" / "last.pt")
    exported = [words[words.index("-m", 1) :] for words in found if "--export" in words]
    assert len(exported) == len({phase.method for phase in PHASES})
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("smoke", [False, True])
def test_every_script_accepts_the_options_of_its_phases(
    smoke: bool, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(Config(data=(photos,), minutes=100, out=tmp_path, dry_run=True, smoke=smoke, processes=1))
    for phase, words in zip(PHASES, commands(capsys), strict=True):
        module = f"train.{phase.method}"
        config = tyro.cli(importlib.import_module(module).Config, args=words[words.index(module) + 1 :])
        assert config.size == (64 if smoke else phase.size)
        assert (config.steps == 2) == smoke
        assert (config.total_minutes is None) == smoke, "a smoke run ends after its steps, however slow the machine is"


def test_edge_maps_go_to_the_network_that_takes_sketches(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(Config(data=(photos,), edges=(photos,), minutes=100, out=tmp_path, dry_run=True))
    methods = {phase.method for phase, words in zip(PHASES, commands(capsys), strict=True) if "--edges" in words}
    assert methods == {"deepfill_v2"}


def test_some_networks_get_the_whole_time(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(Config(data=(photos,), minutes=10, out=tmp_path, dry_run=True, only=(Path("glcic"),)))
    found = commands(capsys)
    assert [option(words, "--size") for words in found] == ["128", "256"]
    assert sum(float(option(words, "--total-minutes")) for words in found) == pytest.approx(10, abs=0.01)
    with pytest.raises(InpaintError, match="deepfill_v3"):
        main(Config(data=(photos,), minutes=10, out=tmp_path, only=(Path("deepfill_v3"),)))


def test_a_smoke_run_trains_exports_and_continues_where_it_stopped(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Config(data=(photos,), minutes=1, out=tmp_path, only=(Path("autoencoder"),), smoke=True, processes=1)
    main(config)
    assert weights.records(tmp_path / "export")["autoencoder"].steps == 2
    before = (tmp_path / "export" / "autoencoder.safetensors").stat().st_mtime_ns
    main(config)
    assert "is complete" in capsys.readouterr().out
    assert (tmp_path / "export" / "autoencoder.safetensors").stat().st_mtime_ns == before


def test_a_gpus_memory_decides_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(everything.torch.cuda, "device_count", lambda: 1)
    batches = {}
    for gigabytes in (6, 24, 140):
        monkeypatch.setattr(everything.torch.cuda, "mem_get_info", lambda size=gigabytes: (size << 30, size << 30))
        batches[gigabytes] = everything.batch_of(256, 0)
    assert batches[6][0] < batches[24][0] < batches[140][0] == 64
    assert all(batch * accumulate >= 8 for batch, accumulate, _ in batches.values())
