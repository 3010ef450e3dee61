"""Nights: what is new is added once, what changed is taken out first."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.drivers.models import Vehicle
from apps.journal.models import Entry
from apps.journal.services import writing
from apps.learning import reading, tasks
from apps.learning.learners.sketch import unpacked
from apps.learning.models import Counted, Estimate, Reading, Tally
from apps.learning.reading import before
from apps.learning.selectors import estimates
from apps.learning.services import Night, learn, nightly
from apps.recommendations.services import settle
from apps.routes.models import PlanningParameter, Route, Stop
from tests.bench import _learning_days
from tests.bench._learning_days import LearningDays
from tests.factories import NOW
from tests.office import make_office
from tests.queueing import drain

pytestmark = pytest.mark.django_db
BIKE = "cargo-bike"


def drive(stops: int = 60) -> LearningDays:
    """Lay a day out, three routes of twenty visits unless said otherwise."""
    days = LearningDays.new()
    days.lay_out(stops)
    return days


def night(days: LearningDays, **options: Any) -> Night:
    return learn(depot=days.depot, by=SYSTEM, now=days.now, **options)


Sums = dict[tuple[str, str], dict[str, list[float]]]


def sums(depot: Depot) -> Sums:
    found: Sums = {}
    for row in Tally.objects.filter(depot=depot):
        sketch = unpacked(row.sums)
        bins = {str(number): each for number, each in sketch.bins.items()}
        found[row.kind, row.key] = bins | sketch.mix
    return found


def same(one: Sums, other: Sums) -> bool:
    return one.keys() == other.keys() and all(
        row == {name: pytest.approx(each) for name, each in other[key].items()}
        for key, row in one.items()
    )


def from_scratch(depot: Depot) -> Sums:
    """Forget everything that was counted, and count it anew."""
    for model in (Tally, Counted, Reading):
        model._default_manager.all().delete()
    learn(depot=depot, by=SYSTEM, now=NOW + timedelta(days=900))
    return sums(depot)


def told_again(stop: Stop, **changes: Any) -> None:
    """Change what is known of a visit, as a late or corrected report does."""
    Stop.objects.filter(pk=stop.pk).update(**changes)
    with writing(by=SYSTEM, now=NOW) as journal:
        journal.record("stop.corrected", stop, depot_id=stop.order.depot_id)


def test_night_learns_once_and_again_nothing() -> None:
    days = drive()
    first = night(days)
    before_it, versions = sums(days.depot), Estimate.objects.count()

    second = night(days)

    assert (first.changed, first.stops) == (1, 60)
    assert first.estimates == versions > 0
    assert second.changed == 0
    assert same(sums(days.depot), before_it)
    assert Estimate.objects.count() == versions


def test_corrected_report_is_taken_out_and_added_again() -> None:
    days = drive()
    night(days)
    stop = Stop.objects.filter(status="succeeded").select_related("order")[10]
    assert stop.arrived_at is not None
    told_again(stop, completed_at=stop.arrived_at + timedelta(seconds=777))

    again = night(days)

    assert again.changed == 1
    assert same(sums(days.depot), from_scratch(days.depot))


def test_visit_that_is_taken_back_leaves_nothing() -> None:
    days = drive(1)
    night(days)
    assert Tally.objects.exists()
    told_again(Stop.objects.get(), status="pending", completed_at=None)

    night(days)

    assert not Tally.objects.exists()


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    parts=st.lists(st.integers(1, 25), min_size=1, max_size=3),
    at_once=st.integers(1, 3),
)
def test_any_batches_give_what_one_night_gives(
    parts: list[int], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "ROUTES_AT_ONCE", at_once)
    days = LearningDays.new()
    for stops in parts:
        days.lay_out(stops)
        night(days)

    mine = sums(days.depot)
    Tally.objects.filter(depot=days.depot).delete()
    Counted.objects.filter(depot=days.depot).delete()
    Reading.objects.filter(depot=days.depot).delete()
    night(days)

    assert same(sums(days.depot), mine)


def test_night_that_broke_off_can_be_begun_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nightly, "ROUTES_AT_ONCE", 1)
    monkeypatch.setattr(_learning_days, "STOPS_A_ROUTE", 9)
    days = drive(25)
    steps = iter([None, None])

    def told(what: str, *_: int) -> None:
        if what == "routes" and next(steps, "gone") == "gone":
            raise RuntimeError("The power is gone.")

    with pytest.raises(RuntimeError):
        night(days, told=told)
    assert Counted.objects.count() == 2
    again = night(days)

    assert again.changed == 1
    assert same(sums(days.depot), from_scratch(days.depot))


def test_cost_follows_new_events(
    django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night reads in a fixed number of queries, whatever was read before."""
    monkeypatch.setattr(_learning_days, "STOPS_A_ROUTE", 10)
    days = drive(100)
    night(days)
    days.lay_out(20)
    with django_assert_max_num_queries(60):
        second = night(days)

    assert second.stops <= 20 + 10 * 10 // 2, "no more than the routes of the overlap"


