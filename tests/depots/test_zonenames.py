"""A depot without a time zone is refused; one that got past the doors breaks no page."""

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from apps.core.roles import SUPERVISOR
from apps.depots.models import Depot
from apps.depots.zonenames import is_zone
from apps.feedback.models import Survey
from tests.customers.pages import path_of
from tests.factories import NOW, DepotFactory, OrderFactory
from tests.office import make_office, make_user, signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "Europe", "../etc/passwd", "+2"])
def test_zone_that_is_none_is_refused_with_a_clear_word(zone: str) -> None:
    assert not is_zone(zone)
    depot = DepotFactory.build(time_zone=zone)
    with pytest.raises(ValidationError) as caught:
        depot.full_clean(exclude=["id"], validate_unique=False)
    assert "time_zone" in caught.value.message_dict


def test_no_row_without_a_zone_can_be_written() -> None:
    depot = DepotFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        Depot.objects.filter(pk=depot.pk).update(time_zone="")


def test_pages_of_a_depot_whose_zone_is_gone_go_by_utc() -> None:
    office = make_office()
    survey = Survey.objects.get(key="pulse")
    order = OrderFactory(depot=office.depot)
    doors = [path_of(order, purpose) for purpose in ("tracking", "survey")]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE depots_depot SET time_zone = 'Gone/Zone'")
    assert Depot.objects.get(pk=office.depot.pk).time_zone == "UTC"
    client = signed_in(make_user(SUPERVISOR, office.depot))
    pages = [
        "/admin/",
        reverse("admin:feedback_survey_change", args=[survey.pk]),
        reverse("admin:feedback_surveyhook_changelist"),
        reverse("admin:feedback_surveyimport_changelist"),
        reverse("admin:metrics_dailyfigure_confidence"),
        reverse("admin:routes_route_change", args=[office.route.pk]),
    ]
    assert {url: client.get(url).status_code for url in pages} == dict.fromkeys(
        pages, 200
    )
    with time_machine.travel(NOW, tick=False):
        found = {url: Client().get(url).status_code for url in doors}
    assert found == dict.fromkeys(doors, 200)
