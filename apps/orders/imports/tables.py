"""Files as tables of text: CSV of any encoding and delimiter, and XLSX."""

import codecs
import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from typing import Any

import openpyxl
from charset_normalizer import from_bytes

from apps.core.problems import Problem

DELIMITERS = ",;\t|"
MAX_ROWS = 500_000
XLSX_MAGIC = b"PK\x03\x04"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = re.compile("^[À-ÖØ-öø-ÿŒœŠšŽžŸ€‚„…‘’“”–—«»°§²³ºª¿¡´·®©™\\x00-\\x7f\xa0]*$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SAMPLE_BYTES = 200_000

MOST_ACCENTED = 0.25
"""Share of accented letters beyond which a text is in no western language."""


class UnreadableFile(Problem):
    """The file as a whole cannot be imported; nothing of it was stored."""

    type = "/problems/unreadable-file"
    title = "This file cannot be imported."
    status = 422


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, and the file's line on which it begins (from 1)."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file's header and rows, and how it was written."""

    headers: list[str]
    rows: list[Row]
    kind: str
    encoding: str
    delimiter: str


def read_table(content: bytes, *, encoding: str = "") -> Table:
    """Read a CSV or XLSX file.

    Raises:
        UnreadableFile: it is neither, is empty, or is broken as a whole.
    """
    if not content.strip():
        raise UnreadableFile("The file is empty.")
    if content.startswith(XLSX_MAGIC):
        return _table(_xlsx_rows(content), "xlsx", "utf-8", "")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile(
            "This is an old Excel file (.xls): save it as .xlsx or CSV and send that."
        )
    text, used = decode(content, encoding)
    text, delimiter = _said_delimiter(text)
    delimiter = delimiter or sniff_delimiter(text)
    return _table(_csv_rows(text, delimiter), "csv", used, delimiter)


def decode(content: bytes, encoding: str = "") -> tuple[str, str]:
    """Return the text and the name of its encoding.

    A byte-order mark decides; then UTF-8, if it is valid; then Windows-1252, if all its
    letters are western ones; else what charset-normalizer finds most likely.
    """
    named = encoding or next(
        (name for bom, name in _BOMS if content.startswith(bom)), ""
    )
    if not named and b"\x00" in content[:1000]:
        named = "utf-16-le" if content[1:2] == b"\x00" else "utf-16-be"
    if named:
        try:
            return content.decode(named).lstrip("\ufeff"), named.removesuffix("-sig")
        except (UnicodeDecodeError, LookupError):
            raise UnreadableFile(f"The file is not valid {named} text.") from None
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _decode_legacy(content)


def _decode_legacy(content: bytes) -> tuple[str, str]:
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if text and _is_western(text):
        return text, "cp1252"
    best = from_bytes(content[:_SAMPLE_BYTES]).best()
    name = best.encoding if best else "latin-1"
    try:
        return content.decode(name), name
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def _is_western(text: str) -> bool:
    """Tell western text from another alphabet's bytes that were read as western."""
    if not _WESTERN.match("".join(sorted(set(text)))):
        return False
    letters = sum(1 for char in text if char.isalpha())
    accented = sum(1 for char in text if char.isalpha() and not char.isascii())
    return accented <= MOST_ACCENTED * letters


def _said_delimiter(text: str) -> tuple[str, str]:
    """Take off Excel's first line `sep=;`, which names the delimiter."""
    match = re.match(r"sep=([,;|\t])\r?\n", text, re.IGNORECASE)
    return ("\n" + text[match.end() :], match[1]) if match else (text, "")


def sniff_delimiter(text: str) -> str:
    """Return the delimiter that cuts the first rows into most columns, most evenly."""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        try:
            widths = [len(row.cells) for row in islice(_csv_rows(text, delimiter), 40)]
        except UnreadableFile:
            continue
        if not widths:
            continue
        width, times = Counter(widths).most_common(1)[0]
        score = (width - 1) * (times / len(widths)) ** 2
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _csv_rows(text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield Row(line, [clean(cell) for cell in cells])
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(
            f"From line {line} on, the file is no longer CSV ({error}); "
            "look for a quotation mark that is not closed."
        ) from None


def _xlsx_rows(content: bytes) -> Iterator[Row]:
    try:
        book = openpyxl.load_workbook(
            io.BytesIO(content), read_only=True, data_only=True
        )
        sheet = next(s for s in book.worksheets if s.sheet_state == "visible")
        for line, values in enumerate(sheet.iter_rows(values_only=True), 1):
            cells = [clean(_cell_text(value)) for value in values]
            if any(cells):
                yield Row(line, cells)
        book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, StopIteration) as error:
        raise UnreadableFile(
            f"This is not a workbook that can be read ({type(error).__name__}); "
            "save it as .xlsx or CSV and send it again."
        ) from None


def _cell_text(value: Any) -> str:
    """Write a typed cell as the text that the same parser reads."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def clean(cell: str) -> str:
    """Return a cell without control characters, outer blanks and Excel's guard.

    An apostrophe before `=`, `@`, `+` or `-` is what keeps a spreadsheet from taking
    the cell for a formula; `mending` writes it, so reading takes it off.
    """
    if not cell:
        return cell
    if not cell.isprintable():
        cell = _CONTROL.sub("", cell)
    cell = cell.strip()
    if cell[:1] == "'" and cell[1:2] in ("=", "@", "+", "-"):
        return cell[1:]
    return cell


def _table(rows: Iterable[Row], kind: str, encoding: str, delimiter: str) -> Table:
    found = list(islice(rows, MAX_ROWS + 2))
    if len(found) > MAX_ROWS + 1:
        raise UnreadableFile(f"The file has over {MAX_ROWS:,} rows: cut it in parts.")
    if not found:
        raise UnreadableFile("The file is empty.")
    header = _header_index(found)
    width = max(len(found[header].cells), 1)
    headers = _unique(found[header].cells)
    body = [_fitted(row, width) for row in found[header + 1 :]]
    if not body:
        raise UnreadableFile("The file has a header and no rows.")
    return Table(headers, body, kind, encoding, delimiter)


def _header_index(rows: list[Row]) -> int:
    """Return where the header is: below titles that fill fewer columns."""
    first = rows[:10]
    widths = [sum(1 for cell in row.cells if cell) for row in first]
    widest = max(widths)
    return next(i for i, width in enumerate(widths) if 2 * width > widest)


def _unique(cells: list[str]) -> list[str]:
    """Name every column once: empty ones by number, repeated ones with a count."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = " ".join(cell.split()) or f"column {number}"
        base, count = name, 1
        while name in names:
            count += 1
            name = f"{base} ({count})"
        names.append(name)
    return names


def _fitted(row: Row, width: int) -> Row:
    """Give a row as many cells as the header has; what overhangs stays at its end."""
    missing = width - len(row.cells)
    if missing > 0:
        return Row(row.line, row.cells + [""] * missing)
    return row
