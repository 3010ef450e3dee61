"""A plan answers for itself: by the API and on the office's pages, at once or by a task."""

import uuid
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from apps.core.models import TaskRun
from apps.core.problems import Problem
from apps.depots.models import Depot
from apps.orders.models import Order
from apps.recommendations.models import Content, Recommendation
from apps.routes.models import Plan, Route, Stop
from apps.routes.why import ledger
from apps.routes.why.ledger import Stage
from apps.routes.why.questions import About, Question
from tests.factories import NOW, SERVICE_DATE
from tests.office import make_user, signed_in
from tests.queueing import drain
from tests.routes.days import begin, make_day, make_order, publish_day, report, sequence

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_six_in_the_morning() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def day() -> Depot:
    """A published day with an order that nobody can bring."""
    depot = make_day(orders=6, shifts=2)
    make_order(depot, 7, reference="CRANE", requires=["crane"])
    publish_day(depot)
    return depot


def plan_of(depot: Depot) -> Plan:
    return Plan.objects.get(depot=depot, kind=Plan.Kind.DAY)


def longest(depot: Depot) -> list[Stop]:
    """The stops of the day's longest route."""
    routes = Route.objects.filter(depot=depot)
    return max((sequence(route) for route in routes), key=len)


def programme(depot: Depot, role: str = "Supervisor") -> APIClient:
    client = APIClient()
    client.force_authenticate(make_user(role, depot))
    return client


def asked(client: APIClient, plan: Plan, **query: Any) -> Any:
    return client.get(f"/api/v1/plans/{plan.pk}/explanations", query)


