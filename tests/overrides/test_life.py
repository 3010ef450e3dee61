"""The life of a request: asked, priced, decided by the table, answered, applied."""

import uuid
from datetime import timedelta

import pytest

from apps.core.actors import SYSTEM
from apps.core.problems import Invalid
from apps.drivers.models import Driver
from apps.journal.models import Change, Entry
from apps.overrides.models import DecisionRight, Override
from apps.overrides.pricing import (
    Consent,
    ImpactChanged,
    approve,
    approve_all,
    price_override,
)
from apps.overrides.services.answering import (
    BeyondRights,
    NotYoursToAnswer,
    OwnRequest,
    reject_override,
)
from apps.overrides.services.asking import NotTheAsker, NotYours, withdraw_override
from apps.overrides.services.closing import AlreadyAnswered, SeenOlder
from apps.overrides.services.watching import escalate_overrides, expire_overrides
from apps.overrides.states import OverrideState
from apps.overrides.words import told_override
from apps.recommendations.models import Recommendation
from apps.routes.changes import from_wire
from apps.routes.models import Route, Stop
from tests.factories import AbsenceFactory
from tests.overrides.days import ASKED, Scene, priced
from tests.routes.days import sequence

pytestmark = pytest.mark.django_db
NOBODY = uuid.UUID(int=0)


def wants_to_give(scene: Scene) -> Override:
    """Let a driver ask to give the last stop away: that needs a coordinator."""
    values = {
        "stop_id": str(scene.stops()[-1].pk),
        "shift_id": str(scene.routes[1].shift_id),
    }
    return priced(scene.asks("give_stop", values, note="Too much for today"))


def told(row: Override) -> bool:
    return Change.objects.filter(
        scope=row.driver_id or NOBODY, table="overrides", row_id=str(row.pk)
    ).exists()


def test_small_change_of_a_driver_is_allowed_and_applied(scene: Scene) -> None:
    first, second = scene.stops()[:2]
    DecisionRight.objects.filter(kind="move_stop", outcome="allowed").update(
        max_minutes=None, max_cost_minor=None, max_stops=None, max_windows_broken=None
    )
    values = {"stop_id": str(second.pk), "before_stop_id": str(first.pk)}
    row = priced(scene.asks("move_stop", values))
    assert row.state == OverrideState.APPLIED, (row.problem, row.because)
    assert row.right is not None
    assert row.right.outcome == "allowed"
    assert row.answered_by == f"right:{row.right_id}"
    assert [stop.pk for stop in sequence(scene.routes[0])][:2] == [second.pk, first.pk]
    assert told(row)
    assert "Done: you may do this without asking." in told_override(row)
    assert "Your stops have a new sequence." in told_override(row)
    kinds = Entry.objects.filter(subject_id=str(row.pk)).order_by("id")
    assert [one.kind for one in kinds] == [
        "override.asked",
        "override.priced",
        "override.applied",
    ]


def test_larger_change_waits_for_the_role_that_the_table_names(scene: Scene) -> None:
    row = wants_to_give(scene)
    assert row.state == OverrideState.WAITING, (row.problem, row.because)
    assert row.approver == "Coordinator"
    assert row.impact is not None
    assert row.impact["version"] == row.impact_version
    assert row.deadline_at == ASKED + timedelta(minutes=30)
    assert row.escalates_at == ASKED + timedelta(minutes=10)
    assert told(row)
    assert "Coordinator" not in told_override(row)  # in the driver's words
    assert "coordinator" in told_override(row)
    again = price_override(row.pk, now=ASKED)
    assert again.times_priced == 1


def test_approval_applies_at_once_pins_and_tells(scene: Scene) -> None:
    row = wants_to_give(scene)
    consent = Consent(version=row.version, note="Drive carefully.")
    done = approve(row.pk, consent, by=scene.by("Coordinator"), now=ASKED)
    assert done.state == OverrideState.APPLIED
    stop = Stop.objects.get(pk=row.stop_id or NOBODY)
    assert stop.route_id == scene.routes[1].pk
    assert stop.pins.filter(ended_at=None).exists()
    assert Entry.objects.filter(kind="change.applied").count() == 1
    assert "Drive carefully." in told_override(done)
    with pytest.raises(AlreadyAnswered) as second:
        reject_override(
            override_id=row.pk,
            expected_version=None,
            reason="too_dear",
            by=scene.by("Supervisor"),
            now=ASKED,
        )
    name = scene.user("Coordinator").username
    assert second.value.extra["answered_by"] == name
    assert name in second.value.detail


