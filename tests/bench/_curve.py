"""The curve of cost against disruption, drawn as SVG by hand: no library is needed."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

WIDTH, HEIGHT, EDGE = 640, 400, 64
MOST_TICKS = 6


def draw_curve(rows: Sequence[Mapping[str, float]], path: Path, *, title: str) -> None:
    """Draw each price as a point: changed arcs to the right, cost upwards."""
    arcs = round_ticks(0.0, max(row["changed_arcs_pct"] for row in rows))
    costs = [row["cost_pct"] for row in rows]
    prices = round_ticks(min(costs), max(costs))
    low, high = prices[0], prices[-1]

    def at(arc: float, cost: float) -> tuple[float, float]:
        right = EDGE + (WIDTH - 2 * EDGE) * arc / arcs[-1]
        up = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (cost - low) / (high - low)
        return round(right, 1), round(up, 1)

    points = [at(row["changed_arcs_pct"], row["cost_pct"]) for row in rows]
    line = " ".join(f"{x},{y}" for x, y in points)
    marks = [
        f'<circle cx="{x}" cy="{y}" r="4"/>'
        f'<text x="{x + 7}" y="{y - 7}">{row["price_of_mean_arc"]:g}</text>'
        for (x, y), row in zip(points, rows, strict=True)
    ]
    grid = [f"M{at(arc, low)[0]} {EDGE}V{HEIGHT - EDGE}" for arc in arcs]
    grid += [f"M{EDGE} {at(0, cost)[1]}H{WIDTH - EDGE}" for cost in prices]
    marks += [
        f'<text x="{at(arc, low)[0]}" y="{HEIGHT - EDGE + 18}" text-anchor="middle">'
        f"{arc:g}</text>"
        for arc in arcs
    ]
    marks += [
        f'<text x="{EDGE - 8}" y="{at(0, cost)[1] + 4}" text-anchor="end">{cost:g}</text>'
        for cost in prices
    ]
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        f'<text x="{WIDTH / 2}" y="24" text-anchor="middle" font-size="15">'
        f"Cost against disruption, {escape(title)}</text>"
        f'<text x="{WIDTH / 2}" y="44" text-anchor="middle" fill="#555">'
        "at each point the price of a changed arc, as a share of the mean one</text>"
        f'<path d="{"".join(grid)}" fill="none" stroke="#ddd"/>'
        f'<polyline points="{line}" fill="none" stroke="#0a58ca" stroke-width="2"/>'
        f'<g fill="#0a2540">{"".join(marks)}</g>'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 14}" text-anchor="middle">'
        "Arcs of the drivers’ plan that changed, %</text>"
        f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" '
        'text-anchor="middle">Cost more than without a price, %</text></svg>\n',
        encoding="utf-8",
    )


def round_ticks(least: float, most: float) -> list[float]:
    """Return round numbers, evenly apart, from zero or below `least` to `most` or beyond.

    There are `MOST_TICKS` steps between them at most.
    """
    low, high = min(0.0, least), max(0.0, most, least)
    span = max(high - low, 1e-6)
    scale = 10.0 ** floor(log10(span / MOST_TICKS))
    for factor in (1, 2, 5, 10):
        step = factor * scale
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        if last - first <= MOST_TICKS:
            break
    return [
        round(step * number, 9) for number in range(first, max(last, first + 1) + 1)
    ]
