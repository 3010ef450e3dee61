"""Modes and decision points in the office and by the API: said everywhere, switched by hand."""

import pytest
from django.urls import reverse

from apps.core.actors import SYSTEM
from apps.core.roles import COORDINATOR, SUPERVISOR
from apps.routes.chain import Failure
from apps.routes.moderows import DecisionPoint
from apps.routes.planners import mode_of
from apps.routes.services.modes import note_search
from tests.factories import NOW, DepotFactory
from tests.office import make_user, signed_in

pytestmark = pytest.mark.django_db

DIED = Failure(engine="pyvrp", code="died", detail="killed by signal 9")


def test_banner_stands_on_every_page_of_the_depots_people_alone() -> None:
    depot, other = DepotFactory(name="Lauf"), DepotFactory(name="Roth")
    note_search(depot.pk, answered=False, failures=[DIED] * 3, by=SYSTEM, now=NOW)
    for page in ("index", "orders_order_changelist", "incidents_incident_moves"):
        mine = signed_in(make_user(COORDINATOR, depot)).get(reverse(f"admin:{page}"))
        theirs = signed_in(make_user(COORDINATOR, other)).get(reverse(f"admin:{page}"))
        assert "The optimizer is failing" in mine.content.decode(), page
        assert "rm-banner" not in theirs.content.decode(), page


def test_supervisor_switches_in_the_office_and_signs_a_red_check_off() -> None:
    depot = DepotFactory()
    client = signed_in(make_user(SUPERVISOR, depot))
    client.get(reverse("admin:routes_depotmode_changelist"))
    switch = reverse("admin:routes_depotmode_switch", args=[depot.pk])
    client.post(switch, {"to": "rules", "why": "New roads"})
    assert mode_of(depot.pk).cause == "switched"
    refused = client.post(switch, {"to": "optimizer", "why": "Done"})
    assert "0 vehicles are in use" in refused.content.decode()
    assert mode_of(depot.pk).is_rules
    limits = reverse("admin:routes_depotmode_limits", args=[depot.pk])
    client.post(limits, {"most_failures": 1, "window_s": 60, "pause_s": 30})
    client.post(
        switch, {"to": "optimizer", "why": "Done", "signed_off": "Vans come at 8"}
    )
    assert not mode_of(depot.pk).is_rules
    page = client.get(reverse("admin:routes_depotmode_change", args=[depot.pk]))
    shown = page.content.decode()
    assert "Signed off: Vans come at 8" in shown
    assert "after 1 failures" in shown


def test_mode_and_readiness_by_the_api() -> None:
    depot = DepotFactory()
    client = signed_in(make_user(SUPERVISOR, depot))
    address = f"/api/v1/depots/{depot.pk}/mode"

    def switch(**body: object) -> int:
        answer = client.post(address, body, content_type="application/json")
        return answer.status_code

    assert client.get(address).json()["mode"] == "optimizer"
    assert switch(mode="rules") == 400, "without a why"
    assert switch(mode="rules", why="Small team") == 200
    shown = client.get(address).json()
    assert (shown["mode"], shown["why"]) == ("rules", "Small team")
    ready = client.get(f"/api/v1/depots/{depot.pk}/readiness").json()
    assert not ready["is_ready"]
    assert [c["code"] for c in ready["checks"] if c["colour"] == "red"] == [
        "vehicles",
        "shifts",
    ]
    assert switch(mode=None, why="Go") == 409
    assert switch(mode=None, why="Go", signed_off="Vans come") == 200


def test_decision_point_of_a_depot_is_its_supervisors() -> None:
    depot = DepotFactory()
    client = signed_in(make_user(SUPERVISOR, depot))
    add = reverse("admin:routes_decisionpoint_add")
    fields = {"act": "repair", "depot": str(depot.pk), "leave": "ask", "why": "Union"}
    assert client.post(add, {**fields, "depot": ""}).status_code == 200, "not for all"
    assert client.post(add, fields).status_code == 302
    point = DecisionPoint.objects.get(depot=depot)
    client.post(reverse("admin:routes_decisionpoint_let", args=[point.pk]))
    point.refresh_from_db()
    assert point.let_by.startswith("user:")
    for_all = DecisionPoint.objects.get(depot=None, act="repair")
    change = reverse("admin:routes_decisionpoint_change", args=[for_all.pk])
    assert client.post(change, {"leave": "no", "why": "?"}).status_code == 403
    rows = client.get("/api/v1/decision-points").json()["results"]
    assert {(row["act"], row["depot"]) for row in rows} >= {
        ("repair", depot.code),
        ("repair", None),
    }
