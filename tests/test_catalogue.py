"""The catalogue tells everything about a method without importing anything heavy."""

import importlib.util
import subprocess
import sys

import pytest

import inpaint_core
from inpaint_core import InpaintError, catalogue


def test_listing_the_methods_imports_neither_torch_nor_gradio():
    code = (
        "import sys, inpaint_core; [m.ready for m in inpaint_core.methods() if not m.needs_weights]; "
        "print(sorted({'torch', 'gradio', 'train', 'argparse_'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_names_are_unique_and_records_complete():
    records = inpaint_core.methods()
    assert len({record.name for record in records}) == len(records)
    for record in records:
        assert all((record.title, record.paper, record.url, record.family, record.licence, record.summary))
        assert 1990 < record.year < 2030
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
    network = catalogue.get(name).build().build()
    assert sum(parameter.numel() for parameter in network.parameters()) == catalogue.get(name).parameters


def test_every_implementation_can_be_built():
    from inpaint_core.methods.base import FillMethod

    for record in inpaint_core.methods():
        assert isinstance(record.build(), FillMethod)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(InpaintError, match="ns, telea, patchmatch"):
        catalogue.get("lightroom")


def test_the_default_method_is_ready():
    assert catalogue.get(inpaint_core.default_method()).ready
