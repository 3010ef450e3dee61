"""How often recommendations are followed, by kind and zone."""

from datetime import timedelta

from apps.learning.learners import adherence
from apps.learning.learners.proportions import outcome
from apps.learning.learners.sketch import Added
from tests.learning.rounds import MORNING, TODAY, route, tallied, visit


def order(zone: str, kept: int, turned: int) -> list[Added]:
    rows: list[Added] = []
    for n in range(kept + turned):
        before = "a" if n < kept else "c"
        stops = [visit(stop_id="c", zone=zone)] if before == "c" else []
        stops = [visit(stop_id="a", zone=zone), *stops]
        at = MORNING + timedelta(hours=1)
        last = visit(stop_id="b", zone=zone, at=at, planned_after="a")
        rows += adherence.observed(route([*stops, last]))
    return rows


def figures(rows: list[Added]) -> dict[str, float]:
    found = adherence.figures(tallied(rows, "adherence"), TODAY)
    return {row.key: row.mean for row in found}


def test_sequence_is_followed_by_zone() -> None:
    found = figures([*order("North", 180, 20), *order("South", 80, 120)])

    assert 0.8 < found["kind:sequence@North"] < 0.95
    assert 0.35 < found["kind:sequence@South"] < 0.5
    assert (
        found["kind:sequence@South"]
        < found["kind:sequence"]
        < found["kind:sequence@North"]
    )


def test_kind_with_few_settled_has_the_depots() -> None:
    rows = [outcome("adherence", "plan\t", n % 4 > 0, 1.0) for n in range(40)]
    rows += [outcome("adherence", "slot\t", False, 1.0) for _ in range(3)]
    found = figures(rows)

    assert "kind:plan" in found
    assert "kind:slot" not in found


def test_who_leaves_the_plan_once_has_left_it_once() -> None:
    """Planned a b c d, driven c a b d: three steps, one of them elsewhere."""
    stops = [
        visit(
            stop_id=name,
            zone="North",
            at=MORNING + timedelta(minutes=10 * place),
            planned_at=MORNING + timedelta(minutes=10 * "abcd".index(name)),
        )
        for place, name in enumerate("cabd")
    ]

    rows = adherence.observed(route(stops))

    steps = [row.value for row in rows if row.key == "next\tNorth"]
    assert steps == [0.0, 1.0, 1.0]
