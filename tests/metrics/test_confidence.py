"""How confident each role is by week, beside the weeks' work: shown, and nobody betrayed."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.actors import SYSTEM
from apps.core.roles import COORDINATOR, ROUTE_PLANNER, SUPERVISOR
from apps.depots.models import Depot
from apps.feedback.models import Survey
from apps.feedback.services import Answerer, Origin, record_response
from apps.metrics.confidence import confidence_of, span_of_weeks
from apps.metrics.figures import figures_of_day
from apps.metrics.models import DailyFigure
from apps.metrics.weekplots import panels_of
from apps.routes.models import Stop
from tests.factories import (
    NOW,
    SERVICE_DATE,
    DepotFactory,
    DepotMembershipFactory,
    OrderFactory,
    TimeWindowFactory,
    UserFactory,
)
from tests.office import make_office, make_user, signed_in

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)
MONDAY = SERVICE_DATE - timedelta(days=SERVICE_DATE.weekday())


@pytest.fixture
def depot() -> Depot:
    made: Depot = DepotFactory(time_zone="Europe/Berlin")
    return made


def say(
    depot: Depot, role: str, *values: int, weeks: int = 0, person: str = ""
) -> None:
    pulse = Survey.objects.get(key="pulse")
    at = NOW + weeks * WEEK
    for value in values:
        record_response(
            survey_id=pulse.pk,
            answers={"confidence": value, "heard": 4},
            answerer=Answerer(
                depot.pk, role=role, respondent=person or f"user:{uuid.uuid4()}"
            ),
            origin=Origin("link", f"link:{uuid.uuid4()}"),
            answered_at=at,
            by=SYSTEM,
            now=at,
        )


def told(*depots: Depot, weeks: int = 1) -> list[dict[str, tuple[int, float] | None]]:
    """Return of each week what is told of each role: (people, mean), or None."""
    first, last = span_of_weeks(MONDAY + (weeks - 1) * WEEK, weeks)
    found = confidence_of(Survey.objects.get(key="pulse"), depots, first, last)
    return [
        {
            v.role: (v.count, v.mean)
            if v.mean is not None and v.count is not None
            else None
            for v in week.voices
        }
        for week in found.weeks
    ]


def test_trend_is_by_week_and_role_and_hides_the_few(depot: Depot) -> None:
    say(depot, "driver", *[5] * 5)
    say(depot, "driver", *[7] * 5, weeks=1)
    say(depot, "driver", 1, weeks=2)
    assert told(depot, weeks=4) == [
        {"Driver": (5, 5.0)},
        {"Driver": (5, 7.0)},
        {"Driver": None},
        {},
    ]


def test_one_person_is_one_however_often_heard(depot: Depot) -> None:
    say(depot, "driver", *[4] * 4)
    say(depot, "driver", 7, 5, person="driver:1")
    assert told(depot) == [{"Driver": (5, 4.4)}]
    other: Depot = DepotFactory()
    say(other, "driver", 7, 7, 7, 7, 7, person="driver:2")
    assert told(other) == [{"Driver": None}], "five answers of one person"


def test_whole_does_not_betray_its_smallest_part(depot: Depot) -> None:
    """Six of the office less five coordinators is one planner, who is nobody's to read."""
    say(depot, COORDINATOR, *[6] * 5)
    say(depot, ROUTE_PLANNER, 1)
    assert told(depot) == [{"Office": None, COORDINATOR: (5, 6.0), ROUTE_PLANNER: None}]
    say(depot, SUPERVISOR, *[2] * 4)
    assert told(depot) == [
        {
            "Office": (10, 3.9),
            COORDINATOR: (5, 6.0),
            ROUTE_PLANNER: None,
            SUPERVISOR: None,
        }
    ]


def test_depots_together_do_not_betray_the_small_one(depot: Depot) -> None:
    small: Depot = DepotFactory(time_zone="America/New_York")
    say(depot, "driver", *[6] * 5)
    say(small, "driver", 1)
    assert told(depot, small) == [{"Driver": None}]
    say(small, "driver", *[1] * 4)
    assert told(depot, small) == [{"Driver": (10, 3.5)}]
    few, fewer = DepotFactory(), DepotFactory()
    say(few, "driver", *[2] * 3)
    say(fewer, "driver", *[4] * 3)
    assert told(few, fewer) == [{"Driver": (6, 3.0)}], "neither is told by itself"


def figures(depot: Depot, *days: tuple[int, str, float, int]) -> None:
    for offset, name, value, n in days:
        DailyFigure.objects.create(
            depot=depot,
            day=MONDAY + timedelta(days=offset),
            name=name,
            value=value,
            n=n,
            rolled_up_at=NOW,
        )


