"""What a comparison's measures look like: a caption, a table that can be sorted, a chart of quality against time."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from inpaint_core import Result, catalogue

# Key of `metrics.measure`, heading, format, whether more is better (None: neither).
COLUMNS = (
    ("hole_l1", "L1", "{:.4f}", False),
    ("hole_l2", "L2", "{:.5f}", False),
    ("hole_psnr", "PSNR", "{:.2f} dB", True),
    ("hole_ssim", "SSIM", "{:.3f}", True),
    ("hole_lpips", "LPIPS", "{:.3f}", False),
    ("hole_tv", "TV", "{:.4f}", None),
)
IN_CAPTION = ("hole_l1", "hole_psnr", "hole_ssim", "hole_lpips")
ON_CHART = ("hole_lpips", "hole_l1")  # the first one that was measured
WIDTH, HEIGHT = 640, 300  # of the chart, in its own units
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 16, 42  # its margins
LETTER, LINE = 6.6, 14  # width and height of a label's letters


def caption(result: Result) -> str:
    """Time and, where the truth is known, the main numbers."""
    parts = [f"{result.seconds:.2f} s"]
    parts += [
        f"{heading} {_number(result.metrics[key], form)}"
        for key, heading, form, _ in COLUMNS
        if key in IN_CAPTION and key in result.metrics
    ]
    return " · ".join(parts)


def table(results: Sequence[Result]) -> str:
    """An HTML table of the measures in the hole, the best of each column in bold; `static/measures.js` sorts it."""
    columns = [column for column in COLUMNS if any(column[0] in result.metrics for result in results)]
    best = {}
    for key, _, _, more in columns:
        values = [result.metrics[key] for result in results if key in result.metrics]
        if more is not None and len(values) > 1:
            best[key] = max(values) if more else min(values)
    arrows = {True: " ↑", False: " ↓", None: ""}
    headings = ["Method", "Time", *(f"{heading}{arrows[more]}" for _, heading, _, more in columns)]
    head = "".join(f'<th scope="col"><button type="button">{heading}</button></th>' for heading in headings)
    rows = []
    for result in results:
        title = f'<th scope="row">{html.escape(catalogue.get(result.method).title)}</th>'
        if result.error is not None:
            rows.append(f'<tr>{title}<td colspan="{len(columns) + 1}">{html.escape(result.error)}</td></tr>')
            continue
        cells = [f'<td data-value="{result.seconds}">{result.seconds:.2f} s</td>']
        for key, _, form, _ in columns:
            if key not in result.metrics:
                cells.append("<td>-</td>")
                continue
            value = result.metrics[key]
            text = _number(value, form)
            cells.append(f'<td data-value="{value}">{f"<b>{text}</b>" if value == best.get(key) else text}</td>')
        rows.append(f"<tr>{title}{''.join(cells)}</tr>")
    return f'<div class="measures"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def chart(results: Sequence[Result]) -> str:
    """An SVG of LPIPS, or L1, against the seconds of a fill, both less is better; nothing of fewer than two methods."""
    key = next((key for key in ON_CHART if sum(key in result.metrics for result in results) > 1), None)
    if key is None:
        return ""
    heading = next(column[1] for column in COLUMNS if column[0] == key)
    points = [
        (max(result.seconds, 1e-3), result.metrics[key], catalogue.get(result.method).title)
        for result in results
        if key in result.metrics
    ]
    # Decades of seconds; quality from zero, so that a distance on paper is one of quality.
    first = math.floor(min(math.log10(seconds) for seconds, _, _ in points))
    last = max(first + 1, math.ceil(max(math.log10(seconds) for seconds, _, _ in points)))
    step = _round_step(1.15 * max(value for _, value, _ in points) / 4 or 0.25)
    highest = 4 * step

    def across(seconds: float) -> float:
        return LEFT + (math.log10(seconds) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return TOP + (1 - value / highest) * (HEIGHT - TOP - BOTTOM)

    parts = []
    for decade in range(first, last + 1):
        x = across(10.0**decade)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{10.0**decade:g} s</text>')
    for value in (index * step for index in range(5)):
        y = down(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">Seconds of a fill (left is faster)</text>')
    taken: list[tuple[float, float, float]] = []  # left, right and y of the labels
    for seconds, value, title in sorted(points, key=lambda point: -point[1]):
        x, y = across(seconds), down(value)
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"><title>{html.escape(title)}: {heading} {value:.3f}, '
            f"{seconds:.2f} s</title></circle>"
        )
        left, label = _free_place(x, y, LETTER * len(title), taken)
        parts.append(f'<text class="name" x="{left:.1f}" y="{label + 4:.1f}">{html.escape(title)}</text>')
    words = f"{heading} against seconds of {len(points)} methods; less is better in both."
    return (
        f'<figure class="chart"><figcaption>{heading} in the hole against time; low and left is best.</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">{"".join(parts)}</svg></figure>'
    )


def _round_step(least: float) -> float:
    """The least of 1, 2, 2.5 and 5 times a power of ten that is no less than a value above 0."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least)


def _free_place(x: float, y: float, width: float, taken: list[tuple[float, float, float]]) -> tuple[float, float]:
    """Where a label beside a point overprints no other one, as left edge and middle height; `taken` grows by it."""
    places = [
        (left, y + shift * LINE)
        for shift in (0, -1, 1, -2, 2, -3, 3)
        for left in (x + 9, x - 9 - width)
        if left >= LEFT and left + width <= WIDTH
    ]
    places = places or [(max(LEFT, WIDTH - width), y)]

    def free(place: tuple[float, float]) -> bool:
        return all(
            place[0] > right or place[0] + width < left or abs(place[1] - at) >= LINE for left, right, at in taken
        )

    chosen = next((place for place in places if free(place)), places[0])
    taken.append((chosen[0], chosen[0] + width, chosen[1]))
    return chosen


def _number(value: float, form: str) -> str:
    return form.format(value) if math.isfinite(value) else "equal"
