"""Make `docs/screenshot.png` anew from the page as it is: `make screenshot`.

The first example, filled by the default method; the result is in the canvas, the steps below it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, PATIENCE
from tests.browser.driving import drag, fill
from tests.serving import served
from webui.examples import EXAMPLES

TARGET = Path(__file__).resolve().parents[2] / "docs" / "screenshot.png"


def main() -> int:
    """Open the page, fill, and keep what the window shows."""
    with tempfile.TemporaryDirectory() as cache, served(Path(cache)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(4 * PATIENCE)
        expect.set_options(timeout=4 * PATIENCE)
        page.goto(f"{address}?__theme=light")
        expect(page.locator("#about-photo")).to_contain_text(EXAMPLES[0].photo.name)
        page.wait_for_function("window.studio && window.studio.strokes() !== null")
        fill(page)
        drag(page, (0.1, 0.04), (0.03, 0.95))  # the large tower at the left goes next
        page.mouse.move(1, 1)
        page.wait_for_timeout(500)
        page.screenshot(path=TARGET)
        browser.close()
    with Image.open(TARGET) as image:
        image.convert("RGB").save(TARGET, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
