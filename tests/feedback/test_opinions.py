"""Feedback: one a person a recommendation, with its history, answered and measured."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from apps.core.actors import SYSTEM, Actor
from apps.core.problems import Invalid, NotFound
from apps.core.states import IllegalStep
from apps.drivers.models import Driver
from apps.feedback.models import Feedback, FeedbackEdit
from apps.feedback.selectors import answer_times
from apps.feedback.services import (
    Opinion,
    Speaker,
    act_on,
    decline,
    mark_seen,
    record_feedback,
)
from apps.feedback.words import answer_in_words, reason_in_words, sentences
from apps.journal.models import Change, Entry
from apps.recommendations import words as ledger_words
from apps.recommendations.models import Recommendation
from apps.recommendations.services import Draft, issue
from tests.factories import NOW, DriverFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
OFFICE = Actor("user", "7")


@pytest.fixture
def driver() -> Driver:
    row: Driver = DriverFactory()
    return row


@pytest.fixture
def advice(driver: Driver) -> Recommendation:
    draft = Draft(
        kind="plan",
        depot_id=driver.depot_id,
        subject_type="plan",
        subject_id="1",
        inputs=b"{}",
        answer=b"{}",
        engine="test",
        engine_version="1",
        seed=0,
        mode="rules",
    )
    return issue(draft, by=SYSTEM, now=NOW)


def say(
    driver: Driver,
    advice: Recommendation | None,
    key: str = "event:1",
    at: datetime = NOW,
    **opinion: object,
) -> Feedback:
    by = Actor("driver", str(driver.pk))
    return record_feedback(
        recommendation_id=advice.pk if advice else None,
        speaker=Speaker(by, "driver", driver.depot_id, driver.pk),
        opinion=Opinion(**opinion),  # type: ignore[arg-type]
        given_at=at,
        source_key=key,
        by=by,
        now=at,
    )


def test_record_feedback_once_a_person_with_its_history(
    driver: Driver, advice: Recommendation
) -> None:
    first = say(driver, advice, rating=2, attachment_id="photo-1")
    again = say(driver, advice, "event:2", NOW + HOUR, rating=4, text="Better now.")
    assert first.pk == again.pk
    assert (again.rating, again.text, again.version) == (4, "Better now.", 2)
    assert again.attachment_id == "photo-1"
    late = say(driver, advice, "event:3", NOW - HOUR, rating=1)
    late.refresh_from_db()
    assert late.rating == 4
    repeated = say(driver, advice, "event:2", NOW + HOUR, rating=4)
    assert repeated.pk == first.pk
    ratings = FeedbackEdit.objects.filter(feedback=first).values_list(
        "rating", flat=True
    )
    assert list(ratings) == [1, 2, 4]
    other = say(DriverFactory(depot=driver.depot), advice, "event:4", rating=5)
    assert other.pk != first.pk
    assert Change.objects.filter(table="feedback_answers").count() == 2


def test_record_feedback_keeps_words_out_of_the_journal(
    driver: Driver, advice: Recommendation
) -> None:
    say(driver, advice, reason="too hot", text="My phone is 0911 1234.")
    [entry] = Entry.objects.filter(kind="feedback.recorded")
    assert "0911" not in str(entry.payload)
    row = Feedback.objects.get()
    assert (row.reason, row.text) == ("other", "too hot: My phone is 0911 1234.")


def test_record_feedback_refuses_what_says_nothing(
    driver: Driver, advice: Recommendation
) -> None:
    silent: list[dict[str, Any]] = [{}, {"rating": 6}, {"text": "x" * 2001}]
    for opinion in silent:
        with pytest.raises(Invalid):
            say(driver, advice, **opinion)
    elsewhere = DriverFactory()
    with pytest.raises(NotFound):
        say(elsewhere, advice, rating=1)
    assert not Feedback.objects.exists()


def test_record_feedback_without_a_recommendation_is_kept_each_time(
    driver: Driver,
) -> None:
    say(driver, None, text="The gate is shut.")
    say(driver, None, "event:2", text="The gate is open.")
    assert Feedback.objects.count() == 2


def test_feedback_is_seen_answered_and_opened_again_when_said_anew(
    driver: Driver, advice: Recommendation
) -> None:
    row = say(driver, advice, rating=1, is_objection=True)
    seen = mark_seen(feedback_id=row.pk, by=OFFICE, now=NOW + HOUR)
    assert (seen.status, seen.seen_by) == ("seen", "user:7")
    done = act_on(
        feedback_id=row.pk,
        code="plan_changed",
        words=" Look at it now. ",
        by=OFFICE,
        now=NOW + 2 * HOUR,
    )
    assert (done.status, done.answer) == ("actioned", "Look at it now.")
    entry = Entry.objects.get(kind="feedback.actioned")
    assert entry.payload["took_s"] == 7200
    with pytest.raises(IllegalStep):
        decline(feedback_id=row.pk, code="promised", by=OFFICE, now=NOW + 2 * HOUR)
    anew = say(driver, advice, "event:2", NOW + 3 * HOUR, rating=1, text="No.")
    assert (anew.status, anew.answered_at, anew.answer) == ("new", None, "")
    assert [each.words for each in anew.answers.all()] == ["Look at it now."]
    declined = decline(
        feedback_id=row.pk, code="promised", by=OFFICE, now=NOW + 4 * HOUR
    )
    assert declined.status == "declined"
    with pytest.raises(Invalid):
        act_on(feedback_id=row.pk, code="promised", by=OFFICE, now=NOW)


def test_time_to_answer_is_measured(driver: Driver) -> None:
    for number in range(4):
        row = say(driver, None, f"event:{number}", text="?")
        if number < 3:
            act_on(
                feedback_id=row.pk,
                code="thanks",
                by=OFFICE,
                now=NOW + (number + 1) * HOUR,
            )
    found = answer_times(Feedback.objects.all(), since=NOW - HOUR, now=NOW + 10 * HOUR)
    assert (found.answered, found.waiting) == (3, 1)
    assert (found.median_s, found.longest_waiting_s) == (7200, 36_000)
    nothing = answer_times(Feedback.objects.none(), since=NOW, now=NOW)
    assert (nothing.median_s, nothing.slowest_tenth_s) == (None, None)


@pytest.mark.parametrize("code", ["de", "es", "fr"])
def test_every_sentence_is_translated(code: str) -> None:
    with translation.override(code):
        for text in sentences() + ledger_words.sentences():
            assert translation.gettext(text) != text, text


def test_reasons_and_answers_speak_the_drivers_language() -> None:
    with translation.override("de"):
        assert reason_in_words("detour") == "Es ist ein Umweg"
        assert answer_in_words("plan_changed", "Danke!").endswith("Danke!")
        served = {"code": "served", "count": 12, "routes": 2, "text": "12 stops."}
        assert ledger_words.said(served) == "12 Halte auf 2 Touren."
        assert "Büro" in ledger_words.how_to_object("driver")
    assert ledger_words.said({"code": "served", "text": "old"}) == "old"
    assert ledger_words.said({"code": "?", "text": "As it is."}) == "As it is."