def test_service_is_learned_against_its_standard_not_what_was_learned() -> None:
    """Otherwise what is in force would be learned on top of itself."""
    days = drive()
    Stop.objects.update(service_s=600)
    night(days)

    found = estimates(days.depot.pk, "service", at=days.now)

    assert 0.9 < found["depot"].mean < 1.6
    assert found["depot"].n > 40


def test_version_ends_when_a_newer_one_holds() -> None:
    days = drive()
    night(days)
    first_at = days.now
    old = estimates(days.depot.pk, "success", at=first_at)
    days.lay_out(60)
    night(days)

    new = estimates(days.depot.pk, "success", at=days.now)

    assert new["depot"].n == 2 * old["depot"].n
    assert estimates(days.depot.pk, "success", at=first_at) == old
    assert new["depot"].as_of == days.now


def test_settled_recommendations_count_by_day() -> None:
    office = make_office()
    row = office.rows["recommendations.recommendation"]
    learn(depot=office.depot, by=SYSTEM, now=NOW)
    settle(row.pk, state="followed", outcome={"text": "-"}, by=SYSTEM, now=NOW)

    for _ in range(2):
        learn(depot=office.depot, by=SYSTEM, now=NOW + timedelta(hours=1))

    [tally] = Tally.objects.filter(depot=office.depot, kind="adherence")
    assert tally.key == "plan\t"
    assert unpacked(tally.sums).n == 1


def test_nothing_takes_effect_by_learning() -> None:
    days = drive()

    night(days)

    assert not PlanningParameter.objects.exists()
    [entry] = Entry.objects.filter(kind="estimates.learned")
    assert entry.subject_id == str(days.depot.pk)
    assert entry.payload["stops"] == 60


def test_long_past_is_read_by_several_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_learning_days, "STOPS_A_ROUTE", 5)
    monkeypatch.setattr(tasks, "ROUTES_A_TASK", 2)
    days = drive(25)

    tasks.learn_all()
    ran = drain()

    assert ran.count("learn_depot") == 3
    assert Counted.objects.count() == 5
    read = Reading.objects.get(depot=days.depot)
    assert read.read_at is not None
    assert same(sums(days.depot), from_scratch(days.depot))


def test_report_during_the_first_reading_is_the_next_nights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_learning_days, "STOPS_A_ROUTE", 5)
    days = drive(10)
    first = night(days, most=1)
    stop = Stop.objects.filter(
        route__in=[
            each.subject.removeprefix("route:") for each in Counted.objects.all()
        ]
    ).latest("arrived_at")
    told_again(stop, status="pending", completed_at=None)

    second, third = night(days, most=1), night(days, most=1)

    assert (first.left, second.left) == (1, 0)
    assert third.changed == 1
    assert same(sums(days.depot), from_scratch(days.depot))


def test_class_says_who_is_new_and_never_who() -> None:
    days = drive(120)
    Vehicle.objects.update(type_id=BIKE)
    night(days)

    keys = set(Tally.objects.filter(kind="service").values_list("key", flat=True))

    classes = {key.split("\t")[1] for key in keys if key.startswith("cell:")}
    assert classes == {BIKE}
    people = {str(pk) for pk in Route.objects.values_list("driver_id", flat=True)}
    assert not any(person in key for person in people for key in keys)


def test_number_before_another_by_so_much() -> None:
    number = uuid.UUID("0196f5e0-0000-7000-8000-000000000000")

    earlier = before(number, timedelta(seconds=2))

    assert (number.int >> 80) - (earlier.int >> 80) == 2000
    assert earlier < number


def test_verdict_that_comes_later_weighs_what_was_counted() -> None:
    days = drive(40)
    route = Route.objects.get()
    for place, stop in enumerate(Stop.objects.order_by("arrived_at")):
        # Planned the other way round: what was driven is a deviation.
        planned_at = days.now - timedelta(minutes=place)
        Stop.objects.filter(pk=stop.pk).update(planned_arrival_at=planned_at)
    night(days)
    asked = Tally.objects.filter(kind="zone_order")
    unjudged = asked.count()

    second = night(days, judged=lambda *_: {route.pk: "wrong"})

    assert second.changed == 1
    assert asked.count() < unjudged


