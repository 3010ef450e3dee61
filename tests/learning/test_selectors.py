"""Estimates are found as they stood at an instant."""

from datetime import timedelta
from typing import Any

import pytest

from apps.depots.models import Depot
from apps.learning.models import Estimate
from apps.learning.selectors import estimates
from tests.factories import NOW, DepotFactory

pytestmark = pytest.mark.django_db


def made(depot: Depot, key: str, mean: float, **fields: Any) -> Estimate:
    fields = {"kind": "service", "n": 9, "spread": 0.1, "as_of": NOW} | fields
    return Estimate.objects.create(depot=depot, key=key, mean=mean, **fields)


def test_estimates_are_those_that_held_at_the_instant() -> None:
    depot = DepotFactory()
    later = NOW + timedelta(days=1)
    made(depot, "depot", 1.1, until_at=later)
    made(depot, "depot", 1.2, as_of=later)
    made(depot, "zone:North", 1.4, parent="depot", as_of=later)
    made(depot, "depot", 0.9, kind="travel")
    made(DepotFactory(code="other"), "depot", 3.0)

    before = estimates(depot.pk, "service", at=NOW + timedelta(hours=1))
    after = estimates(depot.pk, "service", at=later)

    assert {key: row.mean for key, row in before.items()} == {"depot": 1.1}
    assert {key: row.mean for key, row in after.items()} == {
        "depot": 1.2,
        "zone:North": 1.4,
    }
    assert after["zone:North"].parent == "depot"
    assert not estimates(depot.pk, "service", at=NOW - timedelta(seconds=1))
