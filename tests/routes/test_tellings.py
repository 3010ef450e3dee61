"""What is told is kept, scored on arrival, and becomes margins at night."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.journal.models import Entry
from apps.recommendations.models import Recommendation
from apps.recommendations.services import stored_answer, stored_inputs
from apps.routes.calibrationrows import EtaCalibration, EtaLearning, StopTelling
from apps.routes.etaledger import rerun
from apps.routes.intervaltrial import interval_trial
from apps.routes.models import Route, Stop
from apps.routes.services.etas import note_etas_due, refresh_etas
from apps.routes.services.parameters import keep_parameters
from apps.routes.services.tellings import calibrate_etas
from tests.factories import NOW
from tests.queueing import drain
from tests.routes.days import OFFICE, begin, make_day, publish_day, report, sequence

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_six_in_the_morning() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def day() -> Depot:
    depot = make_day(orders=3, shifts=1)
    publish_day(depot)
    return depot


def arrive(stop: Stop) -> None:
    assert stop.eta_at is not None
    at = stop.eta_at + timedelta(minutes=7)
    with time_machine.travel(at):
        report(stop, "stop.arrived", at)
        note_etas_due([stop.pk], [], now=at)
        drain()


def test_arrival_is_scored_once_and_learned_at_night(day: Depot) -> None:
    route = Route.objects.get()
    assert set(StopTelling.objects.values_list("scored_at", flat=True)) == {None}
    begin(route.shift, route.starts_at)
    first = sequence(route)[0]
    arrive(first)
    row = StopTelling.objects.get(stop=first)
    assert row.scored_at is not None
    assert row.began_at == row.arrived_at
    learning = EtaLearning.objects.get(depot=day)
    assert sum(each["weight"] for each in learning.today) == len(row.told)
    night = route.ends_at + timedelta(hours=8)
    made = calibrate_etas(day, by=SYSTEM, now=night)
    assert made is not None
    assert (made.version, made.count) == (1, len(row.told))
    assert "||" in made.margins
    assert Entry.objects.filter(kind="eta.calibrated").count() == 1
    assert calibrate_etas(day, by=SYSTEM, now=night + timedelta(hours=1)) is None
    assert EtaCalibration.objects.count() == 1


def test_margins_are_tried_on_what_came_after_them(day: Depot) -> None:
    route = Route.objects.get()
    assert interval_trial(day.pk, NOW, NOW + timedelta(days=1)) is None
    EtaCalibration.objects.create(
        depot=day, version=1, made_at=NOW, count=500, margins={"||": [-90, 90, 80]}
    )
    begin(route.shift, route.starts_at)
    arrive(sequence(route)[0])
    found = interval_trial(day.pk, NOW, NOW + timedelta(days=1))
    assert found is not None
    assert (found.version, found.learned_percent) == (1, 100.0)
    assert found.learned_width_s > found.told_width_s
    assert interval_trial(day.pk, NOW - timedelta(days=1), NOW) is None


def test_margins_take_effect_only_by_the_parameter(day: Depot) -> None:
    EtaCalibration.objects.create(
        depot=day, version=1, made_at=NOW, count=500, margins={"||": [-6.0, 9.0, 7.0]}
    )
    route = Route.objects.get()

    def widths() -> list[float]:
        refresh_etas([route.pk], told=[route.pk], by=OFFICE, now=NOW)
        return [
            (stop.eta_high_at - stop.eta_low_at).total_seconds()
            for stop in sequence(route)
            if stop.eta_high_at and stop.eta_low_at
        ]

    usual = widths()
    keep_parameters(
        day.pk, {"eta_interval": "conformal"}, because="Test.", by=OFFICE, now=NOW
    )
    learned = widths()
    assert max(learned) > 2 * max(usual)
    told = Recommendation.objects.filter(kind="eta", state="issued").get()
    assert rerun(stored_inputs(told)) == stored_answer(told)
    assert "past_errors" in {each["code"] for each in told.data_used}
    keep_parameters(
        day.pk, {"eta_interval": "spread"}, because="Back.", by=OFFICE, now=NOW
    )
    assert widths() == usual
