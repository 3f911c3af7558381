"""docs/ADDING_A_METHOD.md, followed to the letter in a copy of the code: what it says works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

ROOT = Path(__file__).resolve().parents[1]
NETWORK, RECORD, EXPORT, USE, SMALL_TWIN = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "ADDING_A_METHOD.md").read_text(encoding="utf-8"), re.DOTALL
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code with the toy added, its weights exported."""
    copy = tmp_path_factory.mktemp("toy")
    for part in ("inpaint_core", "tests"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "golden"))
    (copy / "train").mkdir()  # no script of the toy's is needed, and none of the others'
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "inpaint_core" / "networks" / "toy.py").write_text(NETWORK)
    insert(
        copy / "inpaint_core" / "catalogue" / "table.py",
        indent(RECORD.rstrip(), " " * 4) + ",\n",
        before=")\n",
        last=True,
    )
    small_twins = copy / "tests" / "methods" / "test_feed_forward.py"
    insert(small_twins, SMALL_TWIN, before='    "glcic": ')
    insert(small_twins, "from inpaint_core.networks.toy import Toy\n", before="\nSMALL: ")
    run(copy, "-c", EXPORT)
    return copy


def insert(file: Path, text: str, before: str, last: bool = False) -> None:
    """Put text before the first or last place of another text."""
    content = file.read_text(encoding="utf-8")
    place = content.rindex(before) if last else content.index(before)
    file.write_text(content[:place] + text + content[place:], encoding="utf-8")


def run(copy: Path, *arguments: str) -> str:
    """Run Python in the copy, with checkpoints of its own; returns what it printed."""
    environment = {**os.environ, "INPAINT_CHECKPOINTS": str(copy / "checkpoints"), "PYTHONPATH": str(copy)}
    done = subprocess.run([sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_toy_fills_a_photo_and_is_ready_in_the_catalogue(copy: Path) -> None:
    print_ready = "\nprint(*[method.name for method in inpaint_core.methods() if method.ready])"
    assert run(copy, "-c", USE + print_ready).split() == ["ns", "telea", "patchmatch", "toy"]


def test_the_tests_over_all_methods_find_the_toy_by_themselves(copy: Path) -> None:
    names = {
        "test_known_pixels_survive_every_method",
        "test_the_number_of_parameters_is_that_of_the_network",
        "test_every_method_can_be_built_and_reads_the_checkpoint_of_its_own_name",
        "test_bfloat16_stays_within_four_levels_of_float32_on_average",
    }
    files = "tests/predictor/test_predictor.py", "tests/methods/test_feed_forward.py", "tests/test_catalogue.py"
    report = run(copy, "-m", "pytest", "-vv", "-p", "no:cacheprovider", "-k", f"toy and ({' or '.join(names)})", *files)
    assert set(re.findall(r"::(\w+)\[.*toy.*\] PASSED", report)) == names
