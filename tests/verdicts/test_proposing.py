"""Rights that a record earns are proposed, and a person signs them, or does not."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core.actors import SYSTEM, Actor, user_actor
from apps.core.ids import uuid7
from apps.core.problems import Invalid
from apps.depots.models import Depot
from apps.overrides.models import DecisionRight
from apps.overrides.services.ruling import RightIsOver, end_right
from apps.verdicts import tasks
from apps.verdicts.models import RightsProposal, Verdict
from apps.verdicts.services.proposing import (
    AlreadyDecided,
    NotTheAdministrator,
    decline_proposal,
    overtake_proposals,
    propose_rights,
    sign_proposal,
    take_back_proposal,
)
from tests.factories import NOW, SERVICE_DATE, OverrideFactory, UserFactory
from tests.verdicts.days import make_driven

LATER = NOW + timedelta(hours=1)
pytestmark = pytest.mark.django_db


def verdicts(
    depot: Depot, right: int, wrong: int = 0, undecidable: int = 0, **values: Any
) -> list[Verdict]:
    """Give so many verdicts on moves of stops by drivers."""
    driven = make_driven(depot=depot)
    rulings = ["right"] * right + ["wrong"] * wrong + ["undecidable"] * undecidable
    rows = []
    for ruling in rulings:
        asked = OverrideFactory(
            depot=depot,
            kind="move_stop",
            state="applied",
            approver="",
            deadline_at=None,
            answered_at=NOW,
            answered_by="right:1",
            client_id=uuid7().hex,
        )
        rows.append(
            Verdict.objects.create(
                **{
                    "depot": depot,
                    "shift": driven.shift,
                    "route": driven.route,
                    "service_date": SERVICE_DATE,
                    "subject": "override",
                    "kind": "move_stop",
                    "role": "Driver",
                    "override": asked,
                    "ruling": ruling,
                    "gained_minor": 500,
                    "gained_s": 300,
                    "sd_minor": 100,
                    "sd_s": 60,
                    "least_minor": 165,
                    "arithmetic": {},
                    "inputs_hash": "0" * 64,
                    "judged_at": NOW,
                    **values,
                }
            )
        )
    return rows


def proposed() -> RightsProposal:
    [row] = propose_rights(by=SYSTEM, now=NOW)
    return row


def chief() -> Actor:
    return user_actor(UserFactory(is_superuser=True, is_staff=True))


def in_force() -> DecisionRight:
    return DecisionRight.objects.get(
        kind="move_stop", role="Driver", outcome="allowed", valid_until=None
    )


@pytest.fixture
def depot() -> Depot:
    return make_driven().depot


def test_propose_rights_good_record_widens_once(depot: Depot) -> None:
    rows = verdicts(depot, 27, 3, 9)
    found = proposed()
    assert (found.direction, found.role, found.depot) == ("widen", "Driver", None)
    assert found.limits["max_minutes"] == [10, 15]
    assert "max_windows_broken" not in found.limits
    counts = [found.evidence[name] for name in ("right", "wrong", "undecidable")]
    assert counts == [27, 3, 9]
    assert set(found.evidence["verdicts"]) == {str(row.pk) for row in rows}
    assert propose_rights(by=SYSTEM, now=NOW) == []
    assert in_force().max_minutes == 10


def test_propose_rights_bad_record_narrows(depot: Depot) -> None:
    verdicts(depot, 3, 27)
    assert proposed().limits["max_minutes"] == [10, 6]


def test_propose_rights_mixed_or_small_record_says_nothing(depot: Depot) -> None:
    verdicts(depot, 12, 12)
    assert propose_rights(by=SYSTEM, now=NOW) == []
    verdicts(depot, 15, role="Coordinator")
    assert propose_rights(by=SYSTEM, now=NOW) == []


def test_sign_proposal_makes_the_next_version(depot: Depot) -> None:
    verdicts(depot, 30)
    row, old = proposed(), in_force()
    signed = sign_proposal(
        proposal_id=row.pk, expected_version=1, because="Earned.", by=chief(), now=LATER
    )
    new = in_force()
    assert (signed.state, signed.new_right) == ("signed", new)
    assert (new.replaces, new.max_minutes, new.why) == (old, 15, "Earned.")
    assert new.max_windows_broken == old.max_windows_broken
    # The new version begins without a record.
    assert propose_rights(by=SYSTEM, now=LATER) == []
    with pytest.raises(AlreadyDecided):
        sign_proposal(proposal_id=row.pk, expected_version=2, by=chief(), now=LATER)


def test_take_back_proposal_restores_the_rule(depot: Depot) -> None:
    verdicts(depot, 30)
    row, by = proposed(), chief()
    sign_proposal(proposal_id=row.pk, expected_version=1, by=by, now=NOW)
    back = take_back_proposal(
        proposal_id=row.pk, expected_version=2, reason="Too early.", by=by, now=NOW
    )
    assert back.state == "taken_back"
    assert in_force().max_minutes == 10
    assert DecisionRight.objects.filter(kind="move_stop", role="Driver").count() > 3


def test_sign_proposal_is_the_administrators(depot: Depot) -> None:
    verdicts(depot, 30)
    row = proposed()
    for by in (user_actor(UserFactory(is_staff=True)), SYSTEM):
        with pytest.raises(NotTheAdministrator):
            sign_proposal(proposal_id=row.pk, expected_version=1, by=by, now=NOW)
    assert in_force().max_minutes == 10


def test_decline_proposal_waits_for_half_as_many_again(depot: Depot) -> None:
    verdicts(depot, 30)
    row, by = proposed(), chief()
    decline: dict[str, Any] = {
        "proposal_id": row.pk,
        "expected_version": 1,
        "by": by,
        "now": NOW,
    }
    with pytest.raises(Invalid):
        decline_proposal(reason=" ", **decline)
    assert decline_proposal(reason="Not yet.", **decline).state == "declined"
    verdicts(depot, 14)
    assert propose_rights(by=SYSTEM, now=NOW) == []
    verdicts(depot, 1)
    assert proposed().evidence["right"] == 45


def test_overtaken_proposal_cannot_be_signed(depot: Depot) -> None:
    verdicts(depot, 30)
    row, by = proposed(), chief()
    end_right(right_id=row.right_id, expected_version=None, by=by, now=NOW)
    with pytest.raises(RightIsOver):
        sign_proposal(proposal_id=row.pk, expected_version=1, by=by, now=NOW)
    assert overtake_proposals(by=SYSTEM, now=NOW) == 1
    row.refresh_from_db()
    assert row.state == "overtaken"
    tasks.propose()
    assert RightsProposal.objects.count() == 1
