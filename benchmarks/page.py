"""The page in a real Chromium: what is transferred, until when it is ready, and how long a frame of a stroke takes."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import measuring
from benchmarks.section import Section
from benchmarks.serving import served
from inpaint_core.errors import InpaintError

CHROMIUM = Path("/usr/bin/chromium")
CANVAS = (1200, 1640)  # height, width: two megapixels
MOVES = 120  # of the pointer in one stroke
READY = "window.studio && window.studio.strokes() !== null"
# Each move of the pointer as an event of its own; the time is that of the handlers and of what they ask to be drawn.
STROKE = """async (moves) => {
    const stage = document.querySelector(".easel-stage"), box = stage.getBoundingClientRect(), times = [];
    const at = (step) => ({
        bubbles: true, cancelable: true, pointerId: 1, button: 0, isPrimary: true, pointerType: "mouse",
        clientX: box.left + box.width * (0.2 + 0.6 * step / moves),
        clientY: box.top + box.height * (0.5 + 0.3 * Math.sin(step / 9)),
    });
    stage.setPointerCapture = () => {};
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    stage.dispatchEvent(new PointerEvent("pointerdown", at(0)));
    for (let step = 1; step <= moves; step++) {
        await frame();
        const start = performance.now();
        stage.dispatchEvent(new PointerEvent("pointermove", at(step)));
        await new Promise((resolve) => { requestAnimationFrame(() => { const m = new MessageChannel();
            m.port1.onmessage = resolve; m.port2.postMessage(0); }); });
        times.push(performance.now() - start);
    }
    stage.dispatchEvent(new PointerEvent("pointerup", at(moves)));
    return times;
}"""


def page() -> Section:
    """Bytes and seconds until the page can be painted on, and the time of a frame while a stroke is drawn.

    Raises:
        InpaintError: there is no Chromium, or playwright is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise InpaintError("The page cannot be measured here: install requirements-dev.txt.") from error
    if not CHROMIUM.exists():
        raise InpaintError("The page cannot be measured here: install Chromium (apt-get install chromium).")
    section = Section("The page", ("what", "measured"))
    with (
        tempfile.TemporaryDirectory() as cache,
        served(watch=False, GRADIO_TEMP_DIR=cache) as server,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        context = chromium.new_context()
        for visit in ("first visit", "second visit, files in the browser's cache"):
            tab = context.new_page()
            seconds, transferred = _opened(context, tab, server.address)
            section.rows.append((f"{visit}: ready to paint on", f"{seconds:.2f} s"))
            section.rows.append((f"{visit}: transferred", f"{transferred / 1e6:.2f} MB"))
        for layer, times in _strokes(tab).items():
            middle, high = statistics.median(times), sorted(times)[int(0.95 * len(times))]
            section.rows.append((f"frame of a stroke, {layer}, 2 MP", f"{middle:.1f} ms, 95 % under {high:.1f} ms"))
        chromium.close()
    section.note = (
        "Chromium without a GPU. A frame counts from the pointer's event to the end of the next one drawn, "
        "which waits for the screen: about 17 ms at least."
    )
    return section


def _opened(context: Any, tab: Any, address: str) -> tuple[float, int]:
    """Seconds until the example can be painted on, and bytes that came over the network."""
    session = context.new_cdp_session(tab)
    session.send("Network.enable")
    received: list[int] = []
    session.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
    start = time.perf_counter()
    tab.goto(address)
    tab.wait_for_function(READY, timeout=120_000)
    return time.perf_counter() - start, sum(received)


def _strokes(tab: Any) -> dict[str, list[float]]:
    """Milliseconds of each frame of a stroke on each layer of a canvas of two megapixels."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.jpg"
        Image.fromarray(measuring.photo(*CANVAS)).save(path, quality=90)
        before = tab.evaluate("window.studio.photo()")
        tab.locator("input[type=file]").first.set_input_files(path)
        tab.wait_for_function("before => window.studio.photo() !== before", arg=before, timeout=120_000)
    times = {}
    for layer in ("Mask", "Sketch"):
        tab.get_by_label(f"{layer} layer").click()
        tab.wait_for_timeout(300)
        times[layer] = tab.evaluate(STROKE, MOVES)
    return times
