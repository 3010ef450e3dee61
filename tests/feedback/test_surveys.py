"""Surveys: their versions, whom they are put before and when, and what is shown of them."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core.actors import SYSTEM, Actor
from apps.core.problems import Invalid
from apps.core.states import IllegalStep
from apps.drivers.models import Driver
from apps.feedback.charts import bars_of
from apps.feedback.models import Response, Survey, SurveyAsk
from apps.feedback.questions import read_questions
from apps.feedback.scores import tally
from apps.feedback.selectors import live_survey, results_of
from apps.feedback.services import (
    Answerer,
    Origin,
    SurveyDraft,
    answer_on_device,
    ask_driver,
    expire_asks,
    make_live,
    record_response,
    retire_survey,
    write_survey,
)
from apps.journal.models import Change
from config.reactions import REACTIONS
from tests.factories import NOW, DepotFactory, DriverFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
QUESTIONS = [{"id": "q", "kind": "csat", "text": {"en": "How was it?"}}]


def draft(**values: Any) -> SurveyDraft:
    usual: dict[str, Any] = {
        "key": "day",
        "audience": "drivers",
        "title": {"en": "Day"},
        "questions": QUESTIONS,
        "trigger": "shift.ended",
        "cap_days": 7,
    }
    return SurveyDraft(**usual | values)


def live(**values: Any) -> Survey:
    row = write_survey(draft(**values), by=SYSTEM, now=NOW)
    return make_live(survey_id=row.pk, by=SYSTEM, now=NOW)


def ask(
    driver: Driver, at: Any = NOW, because: str = "shift.ended"
) -> SurveyAsk | None:
    return ask_driver(
        driver_id=driver.pk, because=because, about="shift:1", by=SYSTEM, now=at
    )


def test_survey_has_one_live_version() -> None:
    first, second = live(), live(title={"en": "The day"})
    assert (first.version, second.version) == (1, 2)
    first.refresh_from_db()
    assert (first.status, live_survey("day")) == ("retired", second)
    with pytest.raises(IllegalStep):
        make_live(survey_id=first.pk, by=SYSTEM, now=NOW)


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"key": "A day"}, "/key"),
        ({"audience": "all"}, "/audience"),
        ({"title": {}}, "/title"),
        ({"trigger": "shift.lost"}, "/trigger"),
        ({"audience": "customers"}, "/trigger"),
        ({"least_answers": 1}, "/least_answers"),
        ({"questions": []}, "/questions"),
    ],
)
def test_survey_that_is_none(values: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        write_survey(draft(**values), by=SYSTEM, now=NOW)
    assert pointer in [fault.pointer for fault in caught.value.errors]


def test_every_trigger_has_its_reaction() -> None:
    from apps.feedback.services.surveys import TRIGGERS  # noqa: PLC0415

    asked = {
        kind
        for kind, rows in REACTIONS.items()
        if any(task == "apps.feedback.tasks.ask_after" for task, _ in rows)
    }
    assert asked == set(TRIGGERS)


def test_ask_driver_goes_by_the_caps() -> None:
    retire_survey(survey_id=Survey.objects.get(key="pulse").pk, by=SYSTEM, now=NOW)
    survey, driver = live(), DriverFactory()
    first = ask(driver)
    assert first is not None
    assert Change.objects.filter(table="surveys", deleted=False).count() == 1
    assert ask(driver, NOW + DAY / 2) is None
    assert ask(driver, NOW + DAY) is None
    assert ask(DriverFactory(), NOW) is not None
    assert ask(DriverFactory(is_active=False), NOW) is None
    assert ask(DriverFactory(), NOW, because="stop.failed") is None
    assert expire_asks(by=SYSTEM, now=NOW + 4 * DAY) == 2
    assert Change.objects.filter(table="surveys", deleted=True).count() == 2
    assert ask(driver, NOW + 6 * DAY) is None
    again = ask(driver, NOW + 7 * DAY)
    assert again is not None
    live(key="day")
    assert ask(driver, NOW + 9 * DAY) is None, (
        "the cap is the survey's, not a version's"
    )
    assert survey.asks.filter(closed_at=None).count() == 0


def test_answer_on_device_counts_once_and_takes_the_survey_away() -> None:
    driver = DriverFactory(language="de")
    asked = ask(driver)
    assert asked is not None

    def answer(answers: dict[str, Any]) -> Response:
        return answer_on_device(
            survey_id=asked.pk,
            answers=answers,
            driver_id=driver.pk,
            depot_id=driver.depot_id,
            event_id="e1",
            answered_at=NOW,
            by=Actor("driver", str(driver.pk)),
            now=NOW,
        )

    given = {"confidence": 6, "heard": 2}
    row = answer(given)
    assert answer(given) == row
    assert (row.role, row.language, row.source) == ("driver", "de", "device")
    asked.refresh_from_db()
    assert (asked.response, asked.closed_at) == (row, NOW)


def respond(
    survey: Survey, depot: Any, number: int, at: Any = NOW, **answers: Any
) -> None:
    record_response(
        survey_id=survey.pk,
        answers=answers,
        answerer=Answerer(depot.pk, role="driver"),
        origin=Origin("link", f"link:{survey.key}:{at}:{number}"),
        answered_at=at,
        by=SYSTEM,
        now=at,
    )


def test_results_are_shown_from_the_least_count_on() -> None:
    survey, depot = Survey.objects.get(key="delivery"), DepotFactory()
    for number in range(4):
        respond(survey, depot, number, csat=number + 2, nps=10)
    assert results_of(survey) == results_of(survey, [depot.pk])
    assert not results_of(survey).is_shown
    assert results_of(survey).tallies == ()
    respond(survey, depot, 5, csat=1)
    found = results_of(survey)
    csat, nps, words = found.tallies
    assert (csat.count, csat.mean, csat.score) == (5, 3.0, 40.0)
    assert (nps.count, nps.is_shown, nps.by_value, nps.score) == (4, False, (), None)
    assert words.texts == ()
    assert [bar.width for bar in bars_of(csat)] == [100.0] * 5
    assert not results_of(survey, [DepotFactory().pk]).is_shown


def test_nps_and_choices_are_counted_as_their_makers_do() -> None:
    [nps] = read_questions([{"id": "n", "kind": "nps", "text": {"en": "?"}}])
    assert tally(nps, [10, 9, 8, 7, 6, 0, None]).score == 0.0
    raw = {"id": "c", "kind": "choice", "many": True, "text": {"en": "?"}}
    options = [{"value": v, "text": {"en": v.upper()}} for v in ("a", "b")]
    [choice] = read_questions([{**raw, "options": options}])
    counted = tally(choice, [["a", "b"], ["a"], None])
    assert counted.by_value == (("a", 2), ("b", 1))
    assert [bar.label for bar in bars_of(counted)] == ["A", "B"]
