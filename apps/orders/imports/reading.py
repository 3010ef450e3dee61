"""A whole file, read: the mapping, the rows that are good, the rows that are not."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from apps.orders.drafts import Fault, ImportOptions, Location
from apps.orders.imports.gazetteer import Gazetteer, NotLocated
from apps.orders.imports.headers import Mapping, header_index, map_columns
from apps.orders.imports.rows import BadRow, GoodRow, Progress, RowReader, Site
from apps.orders.imports.tables import Row, Table, UnreadableFile, read_table
from apps.orders.imports.times import moment
from apps.orders.imports.values import decimal_sign

_STEP = 500
_MISSING = {
    "reference": "the order's reference (for example 'order_id'; name a column by "
    "--map reference=HEADER, or let one be made of each row's content by "
    "--make-references)",
    "place": "the place ('lat' and 'lon', or 'street' with its number, or 'address')",
    "date": "the date of service (a column 'delivery date', windows with dates, or "
    "--date)",
}


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A good row and where it is."""

    good: GoodRow
    location: Location


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says, before anything is stored."""

    table: Table
    mapping: Mapping
    rows: int
    good: list[PlacedRow]
    bad: list[BadRow]


def read_orders(
    content: bytes,
    site: Site,
    options: ImportOptions,
    *,
    gazetteer: Callable[[], Gazetteer],
    progress: Progress,
) -> Reading:
    """Read an order file; the gazetteer is loaded only when a row needs it.

    Raises:
        UnreadableFile: the file as a whole says too little to make orders of.
    """
    table = read_table(content, encoding=options.encoding)
    mapping = map_columns(table, options.columns)
    check_mapping(table, mapping, site, options)
    rows = chosen_rows(table, options.where)
    reader = RowReader(
        mapping,
        site,
        decimal=_decimal(table, mapping),
        width=len(table.headers),
        make_references=options.make_references,
    )
    good, bad = _read_rows(reader, rows, progress)
    placed, lost = _place(good, mapping, gazetteer)
    bad = sorted([*bad, *lost], key=lambda found: found.row.line)
    return Reading(table, mapping, len(rows), placed, bad)


def check_mapping(
    table: Table, mapping: Mapping, site: Site, options: ImportOptions
) -> None:
    """Refuse a file without a reference, a place or a date, and say what it has."""
    has = mapping.columns
    missing = []
    if "reference" not in has and not options.make_references:
        missing.append("reference")
    if not (
        {"lat", "lon"} <= set(has) or {"coordinates", "street", "address"} & set(has)
    ):
        missing.append("place")
    if site.service_date is None and not _has_dates(table, mapping):
        missing.append("date")
    if not missing:
        return
    needed = "; ".join(_MISSING[name] for name in missing)
    raise UnreadableFile(
        f"No column of this file holds {needed}. "
        f"Its columns are: {', '.join(table.headers)}.",
        headers=table.headers,
        needed=missing,
    )


def _has_dates(table: Table, mapping: Mapping) -> bool:
    if "service_date" in mapping.columns:
        return True
    column = mapping.columns.get("window_start") or mapping.columns.get("window_end")
    if column is None:
        return "windows" in mapping.columns
    for row in table.rows[:50]:
        try:
            if moment(row.cells[column.indexes[0]]).on_date:
                return True
        except ValueError:
            continue
    return False


def chosen_rows(table: Table, where: Iterable[tuple[str, str]]) -> list[Row]:
    """Return the rows whose cells are as `where` says.

    Raises:
        UnreadableFile: there is no such column, or no such row.
    """
    rows = table.rows
    for header, value in where:
        index = header_index(table, header)
        kept = [row for row in rows if row.cells[index] == value.strip()]
        if not kept:
            seen = sorted({row.cells[index] for row in rows})
            shown = ", ".join(seen[:12]) + (", …" if len(seen) > 12 else "")
            raise UnreadableFile(
                f"No row has {value!r} in column {header!r}; it has: {shown}."
            )
        rows = kept
    return rows


def _decimal(table: Table, mapping: Mapping) -> str:
    """Find the file's decimal sign in the columns that hold numbers."""
    for field in ("lat", "lon", "load_g", "load_ml"):
        column = mapping.columns.get(field)
        if column is None:
            continue
        index = column.indexes[0]
        cells = [row.cells[index] for row in table.rows if row.cells[index]]
        if field in ("lat", "lon"):
            signs = [sign for cell in cells[:50] for sign in ",." if sign in cell]
            if signs:
                return signs[0]
        elif sign := decimal_sign(cells):
            return sign
    return ""


def _read_rows(
    reader: RowReader, rows: list[Row], progress: Progress
) -> tuple[list[GoodRow], list[BadRow]]:
    good: list[GoodRow] = []
    bad: list[BadRow] = []
    lines: dict[str, int] = {}
    for done, row in enumerate(rows):
        if done % _STEP == 0:
            progress("reading", done, len(rows))
        last = good[-1] if good else None
        if last and reader.is_continuation(row, last):
            found = reader.continued(row, last)
            if isinstance(found, GoodRow):
                good[-1] = found
                continue
        else:
            found = _once(reader.read(row), lines, reader.reference_header)
        if isinstance(found, GoodRow):
            good.append(found)
        else:
            bad.append(found)
    progress("reading", len(rows), len(rows))
    return good, bad


def _once(
    found: GoodRow | BadRow, lines: dict[str, int], header: str
) -> GoodRow | BadRow:
    """Let each reference through once; the first row in the file is the one."""
    reference = _reference_of(found)
    first = lines.setdefault(reference, found.row.line)
    if not reference or first == found.row.line:
        return found
    fault = Fault(
        header,
        "duplicate_reference",
        f"Line {first} has the reference {reference!r} already: give this row its own, "
        "or make one row of both.",
    )
    faults = found.faults if isinstance(found, BadRow) else ()
    return BadRow(found.row, reference, (*faults, fault))


def _reference_of(found: GoodRow | BadRow) -> str:
    return found.draft.reference if isinstance(found, GoodRow) else found.reference


def _place(
    good: list[GoodRow], mapping: Mapping, gazetteer: Callable[[], Gazetteer]
) -> tuple[list[PlacedRow], list[BadRow]]:
    placed: list[PlacedRow] = []
    lost: list[BadRow] = []
    known: Gazetteer | None = None
    column = mapping.columns.get("street") or mapping.columns.get("address")
    for row in good:
        draft = row.draft
        if draft.point:
            placed.append(PlacedRow(row, Location(draft.point, "given", 1.0)))
            continue
        known = known or gazetteer()
        try:
            placed.append(PlacedRow(row, known.locate(draft.address)))
        except NotLocated as error:
            header = column.header if column else "address"
            fault = Fault(header, "no_location", str(error))
            lost.append(BadRow(row.row, draft.reference, (fault,)))
    return placed, lost