def test_who_asked_cannot_answer(scene: Scene) -> None:
    stop, shift = scene.stops()[-1], scene.routes[1].shift_id
    values = {"stop_id": str(stop.pk), "shift_id": str(shift)}
    DecisionRight.objects.filter(role="Coordinator", outcome="allowed").update(
        valid_until=ASKED, ended_at=ASKED, ended_by="test"
    )
    row = priced(scene.office_asks("Coordinator", "give_stop", values))
    assert row.approver == "Supervisor"
    mine = Consent(version=row.version)
    with pytest.raises(OwnRequest):
        approve(row.pk, mine, by=scene.by("Coordinator"), now=ASKED)
    with pytest.raises(OwnRequest):
        reject_override(
            override_id=row.pk,
            expected_version=None,
            reason="other",
            by=scene.by("Coordinator"),
            now=ASKED,
        )
    other = Consent(version=row.version)
    approve(row.pk, other, by=scene.by("Supervisor"), now=ASKED)


def test_role_below_cannot_answer_and_its_stand_in_can(scene: Scene) -> None:
    row = wants_to_give(scene)
    Override.objects.filter(pk=row.pk).update(approver="Supervisor")
    consent = Consent(version=row.version)
    with pytest.raises(NotYoursToAnswer):
        approve(row.pk, consent, by=scene.by("Coordinator"), now=ASKED)
    AbsenceFactory(
        user=scene.user("Supervisor"),
        stand_in=scene.user("Coordinator"),
        from_at=ASKED - timedelta(hours=1),
        until_at=ASKED + timedelta(hours=1),
    )
    done = approve(row.pk, consent, by=scene.by("Coordinator"), now=ASKED)
    assert done.state == OverrideState.APPLIED


def test_role_whose_people_are_all_away_is_passed_over(scene: Scene) -> None:
    AbsenceFactory(
        user=scene.user("Coordinator"),
        stand_in=None,
        from_at=ASKED - timedelta(hours=1),
        until_at=ASKED + timedelta(hours=1),
    )
    assert wants_to_give(scene).approver == "Supervisor"


def test_rejection_says_why_and_changes_nothing(scene: Scene) -> None:
    row = wants_to_give(scene)
    before = [stop.pk for stop in scene.stops()]
    done = reject_override(
        override_id=row.pk,
        expected_version=row.version,
        reason="too_late",
        by=scene.by("Coordinator"),
        now=ASKED,
    )
    assert done.state == OverrideState.REJECTED
    assert "it makes others late" in told_override(done)
    assert [stop.pk for stop in scene.stops()] == before


def test_only_who_asked_takes_it_back(scene: Scene) -> None:
    row = wants_to_give(scene)
    with pytest.raises(NotTheAsker):
        withdraw_override(override_id=row.pk, by=scene.by("Supervisor"), now=ASKED)
    done = withdraw_override(override_id=row.pk, by=scene.driver(), now=ASKED)
    assert done.state == OverrideState.WITHDRAWN
    with pytest.raises(AlreadyAnswered):
        approve(row.pk, Consent(version=None), by=scene.by("Coordinator"), now=ASKED)


def test_unanswered_request_escalates_then_expires(scene: Scene) -> None:
    row = wants_to_give(scene)
    assert escalate_overrides(now=ASKED + timedelta(minutes=9)) == 0
    assert escalate_overrides(now=ASKED + timedelta(minutes=10)) == 1
    row.refresh_from_db()
    assert (row.approver, row.escalations) == ("Supervisor", 1)  # nobody is a planner
    assert row.escalates_at == ASKED + timedelta(minutes=20)
    assert expire_overrides(now=ASKED + timedelta(minutes=29)) == 0
    assert expire_overrides(now=ASKED + timedelta(minutes=30)) == 1
    row.refresh_from_db()
    assert (row.state, row.answered_by) == (OverrideState.EXPIRED, str(SYSTEM))
    assert "Nobody answered" in told_override(row)
    assert expire_overrides(now=ASKED + timedelta(minutes=31)) == 0


def test_repeated_request_is_the_first_one(scene: Scene) -> None:
    values = {"stop_id": str(scene.stops()[0].pk), "reason": "closed"}
    first = scene.asks("skip_stop", values, client_id="e-1")
    again = scene.asks("skip_stop", values, client_id="e-1")
    assert (first.pk, Override.objects.count()) == (again.pk, 1)
    assert Entry.objects.filter(kind="override.asked").count() == 1


