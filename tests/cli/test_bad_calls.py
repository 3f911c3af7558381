"""Bad calls are refused in one sentence with status 2, and no file is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.running import HEIGHT, WIDTH, run

FILL = "fill {0}/photo.png {0}/mask.png -o {0}/out.png"
BAD_CALLS = {
    "photo missing": "fill {0}/none.jpg {0}/mask.png -o {0}/out.jpg",
    "mask missing": "fill {0}/photo.png {0}/none.png -o {0}/out.png",
    "mask of another size": "fill {0}/photo.png {0}/small.png -o {0}/out.png",
    "mask empty": "fill {0}/photo.png {0}/black.png -o {0}/out.png",
    "mask full": "fill {0}/photo.png {0}/white.png -o {0}/out.png",
    "photo truncated": "fill {0}/truncated.jpg {0}/mask.png -o {0}/out.jpg",
    "photo of zero bytes": "fill {0}/zero.jpg {0}/mask.png -o {0}/out.jpg",
    "text named png": "fill {0}/text.png {0}/mask.png -o {0}/out.png",
    "mask is text": "fill {0}/photo.png {0}/text.png -o {0}/out.png",
    "sketch of another size": FILL + " --sketch {0}/small.png",
    "unknown method": FILL + " -m magic",
    "unknown refinement": FILL + " --refine magic",
    "unknown device": FILL + " --device abacus",
    "device without values": FILL + " --device meta",
    "seed beyond 64 bits": FILL + " --seed 99999999999999999999",
    "dilate is not a number": FILL + " --dilate nan",
    "photo is a pipe": "fill {0}/pipe {0}/mask.png -o {0}/out.png",
    "mask is a pipe": "fill {0}/photo.png {0}/pipe -o {0}/out.png",
    "over a pipe": FILL.replace("out.png", "pipe") + " --format png --overwrite",
    "over a device": "fill {0}/photo.png {0}/mask.png -m ns -o /dev/null --format png --overwrite",
    "over another picture": "fill {0}/photo.png {0}/mask.png -m ns -o {0}/other.png",
    "over the weights": FILL.replace("out.png", "photo.jpg") + " --weights {0}/photo.jpg --overwrite",
    "name too long": "fill {0}/photo.png {0}/mask.png -m ns -o {0}/" + 300 * "x" + ".png",
    "compare: over a picture": "compare {0}/photo.png {0}/mask.png -o {0}/taken -m ns",
    "compare: over the mask": "compare {0}/photo.png {0}/taken/ns.png -o {0}/taken -m ns --overwrite",
    "compare: over the photo": "compare {0}/taken/sheet.png {0}/mask.png -o {0}/taken -m ns --overwrite",
    "compare: table is a folder": "compare {0}/photo.png {0}/mask.png -o {0}/blocked -m ns --overwrite",
    "mask random: over the photo": "mask random {0}/photo.png --like {0}/photo.png --overwrite",
    "mask random: over a picture": "mask random {0}/other.png --size 64x64",
    "mask random: seed beyond 64 bits": "mask random {0}/out.png --size 64x64 --seed 99999999999999999999",
    "mask box: over a picture": "mask box {0}/other.png --box 1,2,3,4 --size 64x64",
    "mask repair: over the photo": "mask repair {0}/mask.png {0}/photo.png",
    "mask repair: onto itself": "mask repair {0}/mask.png {0}/mask.png --overwrite",
    "edges: over a picture": "edges {0}/photo.png -o {0}/other.png",
    "unknown format": FILL + " --format docx",
    "unknown suffix": "fill {0}/photo.png {0}/mask.png -o {0}/out.docx",
    "format against suffix": FILL + " --format jpg",
    "negative dilate": FILL + " --dilate -3",
    "dilate is a word": FILL + " --dilate much",
    "no output": "fill {0}/photo.png {0}/mask.png",
    "no mask": "fill {0}/photo.png -o {0}/out.png",
    "unknown option": FILL + " --magic",
    "unknown command": "inpaint {0}/photo.png",
    "over the photo itself": "fill {0}/photo.png {0}/mask.png -o {0}/photo.png",
    "over the mask": "fill {0}/photo.png {0}/mask.png -o {0}/mask.png",
    "result inside a file": "fill {0}/photo.png {0}/mask.png -m ns -o {0}/photo.jpg/out.png",
    "folder's one mask missing": "fill {0} {0}/none.png -o {0}/out",
    "folder without photos": "fill {0}/empty {0}/mask.png -o {0}/out",
    "folder onto itself": "fill {0} {0}/mask.png -o {0}",
    "folder into a file": "fill {0} {0}/mask.png -o {0}/photo.png",
    "two results of one name": "fill {0} {0}/mask.png -o {0}/out --format png",
    "mask folder lacks it": "fill {0}/photo.png {0}/empty -o {0}/out.png",
    "compare: unknown method": "compare {0}/photo.png {0}/mask.png -o {0}/out -m magic",
    "compare: two references": "compare {0}/photo.png {0}/mask.png -o {0}/out --hide-and-seek --reference {0}/a.png",
    "compare: reference of another size": "compare {0}/photo.png {0}/mask.png -o {0}/out --reference {0}/small.png",
    "compare: folder is a file": "compare {0}/photo.png {0}/mask.png -o {0}/text.png -m ns",
    "mask random: no size": "mask random {0}/out.png",
    "mask random: bad size": "mask random {0}/out.png --size big",
    "mask random: giant": "mask random {0}/out.png --size 50000x50000",
    "mask random: bad kind": "mask random {0}/out.png --size 64x64 --kind magic",
    "mask random: share of a box": "mask random {0}/out.png --size 64x64 --kind box --share 0.5",
    "mask random: share above 1": "mask random {0}/out.png --size 64x64 --kind irregular --share 1.5",
    "mask random: as JPEG": "mask random {0}/out.jpg --size 64x64",
    "mask box: not four numbers": "mask box {0}/out.png --box 1,2,3 --size 64x64",
    "mask box: outside": "mask box {0}/out.png --box 100,100,5,5 --size 64x64",
    "mask repair: nothing left": "mask repair {0}/mask.png {0}/out.png --remove-specks 5000",
    "mask check: other size": "mask check {0}/small.png --like {0}/photo.png",
}


@pytest.mark.parametrize("call", BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_a_bad_call_is_refused_in_one_sentence(folder: Path, call: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty").mkdir()
    (folder / "zero.jpg").touch()
    (folder / "text.png").write_text("This is not a picture.")
    (folder / "truncated.jpg").write_bytes((folder / "photo.jpg").read_bytes()[:900])
    for name, value, size in (("black", 0, (WIDTH, HEIGHT)), ("white", 255, (WIDTH, HEIGHT)), ("small", 255, (9, 9))):
        Image.new("L", size, value).save(folder / f"{name}.png")
    os.mkfifo(folder / "pipe")
    (folder / "blocked" / "results.csv").mkdir(parents=True)
    (folder / "taken").mkdir()
    for name, source in (("other.png", "photo"), ("taken/ns.png", "mask"), ("taken/sheet.png", "photo")):
        (folder / name).write_bytes((folder / f"{source}.png").read_bytes())
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert run(*call.format(folder).split()) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("Note: ")]
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")
    assert errors[0].endswith(".")
    assert "Traceback" not in errors[0]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before, "a file was touched"
    assert (folder / "pipe").is_fifo()


def test_the_process_exits_with_the_status_and_says_why_on_stderr(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "inpaint_core", "fill", "none.jpg", "none.png", "-m", "ns", "-o", "out.jpg"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(root)}, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "Error: none.jpg was not found: check the path.\n"
