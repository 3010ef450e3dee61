"""Each answer is precise: who decides until when, what is not allowed and why, what it means."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from django.utils import translation
from rest_framework.test import APIClient

from apps.core.problems import Problem
from apps.overrides.models import DecisionRight, Override
from apps.overrides.services.watching import expire_overrides
from apps.overrides.states import OverrideState
from apps.overrides.words import told_impact, told_override
from apps.routes.changes import (
    Broken,
    Called,
    RouteSketch,
    from_wire,
    impact_from_wire,
)
from apps.routes.impact import impact_of
from apps.routes.models import Stop
from tests.factories import TimeWindowFactory
from tests.overrides.days import ASKED, Scene, priced
from tests.sync.builders import enrol

pytestmark = pytest.mark.django_db


def rights(kind: str, **values: Any) -> None:
    """Let one rule alone say what drivers may."""
    DecisionRight.objects.filter(kind=kind, role="Driver").delete()
    DecisionRight.objects.create(
        kind=kind,
        role="Driver",
        valid_from=ASKED - timedelta(days=1),
        created_at=ASKED,
        created_by="test",
        **values,
    )


def moves(scene: Scene) -> Override:
    """Let a driver ask to serve the last stop first."""
    first, *_, last = scene.stops()
    values = {"stop_id": str(last.pk), "before_stop_id": str(first.pk)}
    return priced(scene.asks("move_stop", values))


def test_waiting_says_whom_until_when_why_and_what_it_would_mean(scene: Scene) -> None:
    first = scene.stops()[0]
    TimeWindowFactory(
        order=first.order,
        opens_at=ASKED,
        closes_at=(first.eta_at or ASKED) + timedelta(minutes=1),
    )
    rights("move_stop", outcome="allowed", max_minutes=0, max_windows_broken=0)
    DecisionRight.objects.create(
        kind="move_stop",
        role="Driver",
        outcome="approval",
        approver="Supervisor",
        valid_from=ASKED - timedelta(days=1),
        created_at=ASKED,
        created_by="test",
    )
    row = moves(scene)
    assert row.state == OverrideState.WAITING, (row.because, row.problem)
    assert row.impact is not None
    minutes = row.impact["minutes"]
    late = row.impact["broken"][0]["minutes_late"]
    said = told_override(row)
    zone = row.depot.time_zone
    until = f"{row.deadline_at:%H:%M}" if zone == "UTC" else ""
    assert said.startswith("Asked: supervisor. You get an answer by "), said
    assert until in said
    assert "windows and promises broken: 1, limit 0" in said
    assert f"It would mean: {minutes:+d} min" in said
    assert f"Stop 2: {late} min late." in said
    with translation.override("de"):
        german = told_override(row)
    assert german.startswith("Gefragt: Schichtleitung. Du bekommst bis "), german
    assert "Grenze 0" in german
    assert f"Stopp 2: {late} min" in german


def test_denied_says_which_limit_is_passed(scene: Scene) -> None:
    rights("move_stop", outcome="allowed", max_stops=0)
    row = moves(scene)
    assert row.state == OverrideState.DENIED
    assert row.impact is not None
    moved = len(row.impact["moved"])
    said = told_override(row)
    assert said.startswith(f"Not allowed: stops moved: {moved}, limit 0."), said
    assert "Ask the office if it must be." in said
    with translation.override("fr"):
        assert f"arrêts déplacés : {moved}, limite 0" in told_override(row)


def test_denied_by_the_hour_says_the_hours(scene: Scene) -> None:
    rights(
        "move_stop",
        outcome="denied",
        hours_from=time(0, 0),
        hours_until=time(23, 59),
    )
    row = moves(scene)
    assert row.state == OverrideState.DENIED
    assert told_override(row).startswith("Not allowed from 00:00 to 23:59.")


def test_denied_without_a_rule_says_so(scene: Scene) -> None:
    DecisionRight.objects.filter(kind="move_stop", role="Driver").delete()
    said = told_override(moves(scene))
    assert said.startswith("No rule lets you do this. Ask the office")


def test_failed_says_why_in_the_drivers_language(scene: Scene) -> None:
    """The device asked in time; the stop is done by the time that it is priced."""
    driver = scene.routes[0].driver
    driver.language = "de"
    driver.save()
    device = enrol(driver)
    shift = str(scene.routes[0].shift_id)
    event = device.event(
        "override.requested",
        action="extra_break",
        details={
            "shift_id": shift,
            "from_at": (ASKED + timedelta(days=2)).isoformat(),
            "until_at": (ASKED + timedelta(days=2)).isoformat(),
            "duration_s": 900,
        },
    )
    [answer] = device.push(event)
    assert answer["detail"].startswith("Ihr Wunsch ist da."), answer
    row = priced(Override.objects.get())
    assert row.state == OverrideState.FAILED
    assert row.problem.startswith("The shift is from")
    device.pull()
    [shown] = device.tables["overrides"].values()
    assert ". Die Schicht geht von " in shown["detail"], shown["detail"]
    assert "muss darin beginnen" in shown["detail"]


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_stop_that_is_done_meanwhile_fails_with_its_number_and_state(
    scene: Scene, language: str
) -> None:
    row = moves_later(scene)
    assert row.stop_id is not None
    Stop.objects.filter(pk=row.stop_id).update(
        status="succeeded", completed_at=ASKED, arrived_at=ASKED
    )
    row = priced(row)
    assert row.state == OverrideState.FAILED
    number = scene.stops()[-1].sequence
    assert row.refusal == {
        "code": "stop_over",
        "number": number,
        "status": "succeeded",
    }
    with translation.override(language):
        said = told_override(row)
    assert str(number) in said
    assert ("succeeded" in said) == (language == "en")


def moves_later(scene: Scene) -> Override:
    first, *_, last = scene.stops()
    values = {"stop_id": str(last.pk), "before_stop_id": str(first.pk)}
    return scene.asks("move_stop", values)


def test_every_kind_that_is_done_says_what_has_become_of_it(scene: Scene) -> None:
    """A lock does not change a route: it is not told so."""
    route = scene.routes[0]
    until = ASKED + timedelta(hours=3)
    for kind in ("lock_route", "unlock_route", "pin_stop"):
        rights(kind, outcome="allowed")
    lock = {"route_id": str(route.pk), "until_at": until.isoformat()}
    said = told_override(priced(scene.asks("lock_route", lock)))
    assert "Your route stays as it is until " in said, said
    unlock = {"route_id": str(route.pk)}
    said = told_override(priced(scene.asks("unlock_route", unlock)))
    assert "may be planned anew again" in said
    pin = {"stop_id": str(scene.stops()[0].pk), "at_place": True}
    assert "The stop is held." in told_override(priced(scene.asks("pin_stop", pin)))
    pin = {"stop_id": str(scene.stops()[0].pk), "is_released": True}
    assert "no longer held" in told_override(priced(scene.asks("pin_stop", pin)))


def test_what_the_device_is_shown_before_says_who_would_decide(scene: Scene) -> None:

    device = enrol(scene.routes[0].driver)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {device.session_token}")
    change = {"stop_id": str(scene.stops()[0].pk), "reason": "closed"}
    body = {"kind": "skip_stop", "change": change}
    shown = client.post("/api/sync/v1/overrides/impact", body, format="json").json()
    assert shown["detail"].startswith("It would mean: ")
    assert "Needs the answer of: coordinator." in shown["detail"]
    rights("skip_stop", outcome="allowed")
    shown = client.post("/api/sync/v1/overrides/impact", body, format="json").json()
    assert shown["detail"].endswith("You may do this without asking.")
    rights("skip_stop", outcome="allowed", max_stops=0)
    shown = client.post("/api/sync/v1/overrides/impact", body, format="json").json()
    assert "limit 0. Ask the office" in shown["detail"]
    assert {"cost_minor", "currency"} <= shown["impact"].keys()


def test_refusal_by_a_door_carries_its_code(scene: Scene) -> None:
    change = from_wire(
        "extra_break",
        {
            "shift_id": str(scene.routes[0].shift_id),
            "from_at": (ASKED - timedelta(hours=2)).isoformat(),
            "until_at": (ASKED - timedelta(hours=1)).isoformat(),
            "duration_s": 900,
        },
    )
    with pytest.raises(Problem) as refused:
        impact_of(change, now=ASKED)
    assert refused.value.document()["refusal"] == {"code": "break_over"}


def test_many_late_stops_are_the_worst_three_and_a_count(scene: Scene) -> None:
    row = moves(scene)
    impact = impact_from_wire(row.impact or {})
    own = str(scene.routes[0].driver_id)
    other = str(scene.routes[1].driver_id)
    at = ASKED + timedelta(hours=1)
    mine = [Called(stop_id="", order_id=f"m{n}", number=n, eta_at=at) for n in range(9)]
    theirs = [Called(stop_id="", order_id="t1", number=5, eta_at=at)]
    late = {f"m{number}": number for number in range(1, 6)} | {"t1": 40}
    impact = replace(
        impact,
        minutes=0,
        distance_m=-20,
        other_drivers=(other,),
        after=tuple(
            RouteSketch(
                shift_id=who, driver_id=who, route_id="", ends_at=at, stops=tuple(stops)
            )
            for who, stops in ((own, mine), (other, theirs))
        ),
        broken=tuple(
            Broken(code="window_missed", order_id=order_id, minutes_late=minutes)
            for order_id, minutes in late.items()
        ),
    )
    assert told_impact(impact) == (
        "As long and as far as now. Stop 3: 3 min late. Stop 4: 4 min late. "
        "Stop 5: 5 min late. 2 more stops are late. 1 other driver is touched. "
        "1 of their stops is late."
    )


def test_nothing_to_unlock_and_nothing_to_swap_are_refused_in_words(
    scene: Scene,
) -> None:
    route = scene.routes[0]
    row = priced(scene.asks("unlock_route", {"route_id": str(route.pk)}))
    assert (row.state, row.refusal["code"]) == (OverrideState.FAILED, "not_locked")
    about = route.plan.recommendation
    assert about is not None
    about.alternatives = [
        {
            "engine": "greedy",
            "total_minor": 1,
            "routes": {
                str(each.shift_id): [str(stop.order_id) for stop in scene.stops(number)]
                for number, each in enumerate(scene.routes)
            },
        }
    ]
    about.save()
    swap = {"recommendation_id": str(about.pk), "alternative": 0}
    row = priced(scene.asks("take_alternative", swap))
    assert (row.state, row.refusal["code"]) == (OverrideState.FAILED, "same_plan")
    assert "driven like this anyway" in told_override(row)


def test_request_that_nobody_could_price_expires_in_its_kinds_time(
    scene: Scene,
) -> None:
    row = moves_later(scene)
    assert expire_overrides(now=ASKED + timedelta(minutes=19)) == 0
    assert expire_overrides(now=ASKED + timedelta(minutes=20)) == 1
    row.refresh_from_db()
    assert row.state == OverrideState.EXPIRED
    assert "Nobody answered in time" in told_override(row)