def test_driver_asks_for_the_own_route_alone(scene: Scene) -> None:
    with pytest.raises(NotYours):
        scene.asks("lock_route", {"route_id": str(scene.routes[1].pk)})


def test_change_that_cannot_be_done_says_so(scene: Scene) -> None:
    stop = scene.stops()[0]
    row = scene.asks("skip_stop", {"stop_id": str(stop.pk), "reason": "closed"})
    Stop.objects.filter(pk=stop.pk).update(status="succeeded", completed_at=ASKED)
    row = priced(row)
    assert row.state == OverrideState.FAILED
    assert row.problem
    assert "cannot be done" in told_override(row)
    assert "Stop 1 is succeeded already" in told_override(row)


def test_approval_of_a_plan_that_moved_on_asks_again(scene: Scene) -> None:
    """What was looked at cost less than it does by now: nothing is applied."""
    row = wants_to_give(scene)
    assert row.impact is not None
    cheap = {**row.impact, "minutes": -999, "cost_minor": -99999, "version": "older"}
    Override.objects.filter(pk=row.pk).update(impact=cheap, impact_version="older")
    before = [stop.pk for stop in scene.stops()]
    with pytest.raises(ImpactChanged) as asked:
        approve(
            row.pk, Consent(version=row.version), by=scene.by("Coordinator"), now=ASKED
        )
    assert "Look at it, and decide again." in asked.value.detail
    row.refresh_from_db()
    assert row.state == OverrideState.WAITING
    assert row.times_priced == 2
    assert row.impact is not None
    assert row.impact["minutes"] > -999
    assert asked.value.extra["version"] == row.version
    assert [stop.pk for stop in scene.stops()] == before
    with pytest.raises(SeenOlder):
        approve(
            row.pk,
            Consent(version=row.version - 1),
            by=scene.by("Coordinator"),
            now=ASKED,
        )
    approve(row.pk, Consent(version=row.version), by=scene.by("Coordinator"), now=ASKED)


def test_approval_with_another_change(scene: Scene) -> None:
    row = wants_to_give(scene)
    instead = from_wire("take_off", {"stop_id": str(row.stop_id), "reason": "Full"})
    done = approve(
        row.pk,
        Consent(version=row.version, instead=instead),
        by=scene.by("Coordinator"),
        now=ASKED,
    )
    assert (done.kind, done.asked_change["shift_id"]) == (
        "take_off",
        str(scene.routes[1].shift_id),
    )
    assert "another change" in told_override(done)


def test_change_put_instead_stays_within_rights(scene: Scene) -> None:
    row = wants_to_give(scene)
    ends = (ASKED + timedelta(hours=6)).isoformat()
    shift = str(scene.routes[0].shift_id)
    instead = from_wire("end_shift_early", {"shift_id": shift, "ends_at": ends})
    with pytest.raises(BeyondRights):
        approve(
            row.pk,
            Consent(version=row.version, instead=instead),
            by=scene.by("Coordinator"),
            now=ASKED,
        )


def test_many_are_approved_together_each_for_itself(scene: Scene) -> None:
    shift = str(scene.routes[1].shift_id)
    rows = [
        scene.asks("give_stop", {"stop_id": str(stop.pk), "shift_id": shift})
        for stop in scene.stops()[-2:]
    ]
    rows = [priced(row) for row in rows]
    gone = rows[0]
    withdraw_override(override_id=gone.pk, by=scene.driver(), now=ASKED)
    answers = approve_all(
        [(row.pk, row.version) for row in rows],
        reason="sensible",
        note="",
        by=scene.by("Supervisor"),
        now=ASKED,
    )
    assert [one.is_applied for one in answers] == [False, True]
    driver = Driver.objects.get(pk=scene.routes[0].driver_id)
    assert driver.name in answers[0].said


def test_named_recommendation_becomes_overridden(scene: Scene) -> None:
    about = Route.objects.get(pk=scene.routes[0].pk).plan.recommendation
    assert about is not None
    Recommendation.objects.filter(pk=about.pk).update(state="issued", settled_at=None)
    values = {"stop_id": str(scene.stops()[-1].pk), "reason": "closed"}
    row = priced(scene.asks("skip_stop", values, recommendation_id=str(about.pk)))
    approve(row.pk, Consent(version=None), by=scene.by("Coordinator"), now=ASKED)
    about.refresh_from_db()
    assert about.state == "overridden"


def test_unknown_reason_is_refused(scene: Scene) -> None:
    values = {"stop_id": str(scene.stops()[0].pk), "reason": "closed"}
    with pytest.raises(Invalid):
        scene.asks("skip_stop", values, reason="because")
