"""The whole page: the photo on the left, the tabs on the right."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

import inpaint_core
from inpaint_core import predictor
from webui import api, files, gpu, limits, mcp_files, work
from webui.batch import BatchTab
from webui.compare import CompareTab
from webui.disk import Disk
from webui.edit import EditTab
from webui.events import QUIET, Updates
from webui.guard import Guard
from webui.methods import MethodsTab
from webui.photo_column import PhotoColumn
from webui.session import Session
from webui.workspace import Workspace

STATIC = Path(__file__).parent / "static"
HOUR = 3600
MAX_FILE_SIZE = "200mb"
THREADS = 200  # more than the calls that wait for their turn, see `workers.admission`
WARM_UP_DELAY = 2.0  # seconds: the page comes first, then what the first fill needs

THEME = gr.themes.Soft(
    primary_hue="rose",
    neutral_hue="slate",
    font=["ui-sans-serif", "system-ui", "sans-serif"],  # no font service: the page works offline
    font_mono=["ui-monospace", "monospace"],
).set(
    block_title_background_fill="none",
    block_title_padding="0",
    block_title_text_color="*body_text_color",
    block_title_text_color_dark="*body_text_color",
    block_title_text_weight="600",
    block_label_text_color="*primary_800",
    body_background_fill="*neutral_100",
    body_text_color_subdued="*neutral_600",  # the theme's own grey is too light to read
    body_text_color_subdued_dark="*neutral_300",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_300",
    link_text_color="*secondary_700",
    link_text_color_dark="*secondary_300",
    checkbox_label_background_fill_selected="*primary_700",
    checkbox_label_background_fill_selected_dark="*primary_700",
    checkbox_background_color_selected="*primary_700",
    checkbox_background_color_selected_dark="*primary_700",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_800",
    checkbox_border_color="*neutral_500",
    checkbox_border_color_dark="*neutral_400",
    button_secondary_background_fill="white",
    button_secondary_border_color="*neutral_200",
    button_secondary_background_fill_hover_dark="*neutral_700",  # the theme's own is too bright for white words
)


def build() -> gr.Blocks:
    """The page with its API; nothing heavy is loaded."""
    with gr.Blocks(title="Inpainting studio", delete_cache=(HOUR // 6, HOUR), fill_width=True) as demo:
        api.build()  # first: a handler of the page with the name of an endpoint must not take it
        gr.Markdown(intro(), elem_id="intro")
        workspace = Workspace()
        with gr.Row(equal_height=False, elem_id="columns"):
            with gr.Column(scale=11, min_width=340):
                photo_column = PhotoColumn(workspace)
            with gr.Column(scale=9, min_width=340, elem_id="panel"):
                with gr.Tabs():
                    with gr.Tab("Edit", id="edit"):
                        edit = EditTab(workspace)
                    with gr.Tab("Compare", id="compare-tab"):
                        compare = CompareTab(workspace)
                    with gr.Tab("Batch", id="batch-tab"):
                        batch = BatchTab(workspace)
                    with gr.Tab("Methods", id="methods-tab"):
                        methods = MethodsTab()
                photo_column.build_examples()
        # Another photo ends what runs on the one before, and nothing of that one stays on the page.
        for opened in photo_column.opened:
            cleared = opened.success(
                lambda: edit.clear() | compare.clear(), None, [*edit.cleared, *compare.cleared], queue=False, **QUIET
            )
            cleared.then(cancels=[*edit.runs, *compare.runs], queue=False, **QUIET)
        listing = [*edit.listing, *compare.listing, *batch.listing, *methods.listing]

        def list_methods() -> Updates:
            return edit.list_methods() | compare.list_methods() | batch.list_methods() | methods.list_methods()

        def open_page() -> Updates:
            """Public weights may have come or gone since the page was built."""
            return photo_column.open_first_example() | list_methods() | compare.choose() | methods.public.show()

        demo.load(open_page, None, [*workspace.shown, *listing, methods.public.listing], **QUIET)
        methods.public.connect(listing, list_methods)
        demo.load(methods.show_address, methods.address, methods.calling, js=methods.SEND_ADDRESS, **QUIET)
    demo.queue(max_size=None, default_concurrency_limit=4)  # `workers.admission` and `Guard` say who waits
    return demo


def intro() -> str:
    """What the page is for, in two lines."""
    ready = [method for method in inpaint_core.methods() if method.ready]
    return (
        "# Inpainting studio\nPaint over what should go and press **Fill**. "
        f"From {ready[0].title} ({ready[0].year}) to {ready[-1].title} ({ready[-1].year}), side by side on your photo; "
        "everything you did not paint stays as it was, bit for bit."
    )


def launch(demo: gr.Blocks, prevent_thread_lock: bool = False, **settings: Any) -> Any:
    """Serve the page; host and port come from GRADIO_SERVER_NAME and GRADIO_SERVER_PORT."""
    files.remove_leftovers()
    if gpu.is_zero_gpu():  # what is on the GPU before the launch is there in every call that is lent one
        predictor.load_networks("cuda")
    open_pages: Counter[str] = Counter()
    kept = Disk(files.all_visitors_folder(), lambda: shown_folders(demo, open_pages))
    kept.keep_swept()
    warm_up = threading.Timer(WARM_UP_DELAY, work.pool if limits.WORKERS else work.warm_up)
    warm_up.daemon = True
    warm_up.start()
    launched = demo.launch(
        theme=THEME,
        css_paths=[STATIC / f"{name}.css" for name in ("style", "canvas", "viewer")],
        js=(STATIC / "shortcuts.js").read_text(encoding="utf-8"),
        max_file_size=MAX_FILE_SIZE,
        max_threads=THREADS,
        mcp_server=True,
        run_history=False,  # would keep the visitors' photos in their browsers without their consent
        ssr_mode=False,
        enable_monitoring=False,
        app_kwargs={"middleware": [Middleware(Guard, disk=kept, open_pages=open_pages)]},
        prevent_thread_lock=True,
        **settings,
    )
    mcp_files.take_own_files(demo)
    if not prevent_thread_lock:
        demo.block_thread()
    return launched


def shown_folders(demo: gr.Blocks, open_pages: Counter[str]) -> set[Path]:
    """The folders of the photos in work on the pages that are open."""
    states = [state for name, state in list(demo.state_holder.session_data.items()) if open_pages[name]]
    values = [value for state in states for value in list(state.state_data.values())]
    return {value.folder for value in values if isinstance(value, Session)}
