"""What the program says about itself: methods, version, help, and how a call is wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import inpaint_core
from tests.cli.running import run

MASK_COMMANDS = ("random", "box", "repair", "check")


def test_methods_lists_the_catalogue_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("methods", "--json") == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == [m.name for m in inpaint_core.methods()]


def test_methods_and_help_load_no_torch() -> None:
    program = (
        "import sys; from inpaint_core.cli import main; main(['methods']); main(['fill', '--help']);"
        "main(['fill', 'no.jpg', 'no.png', '-o', 'o.png', '-m', 'magic']); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60).returncode == 0


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert inpaint_core.__version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", ["fill", "compare", "edges", "methods", *(f"mask {each}" for each in MASK_COMMANDS)]
)
def test_every_command_explains_itself_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*command.split(), "--help") == 0
    assert f"For example: `python -m inpaint_core {command} " in " ".join(capsys.readouterr().out.split())


def test_a_call_without_arguments_shows_the_commands_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert {"fill", "compare", "mask", "edges", "methods"} <= set(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("fill photo.jpg mask.png", "--output"),
        ("fill photo.jpg -o out.png", "MASK"),
        ("fill photo.jpg mask.png -o out.png --dilate much", "--dilate"),
        ("fill photo.jpg mask.png -o out.png --magic", "--magic"),
        ("inpaint photo.jpg", "inpaint"),
        ("mask", "repair"),
    ],
)
def test_the_refusal_names_what_is_wrong(call: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*call.split()) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.endswith("; --help shows how to call it.\n")
    assert not set("│╭╰─") & set(error)
