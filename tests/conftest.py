"""What every test may count on: a cache of its own, and passwords that hash fast."""

import os
import shutil
import uuid
from collections.abc import Generator

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from pytest_django import Settings
from pytest_django.plugin import blocking_manager_key

from apps.core.roles import grant_roles
from apps.drivers.kinds import make_first_types
from apps.drivers.models import VehicleType
from apps.feedback.firsts import make_first_surveys
from apps.feedback.models import Survey
from apps.overrides.defaults import make_first_rights
from apps.overrides.models import DecisionRight
from tests.factories import NOW


@pytest.fixture(scope="session")
def django_db_keepdb(
    request: pytest.FixtureRequest, django_db_modify_db_settings: None
) -> bool:
    """Begin with a copy of a database that CI has migrated, where it has.

    `MIGRATED` is a file of SQLite, `MIGRATED_POSTGRES` a database beside the tests'.
    """
    own = connections["default"].settings_dict["TEST"]
    if connections["default"].vendor == "postgresql":
        own["TEMPLATE"] = os.environ.get("MIGRATED_POSTGRES")
    elif made := os.environ.get("MIGRATED"):
        shutil.copy(made, own["NAME"])
        return True
    return bool(request.config.option.reuse_db)


@pytest.fixture(autouse=True)
def own_cache(settings: Settings) -> None:
    """Throttles and the queue's figures start from nothing in each test."""
    if settings.REDIS_URL:
        shared = {**settings.CACHES["default"], "KEY_PREFIX": f"test-{uuid.uuid4()}"}
        settings.CACHES = {"default": shared}
    else:
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                "LOCATION": str(uuid.uuid4()),
            }
        }
    settings.DEMO_CLOCK_FILE = None
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def own_storage(settings: Settings) -> None:
    """Files of proof lie in memory, and are gone after each test."""
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "proofs": memory}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """Give back what migrations wrote, after a test whose database was flushed at its end.

    After the last test there is no test database any more, only the real one.
    """
    yield
    if nextitem is None:
        return
    marker = item.get_closest_marker("django_db")
    is_flushed = marker is not None and marker.kwargs.get("transaction", False)
    if is_flushed:
        with item.config.stash[blocking_manager_key].unblock():
            grant_roles(group=Group, permission=Permission, content_type=ContentType)
            make_first_types(VehicleType)
            make_first_surveys(Survey)
            make_first_rights(DecisionRight, now=NOW)
