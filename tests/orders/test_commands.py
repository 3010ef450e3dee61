"""The commands, as a person at the keyboard meets them."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.depots.models import Depot
from apps.orders.models import Address, ImportRun, Order

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    """Run a command and return what it printed."""
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An order file with one good row and one bad row."""
    path = tmp_path / "day.csv"
    path.write_text("id,lat,lon\nA,49.51,11.28\nB,99,11.28\n")
    return path


def test_import_orders_command_says_what_became_of_the_rows(
    depot: Depot, file: Path, tmp_path: Path
) -> None:
    out = io.StringIO()
    mend = tmp_path / "mend.csv"
    with pytest.raises(SystemExit) as caught:
        call_command(
            *("import_orders", str(file), "--depot=lauf", "--date=2026-03-17"),
            *("--quarantine", str(mend)),
            stdout=out,
        )
    assert caught.value.code == 2
    text = out.getvalue()
    assert "reference ← id, lat ← lat, lon ← lon" in text
    assert "2 rows: 1 created, 0 updated, 0 unchanged, 1 in quarantine." in text
    assert "line 3, lat: Latitude goes" in text
    mended = mend.read_text("utf-8-sig").replace("99", "49.6")
    mend.write_text(mended)
    again = run(
        *("import_orders", str(mend), "--depot=lauf", "--date=2026-03-17", "--json")
    )
    assert json.loads(again)["created"] == 1
    assert Order.objects.count() == 2


def test_import_orders_command_dry_run_stores_nothing(
    depot: Depot, file: Path, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit):
        run(
            *("import_orders", str(file), "--depot=lauf", "--date=2026-03-17"),
            *("--dry-run", "--quarantine", str(tmp_path / "q.csv")),
        )
    assert (Order.objects.count(), ImportRun.objects.count()) == (0, 0)
    assert (tmp_path / "q.csv").exists()


def test_import_orders_command_unknown_depot_names_the_known(
    depot: Depot, file: Path
) -> None:
    with pytest.raises(CommandError, match="known are lauf"):
        run("import_orders", str(file), "--depot=luaf")


def test_import_orders_command_missing_file_says_so(depot: Depot) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run("import_orders", "/nowhere.csv", "--depot=lauf")


def test_import_orders_command_without_any_date_asks_for_one(
    depot: Depot, file: Path
) -> None:
    with pytest.raises(CommandError, match="--date"):
        run("import_orders", str(file), "--depot=lauf")


def test_import_addresses_command_counts(depot: Depot, tmp_path: Path) -> None:
    path = tmp_path / "addresses.csv"
    path.write_text(
        "lat,lon,street,housenumber,postcode,city\n"
        '49.5,11.28,Weg,"76, 76a",91207,Lauf\n49.5,11.28,Weg,,91207,Lauf\n'
    )
    out = run("import_addresses", str(path), "--depot=lauf")
    assert "2 rows: 2 addresses added, 0 known already, 1 rows without" in out
    assert set(Address.objects.values_list("match_key", flat=True)) == {
        "weg 76",
        "weg 76a",
    }


def test_create_depot_command_opens_a_depot(db: None) -> None:
    words = ("--time-zone=Europe/Berlin", "--country=DE", "--currency=EUR")
    run("create_depot", "lauf", *words, "--lat=49.5", "--lon=11.2")
    assert Depot.objects.get().code == "lauf"
    with pytest.raises(CommandError, match="already"):
        run("create_depot", "lauf", *words, "--lat=49.5", "--lon=11.2")
    with pytest.raises(CommandError, match="IANA"):
        run(
            *("create_depot", "x", "--time-zone=Mars", "--country=DE"),
            *("--currency=EUR", "--lat=49.5", "--lon=11.2"),
        )
