"""Absences: who answers for somebody who is away, and what is refused."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse

from apps.core.actors import SYSTEM, Actor
from apps.core.problems import Invalid
from apps.depots.models import Absence, Depot
from apps.depots.selectors import covered_by, is_absent, stand_in_for
from apps.depots.services import AbsenceIsOver, end_absence, note_absence
from apps.journal.models import Entry
from tests.factories import NOW, DepotFactory, DepotMembershipFactory, UserFactory
from tests.office import make_user, signed_in

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=8)


def colleagues(depot: Depot, count: int) -> list[User]:
    return [DepotMembershipFactory(depot=depot).user for _ in range(count)]


def away(user: User, stand_in: User | None = None) -> Absence:
    return note_absence(
        user_id=user.pk,
        from_at=NOW,
        until_at=LATER,
        stand_in_id=stand_in.pk if stand_in else None,
        by=SYSTEM,
        now=NOW,
    )


def test_stand_in_answers_while_the_absence_holds_and_no_longer() -> None:
    anna, ben = colleagues(DepotFactory(), 2)
    away(anna, ben)

    assert is_absent(anna.pk, NOW)
    assert stand_in_for(anna.pk, NOW) == ben
    assert covered_by(ben.pk, NOW) == [anna.pk]
    assert stand_in_for(anna.pk, LATER) is None
    assert not is_absent(anna.pk, NOW - timedelta(seconds=1))
    assert stand_in_for(ben.pk, NOW) is None


def test_stand_in_who_is_away_is_followed_to_his_own() -> None:
    anna, ben, cem = colleagues(DepotFactory(), 3)
    away(anna, ben)
    away(ben, cem)

    assert stand_in_for(anna.pk, NOW) == cem
    assert covered_by(cem.pk, NOW) == [anna.pk, ben.pk]


def test_nobody_answers_where_stand_ins_go_round_in_a_circle() -> None:
    anna, ben = colleagues(DepotFactory(), 2)
    away(anna, ben)
    away(ben, anna)

    assert stand_in_for(anna.pk, NOW) is None


def test_nobody_answers_for_the_absent_without_a_stand_in_or_with_a_closed_one() -> (
    None
):
    anna, ben, cem = colleagues(DepotFactory(), 3)
    away(anna)
    away(ben, cem)
    User.objects.filter(pk=cem.pk).update(is_active=False)

    assert stand_in_for(anna.pk, NOW) is None
    assert stand_in_for(ben.pk, NOW) is None


def test_note_absence_refuses_what_makes_no_sense() -> None:
    anna, ben = colleagues(DepotFactory(), 2)
    stranger = UserFactory()

    cases: list[tuple[datetime, User, str]] = [
        (NOW, ben, "/until_at"),
        (LATER, anna, "/stand_in"),
        (LATER, stranger, "/stand_in"),
    ]
    for until_at, stand_in, pointer in cases:
        with pytest.raises(Invalid) as refused:
            note_absence(
                user_id=anna.pk,
                from_at=NOW,
                until_at=until_at,
                stand_in_id=stand_in.pk,
                by=SYSTEM,
                now=NOW,
            )
        assert [fault.pointer for fault in refused.value.errors] == [pointer]
    assert not Absence.objects.exists()


def test_end_absence_moves_its_end_once() -> None:
    anna, ben = colleagues(DepotFactory(), 2)
    absence = away(anna, ben)
    noon = NOW + timedelta(hours=4)

    end_absence(absence_id=absence.pk, by=Actor("user", "1"), now=noon)

    assert stand_in_for(anna.pk, noon) is None
    with pytest.raises(AbsenceIsOver):
        end_absence(absence_id=absence.pk, by=SYSTEM, now=noon)
    kinds = Entry.objects.filter(subject_id=str(absence.pk)).values_list("kind")
    assert [kind for (kind,) in kinds] == ["absence.noted", "absence.ended"]


@time_machine.travel(NOW, tick=True)
def test_supervisor_notes_an_absence_by_the_depots_clock() -> None:
    depot = DepotFactory()
    anna, ben = colleagues(depot, 2)
    client = signed_in(make_user("Supervisor", depot))

    answer = client.post(
        reverse("admin:depots_absence_add"),
        {
            "user": anna.pk,
            "stand_in": ben.pk,
            "from_at_0": "2026-03-18",
            "from_at_1": "08:00",
            "until_at_0": "2026-03-19",
            "until_at_1": "08:00",
        },
    )

    assert answer.status_code == 302, answer.content
    absence = Absence.objects.get()
    assert absence.from_at.isoformat() == "2026-03-18T07:00:00+00:00"
    page = client.get(reverse("admin:depots_absence_change", args=[absence.pk]))
    assert "Back already" in page.content.decode()
