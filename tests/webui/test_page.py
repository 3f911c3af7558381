"""The whole page: quick to build, private but for its four endpoints, each handler fed by component."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

import inpaint_core
from inpaint_core import masks
from webui import canvas, page
from webui.examples import EXAMPLES
from webui.photo_column import RANDOM_MASKS, PhotoColumn
from webui.session import Session, close
from webui.workspace import Workspace


@pytest.fixture(scope="module")
def demo() -> gr.Blocks:
    return page.build()


@pytest.fixture
def column() -> PhotoColumn:
    with gr.Blocks():
        return PhotoColumn(Workspace())


def test_building_the_page_does_not_import_torch() -> None:
    code = "import sys; from webui import page; page.build(); sys.exit('torch' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, timeout=120, check=False).returncode == 0


def test_only_the_four_endpoints_are_public_and_keep_their_names(demo: gr.Blocks) -> None:
    public = {function.api_name for function in demo.fns.values() if function.api_visibility == "public"}
    assert public == {"inpaint", "compare", "make_mask", "methods"}


def test_every_event_with_the_canvas_gets_its_strokes_and_its_inputs_by_component(demo: gr.Blocks) -> None:
    with_canvas = [
        function
        for function in demo.fns.values()
        if any(getattr(block, "elem_id", None) == "canvas" for block in function.inputs)
    ]
    assert len(with_canvas) >= 6
    for function in with_canvas:
        assert function.js in (canvas.HAND_OVER_STROKES, canvas.START_RUN, canvas.HAND_OVER_PLACE)
        assert function.inputs_as_dict


def test_the_introduction_names_the_first_and_the_last_method_that_is_ready() -> None:
    ready = [method for method in inpaint_core.methods() if method.ready]
    assert ready[0].title in page.intro()
    assert ready[-1].title in page.intro()


def test_a_new_visitor_sees_the_first_example_with_its_mask(column: PhotoColumn) -> None:
    workspace = column.workspace
    shown = column.open_first_example()
    assert set(shown) == set(workspace.shown)
    assert shown[workspace.session].name == EXAMPLES[0].photo.name
    assert "mask" in shown[workspace.canvas]
    close(shown[workspace.session])


def test_opening_a_photo_closes_the_one_before_and_a_broken_file_does_not(
    column: PhotoColumn, session: Session, tmp_path: Path
) -> None:
    workspace = column.workspace
    (tmp_path / "broken.png").write_text("no picture")
    with pytest.raises(gr.Error, match="broken"):
        column.open({column.opener: str(tmp_path / "broken.png"), workspace.session: session})
    assert session.original.is_file()
    opened = column.open({column.opener: str(EXAMPLES[1].photo), workspace.session: session})
    assert not session.original.exists()
    assert opened[workspace.about_photo].startswith(f"`{EXAMPLES[1].photo.name}`")
    close(opened[workspace.session])


def test_every_random_mask_on_offer_can_be_drawn(column: PhotoColumn, session: Session) -> None:
    workspace = column.workspace
    assert set(RANDOM_MASKS.values()) == set(masks.GENERATORS)
    for kind in RANDOM_MASKS.values():
        scene = column.randomise({workspace.session: session, column.kind: kind})[workspace.canvas]
        assert scene["mask"].startswith("data:image/png")


def test_shown_notes_say_when_the_canvas_is_smaller_than_the_photo(large: Session, column: PhotoColumn) -> None:
    about = column.workspace.show(large)[column.workspace.about_photo]
    height, width = large.canvas_size
    assert f"the canvas shows {width} x {height}" in about
    assert np.prod(large.canvas_size) <= 2_000_000


def test_the_queue_of_gradio_holds_nothing_up_that_takes_turns(demo: gr.Blocks) -> None:
    names = ("inpaint", "compare", "make_mask", "fill", "fill_both", "open", "load", "find_edges")
    taking = [function for function in demo.fns.values() if getattr(function.fn, "__name__", "") in names]
    assert len(taking) >= len(names)
    assert {function.concurrency_limit for function in taking} == {None}
