"""The first texts: each kind in four languages, in one segment, with its placeholders."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.notifications.kinds import KINDS, LANGUAGES
from apps.notifications.phrases import (
    faults_of,
    fill,
    said_day,
    said_window,
    short_name,
)
from apps.notifications.quiet import due_after_quiet
from apps.notifications.segments import BASIC, EXTENSION, length_of, plainer
from apps.notifications.texts import TEXTS, TITLES

LONGEST = {
    "sender": "S" * 20,
    "link": "https://dispatch.depot-sued.example/t/" + "x" * 22,
    "text": "x" * 50,
}
EVERY = [(kind, language) for language in LANGUAGES for kind in KINDS]


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_first_text_fits_one_segment(kind: str, language: str) -> None:
    assert len(LONGEST["link"]) == 60
    midnight = datetime(2026, 12, 30, tzinfo=UTC)
    at = midnight.replace(hour=9, minute=15)
    for low, high in [
        (at, at.replace(hour=22)),
        (midnight, at),
        (at, midnight + timedelta(days=1)),
    ]:
        window = said_window(low, high, "UTC", language)
        values = {**LONGEST, "window": window, "eta": window}

        length = length_of(fill(TEXTS[language][kind], values))

        assert (length.encoding, length.segments) == ("gsm7", 1), length


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("2026-03-17T09:00", "2026-03-17T11:00", "Tue 17 Mar 10:00-12:00"),
        ("2026-03-16T23:00", "2026-03-17T09:00", "Tue 17 Mar until 10:00"),
        ("2026-03-17T13:00", "2026-03-17T23:00", "Tue 17 Mar from 14:00"),
        ("2026-03-16T23:00", "2026-03-17T23:00", "Tue 17 Mar"),
        ("2026-03-16T23:00", "2026-03-16T23:00", "Tue 17 Mar 00:00"),
        ("2026-03-16T23:00", "2026-03-18T09:00", "Tue 17 Mar 00:00-10:00"),
    ],
)
def test_window_is_said_as_people_say_it(low: str, high: str, said: str) -> None:
    begins, ends = (
        datetime.fromisoformat(at).replace(tzinfo=UTC) for at in (low, high)
    )

    assert said_window(begins, ends, "Europe/Berlin", "en") == said


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("East depot (Lorneford, composed)", "East depot"),
        ("Depot", "Depot"),
        ("Central warehouse of the north", "Central warehouse of"),
        ("Donaudampfschifffahrtsgesellschaft", "Donaudampfschifffahr"),
        ("(nameless)", "(nameless)"),
    ],
)
def test_sender_is_short_in_whole_words(name: str, short: str) -> None:
    assert short_name(name, 20) == short


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_first_text_has_its_placeholders(kind: str, language: str) -> None:
    assert faults_of(kind, TEXTS[language][kind]) == []
    assert TITLES[language][kind]


@pytest.mark.parametrize("language", LANGUAGES)
def test_days_are_said_in_gsm7(language: str) -> None:
    for day in range(1, 29):
        said = said_day(date(2026, day % 12 + 1, day), language)
        assert length_of(said).encoding == "gsm7", said


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("€" * 80, "gsm7", 160, 1),
        ("€" * 81, "gsm7", 162, 2),
        # 153 septets a part: an escaped sign is not torn in two.
        ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),
        ("ç", "ucs2", 1, 1),
        ("ж" * 70, "ucs2", 70, 1),
        ("ж" * 71, "ucs2", 71, 2),
        ("😀" * 35, "ucs2", 70, 1),
        ("😀" * 36, "ucs2", 72, 2),
        ("😀" * 67, "ucs2", 134, 3),
        ("@£$Ç{}", "gsm7", 8, 1),
    ],
)
def test_length_of_text(text: str, encoding: str, units: int, segments: int) -> None:
    length = length_of(text)

    assert (length.encoding, length.units, length.segments) == (
        encoding,
        units,
        segments,
    )


@given(st.text(alphabet=st.sampled_from(sorted(BASIC | EXTENSION)), max_size=700))
def test_length_has_room_for_what_it_counts(text: str) -> None:
    length = length_of(text)
    capacity = 160 if length.segments == 1 else 153 * length.segments

    assert length.encoding == "gsm7"
    assert length.units + length.room <= capacity
    assert length_of(text + "a" * length.room).segments == length.segments
    if length.segments > 1:
        assert length_of(text + "a" * (length.room + 1)).segments > length.segments


def test_typography_is_said_plainly() -> None:
    assert length_of("10–12 “ok” … l’heure").encoding == "ucs2"
    assert length_of(plainer("10–12 “ok” … l’heure")).encoding == "gsm7"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("{sender}: {window} {link}", []),
        ("{window}", ["missing_placeholder"]),
        ("{window} {link} {phone}", ["unknown_placeholder"]),
        ("{window} {link} }", ["brace"]),
        ("{window} {link", ["brace", "missing_placeholder"]),
    ],
)
def test_placeholders_are_checked(text: str, codes: list[str]) -> None:
    assert [fault.code for fault in faults_of("planned", text)] == codes


def test_values_are_no_templates() -> None:
    assert fill("{sender}: {text}", {"sender": "{text}", "text": "x"}) == "{text}: x"


@pytest.mark.parametrize(
    ("now", "zone", "due"),
    [
        ("2026-03-17T18:59", "Europe/Berlin", "2026-03-17T18:59"),
        ("2026-03-17T19:00", "Europe/Berlin", "2026-03-18T07:00"),
        ("2026-03-18T06:59", "Europe/Berlin", "2026-03-18T07:00"),
        ("2026-03-18T07:00", "Europe/Berlin", "2026-03-18T07:00"),
        # The night in which the clocks go forward is an hour shorter.
        ("2026-03-28T22:00", "Europe/Berlin", "2026-03-29T06:00"),
        # Ten in the morning in Berlin is four at night in New York.
        ("2026-03-17T08:00", "America/New_York", "2026-03-17T12:00"),
    ],
)
def test_quiet_hours_end_by_the_persons_clock(now: str, zone: str, due: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)

    found = due_after_quiet(at, zone, time(20), time(8))

    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_quiet_hours_of_no_length_are_none() -> None:
    at = datetime(2026, 3, 17, 2, tzinfo=UTC)

    assert due_after_quiet(at, "UTC", time(8), time(8)) == at