def page(client: Client, plan: Plan, **query: Any) -> str:
    answer = client.get(reverse("admin:routes_plan_why", args=[plan.pk]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_left_out_order_says_what_would_serve_it(day: Depot) -> None:
    order = Order.objects.get(reference="CRANE")
    client = programme(day)
    [row] = client.get(f"/api/v1/depots/{day.pk}/days/{SERVICE_DATE}/left-out").json()
    assert row["plan_id"] == str(plan_of(day).pk)
    body = asked(client, plan_of(day), about="left_out", order=order.pk).json()
    assert body["stage"] == "answered"
    answer = body["answer"]
    assert answer["summary"].startswith("CRANE is left out: nobody who may take it")
    [blocker] = answer["blockers"]
    assert blocker["codes"] == ["lacks"]
    assert "provide “crane”" in blocker["text"]
    [cheapest] = [one for one in answer["options"] if one["is_cheapest"]]
    assert cheapest["code"] == "drop_capability"
    assert cheapest["cost_minor"] > 0


def test_stop_says_why_it_is_there(day: Depot) -> None:
    stop = longest(day)[1]
    body = asked(programme(day), plan_of(day), about="stop", order=stop.order_id).json()
    assert body["answer"]["title"] == f"Why stop 2 ({stop.order.reference}) is there"
    assert body["answer"]["options"]


def test_other_order_of_stops_is_priced(day: Depot) -> None:
    stops = longest(day)
    last, first = stops[-1], stops[0]
    body = asked(
        programme(day),
        plan_of(day),
        about="beside",
        order=last.order_id,
        other=first.order_id,
    ).json()
    price = body["answer"]["price"]
    assert price["summary"].startswith(
        f"Stop {len(stops)} ({last.order.reference}) before stop 1 "
    )
    assert price["cost_minor"] == sum(part["minor"] for part in price["parts"])
    assert body["answer"]["around"] is None


def test_cost_adds_up_to_the_plans_own(day: Depot) -> None:
    plan = plan_of(day)
    table = asked(programme(day), plan).json()["answer"]["table"]
    assert table["total"]["total"] == plan.totals["cost_minor"]
    assert sum(row["total"] for row in table["rows"]) == plan.totals["cost_minor"]


def test_plan_of_a_running_day_numbers_stops_as_the_route_does(day: Depot) -> None:
    stops = longest(day)
    route = stops[0].route
    assert route is not None
    begin(route.shift, NOW + timedelta(hours=1))
    at = NOW + timedelta(hours=4)
    with time_machine.travel(at):
        report(stops[0], "stop.arrived", at)
        report(stops[0], "stop.succeeded", at)
        drain()
        route.refresh_from_db()
        assert route.plan.kind == Plan.Kind.REPLAN
        last = sequence(route)[-1]
        asked_stop = Question(about=About.STOP, order=str(last.order_id))
        answer = ledger.answer_now(route.plan, asked_stop)
    assert answer.title == f"Why stop {last.sequence} ({last.order.reference}) is there"


def test_question_that_needs_a_search_goes_to_the_background(day: Depot) -> None:
    stops = longest(day)
    plan, client = plan_of(day), programme(day)
    question = {
        "about": "beside",
        "order": str(stops[-1].order_id),
        "other": str(stops[0].order_id),
        "around": True,
    }
    assert asked(client, plan, **question).json()["stage"] == "not_asked"
    address = f"/api/v1/plans/{plan.pk}/explanations"
    first = client.post(address, question, format="json")
    assert (first.status_code, first.json()["stage"]) == (202, "queued")
    assert client.post(address, question, format="json").json()["stage"] == "queued"
    assert TaskRun.objects.filter(task=ledger.TASK).count() == 1
    drain()
    body = asked(client, plan, **question).json()
    assert body["stage"] == "answered"
    answer = body["answer"]
    assert answer["price"]["summary"] == answer["summary"]
    assert answer["around"] or "found nothing better" in answer["facts"][0]
    assert client.post(address, question, format="json").status_code == 200


def test_large_plan_is_not_answered_where_it_is_asked(day: Depot) -> None:
    plan = plan_of(day)
    plan.totals["served"] = ledger.AT_ONCE_JOBS + 1
    plan.save()
    question = Question(about=About.STOP, order=str(longest(day)[0].order_id))
    assert ledger.explanation(plan, question).stage == Stage.NOT_ASKED
    assert ledger.explanation(plan, Question(about=About.COST)).answer is not None
    assert ledger.ask(plan, question).is_under_way
    drain()
    found = ledger.explanation(plan, question)
    assert (found.stage, found.percent) == (Stage.ANSWERED, 100)


def test_answer_whose_run_died_can_be_asked_for_again(day: Depot) -> None:
    plan = plan_of(day)
    plan.totals["served"] = ledger.AT_ONCE_JOBS + 1
    plan.save()
    question = Question(about=About.STOP, order=str(longest(day)[0].order_id))
    ledger.ask(plan, question)
    TaskRun.objects.filter(task=ledger.TASK).update(state=TaskRun.State.DEAD)
    assert ledger.explanation(plan, question).stage == Stage.FAILED
    assert ledger.ask(plan, question).stage == Stage.QUEUED


def test_progress_is_told_while_it_is_worked_out(day: Depot) -> None:
    told: list[int] = []
    order = Order.objects.get(reference="CRANE")
    question = Question(about=About.LEFT_OUT, order=str(order.pk))
    ledger.answer_now(
        plan_of(day), question, lambda percent, text: told.append(percent)
    )
    assert told == sorted(told)
    assert told[-1] > 90


def test_question_without_what_it_needs_is_refused(day: Depot) -> None:
    answer = asked(programme(day), plan_of(day), about="beside")
    assert answer.status_code == 400
    assert {one["pointer"] for one in answer.json()["errors"]} == {"/order", "/other"}


def test_question_that_does_not_fit_is_a_conflict_in_names(day: Depot) -> None:
    stop, client = longest(day)[0], programme(day)
    served = asked(client, plan_of(day), about="left_out", order=stop.order_id)
    assert (served.status_code, served.json()["detail"]) == (409, "The plan serves it.")
    assert served.json()["type"] == "/problems/not-explained"
    short = asked(
        client,
        plan_of(day),
        about="sequence",
        shift=stop.route.shift_id if stop.route else None,
        sequence=[str(stop.order_id)],
    )
    assert "does not name" in short.json()["detail"]
    assert longest(day)[1].order.reference in short.json()["detail"]
    assert (
        asked(client, plan_of(day), about="stop", order=uuid.uuid4()).status_code == 409
    )


def test_plan_without_an_answer_or_of_another_form_says_so(day: Depot) -> None:
    plan = plan_of(day)
    assert plan.recommendation_id is not None
    kept = Recommendation.objects.get(pk=plan.recommendation_id)
    for content, body in ((kept.inputs, b"gz"), (kept.answer, b"{}")):
        Content.objects.filter(pk=content.pk).update(body=zlib.compress(body))
    with pytest.raises(Problem, match="cannot be read any more"):
        ledger.answer_now(plan, Question(about=About.COST))
    Plan.objects.filter(pk=plan.pk).update(recommendation=None)
    body = asked(programme(day), plan).json()
    assert body["detail"].startswith("This plan has no answer yet")
    text = page(signed_in(make_user("Supervisor", day)), plan)
    assert "This plan has no answer yet" in text


@pytest.mark.parametrize(
    "role", ["Supervisor", "Route planner", "Coordinator", "Data analyst"]
)
def test_roles_that_see_plans_may_ask(role: str, day: Depot) -> None:
    assert asked(programme(day, role), plan_of(day)).status_code == 200


def test_who_may_not_see_recommendations_may_not_ask(day: Depot) -> None:
    assert asked(programme(day, "Data steward"), plan_of(day)).status_code == 403
    assert asked(programme(make_day(orders=0)), plan_of(day)).status_code == 404
    user = make_user("Data steward", day)
    answer = signed_in(user).get(
        reverse("admin:routes_plan_why", args=[plan_of(day).pk])
    )
    assert answer.status_code == 403


def test_pages_lead_to_the_answer(day: Depot) -> None:
    plan, stops = plan_of(day), longest(day)
    client = signed_in(make_user("Supervisor", day))
    order = Order.objects.get(reference="CRANE")
    link = f"{reverse('admin:routes_plan_why', args=[plan.pk])}?about=left_out&amp;order={order.pk}"
    board = client.get(reverse("admin:index"), {"date": str(SERVICE_DATE)})
    assert link in board.content.decode()
    own = client.get(reverse("admin:routes_plan_change", args=[plan.pk]))
    assert link in own.content.decode()
    route = client.get(reverse("admin:routes_route_change", args=[stops[0].route_id]))
    assert f"?about=stop&amp;order={stops[0].order_id}" in route.content.decode()
    passport = client.get(
        reverse(
            "admin:recommendations_recommendation_change", args=[plan.recommendation_id]
        )
    )
    assert "Why, and what if" in passport.content.decode()


def test_page_answers_every_kind_of_question(day: Depot) -> None:
    plan, stops = plan_of(day), longest(day)
    client = signed_in(make_user("Supervisor", day))
    first, last = stops[0], stops[-1]
    assert first.route is not None
    assert "Whole plan" in page(client, plan)
    crane = Order.objects.get(reference="CRANE")
    text = page(client, plan, about="left_out", order=crane.pk)
    assert "What stands in the way" in text
    assert "cheapest" in text
    assert "Where else it could be" in page(
        client, plan, about="stop", order=first.order_id
    )
    beside = {"about": "beside", "order": last.order_id, "other": first.order_id}
    assert "stops would move" in page(client, plan, **beside)
    numbers = ", ".join(str(stop.sequence) for stop in reversed(stops))
    told = {"about": "sequence", "shift": first.route.shift_id, "numbers": numbers}
    assert "own sequence" in page(client, plan, **told)
    strange = page(client, plan, **{**told, "numbers": "1, 99"})
    assert "The route has no stop 99." in strange
    assert "Choose other first." in page(
        client, plan, about="beside", order=first.order_id
    )


def test_page_has_the_rest_planned_anew_in_the_background(day: Depot) -> None:
    plan, stops = plan_of(day), longest(day)
    client = signed_in(make_user("Supervisor", day))
    query = f"about=beside&order={stops[-1].order_id}&other={stops[0].order_id}"
    address = f"{reverse('admin:routes_plan_why', args=[plan.pk])}?{query}"
    assert "Plan the rest anew about it" in client.get(address).content.decode()
    sent = client.post(address, {"around": "on"})
    assert sent.status_code == 302
    assert "around=on" in sent["Location"]
    waiting = client.get(sent["Location"]).content.decode()
    assert "Waits for a worker." in waiting
    drain()
    done = client.get(sent["Location"]).content.decode()
    assert 'data-state="answered"' in done
    assert "Plan the rest anew about it" not in done