def test_page_and_api_tell_the_same_beside_the_weeks_work(depot: Depot) -> None:
    say(depot, "driver", *[5] * 5)
    say(depot, COORDINATOR, 2)
    figures(
        depot,
        (0, "override_rate", 0.1, 100),
        (1, "override_rate", 0.4, 50),
        (0, "on_time_rate", 0.9, 40),
        (7, "on_time_rate", 0.8, 10),
    )
    client = signed_in(make_user(SUPERVISOR, depot))
    last = (MONDAY + WEEK).isoformat()
    answer = client.get(f"/api/v1/confidence?last={last}&weeks=2").json()
    assert (answer["low"], answer["high"], answer["least_answers"]) == (1, 7, 5)
    assert answer["weeks"] == [
        {
            "week": MONDAY.isoformat(),
            "roles": [
                {"role": "Driver", "count": 5, "mean": 5.0},
                {"role": "Office", "count": None, "mean": None},
                {"role": COORDINATOR, "count": None, "mean": None},
            ],
            "override_rate": {"value": 0.2, "n": 150},
            "on_time_rate": {"value": 0.9, "n": 40},
        },
        {
            "week": last,
            "roles": [],
            "override_rate": None,
            "on_time_rate": {"value": 0.8, "n": 10},
        },
    ]
    url = reverse("admin:metrics_dailyfigure_confidence")
    page = client.get(f"{url}?last={last}").content.decode()
    assert page.count('<svg class="rm-trend"') == 3
    for text in (
        "5.0 <small>of 5",
        "20.0 % <small>of 150",
        "80.0 %",
        "too few answers",
    ):
        assert text in page, text
    survey = Survey.objects.get(key="pulse")
    link = client.get(reverse("admin:feedback_survey_change", args=[survey.pk]))
    assert f"{url}?survey=pulse" in link.content.decode()


def test_others_see_nothing_of_a_depot(depot: Depot) -> None:
    say(depot, "driver", *[5] * 5)
    elsewhere: Depot = DepotFactory()
    stranger = signed_in(make_user(SUPERVISOR, elsewhere))
    assert stranger.get(f"/api/v1/confidence?depot={depot.pk}").status_code == 404
    mine = stranger.get(f"/api/v1/confidence?last={MONDAY}").json()
    assert [week["roles"] for week in mine["weeks"] if week["roles"]] == []
    both = make_user(SUPERVISOR, elsewhere)
    DepotMembershipFactory(depot=depot, user=both)
    answer = signed_in(both).get(f"/api/v1/confidence?last={MONDAY}").json()
    assert answer["weeks"][-1]["roles"][0] == {"role": "Driver", "count": 5, "mean": 5}
    clerk = UserFactory(is_staff=True)
    DepotMembershipFactory(depot=depot, user=clerk)
    for url in ("/api/v1/confidence", reverse("admin:metrics_dailyfigure_confidence")):
        assert signed_in(clerk).get(url).status_code == 403
        assert Client().get(url).status_code in (302, 401)


def test_plots_break_where_nothing_may_be_told(depot: Depot) -> None:
    for weeks, values in ((0, [4] * 5), (1, [6] * 5), (2, [7]), (3, [5] * 5)):
        say(depot, "driver", *values, weeks=weeks)
    first, last = span_of_weeks(MONDAY + 3 * WEEK, 4)
    pulse = Survey.objects.get(key="pulse")
    confidence, overrides, _ = panels_of(confidence_of(pulse, [depot], first, last))
    [line] = confidence.lines
    assert line.path.count("M") == 2
    assert line.path.count("L") == 1
    assert line.dots[0][1] > line.dots[1][1], "higher is up"
    assert "6.0 of 5 people" in line.dots[1][2]
    assert overrides.is_empty


def test_on_time_is_who_came_before_the_last_window_closed() -> None:
    office, hour = make_office(), timedelta(hours=1)
    stop = Stop.objects.filter(route=office.route).first()
    assert stop is not None
    Stop.objects.filter(route=office.route).update(arrived_at=None)
    visits: list[tuple[int, list[tuple[int, int]]]] = [
        (0, [(1, 2)]),  # waits for it
        (1, [(-2, -1), (1, 3)]),  # missed the first, begins in the second
        (3, [(0, 2)]),  # late
        (3, []),  # was promised nothing
        (3, [(30, 31)]),  # was moved to another day since
    ]
    for number, (arrives, windows) in enumerate(visits, start=100):
        order = OrderFactory(depot=office.depot)
        for opens, closes in windows:
            TimeWindowFactory(
                order=order, opens_at=NOW + opens * hour, closes_at=NOW + closes * hour
            )
        stop.pk, stop.order, stop.sequence = uuid.uuid4(), order, number
        stop.arrived_at = NOW + arrives * hour
        stop.save(force_insert=True)
    rows = figures_of_day(office.depot, NOW.date())
    found = [row for row in rows if row.name == "on_time_rate"]
    assert [(round(row.value, 3), row.n) for row in found] == [(0.667, 3)]
