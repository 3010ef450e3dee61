"""When a route is driven; what an answer offers beside itself."""

from datetime import timedelta

import pytest

from apps.recommendations.models import Recommendation
from apps.routes.models import Route
from apps.routes.states import RouteState
from tests.factories import NOW
from tests.routes.days import begin, make_day, publish_day, report, sequence

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(minutes=30)


@pytest.fixture
def route() -> Route:
    make_day(orders=4, shifts=1)
    publish_day(make_day(orders=4, shifts=1))
    found = Route.objects.filter(status=RouteState.PUBLISHED).first()
    assert found is not None
    return found


def state_of(route: Route) -> str:
    return Route.objects.values_list("status", flat=True).get(pk=route.pk)


def test_skip_before_the_begin_does_not_start_the_route(route: Route) -> None:
    first, second, *_ = sequence(route)
    assert report(first, "stop.failed", SOON, reason="closed").result == "applied"
    assert report(second, "stop.note", SOON, note="Gate is shut.").result == "applied"
    assert report(first, "stop.reopened", SOON + timedelta(minutes=1))
    assert state_of(route) == "published"
    begin(route.shift, SOON + timedelta(minutes=5))
    assert report(second, "stop.failed", SOON + timedelta(minutes=9), reason="closed")
    assert state_of(route) == "started"


@pytest.mark.parametrize("kind", ["stop.enroute", "stop.arrived", "stop.succeeded"])
def test_who_is_out_has_started_also_where_the_begin_was_not_told(
    route: Route, kind: str
) -> None:
    report(sequence(route)[0], kind, SOON)
    assert state_of(route) == "started"


def test_answer_offers_no_alternative_that_is_itself() -> None:
    """One order and one van: whoever plans it, there is no other way."""
    publish_day(make_day(orders=1, shifts=1))
    row = Recommendation.objects.get(kind="plan")
    [route] = Route.objects.all()
    assert row.mode == "optimizer"
    assert len(sequence(route)) == 1
    assert row.alternatives == []
    publish_day(make_day(orders=14, shifts=3))
    other = Recommendation.objects.filter(kind="plan").exclude(pk=row.pk).get()
    driven = {
        str(one.shift_id): [str(stop.order_id) for stop in sequence(one)]
        for one in Route.objects.filter(depot=other.depot)
    }
    assert all(each["routes"] != driven for each in other.alternatives)
