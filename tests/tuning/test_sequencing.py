"""What estimates of sequences must prove before they are proposed."""

import pytest

from apps.routes.zoneorder import order_from
from apps.tuning.ledger import rerun
from apps.tuning.nearness import DrivenRoute, order_error_pct, zone_pairs
from apps.tuning.sequencing import (
    DRIVEN,
    FOLLOWED,
    LEAVE,
    ORDER,
    PLANNED,
    SOURCE,
    Seen,
    SequenceProposal,
    SequenceRequest,
    encode_proposal,
    encode_request,
    propose_sequence,
)


def seen(key: str, mean: float, n: int = 40, spread: float = 0.02) -> Seen:
    return Seen(key, n, mean, spread, "2026-03-17")


def asked(name: str, in_force: object, *estimates: Seen) -> SequenceProposal:
    request = SequenceRequest(SOURCE, name, in_force, estimates)
    found = propose_sequence(request)
    assert rerun(encode_request(request)) == encode_proposal(found)
    return found


def test_sure_pair_is_proposed_with_how_it_is_known() -> None:
    found = asked(ORDER, {}, seen("A>B", 0.9), seen("B>A", 0.1))

    assert found.value == {"A>B": {"share": 0.9, "n": 40, "as_of": "2026-03-17"}}
    assert "A was rightly driven before B" in found.findings[0].text


@pytest.mark.parametrize(
    "weak",
    [seen("A>B", 0.9, n=9), seen("A>B", 0.55), seen("A>B", 0.7, spread=0.2)],
)
def test_pair_that_proves_nothing_is_not_proposed(weak: Seen) -> None:
    assert asked(ORDER, {}, weak).findings == ()


def test_few_routes_do_not_claim_to_know_exactly() -> None:
    few = seen("A>B", 0.65, n=10, spread=0.0)

    assert few.error == pytest.approx(0.153, abs=0.005)
    assert asked(ORDER, {}, few).findings == ()


def test_order_that_is_turned_takes_the_place_of_the_old() -> None:
    held = {"A>B": {"share": 0.9, "n": 40, "as_of": "2026-02-01"}}

    found = asked(ORDER, held, seen("A>B", 0.15), seen("B>A", 0.85))

    assert list(order_from(found.value)) == ["B>A"]


def test_leaving_becomes_dearer_by_a_notch_where_drivers_stay() -> None:
    stays = seen(DRIVEN, 0.9, 300), seen(PLANNED, 0.7, 300)

    assert asked(LEAVE, 0, *stays).value == 80
    assert asked(LEAVE, 400, *stays).findings == ()
    assert asked(LEAVE, 0, seen(DRIVEN, 0.72, 300), stays[1]).findings == ()


def test_shares_are_proposed_where_they_differ_from_what_is_expected() -> None:
    found = asked(
        FOLLOWED,
        {},
        seen("kind:next", 0.9, 400),
        seen("kind:next@Docks", 0.6, 100),
        seen("kind:next@Fields", 0.89, 100),
        seen("kind:sequence@Docks", 0.2, 100),
    )

    assert {key: each["share"] for key, each in found.value.items()} == {
        "depot": 0.9,
        "zone:Docks": 0.6,
    }


def test_pairs_are_counted_by_their_middles() -> None:
    assert zone_pairs("AABB", "BBAA") == (1, 1)
    assert zone_pairs("ABC", "ACB") == (3, 1)
    assert zone_pairs("AA", "AA") == (0, 0)


def test_nearness_weighs_routes_by_who_was_right() -> None:
    zones = {"1": "A", "2": "B", "3": "A", "4": "B"}
    right, wrong = DrivenRoute(("2", "1"), "right"), DrivenRoute(("4", "3"), "wrong")

    assert order_error_pct([["1", "2"], ["3", "4"]], [right, wrong], zones) == 100.0
    assert order_error_pct([["2", "1"], ["3", "4"]], [right, wrong], zones) == 0.0
