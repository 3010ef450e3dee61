"""Service times: planted effects are found, wrong reports do not move them."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from apps.learning.learners import service
from apps.learning.learners.facts import Clocks, StopFact
from apps.learning.learners.shrinking import Figure
from apps.learning.learners.sketch import Added
from tests.learning.rounds import MORNING, SENT, TODAY, route, tallied, visit, visits

SLOW = {"South": 1.5, "North": 1.0, "East": 1.0, "West": 1.1}


def figures(added: list[Added], **options: object) -> dict[str, Figure]:
    rows = service.figures(tallied(added, "service"), TODAY, **options)  # type: ignore[arg-type]
    return {row.key: row for row in rows}


def town(
    days: int = 30, wrong: float = 0.0, seed: int = 3
) -> tuple[list[Added], dict[str, int]]:
    """Drive days in which South is slow, house 7 slower, four parcels slowest."""
    random = Random(seed)  # noqa: S311  repeatable
    spoiling = Random(seed)  # noqa: S311
    added, left = list[Added](), dict[str, int]()
    for day in range(days):
        stops = []
        for n, zone in enumerate(sorted(SLOW) * 6):
            house, parcels = random.randrange(6), random.choice([1, 1, 2, 5])
            if zone == "North" and n % 12 == 1:
                house = 7
            factor = SLOW[zone] * (2.0 if house == 7 else 1.0)
            factor *= 1.6 if parcels == 5 else 1.0
            took_s = 100 * factor * random.lognormvariate(0, 0.3)
            at = MORNING + timedelta(days=day - days, minutes=12 * n)
            stop = visit(
                at=at,
                zone=zone,
                building=f"{zone} {house}",
                address=f"{zone} {house}",
                parcels=parcels,
                took_s=took_s,
                stop_id=f"{day}-{n}",
            )
            is_wrong = spoiling.random() < wrong
            stops.append(spoilt(stop, spoiling) if is_wrong else stop)
        rows, why = service.observed(route(stops))
        added += rows
        for name, count in why.items():
            left[name] = left.get(name, 0) + count
    return added, left


def spoilt(stop: StopFact, random: Random) -> StopFact:
    """Return a visit whose device's clock stepped, or that ended hours later."""
    end = stop.completed
    if random.random() < 0.5:
        step = timedelta(minutes=random.choice([-50, 12, 45]))
        return replace(stop, completed=replace(end, occurred_at=end.occurred_at + step))
    late = end.occurred_at + timedelta(minutes=11)
    return replace(stop, completed=Clocks(late, late + SENT))


def test_planted_effects_are_found_each_for_itself() -> None:
    added, _ = town()
    found = figures(added)

    slow = found["zone:South"].mean / found["zone:East"].mean
    assert 1.35 < slow < 1.6
    assert 1.45 < found["parcels:4+"].mean / found["parcels:1"].mean < 1.75
    assert found["building:North 7"].mean / found["zone:North"].mean > 1.35
    assert found["building:North 7"].parent == "zone:North"
    assert found["zone:South"].parent == "depot"
    assert "address:North 7" not in found, "a door of one house alone is the house"


def test_wrong_reports_do_not_move_figures_and_are_counted() -> None:
    clean, _ = town()
    dirty, left = town(wrong=0.1)
    before, after = figures(clean), figures(dirty)

    for key in ("depot", "zone:South", "zone:North", "parcels:4+"):
        assert abs(after[key].mean / before[key].mean - 1) < 0.05, key
    assert sum(left.values()) > 30
    assert {"not_positive", "clock_ahead", "too_long"} <= set(left)


def test_few_events_have_no_figure_of_their_own() -> None:
    added, _ = service.observed(route(visits(2, took_s=300)))
    found = figures(added)

    assert set(found) == {"depot"}


def test_door_stands_on_its_building() -> None:
    stops = []
    for day in range(12):
        at = MORNING - timedelta(days=day)
        for n, (door, took_s) in enumerate({"a": 90, "b": 260}.items()):
            stops += visits(
                3,
                at=at + timedelta(hours=n),
                building="Mill 1",
                address=f"Mill 1{service.DOOR}{door}",
                took_s=took_s,
            )
    added, _ = service.observed(route(stops))
    found = figures(added)

    doors = {key: row for key, row in found.items() if key.startswith("address:")}
    assert {row.parent for row in doors.values()} == {"building:Mill 1"}
    slow, quick = doors["address:Mill 1 / b"].mean, doors["address:Mill 1 / a"].mean
    assert slow > 1.5 * quick


def test_class_of_few_people_has_no_figure() -> None:
    many = visits(30, at=MORNING)
    added, _ = service.observed(route(many))
    more, _ = service.observed(route(visits(30), driver_class="bike"))
    rows = [*added, *more]

    assert {"class:van", "class:bike"} <= set(figures(rows))
    assert "class:bike" not in figures(rows, shown={"van"})


def test_waiting_for_a_window_is_no_service() -> None:
    stop = visit(took_s=900, opens_at=MORNING + timedelta(minutes=13))

    added, left = service.observed(route([stop]))

    assert not added
    assert left == {"waited": 1}


def test_old_days_give_way_to_new_ones() -> None:
    half_a_year = MORNING - timedelta(days=180)
    old, _ = service.observed(route(visits(40, at=half_a_year, took_s=300)))
    new, _ = service.observed(route(visits(40, took_s=100)))

    found = figures([*old, *new])

    assert found["depot"].mean < 1.5
