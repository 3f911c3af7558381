"""The documents: their commands run or at least exist, and the README's tables are those of the code."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import runpy
from itertools import takewhile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image

import inpaint_core
from inpaint_core.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m inpaint_core (.+)$", README, re.MULTILINE)
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "checkpoints" / "MODEL_CARD.md", *(ROOT / "docs").glob("*.md")])
OPTIONS_OF_OTHERS = {"--extra-index-url", "--logdir", "--rm"}  # pip's, tensorboard's, docker's


def commands_in(document: Path) -> set[tuple[str, str]]:
    """Module and arguments of every `python -m ...` and `accelerate launch -m ...` in a document."""
    text = re.sub(r"```python.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    return set(re.findall(r"(?:python|launch) -m\s+([\w.]+) *([^\n`]*)", text))


@functools.cache
def options_of(module: str, subcommand: str = "") -> frozenset[str]:
    """The options that `python -m MODULE [SUBCOMMAND] --help` lists."""
    help_text = io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch("sys.argv", [module, *subcommand.split(), "--help"]))
        stack.enter_context(mock.patch.dict("os.environ"))  # a module may set variables for its own process
        stack.enter_context(contextlib.redirect_stdout(help_text))
        ended = stack.enter_context(pytest.raises(SystemExit))
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    assert not ended.value.code
    lines = re.findall(r"^\W*?((?:-\w, )?--.+)", help_text.getvalue(), re.MULTILINE)  # not those of the description
    return frozenset(option for line in lines for option in re.findall(r"--[\w-]+", line))


def options_of_command(module: str, arguments: str) -> frozenset[str]:
    """The options that a command may have; those of `inpaint_core` differ from one subcommand to the next."""
    subcommand = takewhile(str.isalpha, arguments.split()) if module == "inpaint_core" else ()
    return options_of(module, " ".join(subcommand))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs_as_printed(
    command: str, tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "masks"):
        Path(folder).mkdir()
    photo = Image.fromarray(astronaut[::8, ::8])
    hole = Image.fromarray(np.pad(np.full((12, 12), 255, np.uint8), 26))
    for name in ("photo.jpg", "face.jpg", "photos/one.jpg", "photos/two.png"):
        photo.save(name)
    for name in ("mask.png", "masks/one.png", "masks/two.png"):
        hole.save(name)
    if not command.startswith("edges"):  # which writes it
        Image.fromarray(np.eye(64, dtype=np.uint8) * 255).save("edges.png")
    assert main(command.split()) == 0


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("document", filter(commands_in, DOCUMENTS), ids=lambda path: path.name)
def test_every_command_in_a_document_exists_with_the_options_shown(document: Path) -> None:
    for module, arguments in commands_in(document):
        unknown = set(re.findall(r"(?<!\S)--[\w-]+", arguments)) - options_of_command(module, arguments)
        assert not unknown, f"python -m {module} has no {unknown}"


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
def test_every_option_in_the_readme_belongs_to_one_of_its_commands() -> None:
    known = frozenset[str]().union(*(options_of_command(*command) for command in commands_in(ROOT / "README.md")))
    shown = set(re.findall(r"(?<!\S)`?(--[a-z][\w-]+)", README))
    assert len(shown) > 10
    assert shown <= known | OPTIONS_OF_OTHERS


def test_the_table_has_every_method_that_is_ready_as_the_catalogue_has_it() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| (\d+) \| ([^|]+) \|", README, re.MULTILINE)
    catalogue = [(each.name, each.title, str(each.year), each.family) for each in inpaint_core.methods()]
    assert rows == [row for row in catalogue if row in rows]
    assert {each.name for each in inpaint_core.methods() if each.ready} <= {row[0] for row in rows}


def test_the_short_description_fits_a_space() -> None:
    (description,) = re.findall(r"^short_description: (.+)$", README, re.MULTILINE)
    assert len(description) <= 60  # the Hub refuses a longer one
