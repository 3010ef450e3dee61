"""What the room's tests share: a depot, who works there, and their client."""

from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django import Settings
from rest_framework.test import APIClient

from apps.depots.models import Depot
from apps.journal.services import Reaction
from tests.factories import DepotFactory, DepotMembershipFactory, UserFactory

NO_REACTIONS: dict[str, tuple[Reaction, ...]] = {}
"""What rooms above make of the orders' facts is tested with those rooms."""

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture(autouse=True)
def own_media(settings: Settings, tmp_path: Path) -> None:
    """Received files of a test go where the test's other files go."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.JOURNAL_REACTIONS = "tests.orders.conftest.NO_REACTIONS"


@pytest.fixture
def depot(db: None) -> Depot:
    """The depot in Lauf."""
    return DepotFactory(code="lauf")


@pytest.fixture
def planner(depot: Depot) -> User:
    """Somebody of the depot's office with every right on orders and depots."""
    user = UserFactory()
    DepotMembershipFactory(depot=depot, user=user)
    rights = Permission.objects.filter(content_type__app_label__in=["orders", "depots"])
    user.user_permissions.set(rights)
    return user


@pytest.fixture
def client(planner: User) -> APIClient:
    """The planner's client."""
    client = APIClient()
    client.force_authenticate(planner)
    return client


def data_file(name: str) -> bytes:
    """Return a file of real data, or skip the test and say why."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"The real data file {name} is not here.")
    return path.read_bytes()
