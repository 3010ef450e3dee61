"""The curve of cost against disruption, drawn as SVG by hand: no library is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

WIDTH, HEIGHT, EDGE = 640, 400, 64
TICKS = 5


def draw_curve(rows: Sequence[Mapping[str, float]], path: Path, *, title: str) -> None:
    """Draw each price as a point: changed arcs to the right, cost upwards."""
    most_arcs = max(1.0, *(row["changed_arcs_pct"] for row in rows))
    costs = [row["cost_pct"] for row in rows]
    low, high = min(0.0, *costs), max(0.1, *costs)

    def at(arcs: float, cost: float) -> tuple[float, float]:
        right = EDGE + (WIDTH - 2 * EDGE) * arcs / most_arcs
        up = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (cost - low) / (high - low)
        return round(right, 1), round(up, 1)

    points = [at(row["changed_arcs_pct"], row["cost_pct"]) for row in rows]
    line = " ".join(f"{x},{y}" for x, y in points)
    marks = [
        f'<circle cx="{x}" cy="{y}" r="4"/>'
        f'<text x="{x + 7}" y="{y - 7}">{row["price_of_mean_arc"]:g}</text>'
        for (x, y), row in zip(points, rows, strict=True)
    ]
    for tick in range(TICKS + 1):
        x, y = at(most_arcs * tick / TICKS, low + (high - low) * tick / TICKS)
        marks += [
            (
                f'<text x="{x}" y="{HEIGHT - EDGE + 18}" text-anchor="middle">'
                f"{most_arcs * tick / TICKS:.0f}</text>"
            ),
            (
                f'<text x="{EDGE - 8}" y="{y + 4}" text-anchor="end">'
                f"{low + (high - low) * tick / TICKS:.2f}</text>"
            ),
        ]
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        f'<text x="{WIDTH / 2}" y="24" text-anchor="middle" font-size="15">'
        f"Cost against disruption, {escape(title)}</text>"
        f'<path d="M{EDGE} {EDGE}V{HEIGHT - EDGE}H{WIDTH - EDGE}" fill="none" '
        'stroke="#888"/>'
        f'<polyline points="{line}" fill="none" stroke="#0a58ca" stroke-width="2"/>'
        f'<g fill="#0a2540">{"".join(marks)}</g>'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 14}" text-anchor="middle">'
        "Arcs of the drivers’ plan that changed, %</text>"
        f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" '
        'text-anchor="middle">Cost more than without a price, %</text></svg>\n',
        encoding="utf-8",
    )
