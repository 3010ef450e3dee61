"""Rules are written and ended, never edited; the office's page does it by verbs."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.urls import reverse

from apps.core.actors import Actor
from apps.core.problems import Invalid, NotFound
from apps.journal.models import Entry
from apps.overrides.models import DecisionRight
from apps.overrides.rights import Figures, Outcome
from apps.overrides.services.ruling import (
    RightDraft,
    RightIsOver,
    end_right,
    replace_right,
    write_right,
)
from apps.overrides.table import decision_on
from tests.factories import NOW, DecisionRightFactory, DepotFactory, UserFactory
from tests.office import make_user, signed_in

pytestmark = pytest.mark.django_db
BOSS = Actor("user", "1")
LATER = NOW + timedelta(hours=2)


def draft(**values: object) -> RightDraft:
    return RightDraft(
        **{"kind": "move_stop", "role": "Driver", "outcome": "allowed", **values}  # type: ignore[arg-type]
    )


def test_new_version_ends_the_old_one_and_both_are_kept() -> None:
    first = write_right(draft(max_minutes=10), valid_from=NOW, by=BOSS, now=NOW)
    second = replace_right(
        right_id=first.pk,
        expected_version=first.version,
        draft=draft(max_minutes=20),
        valid_from=LATER,
        because="They have earned it.",
        by=BOSS,
        now=NOW,
    )
    first.refresh_from_db()
    assert (first.max_minutes, second.max_minutes) == (10, 20)
    assert (first.valid_until, second.valid_from) == (LATER, LATER)
    assert second.replaces == first
    said = Entry.objects.filter(kind="decision_right.written").latest("id")
    assert said.payload["replaces"] == str(first.pk)
    assert said.payload["max_minutes"] == 20
    assert said.actor == "user:1"


def test_each_instant_is_judged_by_the_version_of_its_time() -> None:
    depot = DepotFactory()
    first = DecisionRightFactory(depot=depot, max_minutes=10)
    replace_right(
        right_id=first.pk,
        expected_version=1,
        draft=draft(depot_id=depot.pk, max_minutes=20),
        valid_from=LATER,
        by=BOSS,
        now=NOW,
    )

    def at(instant: object) -> Outcome:
        return decision_on(
            depot=depot,
            kind="move_stop",
            roles=["Driver"],
            figures=Figures(minutes=15, cost_minor=0, stops=1, windows_broken=0),
            minutes_to_departure=0,
            at=instant,  # type: ignore[arg-type]
        ).outcome

    assert at(LATER - timedelta(seconds=1)) == Outcome.DENIED
    assert at(LATER) == Outcome.ALLOWED


def test_ended_rule_is_not_changed_again() -> None:
    row = DecisionRightFactory()
    end_right(right_id=row.pk, expected_version=1, by=BOSS, now=NOW)
    with pytest.raises(RightIsOver):
        end_right(right_id=row.pk, expected_version=None, by=BOSS, now=LATER)
    with pytest.raises(RightIsOver):
        replace_right(
            right_id=row.pk,
            expected_version=2,
            draft=draft(),
            valid_from=LATER,
            by=BOSS,
            now=NOW,
        )
    row.refresh_from_db()
    assert row.valid_until == NOW
    assert Entry.objects.filter(kind="decision_right.ended").count() == 1


def test_rule_that_has_not_begun_never_does() -> None:
    row = write_right(draft(), valid_from=LATER, by=BOSS, now=NOW)
    ended = end_right(right_id=row.pk, expected_version=None, by=BOSS, now=NOW)
    assert ended.valid_until == ended.valid_from == LATER


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"kind": "fly"}, "/kind"),
        ({"role": "Baker"}, "/role"),
        ({"outcome": "approval"}, "/approver"),
        ({"outcome": "approval", "approver": "Driver"}, "/approver"),
        ({"approver": "Supervisor"}, "/approver"),
        ({"outcome": "denied", "max_minutes": 3}, "/max_minutes"),
        ({"hours_from": NOW.time()}, "/hours_until"),
        ({"hours_from": NOW.time(), "hours_until": NOW.time()}, "/hours_until"),
        ({"weekdays": (7,)}, "/weekdays"),
    ],
)
def test_rule_that_nobody_could_understand_is_refused(
    values: dict[str, object], pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        write_right(draft(**values), valid_from=NOW, by=BOSS, now=NOW)
    assert [fault.pointer for fault in refused.value.errors] == [pointer]


def test_rule_does_not_begin_in_the_past() -> None:
    with pytest.raises(Invalid):
        write_right(draft(), valid_from=NOW - timedelta(1), by=BOSS, now=NOW)
    with pytest.raises(NotFound):
        end_right(right_id=DepotFactory().pk, expected_version=None, by=BOSS, now=NOW)


@pytest.mark.parametrize(
    "values",
    [
        {"outcome": "approval", "approver": ""},
        {"outcome": "allowed", "approver": "Supervisor"},
        {"outcome": "denied"},
        {"hours_from": NOW.time()},
        {"valid_until": NOW - timedelta(days=9), "ended_at": NOW, "ended_by": "x"},
        {"valid_until": LATER},
    ],
)
def test_database_refuses_what_the_rules_could_not_read(
    values: dict[str, object],
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        DecisionRightFactory(**values)


# ── The office's pages ───────────────────────────────────────────────────────
def boss() -> User:
    user: User = UserFactory(is_staff=True, is_superuser=True)
    return user


FORM = {
    "kind": "skip_stop",
    "role": "Driver",
    "depot": "",
    "outcome": "allowed",
    "approver": "",
    "max_minutes": "5",
    "because": "A trial",
}


def test_page_writes_a_rule_and_a_new_version_of_it() -> None:
    client = signed_in(boss())
    answer = client.post(reverse("admin:overrides_decisionright_add"), FORM)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row = DecisionRight.objects.get(why="A trial")
    page = reverse("admin:overrides_decisionright_change", args=[row.pk])
    answer = client.post(page, {**FORM, "max_minutes": "7", "read_version": "1"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    newest = DecisionRight.objects.get(replaces=row)
    assert (row.max_minutes, newest.max_minutes) == (5, 7)
    assert newest.created_by.startswith("user:")
    shown = client.get(reverse("admin:overrides_decisionright_change", args=[row.pk]))
    assert "This version is a fact" in shown.content.decode()
    second = client.post(page, {**FORM, "max_minutes": "9", "read_version": "1"})
    assert second.status_code in {302, 403}
    assert DecisionRight.objects.filter(replaces=row).count() == 1


def test_page_says_what_is_wrong_with_a_rule() -> None:
    answer = signed_in(boss()).post(
        reverse("admin:overrides_decisionright_add"), {**FORM, "outcome": "denied"}
    )
    assert answer.status_code == 200
    assert "no limits but its hours" in answer.content.decode()


def test_supervisor_sees_the_table_and_cannot_widen_it() -> None:
    depot = DepotFactory()
    row = DecisionRightFactory(depot=depot)
    client = signed_in(make_user("Supervisor", depot))
    page = reverse("admin:overrides_decisionright_change", args=[row.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {**FORM, "read_version": "1"}).status_code == 403
    assert client.post(
        reverse("admin:overrides_decisionright_end", args=[row.pk])
    ).status_code == 403  # fmt: skip


def test_page_answers_any_example_for_every_role() -> None:
    depot = DepotFactory()
    client = signed_in(make_user("Supervisor", depot))
    page = reverse("admin:overrides_decisionright_who_may")
    answer = client.get(
        page,
        {
            "depot": depot.pk,
            "kind": "move_stop",
            "at": "2026-03-17T10:00",
            "minutes": "14",
            "cost": "3.50",
            "stops": "2",
            "windows_broken": "0",
            "departure": "-60",
        },
    )
    found = {one.role: one.decision for one in answer.context["answers"]}
    assert found["Driver"].approver == "Coordinator"
    assert found["Coordinator"].outcome == Outcome.ALLOWED
    text = answer.content.decode()
    assert "min more: 14, limit 10" in text
    assert "The table in force" in text
