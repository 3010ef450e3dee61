"""`bench import`: an order file of many rows, through every check, into the database.

Beside it, in the same run, the peer that most projects have: the same rows by a DRF
serializer and an insert a row. What is measured is rolled back.
"""

import argparse
import csv
import io
import random
import time
from datetime import date
from typing import Any

from django.db import transaction
from rest_framework import serializers

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.ids import uuid7
from apps.core.units import Point
from apps.depots.models import Depot
from apps.depots.services import create_depot
from apps.orders.drafts import ImportOptions
from apps.orders.models import ImportRun, Order
from apps.orders.services import import_orders, receive_file

NEEDS_DATABASE = True
DEPOT = Point(49.5126, 11.2823)
DAY = date(2026, 3, 17)
SEED = 7


class PeerSerializer(serializers.ModelSerializer[Order]):
    """What `ModelSerializer` makes of the same row."""

    class Meta:
        """The columns of the file."""

        model = Order
        fields = [
            *("depot", "reference", "service_date", "street", "house_number"),
            *("postcode", "city", "latitude", "longitude", "load_g", "pieces"),
            *("received_at", "changed_at"),
        ]


def main(argv: list[str]) -> dict[str, Any]:
    """Import `--rows` rows, a hundredth of them bad; return the figures."""
    parser = argparse.ArgumentParser(prog="bench import")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument(
        "--peer-rows", type=int, default=1000, help="Rows for the peer; 0: none."
    )
    given = parser.parse_args(argv)
    content = make_file(given.rows)
    with transaction.atomic():
        depot = create_depot(
            code=f"bench-{uuid7().hex[-12:]}",
            name="Benchmark",
            time_zone="Europe/Berlin",
            country="DE",
            currency="EUR",
            point=DEPOT,
            by=SYSTEM,
            now=clock.now(),
        )
        run, seconds = _import(depot, content)
        _, again_seconds = _import(depot, content)
        peer_seconds = _peer(depot, given.peer_rows)
        transaction.set_rollback(True)
    figures: dict[str, Any] = {
        "rows": run.rows,
        "seconds": round(seconds, 3),
        "quarantined": run.quarantined,
        "again_seconds": round(again_seconds, 3),
    }
    if peer_seconds:
        ours, peer = seconds / run.rows, peer_seconds / given.peer_rows
        figures["peer_serializer_a_row_seconds"] = round(peer * run.rows, 3)
        figures["times_faster_than_peer"] = round(peer / ours, 1)
    return figures


def make_file(rows: int) -> bytes:
    """Write a composed order file: two windows, a phone, an address, a weight a row."""
    chance = random.Random(SEED)  # noqa: S311  composed data
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow(
        [
            "Auftragsnummer",
            "Empfänger",
            "Telefon",
            "Straße",
            "Hausnr",
            "PLZ",
            "Ort",
            "Breitengrad",
            "Längengrad",
            "Zeitfenster",
            "Gewicht (kg)",
            "Anzahl",
            "Hinweis",
        ]
    )
    for number in range(rows):
        lat, lon = chance.gauss(DEPOT.lat, 0.05), chance.gauss(DEPOT.lon, 0.05)
        opens = chance.randrange(8, 14)
        weight = f"{chance.uniform(0.1, 25):.2f}".replace(".", ",")
        is_bad = number % 100 == 99
        writer.writerow(
            [
                f"B-{number}",
                f"Empfänger {number}",
                f"09123 {number + 100_000}",
                f"Weg {number % 300}",
                number % 90 + 1,
                "91207",
                "Lauf",
                f"{lat:.6f}".replace(".", ","),
                f"{lon:.6f}".replace(".", ","),
                f"{opens:02}:00-{opens + 2:02}:00",
                f"-{weight}" if is_bad else weight,
                chance.randrange(1, 6),
                "Bitte klingeln",
            ]
        )
    return out.getvalue().encode("cp1252")


def _import(depot: Depot, content: bytes) -> tuple[ImportRun, float]:
    started = time.perf_counter()
    run = receive_file(
        depot_id=depot.pk,
        content=content,
        file_name="bench.csv",
        service_date=DAY,
        options=ImportOptions(),
        by=SYSTEM,
        now=clock.now(),
        start=False,
    )
    done = import_orders(run_id=run.pk, by=SYSTEM, now=clock.now())
    seconds = time.perf_counter() - started
    done.file.delete(save=False)
    return done, seconds


def _peer(depot: Depot, rows: int) -> float:
    text = make_file(rows).decode("cp1252")
    now = clock.now()
    started = time.perf_counter()
    for row in csv.DictReader(io.StringIO(text), delimiter=";"):
        weight = float(row["Gewicht (kg)"].replace(",", "."))
        shape = PeerSerializer(
            data={
                "depot": depot.pk,
                "reference": f"peer-{row['Auftragsnummer']}",
                "service_date": DAY,
                "street": row["Straße"],
                "house_number": row["Hausnr"],
                "postcode": row["PLZ"],
                "city": row["Ort"],
                "latitude": row["Breitengrad"].replace(",", "."),
                "longitude": row["Längengrad"].replace(",", "."),
                "load_g": round(weight * 1000),
                "pieces": row["Anzahl"],
                "received_at": now,
                "changed_at": now,
            }
        )
        if shape.is_valid():
            shape.save()
    return time.perf_counter() - started if rows else 0.0
