"""One recommendation's page and its API tell all that came of it, each to whom it may."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.core.actors import SYSTEM
from apps.feedback.models import Feedback
from apps.recommendations import services
from apps.recommendations.models import Recommendation
from apps.recommendations.states import RecommendationState
from apps.verdicts.models import RightsProposal, Verdict
from apps.verdicts.services.judging import judge_shift
from apps.verdicts.services.proposing import propose_rights
from tests.factories import NOW
from tests.office import make_user, signed_in
from tests.tuning.rows import make_proposal
from tests.verdicts.days import AFTER, Driven, make_driven, overridden
from tests.verdicts.test_proposing import verdicts

pytestmark = pytest.mark.django_db

ALONG = (1, 2, 3, 4, 5, 6)
ZIGZAG = (4, 1, 5, 2, 6, 3)


@pytest.fixture
def driven() -> Driven:
    """A plan that somebody objected to, decided otherwise, drove, and that was judged."""
    made = make_driven(*ALONG)
    overridden(made, ZIGZAG, ALONG)
    row = of(made)
    said = Feedback.objects.create(
        depot=made.depot,
        recommendation=row,
        person=f"driver:{made.route.driver_id}",
        role="driver",
        driver=made.route.driver,
        rating=1,
        text="It crosses the river twice.",
        is_objection=True,
        given_at=NOW,
        received_at=NOW,
        raised_at=NOW,
    )
    services.settle(
        row.pk,
        state=RecommendationState.OVERRIDDEN,
        outcome={"text": "A stop was moved."},
        by=SYSTEM,
        now=NOW + timedelta(hours=1),
    )
    judge_shift(made.shift, by=SYSTEM, now=AFTER)
    make_proposal(made.depot).reports.add(said)
    return made


def of(driven: Driven) -> Recommendation:
    row = driven.route.plan.recommendation
    assert row is not None
    return row


def office(driven: Driven, role: str = "Supervisor") -> Client:
    return signed_in(make_user(role, driven.depot))


def story(driven: Driven, client: Client) -> dict[str, Any]:
    answer = client.get(f"/api/v1/recommendations/{of(driven).pk}/story")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_story_ties_everything_in_the_order_of_time(driven: Driven) -> None:
    told = story(driven, office(driven))
    stages = [step["stage"] for step in told["steps"]]
    assert set(stages) == {
        *("issued", "feedback", "override", "outcome", "verdict", "change"),
    }
    times = [step["at"] for step in told["steps"]]
    assert times == sorted(times)
    assert told["not_yet"] == []
    assert told["recommendation"]["state"] == "overridden"
    by_stage = {step["stage"]: step for step in told["steps"]}
    assert "crosses the river" in by_stage["feedback"]["text"]
    assert by_stage["feedback"]["who"] == "Driver"
    assert by_stage["verdict"]["subject_id"] == str(Verdict.objects.get().pk)
    assert "was better" in by_stage["verdict"]["text"]
    assert driven.route.driver.name not in str(told)


def test_story_leaves_out_what_the_reader_may_not_see(driven: Driven) -> None:
    reader = office(driven, "Route planner")
    seen = {step["stage"] for step in story(driven, reader)["steps"]}
    may = {
        "feedback": "feedback.view_feedback",
        "verdict": "verdicts.view_verdict",
        "change": "tuning.view_proposal",
    }
    user = make_user("Route planner", driven.depot)
    assert {stage for stage in may if user.has_perm(may[stage])} == seen & may.keys()


def test_story_names_the_decision_right_that_its_verdict_speaks_for(
    driven: Driven,
) -> None:
    verdicts(driven.depot, 30)
    mine = Verdict.objects.filter(override__isnull=False).order_by("pk").first()
    assert mine is not None
    propose_rights(by=SYSTEM, now=AFTER + timedelta(days=1))
    right = RightsProposal.objects.get()
    right.evidence["verdicts"].append(str(mine.pk))
    right.kind, right.role = mine.kind, mine.role
    right.save()
    told = story(driven, office(driven))
    ids = {step["subject_id"] for step in told["steps"] if step["stage"] == "change"}
    assert str(right.pk) in ids


def test_pages_of_recommendation_request_and_route_lead_to_each_other(
    driven: Driven,
) -> None:
    client = office(driven)
    verdict = Verdict.objects.get()
    said = Feedback.objects.get(is_objection=True)
    page = client.get(
        f"/admin/recommendations/recommendation/{of(driven).pk}/change/"
    ).content.decode()
    assert "From end to end" in page
    assert "It crosses the river twice." in page
    for path in (
        f"/admin/overrides/override/{verdict.override_id}/change/",
        f"/admin/routes/route/{driven.route.pk}/change/",
    ):
        text = client.get(path).content.decode()
        assert f"/admin/verdicts/verdict/{verdict.pk}/change/" in text
        assert f"/admin/recommendations/recommendation/{of(driven).pk}/" in text
        assert f"/admin/feedback/feedback/{said.pk}/" in text
