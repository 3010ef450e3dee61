"""Rows as order drafts: the rules of one row, and what stands between rows."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from apps.core.units import Point
from apps.orders.drafts import CustomerDraft, Fault, OrderDraft, Window, merged
from apps.orders.imports import times, values
from apps.orders.imports.cells import Cells
from apps.orders.imports.headers import Mapping
from apps.orders.imports.places import far_fault, read_address, read_point
from apps.orders.imports.tables import Row

MAX_WINDOW_S = 14 * 86_400
_CONTENT = (
    *("lat", "lon", "coordinates", "street", "address", "postcode"),
    *("name", "first_name", "last_name", "phone", "windows", "window_start"),
)


@dataclass(frozen=True, slots=True)
class WindowColumns:
    """The fields that say windows: as ranges, or as a start and an end."""

    ranges: str
    start: str
    end: str


MUST_BE = WindowColumns("windows", "window_start", "window_end")
PREFERRED = WindowColumns("preferred_windows", "preferred_start", "preferred_end")


@dataclass(frozen=True, slots=True)
class Site:
    """What reading a row has to know of the depot."""

    code: str
    point: Point
    country: str
    local: times.Local
    service_date: date | None


@dataclass(frozen=True, slots=True)
class GoodRow:
    """A row that can become an order."""

    row: Row
    draft: OrderDraft


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot, and all that is wrong with it."""

    row: Row
    reference: str
    faults: tuple[Fault, ...]


