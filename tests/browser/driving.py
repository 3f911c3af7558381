"""What a visitor does, as functions of the browser tests: open, paint, choose, fill, download."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect


def open_photo(page: Page, path: Path) -> None:
    """Open a photo file and wait until the canvas shows it, unpainted."""
    page.locator("input[type=file]").first.set_input_files(path)
    expect(page.locator("#about-photo")).to_contain_text(path.name)
    page.wait_for_function("window.studio.strokes() !== null")
    expect(page.locator("#canvas").get_by_label("Undo")).to_be_disabled()  # the strokes of the photo before are gone


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Move the pressed mouse between two places of the canvas, each a share of its width and height."""
    page.locator(".easel-stage").scroll_into_view_if_needed()
    box = page.locator(".easel-stage").bounding_box()
    assert box is not None
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=6)
    page.mouse.up()


def trace(page: Page, places: list[tuple[float, float]]) -> None:
    """Move the pressed mouse along places of the canvas, each a share of its width and height."""
    box = page.locator(".easel-stage").bounding_box()
    assert box is not None
    at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in places]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=2)
    page.mouse.up()


def painted(page: Page, layer: str = "mask") -> np.ndarray:
    """What is painted on a layer of the canvas now, bool H x W."""
    return pixels(page.evaluate("layer => window.studio.strokes()[layer]", layer))[..., 3] > 0


def pixels(url: str) -> np.ndarray:
    """The picture of a data URL, uint8 H x W x 4."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA"))


def choose_method(page: Page, method: str) -> None:
    """Choose a method by a part of its title."""
    page.locator("#method input").click()
    page.get_by_role("option", name=re.compile(method)).click()


def fill(page: Page) -> None:
    """Press Fill and wait until the canvas shows the result, as one step more."""
    steps = page.locator(".easel-steps button")
    before = steps.count()
    page.locator("#fill").click()
    expect(steps).to_have_count(before + 1)


def open_tab(page: Page, name: str) -> None:
    """Open a tab at the right."""
    page.get_by_role("tab", name=name).click()


def compare(page: Page, methods: str) -> None:
    """Press Compare with the methods whose title matches."""
    open_tab(page, "Compare")
    for choice in page.locator("#chosen label").all():
        choice.locator("input").set_checked(re.search(methods, choice.inner_text()) is not None)
    page.locator("#compare").click()


def fill_all(page: Page, photos: list[Path], method: str, folder: Path) -> Path:
    """Start a batch of photos of one size with one mask for all; returns the mask's path, in `folder`."""
    with Image.open(photos[0]) as first:
        hole = np.zeros((first.height, first.width), np.uint8)
    hole[hole.shape[0] // 4 : hole.shape[0] // 3, hole.shape[1] // 4 : hole.shape[1] // 2] = 255
    mask = folder / "stamp.png"
    Image.fromarray(hole).save(mask)
    open_tab(page, "Batch")
    page.locator("#batch-photos input[type=file]").set_input_files(photos)
    page.locator("#batch-masks input[type=file]").set_input_files(mask)
    for files, count in (("#batch-photos", len(photos)), ("#batch-masks", 1)):
        expect(page.locator(f"{files} tr.file")).to_have_count(count)
    page.locator("#batch-method input").click()
    page.get_by_role("option", name=re.compile(method)).click()
    page.locator("#batch-start").click()
    return mask


def hand_over(page: Page, event: str, name: str, kind: str, content: bytes) -> None:
    """Drop or paste a file on the page."""
    page.evaluate(
        """([event, name, kind, content]) => {
            const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0)), data = new DataTransfer();
            data.items.add(new File([bytes], name, { type: kind }));
            const init = { bubbles: true, cancelable: true };
            const target = document.querySelector(".easel-stage");
            if (event === "paste") target.dispatchEvent(new ClipboardEvent("paste", { ...init, clipboardData: data }));
            else target.dispatchEvent(new DragEvent(event, { ...init, dataTransfer: data }));
        }""",
        [event, name, kind, base64.b64encode(content).decode()],
    )


def shown(page: Page) -> np.ndarray:
    """The photo as the canvas shows it, without what is painted: uint8 H x W x 3."""
    return pixels(page.evaluate("""document.querySelector("canvas[data-layer=photo]").toDataURL("image/png")"""))[
        ..., :3
    ]


def download_png(page: Page, folder: Path) -> Path:
    """Save as PNG, which is one of the further ways to save."""
    page.locator("#save-more").click()
    return download(page, "#save-png", folder)


def download(page: Page, button: str, folder: Path) -> Path:
    """Press a button and keep the file that the browser gets."""
    with page.expect_download() as waiting:
        page.locator(button).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def wait_for_undo(page: Page) -> None:
    """Wait until the canvas has something to undo."""
    page.wait_for_function("!document.querySelector('[data-tool=undo]').disabled")
