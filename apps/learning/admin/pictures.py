"""Pictures of estimates: figures with their spread on a line, and grids of two causes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.learning.naming import FACTORS, figure_in_words, hour_in_words, key_in_words
from apps.learning.shapes import TRAVEL, ZONE_ORDER, Estimated

LABEL, WIDE, ROW = 210.0, 760.0, 26.0
CELL_H = 26.0
MOST_ROWS = 40
MOST_ZONES = 16
TWO = 2.0
"""Errors to either side that a line shows: nineteen times in twenty it holds the truth."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure on its line, in the picture's own units."""

    name: str
    y: float
    low: float
    high: float
    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Figures one below the other, the usual one as an upright, ticks below."""

    marks: tuple[Mark, ...]
    usual_x: float
    ticks: tuple[tuple[float, str], ...]
    height: float
    left_out: int
    width: float = WIDE


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of a grid; `strength` from 0 to 1 is how far from usual it is."""

    x: float
    y: float
    side: str
    strength: float
    text: str
    figure: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A figure for each pair of a row and a column."""

    cells: tuple[Cell, ...]
    rows: tuple[tuple[float, str], ...]
    columns: tuple[tuple[float, str], ...]
    cell_width: float
    height: float
    width: float = WIDE
    cell_height: float = CELL_H - 2

    @property
    def half(self) -> float:
        """From a cell's edge to its middle."""
        return self.cell_width / 2


def lines_of(kind: str, figures: Mapping[str, Estimated]) -> Lines | None:
    """Draw the figures that are no part of a grid, those farthest from usual first."""
    usual = figures.get("depot")
    known = [each for key, each in figures.items() if _is_on_a_line(kind, key)]
    if usual is None or not known:
        return None
    known.sort(key=lambda each: (-_certainty(each, usual), each.key))
    shown, left_out = [usual, *known[:MOST_ROWS]], max(0, len(known) - MOST_ROWS)
    low = min(each.mean - TWO * each.spread for each in shown)
    high = max(each.mean + TWO * each.spread for each in shown)
    if kind not in FACTORS:
        low, high = max(0.0, low), min(1.0, high)
    span = max(high - low, 0.02)

    def at(value: float) -> float:
        share = (min(max(value, low), high) - low) / span
        return round(LABEL + (WIDE - LABEL - 20) * share, 1)

    marks = tuple(
        Mark(
            name=key_in_words(kind, each.key),
            y=round(ROW * (place + 0.5), 1),
            low=at(each.mean - TWO * each.spread),
            high=at(each.mean + TWO * each.spread),
            x=at(each.mean),
            text=told(each),
        )
        for place, each in enumerate(shown)
    )
    ticks = tuple(
        (at(low + span * step / 4), figure_in_words(kind, low + span * step / 4))
        for step in range(5)
    )
    return Lines(marks, at(usual.mean), ticks, ROW * len(shown), left_out)


def _is_on_a_line(kind: str, key: str) -> bool:
    is_first = key == "depot" or kind == ZONE_ORDER
    return not is_first and ("@" not in key or kind == "adherence")


def _certainty(each: Estimated, usual: Estimated) -> float:
    """Return by how many errors a figure differs from the usual one."""
    return abs(each.mean - usual.mean) / max(each.spread, 1e-6)


def grid_of(kind: str, figures: Mapping[str, Estimated]) -> Grid | None:
    """Draw the figures of two causes: zones by hour, or zones by zones."""
    table: dict[tuple[str, str], Estimated] = {}
    for key, each in figures.items():
        if (place := _place(kind, key)) is not None:
            table[place] = each
    if not table:
        return None
    rows = _busiest(table)
    columns = sorted({column for row, column in table if row in rows}, key=_number)
    if kind == ZONE_ORDER:
        columns = rows
    usual = figures["depot"].mean if "depot" in figures else 0.5
    return _drawn(kind, table, rows, columns, usual)


def _place(kind: str, key: str) -> tuple[str, str] | None:
    """Return row and column of a key; None: it is in no grid."""
    if kind == ZONE_ORDER:
        one, pair, other = key.partition(">")
        if not pair:
            return None
        return one, other
    where, _, hour = key.partition("@")
    if not hour.isdigit():
        return None
    return where.partition(":")[2].replace(">", " → ", 1), hour


def _busiest(table: Mapping[tuple[str, str], Estimated]) -> list[str]:
    """Return the rows with the most events behind them, by name."""
    counts = Counter[str]()
    for (row, _), each in table.items():
        counts[row] += each.n
    most = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_ZONES]
    return sorted(most)


def _number(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdigit() else (0, name)


def _drawn(
    kind: str,
    table: Mapping[tuple[str, str], Estimated],
    rows: Sequence[str],
    columns: Sequence[str],
    usual: float,
) -> Grid:
    width = (WIDE - LABEL) / max(1, len(columns))
    far = max((abs(each.mean - usual) for each in table.values()), default=0.0)
    cells = []
    for down, row in enumerate(rows):
        for across, column in enumerate(columns):
            each = table.get((row, column))
            if each is None:
                continue
            off = each.mean - usual
            percent = kind not in FACTORS
            cells.append(
                Cell(
                    x=round(LABEL + across * width, 1),
                    y=round(CELL_H * (down + 1), 1),
                    side="more" if off > 0 else "less",
                    strength=round(0.06 + 0.6 * abs(off) / max(far, 1e-9), 2),
                    text=told(each),
                    figure=f"{100 * each.mean:.0f}" if percent else f"{each.mean:.2f}",
                )
            )
    names = [_column(kind, column) for column in columns]
    return Grid(
        cells=tuple(cells),
        rows=tuple((CELL_H * (at + 1.65), name) for at, name in enumerate(rows)),
        columns=tuple(
            (round(LABEL + (at + 0.5) * width, 1), name)
            for at, name in enumerate(names)
        ),
        cell_width=round(width - 2, 1),
        height=CELL_H * (len(rows) + 1),
    )


def _column(kind: str, name: str) -> str:
    return f"{int(name):02}" if name.isdigit() and kind != ZONE_ORDER else name[:9]


def told(each: Estimated) -> str:
    """Say a figure whole: what, how much, of how many, how sure, as of when."""
    spread = each.spread if each.kind in FACTORS else 100 * each.spread
    unit = "" if each.kind in FACTORS else " points"
    return (
        f"{key_in_words(each.kind, each.key)}: {figure_in_words(each.kind, each.mean)}"
        f" ± {spread:.2f}{unit}, {each.n} events, as of {each.as_of:%d %b %Y}"
    )


def title_of_grid(kind: str) -> str:
    """Say what the rows and columns of a grid are."""
    if kind == ZONE_ORDER:
        return "Per cent: the zone on the left is driven before the one above"
    if kind == TRAVEL:
        return f"Factor by pair of zones and hour ({hour_in_words('8')} is 08)"
    return "Per cent of deliveries that succeed, by zone and hour"