class RowReader:
    """Reads the rows of one file, in the file's order."""

    def __init__(
        self,
        mapping: Mapping,
        site: Site,
        *,
        decimal: str,
        width: int,
        make_references: bool,
    ) -> None:
        """Take how the file is written; `width` is the number of its columns."""
        self._width = width
        self._mapping, self._site, self._decimal = mapping, site, decimal
        self._make_references = make_references

    @property
    def reference_header(self) -> str:
        """The column that holds the reference, in the file's own words."""
        column = self._mapping.columns.get("reference")
        return column.header if column else "reference"

    def read(self, row: Row) -> GoodRow | BadRow:
        """Return the row's draft, or its faults."""
        cells = Cells(self._mapping, row.cells, self._decimal, [])
        self._check_width(cells)
        self._check_depot(cells)
        service_date = self._service_date(cells)
        reference = self._reference(cells, service_date)
        draft = self._draft(cells, reference, service_date or date.min)
        if cells.faults:
            return BadRow(row, reference, tuple(cells.faults))
        return GoodRow(row, draft)

    def is_continuation(self, row: Row, before: GoodRow | None) -> bool:
        """Tell a further line item of the order before from an order of its own.

        A shop's export gives each item a row; only the first has the address.
        """
        if before is None or self._make_references:
            return False
        cells = Cells(self._mapping, row.cells, self._decimal, [])
        same = cells.raw("reference") == before.draft.reference
        return same and not cells.has(*_CONTENT)

    def continued(self, row: Row, before: GoodRow) -> GoodRow | BadRow:
        """Return the order before with this line item's load added."""
        cells = Cells(self._mapping, row.cells, self._decimal, [])
        pieces, load_g, load_ml = self._load(cells)
        if cells.faults:
            return BadRow(row, before.draft.reference, tuple(cells.faults))
        draft = before.draft
        total = replace(
            draft,
            pieces=draft.pieces + pieces,
            load_g=draft.load_g + load_g,
            load_ml=draft.load_ml + load_ml,
        )
        return GoodRow(before.row, total)

    def _draft(self, cells: Cells, reference: str, service_date: date) -> OrderDraft:
        point = read_point(cells)
        if point and (fault := far_fault(_place(cells), point, self._site.point)):
            cells.faults.append(fault)
        address = read_address(cells)
        if point is None and not address.street:
            self._no_location(cells)
        pieces, load_g, load_ml = self._load(cells)
        return OrderDraft(
            reference=reference,
            service_date=service_date,
            point=point,
            kind=self._kind(cells),
            customer=self._customer(cells),
            address=address,
            windows=self._windows(cells, service_date, MUST_BE),
            preferred_windows=self._windows(cells, service_date, PREFERRED),
            priority=cells.read(
                "priority",
                values.priority,
                3,
                "bad_number",
                "Write 1 (may wait) to 5 (must go), or low, normal, high, urgent.",
            ),
            pieces=pieces,
            load_g=load_g,
            load_ml=load_ml,
            service_s=cells.amount("service_s", "bad_number"),
            requires=values.labels(cells.raw("requires")),
            proof=cells.read(
                "proof",
                values.proofs,
                (),
                "bad_proof",
                "Write one or more of signature, photo, code, barcode.",
            ),
            notes=cells.text("notes"),
        )

    @staticmethod
    def _no_location(cells: Cells) -> None:
        if any(fault.code == "bad_coordinates" for fault in cells.faults):
            return
        cells.fault(
            _place_field(cells),
            "no_location",
            "Give latitude and longitude, or street and house number.",
        )

    def _check_width(self, cells: Cells) -> None:
        overhang = [cell for cell in cells.cells[self._width :] if cell]
        if overhang:
            cells.faults.append(
                Fault(
                    "",
                    "too_many_cells",
                    f"The row has more cells than the header's {self._width}: put "
                    "texts that contain the delimiter in quotation marks.",
                )
            )

    def _check_depot(self, cells: Cells) -> None:
        said = cells.raw("depot")
        if said and said.casefold() != self._site.code.casefold():
            cells.fault(
                "depot",
                "unknown_depot",
                f"This import is for depot {self._site.code}: write that code, or "
                "send the row with the import of its own depot.",
            )

    def _reference(self, cells: Cells, service_date: date | None) -> str:
        if self._make_references:
            said = [cells.raw(field) for field in sorted(self._mapping.columns)]
            content = repr((str(service_date or ""), said))
            return f"auto-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
        reference = cells.text("reference")
        if not reference:
            cells.fault(
                "reference", "missing_reference", "Give the order its own reference."
            )
        return reference

    def _service_date(self, cells: Cells) -> date | None:
        """Return the row's own date, else its window's, else the import's."""
        near, first = self._site.service_date, self._site.local.day_first
        if cells.has("service_date"):
            found = cells.read(
                "service_date",
                lambda text: times.day(text, near, day_first=first),
                None,
                "bad_time",
                "Write the date as 2026-03-17 or 17.03.2026.",
            )
            return found or near
        for said in self._moments(cells, MUST_BE, quiet=True):
            if said and (on_date := said.date_near(near)):
                return on_date
        if near is None:
            cells.fault(
                "service_date",
                "missing_date",
                "Give the row a date, or the import a date of service.",
            )
        return near

    def _moments(
        self, cells: Cells, columns: WindowColumns, *, quiet: bool
    ) -> list[times.Moment | None]:
        """Return the moments of the window columns: pairs of opening and closing."""
        found: list[times.Moment | None] = []
        first = self._site.local.day_first
        for field in (columns.start, columns.end):
            faults = list(cells.faults)
            found.append(
                cells.read(
                    field,
                    lambda text: times.moment(text, day_first=first),
                    None,
                    "bad_time",
                    "Write a time as 08:30, or a date and time as 2026-03-17 08:30.",
                )
            )
            if quiet:
                cells.faults[:] = faults
        if not cells.has(columns.ranges):
            return found if any(found) else []
        faults = list(cells.faults)
        none: list[tuple[times.Moment, times.Moment]] = []
        pairs = cells.read(
            columns.ranges,
            lambda text: times.moments(text, self._site.local),
            none,
            "bad_time",
            "Write windows as 08:00-10:00, several with a semicolon between.",
        )
        if quiet:
            cells.faults[:] = faults
        ranges: list[times.Moment | None] = [said for pair in pairs for said in pair]
        return (found if any(found) else []) + ranges

    def _windows(
        self, cells: Cells, service_date: date, columns: WindowColumns
    ) -> tuple[Window, ...]:
        said = self._moments(cells, columns, quiet=False)
        windows = []
        for opens, closes in zip(said[::2], said[1::2], strict=True):
            if service_date == date.min:
                return ()
            window = times.window_of(opens, closes, service_date, self._site.local)
            length_s = (window.closes_at - window.opens_at).total_seconds()
            field = columns.ranges if cells.has(columns.ranges) else columns.end
            if length_s <= 0:
                cells.fault(
                    field,
                    "window_inverted",
                    "The window ends before it starts, or as it starts: mend one of "
                    "the times; for a window past midnight write both dates.",
                )
            elif length_s > MAX_WINDOW_S:
                cells.fault(
                    field, "bad_time", "The window is over 14 days long: mend a date."
                )
            else:
                windows.append(window)
        return merged(windows)

    @staticmethod
    def _kind(cells: Cells) -> str:
        return cells.read(
            "kind",
            values.kind,
            "delivery",
            "bad_kind",
            "Write delivery or pickup.",
        )

    @staticmethod
    def _load(cells: Cells) -> tuple[int, int, int]:
        load_g = cells.amount("load_g", "negative_weight") or 0
        load_ml = cells.amount("load_ml", "negative_volume") or 0
        return cells.pieces(), load_g, load_ml

    def _customer(self, cells: Cells) -> CustomerDraft | None:
        name = cells.text("name")
        if not name:
            parts = (cells.text("first_name"), cells.text("last_name"))
            name = " ".join(part for part in parts if part)[:160]
        country = self._site.country
        phone = cells.read(
            "phone",
            lambda text: values.phone(text, country),
            "",
            "bad_phone",
            "Write the number with its country, for example +49 9123 123456, "
            "or leave it empty.",
        )
        email = cells.read(
            "email",
            values.email,
            "",
            "bad_email",
            "Write one address such as name@example.com, or leave it empty.",
        )
        if len(email) > 254:
            cells.fault("email", "too_long", "Shorten this to 254 characters.")
        language = cells.raw("language")[:8]
        if not (name or phone or email):
            return None
        return CustomerDraft(name, phone, email, language)


def _place_field(cells: Cells) -> str:
    for field in ("lat", "coordinates", "street", "address"):
        if field in cells.mapping.columns:
            return field
    return "lat"


def _place(cells: Cells) -> str:
    return cells.header(_place_field(cells))


Progress = Callable[[str, int, int], None]
"""Told a phase, how much of it is done, and how much there is."""
