"""Verdicts and proposals in the admin and by the API."""

import pytest
from django.test import Client

from apps.core.actors import SYSTEM
from apps.overrides.models import DecisionRight
from apps.verdicts.models import RightsProposal, Verdict
from apps.verdicts.services.judging import judge_shift
from apps.verdicts.services.proposing import propose_rights
from tests.factories import NOW, UserFactory
from tests.office import make_user, signed_in
from tests.verdicts.days import AFTER, Driven, make_driven, overridden
from tests.verdicts.test_proposing import verdicts

pytestmark = pytest.mark.django_db

ALONG = (1, 2, 3, 4, 5, 6)
ZIGZAG = (4, 1, 5, 2, 6, 3)


@pytest.fixture
def driven() -> Driven:
    made = make_driven(*ALONG)
    overridden(made, ZIGZAG, ALONG)
    judge_shift(made.shift, by=SYSTEM, now=AFTER)
    return made


def office(driven: Driven, role: str = "Supervisor") -> Client:
    return signed_in(make_user(role, driven.depot))


def chief() -> Client:
    return signed_in(UserFactory(is_superuser=True, is_staff=True))


def test_verdict_page_shows_both_ways(driven: Driven) -> None:
    row = Verdict.objects.get()
    page = office(driven).get(f"/admin/verdicts/verdict/{row.pk}/change/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "The way that was chosen was better" in text
    assert text.count("<rect") >= 20
    assert driven.stops[3].order.reference in text
    assert "nobody is ranked" in text
    assert driven.route.driver.name not in text


def test_list_shows_records_from_five_on(driven: Driven) -> None:
    client = office(driven)
    assert (
        "No role has enough" in client.get("/admin/verdicts/verdict/").content.decode()
    )
    verdicts(driven.depot, 4)
    Verdict.objects.update(judged_at=AFTER)
    with_records = client.get("/admin/verdicts/verdict/").content.decode()
    assert "Move a stop within its route" in with_records


def test_api_returns_verdicts_of_ones_depots(driven: Driven) -> None:
    client = office(driven)
    [found] = client.get("/api/v1/verdicts?ruling=right").json()["results"]
    assert found["role"] == "Driver"
    assert "gained" in found["text"]
    assert "arithmetic" not in found
    whole = client.get(f"/api/v1/verdicts/{found['id']}").json()
    assert len(whole["arithmetic"]["chosen"]["steps"]) == 7
    other = office(make_driven(*ALONG))
    assert other.get("/api/v1/verdicts").json()["results"] == []
    assert other.get(f"/api/v1/verdicts/{found['id']}").status_code == 404


def test_proposal_is_signed_and_taken_back_in_the_admin(driven: Driven) -> None:
    verdicts(driven.depot, 30)
    [row] = propose_rights(by=SYSTEM, now=NOW)
    client, page = chief(), f"/admin/verdicts/rightsproposal/{row.pk}"
    shown = client.get(f"{page}/change/").content.decode()
    assert "minutes more: 10 → 15" in shown
    assert "100 %" in shown
    assert client.get(f"{page}/sign/").status_code == 200
    assert client.post(f"{page}/sign/", {"because": ""}).status_code == 302
    new = DecisionRight.objects.get(
        kind="move_stop", role="Driver", outcome="allowed", valid_until=None
    )
    assert new.max_minutes == 15
    assert "Earned by its record: 31 right" in new.why
    assert client.post(f"{page}/take-back/", {"reason": "No."}).status_code == 302
    row.refresh_from_db()
    assert row.state == "taken_back"


def test_proposal_is_declined_with_a_reason(driven: Driven) -> None:
    verdicts(driven.depot, 0, 30)
    [row] = propose_rights(by=SYSTEM, now=NOW)
    client, page = chief(), f"/admin/verdicts/rightsproposal/{row.pk}"
    assert client.post(f"{page}/decline/", {"reason": ""}).status_code == 200
    assert client.post(f"{page}/decline/", {"reason": "Not yet"}).status_code == 302
    assert RightsProposal.objects.get().reason == "Not yet"
    supervisor = office(driven)
    shown = supervisor.get(f"{page}/change/").content.decode()
    assert "Not yet" in shown
    assert supervisor.get(f"{page}/sign/").status_code == 403
    [told] = supervisor.get("/api/v1/rights-proposals").json()["results"]
    assert told["limits"]["max_minutes"] == [10, 6]
