"""The doors to proposals: the office's pages and the API, with who may and what they say."""

from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from apps.core.roles import DATA_ANALYST, MODEL_MONITOR, ROUTE_PLANNER, SUPERVISOR
from apps.routes.selectors import parameters_in_force
from apps.tuning.models import Proposal, ShadowDay
from apps.tuning.plots import day_plot, watch_plot
from apps.tuning.services.deciding import approve
from apps.tuning.services.watching import watch_all
from tests.factories import SERVICE_DATE, DepotFactory
from tests.office import make_user, signed_in
from tests.tuning.rows import EVENING, OFFICE, make_proposal, make_tested

pytestmark = pytest.mark.django_db
FIGURES = {
    "late_min": 12.0,
    "broken": 2,
    "dots": [[3600, 600], [7200, -60], [9000, 1800]],
    "legs": 9,
    "legs_seen": 7,
}


@pytest.fixture(autouse=True)
def in_the_evening() -> Any:
    with time_machine.travel(EVENING, tick=False):
        yield


def shown(row: Proposal, client: Client) -> str:
    answer = client.get(reverse("admin:tuning_proposal_change", args=[row.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, row: Proposal, act: str, **fields: object) -> str:
    url = reverse(f"admin:tuning_proposal_{act}", args=[row.pk])
    sent = {"version": row.version, **fields}
    return client.post(url, sent, follow=True).content.decode()


def test_the_page_shows_what_would_change_why_and_how_past_days_came_out() -> None:
    row = make_tested()
    row.shadow["figures"] = {
        "late_min": {"before": 9.0, "after": 1.5, "mean": -7.5, "low": -9, "high": -6},
        "service_error_s": {
            "before": 120.0,
            "after": 18.0,
            "mean": -102.0,
            "low": -105.0,
            "high": -99.0,
        },
    }
    row.save()
    ShadowDay.objects.create(
        proposal=row,
        service_date=SERVICE_DATE,
        status="done",
        before=FIGURES,
        after={**FIGURES, "late_min": 0.0},
        seen_services=9,
    )
    ShadowDay.objects.create(
        proposal=row,
        service_date=SERVICE_DATE.replace(day=16),
        status="skipped",
        skipped_because="Its first plan is not in the ledger.",
    )
    text = shown(row, signed_in(make_user(SUPERVISOR, row.depot)))
    assert "zone Old town are planned at 3 times their standard" in text
    assert "2 people said so" not in text, "they named no stop of it"
    assert "On past days: Better" in text
    assert "Mean error of a planned service, s" in text
    assert "Late 12.0 → 0.0 min" in text
    assert text.count("rm-plot-after") >= 3
    assert "Left out: Its first plan is not in the ledger." in text
    assert "Stairs." in text
    assert "Approve</button>" in text


def test_words_of_reports_are_for_those_who_work_off_feedback() -> None:
    row = make_tested()
    text = shown(row, signed_in(make_user(DATA_ANALYST, row.depot)))
    assert "Stairs." not in text
    assert "Who said so: 2 reports" in text
    assert "Approve</button>" not in text
    monitor = shown(row, signed_in(make_user(MODEL_MONITOR, row.depot)))
    assert "Stairs." in monitor
    assert "Approve</button>" not in monitor


def test_a_planner_approves_and_takes_back_on_the_page() -> None:
    row = make_tested()
    client = signed_in(make_user(ROUTE_PLANNER, row.depot))
    assert "In force from the next plan on" in send(client, row, "approve")
    row.refresh_from_db()
    assert row.status == "in_force"
    assert parameters_in_force(row.depot_id, EVENING).service_factors
    watch_all(by=OFFICE, now=EVENING)
    text = shown(row, client)
    assert "No day was planned and driven with it yet." in text
    assert "Approved" in text
    assert "say why" in send(client, row, "revert", reason=" ").lower()
    told = send(client, row, "revert", reason="We had another look.")
    assert "The values before are in force again." in told
    row.refresh_from_db()
    assert row.status == "reverted"
    assert parameters_in_force(row.depot_id, EVENING).service_factors == {}


def test_two_who_decide_at_once_one_is_told_that_the_other_was_first() -> None:
    row = make_tested()
    client = signed_in(make_user(SUPERVISOR, row.depot))
    approve(row.pk, by=OFFICE, now=EVENING)
    text = send(client, row, "decline", reason="I would rather not.")
    assert "This was changed meanwhile" in text
    row.refresh_from_db()
    assert row.status == "in_force"


def test_what_lost_or_waits_offers_no_approval() -> None:
    row = make_tested("loses")
    client = signed_in(make_user(SUPERVISOR, row.depot))
    text = shown(row, client)
    assert "It cannot be approved" in text
    assert "Approve</button>" not in text
    told = send(client, row, "approve", reason="I insist on it.")
    assert "would have been worse" in told
    fresh = make_proposal(DepotFactory())
    text = shown(fresh, signed_in(make_user(SUPERVISOR, fresh.depot)))
    assert "Past days are being planned anew" in text
    assert "Approve</button>" not in text
    assert "Decline</button>" in text


def test_the_queue_counts_what_waits() -> None:
    row = make_tested()
    client = signed_in(make_user(SUPERVISOR, row.depot))
    text = client.get(reverse("admin:tuning_proposal_changelist")).content.decode()
    assert "1 waits for a decision" in text
    assert "Services at zone Old town took" in text
    Proposal.objects.update(status="proposed", progress_percent=40)
    text = client.get(reverse("admin:tuning_proposal_changelist")).content.decode()
    assert "Nothing waits for a decision" in text
    assert "40 % replayed" in text


def test_the_api_lists_shows_and_decides() -> None:
    row = make_tested("undecided")
    client = signed_in(make_user(SUPERVISOR, row.depot))
    found = client.get("/api/v1/proposals", {"status": "shadow_tested"}).json()
    assert [each["id"] for each in found["results"]] == [str(row.pk)]
    whole = client.get(f"/api/v1/proposals/{row.pk}").json()
    assert (whole["reports"], whole["shadow_days"]) == (2, [])

    def post(act: str, **body: object) -> Any:
        return client.post(
            f"/api/v1/proposals/{row.pk}/{act}", body, content_type="application/json"
        )

    refused = post("approve")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/reason"
    reason = "All drivers say so of that zone."
    assert post("approve", reason=reason, version=9).status_code == 412
    done = post("approve", reason=reason, version=2)
    assert (done.status_code, done.json()["status"]) == (200, "in_force")
    again = post("decline", reason="No.")
    assert (again.status_code, again.json()["allowed"]) == (409, ["kept", "reverted"])
    assert post("revert", reason="Another look.").json()["status"] == "reverted"


def test_plots_have_their_marks_within_the_frame() -> None:
    plot = day_plot(FIGURES, {"dots": [[3600, 0]]})
    assert plot is not None
    for dot in (*plot.before, *plot.after):
        assert 0 <= dot.x <= plot.width
        assert 0 <= dot.y <= plot.height
    assert plot.levels[0][1] == "-10"
    assert plot.before[0].words == "1 h 00 after the start: +10 min"
    assert day_plot({}, {}) is None
    assert watch_plot({}) is None
    watch = {
        "error": {"before": 100.0, "band": 10.0},
        "days": [
            {"date": "2026-03-16", "phase": "before", "error": 98.0, "services": 30},
            {"date": "2026-03-17", "phase": "after", "error": 20.0, "services": 28},
        ],
    }
    drawn = watch_plot(watch)
    assert drawn is not None
    assert drawn.band is not None
    assert drawn.usual is not None
    assert drawn.band[0] < drawn.usual < drawn.band[0] + drawn.band[1]
