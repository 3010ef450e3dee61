"""Every page of the office on a laid-out day, asked and timed in this process.

`python -m tests.bench._admin_pages --orders N`: on an empty database, answers one JSON line.
"""

import argparse
import functools
import json
import os
import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

ROUNDS = 7


def pages(depot: Any, day: Any, user: Any) -> Iterator[tuple[str, str]]:
    """Yield name and address of the board, each list, a row's page, and its history.

    The row is the oldest of those that the user sees: of plans the day's, the largest.
    """
    from django.contrib import admin  # noqa: PLC0415  when the settings are there
    from django.test import RequestFactory  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    request = RequestFactory().get("/")
    request.user = user
    asked = f"?depot={depot.code}&date={day}"
    yield "board", f"{reverse('admin:index')}{asked}"
    yield "board made anew", f"{reverse('admin:index')}{asked}"
    yield "board panel", f"{reverse('board')}{asked}"
    for model, page in admin.site._registry.items():
        opts = model._meta
        stem = f"admin:{opts.app_label}_{opts.model_name}"
        yield f"{opts.label_lower} list", reverse(f"{stem}_changelist")
        row = page.get_queryset(request).order_by("pk").first()
        if row is not None:
            yield f"{opts.label_lower} row", reverse(f"{stem}_change", args=[row.pk])
            history = reverse(f"{stem}_history", args=[row.pk])
            yield f"{opts.label_lower} history", history


def ask(client: Any, url: str, rounds: int, *, is_anew: bool = False) -> dict[str, Any]:
    """Ask a page so often; return what it took, its queries, and its size.

    With `is_anew` nothing is left in the cache of what was made before.
    """
    from django.core.cache import cache  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    took_ms, worked_ms = [], []
    for number in range(rounds + 1):
        if is_anew:
            cache.clear()
        started_s, before_s = time.perf_counter(), time.process_time()
        page_of(client, url)
        if number:  # the first one compiles templates
            took_ms.append(1000 * (time.perf_counter() - started_s))
            worked_ms.append(1000 * (time.process_time() - before_s))
    if is_anew:
        cache.clear()
    with CaptureQueriesContext(connection) as heard:
        size = page_of(client, url)
    return {
        "median_ms": round(statistics.median(took_ms), 1),
        "p95_ms": round(statistics.quantiles(took_ms, n=20)[-1], 1),
        "cpu_ms": round(statistics.median(worked_ms), 1),
        "queries": len(heard),
        "kb": round(size / 1024),
    }


@functools.cache
def application() -> Any:
    """Return the application with all of its middleware."""
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415

    return get_wsgi_application()


def page_of(client: Any, url: str) -> int:
    """Ask the application for a page as a web server does; return its bytes.

    The test client's answers hold themselves, and with them all that a page was made of,
    until the garbage collector comes: a quarter of a second in some later page.

    Raises:
        RuntimeError: the page is not there.
    """
    from django.test import RequestFactory  # noqa: PLC0415

    ask = RequestFactory()
    ask.cookies = client.cookies
    said: list[str] = []
    answer = application()(
        ask.get(url).environ, lambda status, headers, *_: said.append(status)
    )
    try:
        size = sum(len(part) for part in answer)
    finally:
        answer.close()
    if not said[0].startswith("200"):
        raise RuntimeError(f"{url} answers {said[0]}")
    return size


def ask_all(depot: Any, day: Any, now: Any, rounds: int, only: str = "") -> Any:
    """Ask every page as somebody who may see all of a depot and no other."""
    import time_machine  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415
    from django.contrib.auth.models import Permission  # noqa: PLC0415

    from tests.factories import DepotMembershipFactory, UserFactory  # noqa: PLC0415
    from tests.office import signed_in  # noqa: PLC0415

    settings.ALLOWED_HOSTS = ["testserver"]
    user = UserFactory(is_staff=True, username=f"asks-{secrets.token_hex(4)}")
    user.user_permissions.set(Permission.objects.all())
    DepotMembershipFactory(depot=depot, user=user)
    client = signed_in(user)
    with time_machine.travel(now, tick=True):
        return {
            name: ask(client, url, rounds, is_anew=name.endswith("anew"))
            for name, url in pages(depot, day, user)
            if name.startswith(only)
        }


def measure(*, orders: int, days: int, rounds: int) -> dict[str, Any]:
    """Lay the days out, ask every page, and return what it took."""
    from config.collector import keep_start_apart  # noqa: PLC0415
    from tests.bench._bulk_day import lay_out  # noqa: PLC0415
    from tests.factories import SERVICE_DATE, DepotFactory  # noqa: PLC0415

    depot = DepotFactory(name="Large")
    started_s = time.perf_counter()
    for back in reversed(range(days)):
        laid = lay_out(depot, SERVICE_DATE - timedelta(days=back), orders=orders)
    _analyze()
    laid_s = time.perf_counter() - started_s
    # As the web process does after its start (`config/asgi.py`).
    keep_start_apart()
    found = ask_all(depot, laid.day, laid.now, rounds)
    return {"laid_out_s": round(laid_s, 1), "pages": found}


def _analyze() -> None:
    """Let the database look at its tables, as it does by itself in the long run."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def main() -> None:
    """Measure on the database of this process's environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415

    django.setup()
    result = measure(orders=given.orders, days=given.days, rounds=given.rounds)
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
