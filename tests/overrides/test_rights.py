"""The pure rules of who may do what: a table, and what holds for every table."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.overrides.defaults import KINDS, default_rights
from apps.overrides.rights import (
    ADMINISTRATOR,
    APPROVERS,
    LADDER,
    Decision,
    Example,
    Figures,
    Limits,
    Outcome,
    Rule,
    decide,
    decide_for,
    liberty,
    misses,
    next_role,
    stands_for,
)

AT = datetime(2026, 3, 17, 10, 0, tzinfo=UTC)
"""A Tuesday."""
DEPOT, OTHER = "depot-a", "depot-b"
ALLOWED, APPROVAL, DENIED = Outcome.ALLOWED, Outcome.APPROVAL, Outcome.DENIED


def rule(
    outcome: Outcome = ALLOWED,
    *,
    order: int = 1,
    depot: str = "",
    approver: str = "",
    kind: str = "move_stop",
    role: str = "Driver",
    since: datetime = AT - timedelta(days=1),
    until: datetime | None = None,
    **limits: object,
) -> Rule:
    return Rule(
        id=f"rule-{order}",
        order=order,
        kind=kind,
        role=role,
        depot=depot,
        outcome=outcome,
        approver=approver,
        limits=Limits(**limits),  # type: ignore[arg-type]  # the test's own names
        valid_from=since,
        valid_until=until,
    )


def example(
    minutes: int | None = 0,
    cost: int | None = 0,
    stops: int | None = 1,
    windows: int | None = 0,
    *,
    departure: int | None = -60,
    at: datetime = AT,
    role: str = "Driver",
) -> Example:
    return Example(
        kind="move_stop",
        role=role,
        depot=DEPOT,
        at=at,
        minutes_to_departure=departure,
        figures=Figures(
            minutes=minutes, cost_minor=cost, stops=stops, windows_broken=windows
        ),
    )


SMALL = rule(order=1, minutes=10, cost_minor=500, stops=5, windows_broken=0)
ASKS = rule(APPROVAL, order=2, approver="Coordinator", minutes=30)
ASKS_HIGHER = rule(APPROVAL, order=3, approver="Supervisor")
TABLE = (SMALL, ASKS, ASKS_HIGHER)
NIGHT = (time(22), time(6))


@pytest.mark.parametrize(
    ("rules", "asked", "outcome", "winner"),
    [
        (TABLE, example(10, 500, 5, 0), ALLOWED, SMALL),
        (TABLE, example(-8, -500, 0, 0), ALLOWED, SMALL),
        (TABLE, example(11), APPROVAL, ASKS),
        (TABLE, example(cost=501), APPROVAL, ASKS),
        (TABLE, example(stops=6), APPROVAL, ASKS),
        (TABLE, example(windows=1), APPROVAL, ASKS),
        (TABLE, example(31), APPROVAL, ASKS_HIGHER),
        (TABLE, example(None), APPROVAL, ASKS_HIGHER),
        (TABLE, example(role="Coordinator"), DENIED, None),
        ((), example(), DENIED, None),
        ((SMALL,), example(11), DENIED, None),
        # The depot's own rules stand alone, stricter or not.
        ((*TABLE, rule(order=4, depot=DEPOT, minutes=2)), example(3), DENIED, None),
        ((*TABLE, d := rule(DENIED, order=4, depot=DEPOT)), example(), DENIED, d),
        ((*TABLE, rule(DENIED, order=4, depot=OTHER)), example(), ALLOWED, SMALL),
        # A denial wins where its hours hold, and nowhere else.
        ((*TABLE, n := rule(DENIED, order=4, hours=(time(9), time(11)))), example(), DENIED, n),
        ((*TABLE, rule(DENIED, order=4, hours=(time(11), time(12)))), example(), ALLOWED, SMALL),
        ((*TABLE, rule(DENIED, order=4, weekdays=frozenset({0, 2}))), example(), ALLOWED, SMALL),
        # Hours are half-open and may run over midnight.
        ((h := rule(hours=(time(10), time(12))),), example(), ALLOWED, h),
        ((rule(hours=(time(8), time(10))),), example(), DENIED, None),
        ((n2 := rule(hours=NIGHT),), example(at=AT.replace(hour=23)), ALLOWED, n2),
        ((rule(hours=NIGHT),), example(at=AT.replace(hour=6)), DENIED, None),
        # Time to departure counts from below.
        ((t := rule(minutes_to_departure=30),), example(departure=30), ALLOWED, t),
        ((rule(minutes_to_departure=30),), example(departure=29), DENIED, None),
        ((rule(minutes_to_departure=0),), example(departure=None), DENIED, None),
        # Versions: half-open in time, and of equals the last that was written.
        ((rule(until=AT),), example(), DENIED, None),
        ((b := rule(since=AT),), example(), ALLOWED, b),
        ((rule(since=AT + timedelta(seconds=1)),), example(), DENIED, None),
        ((rule(order=1), later := rule(order=2)), example(), ALLOWED, later),
        # More liberty goes before less, whatever was written later.
        ((SMALL, rule(APPROVAL, order=9, approver="Coordinator")), example(), ALLOWED, SMALL),
        ((ASKS_HIGHER, c := rule(APPROVAL, order=1, approver="Coordinator")), example(), APPROVAL, c),
    ],
)  # fmt: skip
def test_decide_by_table(
    rules: tuple[Rule, ...], asked: Example, outcome: Outcome, winner: Rule | None
) -> None:
    decision = decide(rules, asked)
    assert (decision.outcome, decision.rule) == (outcome, winner)
    assert decision.why


def test_decide_says_which_limits_kept_it_from_more() -> None:
    decision = decide(TABLE, example(14, 700))
    assert decision.approver == "Coordinator"
    assert decision.why[0] == (
        "More would be allowed but for: min more: 14, limit 10; "
        "minor units of cost: 700, limit 500."
    )


def test_decide_for_several_roles_takes_what_gives_most() -> None:
    rules = (*TABLE, rule(order=4, role="Supervisor", minutes=240))
    decision = decide_for(["Driver", "Supervisor"], rules, example(100))
    assert (decision.outcome, decision.role) == (ALLOWED, "Supervisor")
    assert decide_for([], rules, example()).outcome == DENIED


def test_ladder_leads_upwards_and_ends() -> None:
    assert next_role("Coordinator") == "Route planner"
    assert next_role(ADMINISTRATOR) is None
    assert next_role("Data steward") is None
    assert stands_for("Supervisor", "Coordinator")
    assert not stands_for("Coordinator", "Supervisor")
    assert not stands_for("Data steward", "Coordinator")


@pytest.mark.parametrize(
    "bad",
    [
        {"outcome": DENIED, "minutes": 3},
        {"outcome": APPROVAL},
        {"outcome": ALLOWED, "approver": "Supervisor"},
        {"outcome": APPROVAL, "approver": "Driver"},
    ],
)
def test_rule_that_breaks_the_order_of_precedence_is_refused(
    bad: dict[str, object],
) -> None:
    with pytest.raises(ValueError, match=r"denial|approval"):
        rule(**bad)  # type: ignore[arg-type]  # that is the point


# ── What holds for every table ───────────────────────────────────────────────
figure = st.one_of(st.none(), st.integers(-30, 60))
bound = st.one_of(st.none(), st.integers(0, 60))
clock_time = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@st.composite
def limits(draw: st.DrawFn, *, bare: bool) -> Limits:
    hours = draw(st.one_of(st.none(), st.tuples(clock_time, clock_time)))
    days = frozenset(draw(st.sets(st.integers(0, 6), max_size=3)))
    if bare:
        return Limits(hours=hours, weekdays=days)
    return Limits(
        minutes=draw(bound),
        cost_minor=draw(bound),
        stops=draw(bound),
        windows_broken=draw(bound),
        minutes_to_departure=draw(bound),
        hours=hours,
        weekdays=days,
    )


@st.composite
def tables(draw: st.DrawFn) -> list[Rule]:
    found = []
    for order in range(draw(st.integers(0, 8))):
        outcome = draw(st.sampled_from(Outcome))
        found.append(
            Rule(
                id=str(order),
                order=order,
                kind="move_stop",
                role=draw(st.sampled_from(("Driver", "Coordinator"))),
                depot=draw(st.sampled_from(("", DEPOT, OTHER))),
                outcome=outcome,
                approver=draw(st.sampled_from(APPROVERS))
                if outcome == APPROVAL
                else "",
                limits=draw(limits(bare=outcome == DENIED)),
                valid_from=AT + timedelta(hours=draw(st.integers(-3, 1))),
                valid_until=draw(st.sampled_from((None, AT, AT + timedelta(hours=1)))),
            )
        )
    return draw(st.permutations(found))


examples = st.builds(
    example,
    figure,
    figure,
    figure,
    figure,
    departure=figure,
    at=st.integers(0, 72).map(lambda hours: AT + timedelta(hours=hours)),
)


@settings(max_examples=60, deadline=None)
@given(tables(), examples)
def test_every_example_has_one_stated_answer(table: list[Rule], asked: Example) -> None:
    """No gap: there is always an answer. No overlap: the order of the rows is nothing."""
    decision = decide(table, asked)
    assert decision.outcome in Outcome
    assert decision.why
    assert decide(table[::-1], asked) == decision
    assert (decision.outcome == APPROVAL) == bool(decision.approver)
    if decision.outcome != DENIED:
        assert decision.rule in table


@settings(max_examples=60, deadline=None)
@given(tables(), examples)
def test_winner_is_covered_in_force_and_gives_the_most(
    table: list[Rule], asked: Example
) -> None:
    decision = decide(table, asked)
    winner = decision.rule
    meant = [
        one
        for one in table
        if one.role == asked.role
        and one.depot in ("", DEPOT)
        and one.is_in_force(asked.at)
    ]
    scope = [one for one in meant if one.depot] or meant
    holding = [one for one in scope if not misses(one.limits, asked)]
    if winner is None:
        assert not holding
        return
    assert winner in holding
    if winner.outcome != DENIED:
        assert not [one for one in holding if one.outcome == DENIED]
        assert liberty(winner) == max(map(liberty, holding))


@settings(max_examples=120, deadline=None)
@given(
    tables(),
    examples,
    st.tuples(*[st.one_of(st.just(0), st.integers(0, 50), st.none())] * 5),
)
def test_larger_impact_never_gets_more_liberty(
    table: list[Rule], asked: Example, more: tuple[int | None, ...]
) -> None:
    """Each figure grows, or becomes unknown, and the departure comes nearer."""

    def grown(value: int | None, by: int | None) -> int | None:
        return None if value is None or by is None else value + by

    known = asked.figures
    figures = Figures(
        minutes=grown(known.minutes, more[0]),
        cost_minor=grown(known.cost_minor, more[1]),
        stops=grown(known.stops, more[2]),
        windows_broken=grown(known.windows_broken, more[3]),
    )
    left = asked.minutes_to_departure
    nearer = None if left is None or more[4] is None else left - more[4]
    worse = replace(asked, figures=figures, minutes_to_departure=nearer)
    assert liberty(decide(table, worse)) <= liberty(decide(table, asked))


# ── The table that a house begins with ───────────────────────────────────────
def house() -> list[Rule]:
    return [
        Rule(
            id=str(number),
            order=number,
            kind=one.kind,
            role=one.role,
            depot="",
            outcome=one.outcome,
            approver=one.approver,
            limits=one.limits,
            valid_from=AT - timedelta(days=1),
        )
        for number, one in enumerate(default_rights())
    ]


def first(kind: str, role: str, figures: Figures) -> Decision:
    asked = replace(example(role=role), kind=kind, figures=figures)
    return decide(house(), asked)


NOTHING = Figures(minutes=0, cost_minor=0, stops=1, windows_broken=0)
MUCH = Figures(minutes=500, cost_minor=90_000, stops=300, windows_broken=40)


@pytest.mark.parametrize("kind", KINDS)
def test_first_rights_leave_no_driver_without_an_answer(kind: str) -> None:
    for figures in (NOTHING, MUCH, Figures()):
        assert first(kind, "Driver", figures).outcome != DENIED


@pytest.mark.parametrize("kind", KINDS)
def test_first_rights_let_nobody_approve_below_who_asks(kind: str) -> None:
    for one in default_rights():
        if one.approver:
            assert LADDER.index(one.approver) > LADDER.index(one.role), one


@pytest.mark.parametrize(
    ("kind", "role", "figures", "said"),
    [
        ("move_stop", "Driver", NOTHING, "allowed"),
        ("move_stop", "Driver", replace(NOTHING, windows_broken=1), "Coordinator"),
        ("move_stop", "Driver", MUCH, "Supervisor"),
        ("give_stop", "Driver", NOTHING, "Coordinator"),
        ("end_shift_early", "Driver", NOTHING, "Supervisor"),
        ("end_shift_early", "Coordinator", NOTHING, "Supervisor"),
        ("lock_route", "Coordinator", NOTHING, "Route planner"),
        ("lock_route", "Route planner", NOTHING, "allowed"),
        ("give_stop", "Supervisor", NOTHING, "allowed"),
        ("give_stop", "Supervisor", MUCH, ADMINISTRATOR),
        ("give_stop", ADMINISTRATOR, MUCH, "allowed"),
        ("give_stop", "Data analyst", NOTHING, "denied"),
    ],
)
def test_first_rights(kind: str, role: str, figures: Figures, said: str) -> None:
    decision = first(kind, role, figures)
    assert (decision.approver or str(decision.outcome)) == said
