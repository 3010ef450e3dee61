"""What one route adds to all tallies, in a form that can be kept and taken out. Pure."""

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

from apps.learning.learners import adherence, service, success, travel, zone_order
from apps.learning.learners.facts import RouteFact
from apps.learning.learners.sketch import Added


def added_by(
    route: RouteFact, *, c_s: float, p: float
) -> tuple[list[Added], Counter[str]]:
    """Return all that a route adds, and what of it was left out or doubted, and why."""
    services, left = service.observed(route)
    legs, lost = travel.observed(route, c_s=c_s, p=p)
    counted = Counter({f"service: {why}": n for why, n in left.items()})
    counted.update({f"travel: {why}": n for why, n in lost.items()})
    more = success.observed(route) + zone_order.observed(route)
    return _alike([*services, *legs, *more, *adherence.observed(route)]), counted


def _alike(rows: Iterable[Added]) -> list[Added]:
    """Make one of those that add the same value to the same key."""
    found: dict[tuple[str, str, float, str], tuple[float, int]] = {}
    for row in rows:
        key = row.kind, row.key, row.value, row.mix
        weight, n = found.get(key, (0.0, 0))
        found[key] = weight + row.weight, n + row.n
    return [
        Added(kind, name, value, weight, mix, n)
        for (kind, name, value, mix), (weight, n) in found.items()
    ]


def packed(rows: Sequence[Added]) -> bytes:
    """Return what was added as bytes; to the last digit, so that it can be taken out."""
    table = [[r.kind, r.key, r.value, r.weight, r.mix, r.n] for r in rows]
    return zlib.compress(json.dumps(table, ensure_ascii=False).encode(), 1)


def unpacked(body: bytes) -> list[Added]:
    """Return what `packed` packed."""
    return [Added(*row) for row in json.loads(zlib.decompress(body))]


def digest(body: bytes) -> str:
    """Return what tells whether a thing is as it was counted."""
    return hashlib.sha256(body).hexdigest()[:32]
