"""The history of every object: what the journal knows of it, for those who may see it."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from apps.core.actors import SYSTEM, Actor
from apps.core.roles import SUPERVISOR
from apps.journal.models import Entry
from apps.journal.services import writing
from apps.metrics.words import details_of, title_of
from tests.factories import NOW, UserFactory
from tests.office import Office, make_office, make_user, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    return make_office(name="Lauf")


def history(row: object) -> str:
    opts = row._meta  # type: ignore[attr-defined]
    name = f"admin:{opts.app_label}_{opts.model_name}_history"
    return reverse(name, args=[row.pk])  # type: ignore[attr-defined]


def record(row: object, count: int = 1, *, by: Actor = SYSTEM) -> None:
    depot = getattr(row, "depot_id", None)
    with writing(by=by, now=NOW) as journal:
        for number in range(count):
            journal.record(
                "thing.touched",
                row,  # type: ignore[arg-type]
                depot_id=depot,
                number_of_times=number,
            )


def test_history_of_every_page_shows_the_journal_of_its_object(office: Office) -> None:
    client = signed_in(UserFactory(is_staff=True, is_superuser=True))
    rows = office.rows | {
        "auth.user": User.objects.first(),
        "auth.group": Group.objects.first(),
    }
    seen = 0
    for model in admin.site._registry:
        row = rows.get(model._meta.label_lower) or model._default_manager.first()
        if row is None:
            continue
        record(row)
        page = client.get(history(row))
        assert page.status_code == 200, model
        text = page.content.decode()
        assert "Thing touched" in text, model
        assert "number of times" in text, model
        seen += 1
    assert seen >= len(
        office.rows.keys() & {m._meta.label_lower for m in admin.site._registry}
    )


def test_history_names_people_and_hides_ids(office: Office) -> None:
    user = make_user(SUPERVISOR, office.depot)
    user.first_name, user.last_name = "Ada", "Muster"
    user.save()
    record(office.driver, by=Actor("user", str(user.pk)))
    text = signed_in(user).get(history(office.driver)).content.decode()
    assert "Ada Muster" in text
    assert f"user:{user.pk}" not in text


def test_history_of_an_order_tells_of_its_stop_and_where_it_came_from(
    office: Office,
) -> None:
    order = office.rows["orders.order"]
    record(order.stops.get())
    text = signed_in(make_user(SUPERVISOR, office.depot)).get(history(order))
    shown = text.content.decode()
    assert "Thing touched" in shown
    assert ">stop<" in shown
    assert "Came in" in shown


def test_history_is_paged_the_newest_first(office: Office) -> None:
    record(office.driver, 60)
    client = signed_in(make_user(SUPERVISOR, office.depot))
    first = client.get(history(office.driver)).content.decode()
    second = client.get(history(office.driver), {"p": 2}).content.decode()
    assert first.count("Thing touched") == 50
    assert second.count("Thing touched") >= 10
    assert "<dd>59</dd>" in first
    assert "<dd>0</dd>" in second


def test_history_of_another_depot_is_absent_and_asks_for_the_right(
    office: Office,
) -> None:
    stranger = signed_in(make_user(SUPERVISOR, make_office().depot))
    assert stranger.get(history(office.driver)).status_code == 404
    analyst = signed_in(make_user("Data analyst", office.depot))
    assert analyst.get(history(office.driver)).status_code == 403
    assert Client().get(history(office.driver)).status_code == 302
    root = signed_in(UserFactory(is_staff=True, is_superuser=True))
    assert root.get("/admin/nowhere/thing/1/history/").status_code == 404


def test_history_that_is_empty_says_so(office: Office) -> None:
    vehicle_type = office.rows["drivers.vehicletype"]
    Entry.objects.filter(subject_type="vehicletype").delete()
    page = signed_in(make_user(SUPERVISOR, office.depot)).get(history(vehicle_type))
    assert "The journal has no entry about it yet." in page.content.decode()


def test_change_of_a_log_in_is_written_down(office: Office) -> None:
    root = UserFactory(is_staff=True, is_superuser=True)
    client = signed_in(root)
    group = Group.objects.create(name="Night shift")
    answer = client.post(
        reverse("admin:auth_group_change", args=[group.pk]), {"name": "Night desk"}
    )
    assert answer.status_code == 302
    entry = Entry.objects.get(kind="group.changed")
    assert entry.actor == f"user:{root.pk}"
    assert entry.payload == {"fields": ["Name"]}
    assert "Group changed" in client.get(history(group)).content.decode()


def test_words_of_a_payload() -> None:
    told = details_of(
        {
            "order_id": "0198",
            "late_s": 600,
            "at": "2026-03-17T06:00:00+00:00",
            "because": "shift_ended",
            "empty": "",
            "is_open": True,
            "fields": ["a", "b"],
            "who": {"name": "x"},
        },
        "Europe/Berlin",
    )
    assert dict(told) == {
        "late": "10 min",
        "at": "Tue 17 Mar, 07:00",
        "because": "shift ended",
        "is open": "yes",
        "fields": "a, b",
        "who": "name x",
    }
    assert title_of("plan_change.acknowledged") == "Driver confirmed the change"
    assert title_of("a.new_kind") == "A new kind"
