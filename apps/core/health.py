"""Is the process alive; can it serve."""

from collections.abc import Callable
from typing import Final

import redis
import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import pulse
from apps.core.caching import PATIENCE

log = structlog.get_logger(__name__)


@never_cache
@require_safe
def live(_request: HttpRequest) -> HttpResponse:
    """Answer that the process runs; touches nothing else."""
    return JsonResponse({"status": "live"})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """Answer whether all that a request may need is there, each part by name.

    `queue` is whether tasks can be queued. Without `cache` and `bell` requests go on:
    unthrottled, and pokes come a little later; so that is `degraded`, and devices are
    not turned away. `clusters` says how many worker clusters take tasks off the queue;
    none fails nothing either.
    """
    checks = {name: _try(name, check) for name, check in CHECKS.items()}
    failed = {name for name, word in checks.items() if word != "ok"}
    clusters = None if "cache" in failed else pulse.clusters_alive()
    can_serve = failed.isdisjoint(NEEDED)
    fit = "degraded" if failed else "ready"
    return JsonResponse(
        {
            "status": fit if can_serve else "unready",
            "checks": checks,
            "clusters": clusters,
        },
        status=200 if can_serve else 503,
    )


def _try(name: str, check: Callable[[], object]) -> str:
    try:
        check()
    except (DatabaseError, redis.RedisError, OSError) as error:
        log.warning("not_ready", part=name, error=type(error).__name__)
        return "failed"
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _cache() -> None:
    """Set a value and read it back: a shared cache that is away says nothing itself."""
    cache.set("readyz", "ok", timeout=60)
    if cache.get("readyz") != "ok":
        raise ConnectionError


def _bell() -> None:
    if not settings.REDIS_URL:
        return  # the process is alone: its sockets look for themselves
    client = redis.Redis.from_url(settings.REDIS_URL, retry=None, **PATIENCE)
    try:
        client.ping()
    finally:
        client.close()


CHECKS: Final[dict[str, Callable[[], object]]] = {
    "database": _database,
    "queue": pulse.waiting,
    "bell": _bell,
    "cache": _cache,
}
NEEDED: Final = frozenset({"database", "queue"})
