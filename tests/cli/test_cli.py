"""The command line: what it writes, what it prints, and what it refuses in one sentence."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inpaint_core
from inpaint_core import predictor
from inpaint_core.cli import jobs, main, sheet

HEIGHT, WIDTH = 60, 72
MASK_COMMANDS = ("random", "box", "repair", "check")


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.fixture
def folder(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """photo.png, photo.jpg, and mask.png (a white box) of one size."""
    photo = Image.fromarray(astronaut[100 : 100 + HEIGHT, 200 : 200 + WIDTH])
    photo.save(tmp_path / "photo.png")
    photo.save(tmp_path / "photo.jpg", quality=90)
    hole = np.zeros((HEIGHT, WIDTH), np.uint8)
    hole[20:36, 30:50] = 255
    Image.fromarray(hole).save(tmp_path / "mask.png")
    return tmp_path


@pytest.fixture
def batch(folder: Path) -> Path:
    """photos/ with a.png, b.jpg and a broken c.jpg; masks/ with one for each, two with an ending."""
    photos, masks = folder / "photos", folder / "masks"
    photos.mkdir()
    masks.mkdir()
    (photos / "a.png").write_bytes((folder / "photo.png").read_bytes())
    (photos / "b.jpg").write_bytes((folder / "photo.jpg").read_bytes())
    (photos / "c.jpg").write_bytes((folder / "photo.jpg").read_bytes()[:900])
    (photos / "notes.txt").write_text("not a photo")
    for name in ("a.png", "b_mask.png", "c-mask.png"):
        (masks / name).write_bytes((folder / "mask.png").read_bytes())
    return folder


def test_fill_changes_the_hole_and_nothing_else(folder: Path) -> None:
    assert run("fill", folder / "photo.png", folder / "mask.png", "-m", "telea", "-o", folder / "out.png") == 0
    before, after, hole = pixels(folder / "photo.png"), pixels(folder / "out.png"), pixels(folder / "mask.png") > 0
    assert np.array_equal(before[~hole], after[~hole])
    assert not np.array_equal(before[hole], after[hole])


def test_fill_gives_what_the_python_api_gives(folder: Path) -> None:
    run("fill", folder / "photo.png", folder / "mask.png", "-m", "ns", "-o", folder / "out.png")
    expected = inpaint_core.inpaint(Image.open(folder / "photo.png"), Image.open(folder / "mask.png"), "ns").image
    assert expected is not None
    assert np.array_equal(pixels(folder / "out.png"), expected)


def test_fill_keeps_the_format_of_the_photo_and_makes_the_folder_named(folder: Path) -> None:
    assert run("fill", folder / "photo.jpg", folder / "mask.png", "-m", "ns", "-o", f"{folder}/new/") == 0
    assert Image.open(folder / "new" / "photo.jpg").format == "JPEG"


def test_format_turns_a_jpeg_into_an_exact_png(folder: Path) -> None:
    arguments = ("-m", "ns", "--format", "png", "-o", f"{folder}/new/")
    assert run("fill", folder / "photo.jpg", folder / "mask.png", *arguments) == 0
    known = pixels(folder / "mask.png") == 0
    assert np.array_equal(pixels(folder / "new" / "photo.png")[known], pixels(folder / "photo.jpg")[known])


def test_invert_and_dilate_move_the_hole(folder: Path) -> None:
    hole = pixels(folder / "mask.png")[..., 0] > 0
    Image.fromarray((~hole * 255).astype(np.uint8)).save(folder / "inverted.png")
    plain = ("fill", folder / "photo.png", folder / "inverted.png", "-m", "ns")
    assert run(*plain, "--invert", "-o", folder / "same.png") == 0
    assert run(*plain, "--invert", "--dilate", 3, "-o", folder / "wider.png") == 0
    changed = (pixels(folder / "wider.png") != pixels(folder / "photo.png")).any(axis=2)
    assert np.array_equal(pixels(folder / "same.png")[~hole], pixels(folder / "photo.png")[~hole])
    assert changed[17:20, 35:45].any()
    assert not changed[:16].any()


def test_an_inverted_mask_is_pointed_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hole = pixels(folder / "mask.png")[..., 0] > 0
    Image.fromarray((~hole * 255).astype(np.uint8)).save(folder / "inverted.png")
    run("fill", folder / "photo.png", folder / "inverted.png", "-m", "ns", "-o", folder / "out.png")
    assert "--invert" in capsys.readouterr().err


def test_refine_replaces_the_texture(folder: Path) -> None:
    plain = ("fill", folder / "photo.png", folder / "mask.png", "-m", "ns")
    assert run(*plain, "-o", folder / "smooth.png") == 0
    assert run(*plain, "--refine", "patchmatch", "-o", folder / "refined.png") == 0
    assert not np.array_equal(pixels(folder / "smooth.png"), pixels(folder / "refined.png"))


def test_a_bad_file_does_not_end_a_batch(batch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fill", batch / "photos", batch / "masks", "-m", "ns", "-o", batch / "out") == 3
    assert sorted(path.name for path in (batch / "out").iterdir()) == ["a.png", "b.jpg"]
    printed = capsys.readouterr()
    assert "2 filled, 1 failed" in printed.out
    assert printed.err.strip().splitlines()[-1].startswith("Failed: c.jpg ")
    assert "Traceback" not in printed.err


def test_a_photo_without_a_mask_is_listed_as_failed(batch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (batch / "photos" / "c.jpg").unlink()
    (batch / "masks" / "b_mask.png").unlink()
    assert run("fill", batch / "photos", batch / "masks", "-m", "ns", "-o", batch / "out") == 3
    assert "Failed: b.jpg: There is no mask named b.png" in capsys.readouterr().err


def test_one_mask_serves_all_photos_of_its_size(batch: Path) -> None:
    (batch / "photos" / "c.jpg").unlink()
    assert run("fill", batch / "photos", batch / "mask.png", "-m", "ns", "-o", batch / "out") == 0
    assert len(list((batch / "out").iterdir())) == 2


def test_an_interrupted_batch_goes_on_where_it_was(
    batch: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (batch / "photos" / "c.jpg").unlink()
    command = ("fill", batch / "photos", batch / "masks", "-m", "ns", "-o", batch / "out")
    calls = []
    fill = predictor.fill

    def interrupted_at_the_second(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return fill(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(predictor, "fill", interrupted_at_the_second)
    assert run(*command) == 130
    assert [path.name for path in (batch / "out").iterdir()] == ["a.png"]
    first = (batch / "out" / "a.png").stat().st_mtime_ns
    assert run(*command) == 0
    assert (batch / "out" / "a.png").stat().st_mtime_ns == first
    assert len(calls) == 3
    assert "1 filled, 1 existed already" in capsys.readouterr().out
    assert run(*command, "--overwrite") == 0
    assert len(calls) == 5


def test_photos_and_masks_may_share_a_folder(batch: Path) -> None:
    shared = batch / "shared"
    shared.mkdir()
    (shared / "cat.jpg").write_bytes((batch / "photo.jpg").read_bytes())
    (shared / "cat_mask.png").write_bytes((batch / "mask.png").read_bytes())
    plan = jobs.plan(shared, shared, None, batch / "out", None)
    assert [(job.photo.name, job.mask.name) for job in plan.jobs] == [("cat.jpg", "cat_mask.png")]


def test_compare_writes_every_result_a_sheet_and_a_table(folder: Path) -> None:
    out = folder / "compared"
    names = ("ns", "telea")
    chosen = [part for name in names for part in ("-m", name)]
    assert run("compare", folder / "photo.png", folder / "mask.png", "-o", out, *chosen, "--hide-and-seek") == 0
    known = pixels(folder / "mask.png") == 0
    for name in names:
        assert np.array_equal(pixels(out / f"{name}.png")[known], pixels(folder / "photo.png")[known])
    rows = list(csv.DictReader((out / "results.csv").open(encoding="utf-8")))
    assert [row["method"] for row in rows] == list(names)
    truth, filled = pixels(folder / "photo.png")[~known] / 255, pixels(out / "ns.png")[~known] / 255
    assert float(rows[0]["hole_l1"]) == pytest.approx(np.abs(truth - filled).mean(), rel=1e-4)
    assert np.ptp(pixels(out / "sheet.png")) > 200


def test_compare_without_a_reference_has_no_metrics(folder: Path) -> None:
    assert run("compare", folder / "photo.png", folder / "mask.png", "-o", folder / "out", "-m", "ns") == 0
    assert (folder / "out" / "results.csv").read_text().splitlines()[0] == "method,title,year,seconds,error"


@pytest.mark.parametrize("hole", [(0, 2, 0, 2), (58, 60, 70, 72), (0, 60, 30, 31), (20, 22, 0, 72), (30, 31, 40, 41)])
def test_the_sheet_shows_every_hole_in_the_photos_proportions(hole: tuple[int, int, int, int]) -> None:
    mask = np.zeros((4 * HEIGHT, 4 * WIDTH), bool)
    top, bottom, left, right = (4 * each for each in hole)
    mask[top:bottom, left:right] = True
    rows, columns = sheet.window_around(mask)
    assert mask[rows, columns].sum() == mask.sum()
    shape = mask[rows, columns].shape
    assert shape[0] / shape[1] == pytest.approx(HEIGHT / WIDTH, rel=0.05)


def test_mask_random_is_the_same_for_a_seed_and_has_the_photos_size(folder: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        assert run("mask", "random", folder / f"{name}.png", "--like", folder / "photo.jpg", "--seed", seed) == 0
    one, two, three = (pixels(folder / f"{name}.png") for name in ("one", "two", "three"))
    assert one.shape == (HEIGHT, WIDTH, 3)
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)


def test_mask_random_hides_the_share_asked_for(folder: Path) -> None:
    arguments = ("--kind", "irregular", "--share", 0.25, "--size", "80x60")
    assert run("mask", "random", folder / "quarter.png", *arguments) == 0
    assert (pixels(folder / "quarter.png")[..., 0] > 0).mean() == pytest.approx(0.25, abs=0.001)


def test_mask_box_is_that_box(folder: Path) -> None:
    assert run("mask", "box", folder / "box.png", "--box", "10,5,20,8", "--size", f"{WIDTH}x{HEIGHT}") == 0
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[5:13, 10:30] = True
    assert np.array_equal(pixels(folder / "box.png")[..., 0] > 0, expected)


def test_mask_repair_closes_a_drawn_loop(folder: Path) -> None:
    outline = np.zeros((HEIGHT, WIDTH), np.uint8)
    outline[20:40, 20:50] = 255
    outline[23:37, 23:47] = 0
    Image.fromarray(outline).save(folder / "outline.png")
    assert run("mask", "repair", folder / "outline.png", folder / "repaired.png", "--close-loops") == 0
    assert (pixels(folder / "repaired.png")[20:40, 20:50] == 255).all()


def test_mask_check_says_how_much_is_to_fill(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mask", "check", folder / "mask.png", "--like", folder / "photo.png") == 0
    assert f"{16 * 20 / (HEIGHT * WIDTH):.1%}" in capsys.readouterr().out


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
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert run(*call.format(folder).split()) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("Note: ")]
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")
    assert errors[0].endswith(".")
    assert "Traceback" not in errors[0]
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before, "a file was touched"


def test_the_process_exits_with_the_status_and_says_why_on_stderr(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "inpaint_core", "fill", "none.jpg", "none.png", "-m", "ns", "-o", "out.jpg"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(root)}, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "Error: none.jpg was not found: check the path.\n"
