"""One planned day for all tests of a file: each gives back what it changed."""

from collections.abc import Iterator

import pytest
import time_machine
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from tests.overrides.days import ASKED, Scene, make_scene


@pytest.fixture(scope="module")
def planned(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Scene]:
    """Plan once, in a transaction around those of the tests."""
    with (
        django_db_blocker.unblock(),
        time_machine.travel(ASKED, tick=False),
        transaction.atomic(),
    ):
        yield make_scene()
        transaction.set_rollback(True)


@pytest.fixture
def scene(planned: Scene, db: None) -> Iterator[Scene]:
    """Give the planned day to one test, at five past six."""
    with time_machine.travel(ASKED, tick=False):
        yield Scene(planned.depot, planned.routes, dict(planned.people))
