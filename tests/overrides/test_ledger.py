"""Every impact that somebody was shown stands in the ledger, re-runnable, with its fate."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from apps.core.actors import SYSTEM
from apps.journal.models import Entry
from apps.overrides.models import DecisionRight, Override
from apps.overrides.pricing import Consent, approve, look_at, price_again
from apps.overrides.services.answering import reject_override
from apps.overrides.services.asking import withdraw_override
from apps.overrides.services.watching import expire_overrides
from apps.overrides.states import OverrideState
from apps.recommendations.models import Recommendation
from apps.recommendations.reruns import make_again
from apps.recommendations.services import expire_due
from apps.routes.changes import from_wire
from apps.routes.services.etas import refresh_etas
from tests.office import signed_in
from tests.overrides.days import ASKED, Scene, priced
from tests.sync.builders import enrol

pytestmark = pytest.mark.django_db


def gives(scene: Scene) -> Override:
    """Let a driver ask to give the last stop away: that needs a coordinator."""
    values = {
        "stop_id": str(scene.stops()[-1].pk),
        "shift_id": str(scene.routes[1].shift_id),
    }
    return priced(scene.asks("give_stop", values))


def noted(row: Override) -> Recommendation:
    """Return the ledger's row of a request's impact, as it stands now."""
    row.refresh_from_db()
    assert row.impact is not None
    assert row.priced_as_id is not None
    found = Recommendation.objects.select_related("inputs").get(pk=row.priced_as_id)
    assert found.kind == Recommendation.Kind.IMPACT
    assert found.costs["total_minor"] == row.impact["cost_minor"]
    assert found.parameters == {"change": row.kind, "version": row.impact_version}
    return found


def test_impact_of_a_rejected_request_is_overridden_and_can_be_made_again(
    scene: Scene,
) -> None:
    row = gives(scene)
    waiting = noted(row)
    assert (waiting.state, waiting.subject_id) == ("issued", str(row.stop_id))
    reject_override(
        override_id=row.pk,
        expected_version=row.version,
        reason="too_late",
        by=scene.by("Coordinator"),
        now=ASKED,
    )
    found = noted(row)
    assert (found.pk, found.state, found.settled_at) == (
        waiting.pk,
        "overridden",
        ASKED,
    )
    assert "it makes others late" in found.outcome["text"]
    assert make_again(found).is_identical
    settled = Entry.objects.filter(
        kind="recommendation.settled", subject_id=str(found.pk)
    ).get()
    assert settled.actor == str(scene.by("Coordinator"))


def test_impact_of_an_expired_request_expires(scene: Scene) -> None:
    row = gives(scene)
    assert expire_overrides(now=ASKED + timedelta(hours=2)) == 1
    found = noted(row)
    assert (row.state, found.state) == (OverrideState.EXPIRED, "expired")
    assert "in time" in found.outcome["text"]
    assert make_again(found).is_identical


def test_impact_of_a_denied_request_expires(scene: Scene) -> None:
    DecisionRight.objects.filter(kind="give_stop", role="Driver").delete()
    row = gives(scene)
    found = noted(row)
    assert (row.state, found.state) == (OverrideState.DENIED, "expired")
    assert "table of rights" in found.outcome["text"]
    assert make_again(found).is_identical


def test_impact_of_a_request_taken_back_expires(scene: Scene) -> None:
    row = gives(scene)
    withdraw_override(override_id=row.pk, by=scene.driver(), now=ASKED)
    found = noted(row)
    assert (found.state, found.outcome["text"]) == (
        "expired",
        "Who asked took the request back.",
    )


def test_applied_impact_is_followed_once(scene: Scene) -> None:
    row = gives(scene)
    before = noted(row).pk
    consent = Consent(version=row.version)
    approve(row.pk, consent, by=scene.by("Coordinator"), now=ASKED)
    found = noted(row)
    assert found.state == "followed"
    assert make_again(found).is_identical
    of_stop = Recommendation.objects.filter(kind="impact", subject_id=str(row.stop_id))
    assert set(of_stop) == {found, *of_stop.filter(pk=before)}
    assert of_stop.filter(state="followed").count() == 1
    assert not of_stop.filter(state="issued").exists()


def test_impact_that_was_worked_out_anew_supersedes_the_one_before(
    scene: Scene,
) -> None:
    row = gives(scene)
    first = noted(row)
    ahead = [str(stop.pk) for stop in scene.stops()[:2]]
    # The plan moves on under the request: another change of the same route is carried out.
    other = {"stop_id": ahead[1], "before_stop_id": ahead[0]}
    mover = scene.office_asks("Supervisor", "move_stop", other)
    assert priced(mover).state == OverrideState.APPLIED, mover.because
    price_again(row.pk, now=ASKED + timedelta(minutes=1))
    second = noted(row)
    first.refresh_from_db()
    assert (first.state, second.state) == ("superseded", "issued")
    assert second.pk != first.pk
    assert make_again(second).is_identical


def test_another_change_in_its_place_is_followed_and_the_asked_one_superseded(
    scene: Scene,
) -> None:
    row = gives(scene)
    asked = noted(row)
    instead = from_wire("take_off", {"stop_id": str(row.stop_id)})
    by = scene.by("Supervisor")
    seen = look_at(instead, by=by, now=ASKED)
    consent = Consent(version=row.version, instead=instead, seen=seen)
    approve(row.pk, consent, by=by, now=ASKED)
    done = noted(row)
    asked.refresh_from_db()
    assert (done.state, done.parameters["change"]) == ("followed", "take_off")
    assert asked.state == "superseded"


def test_times_told_anew_do_not_end_the_impact_of_a_request_about_a_route(
    scene: Scene,
) -> None:
    shift = scene.routes[0].shift
    ends_at = (shift.ends_at - timedelta(minutes=30)).isoformat()
    values = {"shift_id": str(shift.pk), "ends_at": ends_at}
    row = priced(scene.asks("end_shift_early", values))
    assert noted(row).subject_type == "route"
    route = scene.routes[0]
    refresh_etas(
        [route.pk], told=[route.pk], by=SYSTEM, now=ASKED + timedelta(minutes=1)
    )
    told = Recommendation.objects.filter(kind="eta", subject_id=str(route.pk))
    assert told.filter(state="superseded").exists()
    assert noted(row).state == "issued"
    consent = Consent(version=row.version)
    approve(row.pk, consent, by=scene.by("Supervisor"), now=ASKED)
    assert noted(row).state == "followed"


def test_each_door_that_shows_an_impact_writes_it_down(scene: Scene) -> None:
    """What was only looked at expires after half an hour."""
    stop = scene.stops()[0]
    body = {
        "kind": "skip_stop",
        "change": {"stop_id": str(stop.pk), "reason": "closed"},
    }
    before = Recommendation.objects.filter(kind="impact").count()
    device = enrol(scene.routes[0].driver)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {device.session_token}")
    seen = client.post("/api/sync/v1/overrides/impact", body, format="json")
    assert seen.status_code == 200, seen.content
    page = signed_in(scene.user("Supervisor"))
    told = page.post(
        "/api/v1/overrides/impact", json.dumps(body), content_type="application/json"
    )
    assert told.status_code == 200, told.content
    url = reverse("admin:overrides_override_add")
    shown = page.post(
        f"{url}?route={scene.routes[0].pk}&kind=take_off",
        {"stop": str(stop.pk), "reason": "access", "note": "", "look": "1"},
    )
    assert shown.status_code == 200
    rows = Recommendation.objects.filter(kind="impact", state="issued")
    assert rows.count() == before + 3, shown.content.decode()[:2000]
    assert all(make_again(row).is_identical for row in rows.select_related("inputs"))
    expire_due(by=scene.by("Supervisor"), now=ASKED + timedelta(minutes=31))
    assert not rows.exists()
