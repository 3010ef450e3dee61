"""Learned service times: which factor counts, what is refused, and what plans say of it."""

from datetime import timedelta

import numpy as np
import pytest

from apps.core.problems import Invalid
from apps.routes.dayversions import input_version
from apps.routes.drafting import service_reasons
from apps.routes.intake import day_input
from apps.routes.parameters import with_overrides
from apps.routes.planning import build_problem
from apps.routes.selectors import parameters_in_force
from apps.routes.servicefactors import (
    BadFactors,
    ServiceFactor,
    ServicePlace,
    building_of,
    factors_from,
    planned_service,
    stored,
)
from apps.routes.services.parameters import keep_parameters
from tests.factories import (
    NOW,
    SERVICE_DATE,
    DepotFactory,
    OrderFactory,
    ShiftFactory,
    ZoneFactory,
)
from tests.routes.days import OFFICE

LEARNED = {"zone:Old town": {"factor": 3.0, "n": 64, "as_of": "2026-03-16"}}


@pytest.mark.parametrize(
    ("named", "place", "seconds", "because"),
    [
        ({}, ServicePlace(zone="A"), 120, ()),
        ({"zone:B": 2}, ServicePlace(zone="A"), 120, ()),
        ({"depot": 2}, ServicePlace(zone="A"), 240, ("depot",)),
        ({"depot": 2, "zone:A": 3}, ServicePlace(zone="A"), 360, ("zone:A",)),
        (
            {"zone:A": 3, "building:b 1": 0.5},
            ServicePlace(zone="A", building="b 1"),
            60,
            ("building:b 1",),
        ),
        (
            {"zone:A": 2, "parcels:4+": 1.5},
            ServicePlace(zone="A", pieces=7),
            360,
            ("zone:A", "parcels:4+"),
        ),
        (
            {"zone:A": 4, "parcels:2": 4},
            ServicePlace(zone="A", pieces=2),
            600,
            ("zone:A", "parcels:2"),
        ),
    ],
)
def test_the_narrowest_place_counts_and_parcels_come_on_top(
    named: dict[str, float],
    place: ServicePlace,
    seconds: int,
    because: tuple[str, ...],
) -> None:
    found = planned_service(120, place, factors_from(named))
    assert (found.seconds, found.because) == (seconds, because)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (3, "a mapping"),
        ({"zone:": 2}, "a key is"),
        ({"class:bike": 2}, "a key is"),
        ({"parcels:9": 2}, "a key is"),
        ({"zone:A": 9}, "not between 0.25 and 5"),
        ({"zone:A": True}, "no number"),
        ({"zone:A": {"factor": 2, "why": "x"}}, "no such field: why"),
        ({"zone:A": {"factor": 2, "n": -1}}, "no count"),
        ({"zone:A": {"factor": 2, "as_of": "May"}}, "no date"),
        ({f"zone:{n}": 2 for n in range(2001)}, "2000 at the most"),
    ],
)
def test_factors_that_cannot_be_planned_with_are_refused_in_words(
    given: object, says: str
) -> None:
    with pytest.raises(BadFactors, match=says):
        factors_from(given)


def test_factors_survive_being_stored() -> None:
    factors = factors_from({"depot": 1.2, **LEARNED})
    assert factors["zone:Old town"] == ServiceFactor(3.0, 64, "2026-03-16")
    assert factors_from(stored(factors)) == factors
    assert with_overrides({"service_factors": LEARNED}).service_factors != {}


def test_a_building_is_known_however_it_is_written() -> None:
    assert building_of("91207", "Marktplatz ", "3") == "91207 marktplatz 3"
    assert building_of("91207", " marktplatz", " 3.") == "91207 marktplatz 3"
    assert not building_of("91207", "", "3")


@pytest.mark.django_db
def test_the_next_problem_plans_with_what_was_learned_and_says_so() -> None:
    depot = DepotFactory()
    zone = ZoneFactory(depot=depot, name="Old town")
    slow = OrderFactory(depot=depot, zone=zone, service_s=100)
    usual = OrderFactory(depot=depot, service_s=None)
    ShiftFactory(depot=depot)
    before = day_input(depot.pk, SERVICE_DATE, now=NOW)
    keep_parameters(
        depot.pk, {"service_factors": LEARNED}, because="", by=OFFICE, now=NOW
    )

    day = day_input(depot.pk, SERVICE_DATE, now=NOW + timedelta(minutes=1))

    size = len(day.points())
    matrix = np.full((size, size), 60, dtype=np.int32)
    problem = build_problem(day, durations_s=matrix, distances_m=matrix)
    planned = {job.id: job.service_s for job in problem.jobs}
    assert planned == {str(slow.pk): 300, str(usual.pk): 120}
    assert input_version(day) != input_version(before)
    [reason] = service_reasons(day)
    assert reason["code"] == "service_learned"
    assert (reason["count"], reason["percent"], reason["n"]) == (1, 300, 64)
    assert "zone Old town, learned from 64 services until 2026-03-16" in reason["text"]


@pytest.mark.django_db
def test_keep_parameters_refuses_factors_out_of_bounds() -> None:
    depot = DepotFactory()
    with pytest.raises(Invalid, match="zone:A: 50 is not between"):
        keep_parameters(
            depot.pk,
            {"service_factors": {"zone:A": 50}},
            because="",
            by=OFFICE,
            now=NOW,
        )
    assert parameters_in_force(depot.pk, NOW).service_factors == {}
