"""Two people at once: one wins, and the other is told by name."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine

from apps.core.problems import Conflict
from apps.journal.models import Entry
from apps.overrides import pricing
from apps.overrides.models import Override
from apps.overrides.pricing import CannotBeDone, Consent, approve, price_override
from apps.overrides.services.answering import reject_override
from apps.overrides.services.closing import AlreadyAnswered
from apps.overrides.states import OverrideState
from apps.routes.changes import Change
from apps.routes.impact import prepare_change
from apps.routes.models import Stop
from apps.routes.services.changing import Prepared
from apps.routes.subjects import CannotChange
from tests.overrides.days import ASKED, Scene, make_scene, priced
from tests.sync.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with time_machine.travel(ASKED, tick=False):
        yield make_scene()


def test_one_of_two_answers_at_once_counts_and_the_other_hears_whose(
    scene: Scene,
) -> None:
    """Approved by one while the other rejects: each on a connection of its own."""
    values = {
        "stop_id": str(scene.stops()[-1].pk),
        "shift_id": str(scene.routes[1].shift_id),
    }
    row = priced(scene.asks("give_stop", values))
    first, second = scene.by("Coordinator"), scene.by("Supervisor")
    names = {
        str(first): scene.user("Coordinator").username,
        str(second): scene.user("Supervisor").username,
    }

    def approved() -> object:
        consent = Consent(version=row.version)
        try:
            return approve(row.pk, consent, by=first, now=ASKED)
        except Conflict as problem:
            return [problem]

    def rejected() -> object:
        try:
            return reject_override(
                override_id=row.pk,
                expected_version=row.version,
                reason="too_late",
                by=second,
                now=ASKED,
            )
        except Conflict as problem:
            return [problem]

    answers = at_once(approved, rejected)
    [won] = [one for one in answers if isinstance(one, Override)]
    [[lost]] = [one for one in answers if isinstance(one, list)]
    assert isinstance(lost, AlreadyAnswered)
    row.refresh_from_db()
    assert (row.state, row.answered_by) == (won.state, won.answered_by)
    assert names[row.answered_by] in lost.detail
    ends = Entry.objects.filter(
        subject_id=str(row.pk), kind__in=["override.applied", "override.rejected"]
    )
    assert ends.count() == 1
    stop = Stop.objects.get(pk=values["stop_id"])
    is_given = stop.route_id == scene.routes[1].pk
    assert is_given == (row.state == OverrideState.APPLIED)


def test_request_that_is_priced_twice_at_once_is_decided_once(scene: Scene) -> None:
    """By the door and in the background: both return the same answer, none a refusal."""
    shift = {"shift_id": str(scene.routes[0].shift_id)}
    change = {**shift, "ends_at": (ASKED + timedelta(hours=7)).isoformat()}
    row = scene.office_asks("Supervisor", "end_shift_early", change)

    def price() -> Override:
        return price_override(row.pk, now=ASKED)

    first, second = at_once(price, price)
    assert (first.state, first.version) == (second.state, second.version)
    assert first.state == OverrideState.APPLIED
    ends = Entry.objects.filter(subject_id=str(row.pk), kind="override.applied")
    assert ends.count() == 1


def test_request_that_cannot_be_done_does_not_undo_an_answer_given_at_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One finds that it cannot be done, the other rejects it: one end, one is told."""
    values = {
        "stop_id": str(scene.stops()[-1].pk),
        "shift_id": str(scene.routes[1].shift_id),
    }
    row = priced(scene.asks("give_stop", values))
    first, second = scene.by("Coordinator"), scene.by("Supervisor")
    names = {str(second): scene.user("Supervisor").username, "system": "system"}

    def impossible(change: Change, *, now: datetime) -> Prepared:
        raise CannotChange("The other driver has gone home.")

    monkeypatch.setattr(pricing, "prepare_change", impossible)

    def approved() -> object:
        try:
            return approve(row.pk, Consent(version=row.version), by=first, now=ASKED)
        except Conflict as problem:
            return [problem]

    def rejected() -> object:
        try:
            return reject_override(
                override_id=row.pk,
                expected_version=row.version,
                reason="too_late",
                by=second,
                now=ASKED,
            )
        except Conflict as problem:
            return [problem]

    said, other = at_once(approved, rejected)
    assert isinstance(said, list)
    row.refresh_from_db()
    ends = Entry.objects.filter(
        subject_id=str(row.pk), kind__in=["override.failed", "override.rejected"]
    )
    assert [one.kind for one in ends] == [f"override.{row.state}"]
    if row.state == OverrideState.REJECTED:
        assert isinstance(said[0], AlreadyAnswered)
        assert names[str(second)] in said[0].detail
        assert row.problem == ""
    else:
        assert isinstance(said[0], CannotBeDone)
        assert isinstance(other, list)
        assert isinstance(other[0], AlreadyAnswered)
    settled = Entry.objects.filter(
        kind="recommendation.settled", subject_id=str(row.priced_as_id)
    )
    assert settled.count() == 1


def test_worker_that_found_it_impossible_does_not_end_what_was_priced_meanwhile(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers price one request; what the faster one found is what counts."""
    values = {
        "stop_id": str(scene.stops()[-1].pk),
        "shift_id": str(scene.routes[1].shift_id),
    }
    row = scene.asks("give_stop", values)
    decided = threading.Event()
    slow = threading.local()

    def prepared(change: Change, *, now: datetime) -> Prepared:
        if getattr(slow, "is_this", False):
            assert decided.wait(timeout=30)
            raise CannotChange("There was no such shift a moment ago.")
        return prepare_change(change, now=now)

    monkeypatch.setattr(pricing, "prepare_change", prepared)

    def slower() -> Override:
        slow.is_this = True
        return price_override(row.pk, now=ASKED)

    def faster() -> Override:
        try:
            return price_override(row.pk, now=ASKED)
        finally:
            decided.set()

    first, second = at_once(slower, faster)
    assert (first.state, first.version) == (second.state, second.version)
    row.refresh_from_db()
    assert (row.state, row.problem) == (OverrideState.WAITING, "")


def test_same_request_at_once_is_one(scene: Scene) -> None:
    values = {"stop_id": str(scene.stops()[0].pk), "reason": "closed"}

    def ask() -> Override:
        return scene.asks("skip_stop", values, client_id="the-same")

    first, second = at_once(ask, ask)
    assert (first.pk, Override.objects.count()) == (second.pk, 1)
