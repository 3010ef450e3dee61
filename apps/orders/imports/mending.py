"""The quarantine as a file of the same kind: to mend, and to send again."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from apps.orders.imports.headers import ADVICE_COLUMN, FAULT_COLUMN

_FORMULA_STARTS = ("=", "@")


@dataclass(frozen=True, slots=True)
class RowToMend:
    """A quarantined row: its cells by header, and its faults as JSON holds them."""

    cells: Mapping[str, str]
    faults: Sequence[Mapping[str, str]]


def mending_file(
    rows: Iterable[RowToMend], headers: Sequence[str], *, kind: str, delimiter: str
) -> bytes:
    """Return the rows as CSV or XLSX, with the faults and what to do in two columns.

    The header and the delimiter are those of the file that came; CSV is UTF-8 with a
    byte-order mark, which spreadsheets need to see that it is.
    """
    own = [name for name in headers if name not in (FAULT_COLUMN, ADVICE_COLUMN)]
    rows = list(rows)
    own += sorted({name for row in rows for name in row.cells} - set(headers))
    lines = [[*own, FAULT_COLUMN, ADVICE_COLUMN]]
    for row in rows:
        codes = "; ".join(f"{f['column']}: {f['code']}" for f in row.faults)
        advice = " ".join(fault["detail"] for fault in row.faults)
        lines.append([*(row.cells.get(name, "") for name in own), codes, advice])
    return _xlsx(lines) if kind == "xlsx" else _csv(lines, delimiter or ",")


def _csv(lines: list[list[str]], delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([_guarded(cell) for cell in line] for line in lines)
    return out.getvalue().encode("utf-8-sig")


def _guarded(cell: str) -> str:
    """Keep a spreadsheet from taking a cell for a formula; reading takes it off."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _xlsx(lines: list[list[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Quarantine")
    for line in lines:
        cells = []
        for text in line:
            cell = WriteOnlyCell(sheet, value=text)
            cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