@pytest.mark.parametrize("most", [1, 2, 5])
def test_later_night_is_read_in_slices_as_well(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a long silence a later night has as much to read as a first one."""
    monkeypatch.setattr(_learning_days, "STOPS_A_ROUTE", 5)
    monkeypatch.setattr(reading, "BATCH", 3)
    days = drive(10)
    night(days)
    days.lay_out(45)
    total, calls = Night(), 0
    while not total.is_over:
        part = night(days, most=most)
        assert part.routes <= most
        assert part.is_over or part.left > 0
        total.stops += part.stops
        total.is_over = part.is_over
        calls += 1
        assert calls < 30
    assert calls >= 9 // most
    assert night(days).changed == 0
    assert same(sums(days.depot), from_scratch(days.depot))


def test_later_night_that_is_killed_goes_on_where_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nightly, "ROUTES_AT_ONCE", 2)
    monkeypatch.setattr(_learning_days, "STOPS_A_ROUTE", 5)
    days = drive(10)
    night(days)
    before_it = Reading.objects.get(depot=days.depot).read_to
    days.lay_out(30)
    steps = iter([None, None])

    def told(what: str, *_: int) -> None:
        if what == "routes" and next(steps, "gone") == "gone":
            raise RuntimeError("The power is gone.")

    with pytest.raises(RuntimeError):
        night(days, told=told)
    broken = Reading.objects.get(depot=days.depot)
    assert broken.read_to == before_it, "it is read only when all of it is"
    assert broken.figures["going"]["done"]["routes"] == 4
    days.lay_out(5)
    rest = night(days)

    # Six new ones and two of the overlap, of which four were read.
    assert rest.routes == 4, "what was read is not read again"
    whole = Reading.objects.get(depot=days.depot)
    assert "going" not in whole.figures
    assert whole.figures["routes"] == rest.routes + 4
    assert night(days).stops >= 5, "what came meanwhile is the next night's"
    assert same(sums(days.depot), from_scratch(days.depot))


def test_night_without_time_goes_on_in_the_next_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_learning_days, "STOPS_A_ROUTE", 5)
    monkeypatch.setattr(nightly, "ROUTES_AT_ONCE", 1)
    days = drive(15)
    looks = iter([True, False])
    first = night(days, has_time=lambda: next(looks, False))
    assert (first.routes, first.left, first.is_over) == (1, 2, False)
    assert not Estimate.objects.exists()
    second = night(days)
    assert (second.routes, second.is_over) == (2, True)


def test_routes_that_nobody_drove_do_not_hold_up_the_first_night() -> None:
    """They are counted as nothing: reading must not wait for their turn for ever."""
    office = make_office()
    route = office.route
    Stop.objects.filter(route=route).update(status="pending")
    night = learn(depot=office.depot, by=SYSTEM, now=NOW, most=1)
    calls = 1
    while not night.is_over:
        night, calls = learn(depot=office.depot, by=SYSTEM, now=NOW, most=1), calls + 1
        assert calls < 10
    assert Reading.objects.get(depot=office.depot).read_at == NOW


def test_first_reports_of_a_depot_are_found_across_the_silence_before(
    django_assert_max_num_queries: Any,
) -> None:
    days = LearningDays.new()
    assert night(days).stops == 0
    days.lay_out(20)
    with django_assert_max_num_queries(60):
        assert night(days).stops == 20


def test_verdicts_are_read_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_learning_days, "STOPS_A_ROUTE", 5)
    days = drive(20)
    night(days)
    # An hour later no report is within the overlap: only the verdicts are new.
    monkeypatch.setattr(reading, "OVERLAP", timedelta(0))
    asked = dict.fromkeys(Route.objects.values_list("pk", flat=True), "wrong")
    parts = [night(days, judged=lambda *_: asked, most=1)]
    while not parts[-1].is_over:
        parts.append(night(days, judged=lambda *_: asked, most=1))
    # The first is that of the newest report, which the overlap always has.
    assert [part.routes for part in parts] == [1, 1, 1, 1, 1]
    assert [part.left for part in parts] == [4, 3, 2, 1, 0]
    assert Reading.objects.get(depot=days.depot).figures["routes"] == 5
