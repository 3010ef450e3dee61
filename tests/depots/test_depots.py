"""Depots: who sees them, their zones, and what is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from apps.core.actors import SYSTEM
from apps.core.problems import Invalid
from apps.core.units import Point
from apps.depots.models import Zone
from apps.depots.selectors import UnknownDepot, depot_by_code, zone_finder
from apps.depots.services import add_member, draw_zone
from tests.factories import (
    DEPOT_POINT,
    NOW,
    DepotFactory,
    DepotMembershipFactory,
    UserFactory,
    ZoneFactory,
    square,
)

pytestmark = pytest.mark.django_db


def test_depots_and_zones_show_the_callers_own_alone() -> None:
    membership = DepotMembershipFactory()
    zone = ZoneFactory(depot=membership.depot)
    other = ZoneFactory()
    user = membership.user
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_depot", "view_zone"])
    )
    client = APIClient()
    client.force_authenticate(user)
    depots = client.get("/api/v1/depots").json()["results"]
    assert [depot["code"] for depot in depots] == [membership.depot.code]
    assert depots[0]["location"]["coordinates"] == [DEPOT_POINT[1], DEPOT_POINT[0]]
    zones = client.get("/api/v1/zones").json()["results"]
    assert [(row["id"], row["boundary"]) for row in zones] == [
        (str(zone.pk), zone.boundary)
    ]
    assert client.get(f"/api/v1/depots/{other.depot.pk}").status_code == 404
    assert client.get(f"/api/v1/zones/{other.pk}").status_code == 404


def test_zone_finder_keeps_out_of_holes_and_neighbours() -> None:
    depot = DepotFactory()
    ring = square(*DEPOT_POINT, 0.05)["coordinates"][0]
    hole = square(*DEPOT_POINT, 0.01)["coordinates"][0]
    boundary = {"type": "Polygon", "coordinates": [ring, hole]}
    outer = ZoneFactory(depot=depot, code="b", boundary=boundary)
    inner = ZoneFactory(depot=depot, code="c", boundary=square(*DEPOT_POINT, 0.02))
    ZoneFactory(code="a")
    finder = zone_finder(depot.pk)
    lat, lon = DEPOT_POINT
    assert finder.find(Point(lat, lon)) == inner.pk
    assert finder.find(Point(lat + 0.03, lon)) == outer.pk
    assert finder.find(Point(lat + 0.06, lon)) is None


def test_depot_by_code_unknown_names_the_known() -> None:
    DepotFactory(code="lauf")
    assert depot_by_code(" LAUF ").code == "lauf"
    with pytest.raises(UnknownDepot, match="known are lauf"):
        depot_by_code("hersbruck")


def test_draw_zone_again_redraws_it() -> None:
    depot = DepotFactory()
    for half in (0.1, 0.2):
        draw_zone(
            depot_id=depot.pk,
            code="n",
            name="North",
            boundary=square(*DEPOT_POINT, half),
            by=SYSTEM,
            now=NOW,
        )
    assert Zone.objects.get().boundary == square(*DEPOT_POINT, 0.2)


@pytest.mark.parametrize(
    "boundary",
    [
        {},
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 95], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[["a", 0], [1, 0], [1, 5], ["a", 0]]]},
    ],
)
def test_draw_zone_refuses_what_is_no_polygon(boundary: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="GeoJSON Polygon"):
        draw_zone(
            depot_id=DepotFactory().pk,
            code="n",
            name="North",
            boundary=boundary,
            by=SYSTEM,
            now=NOW,
        )


def test_add_member_twice_is_one_membership() -> None:
    depot, user = DepotFactory(), UserFactory()
    first = add_member(depot_id=depot.pk, user_id=user.pk, by=SYSTEM, now=NOW)
    second = add_member(depot_id=depot.pk, user_id=user.pk, by=SYSTEM, now=NOW)
    assert first == second
