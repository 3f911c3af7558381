"""The catalogue declares everything about a method without importing anything heavy."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import inpaint_core
from inpaint_core import InpaintError, catalogue, weights

ROOT = Path(__file__).resolve().parents[1]


HEAVY = {"torch", "gradio", "train", "benchmarks", "openvino", "typer", "tyro"}


def imported_by(code):
    """Which of the heavy modules a new process has loaded after this code."""
    report = f"; import sys; print(*sorted({HEAVY} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(run.stdout.split())


def test_listing_the_methods_imports_nothing_heavy():
    code = "import inpaint_core; assert [method.ready for method in inpaint_core.methods()]"
    assert imported_by(code) == set()
    assert "torch" in imported_by(f"{code}; inpaint_core.methods()[0].build()"), "the check sees what is imported"


def test_names_are_unique_and_records_complete():
    records = inpaint_core.methods()
    assert len({record.name for record in records}) == len(records)
    for record in records:
        assert all((record.title, record.paper, record.url, record.family, record.licence, record.summary))
        assert 1990 < record.year < 2030
        assert record.group in catalogue.GROUPS
        assert record.advice
        assert (record.train_command is not None) == (record.needs_weights and record.trained_here)
        assert (record.parameters is not None) == record.needs_weights


def test_every_training_command_names_a_script_that_is_here():
    for record in inpaint_core.methods():
        if record.train_command is not None:
            script, _, option = (record.train_options or record.name).partition(" ")
            assert importlib.util.find_spec(f"train.{script}") is not None
            assert record.train_command.startswith(f"python -m train.{script} {option}".rstrip() + " --data")


def test_a_method_that_restores_says_so_before_it_runs():
    assert [record.name for record in inpaint_core.methods() if record.restores] == ["deepfill_v1_mosaic"]
    for record in inpaint_core.methods():
        assert record.build().reads_hole == record.restores
    command = catalogue.get("deepfill_v1_mosaic").train_command
    assert command.startswith("python -m train.deepfill_v1 --mosaic --data")


@pytest.mark.parametrize("name", [record.name for record in inpaint_core.methods() if record.parameters])
def test_the_number_of_parameters_is_that_of_the_network(name):
    network = weights.network_class(name)()
    assert sum(parameter.numel() for parameter in network.parameters()) == catalogue.get(name).parameters


@pytest.mark.parametrize("record", inpaint_core.methods(), ids=lambda record: record.name)
def test_every_method_can_be_built_and_reads_the_checkpoint_of_its_own_name(record):
    from inpaint_core.methods.base import FillMethod

    method = record.build()
    assert isinstance(method, FillMethod)
    assert getattr(method, "name", record.name) == record.name
    if record.network is not None:
        assert weights.network_class(record.name) is record.network()


def test_every_checkpoint_of_the_manifest_but_that_of_lpips_has_a_network():
    for name, record in weights.records().items():
        if name == "lpips_alex":  # the package lpips builds its network
            continue
        assert weights.network_class(name)(**record.arguments) is not None
    with pytest.raises(InpaintError, match="There is no network 'lightroom'"):
        weights.network_class("lightroom")


@pytest.mark.parametrize(
    "record", [each for each in inpaint_core.methods() if each.ready and each.cost < 1], ids=lambda record: record.name
)
def test_another_seed_gives_another_fill_where_the_record_says_so(record, astronaut):
    image, mask = astronaut[100:228, 100:228], np.zeros((128, 128), bool)
    mask[40:80, 50:90] = True
    one, other = (inpaint_core.inpaint(image, mask, record.name, seed=seed).image for seed in (0, 1))
    assert np.array_equal(one, other) != record.uses_seed


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(InpaintError, match="ns, telea, patchmatch"):
        catalogue.get("lightroom")


def test_the_default_method_is_ready():
    assert catalogue.get(inpaint_core.default_method()).ready
