"""What every test may count on: a cache of its own, and passwords that hash fast."""

import uuid
from collections.abc import Generator

import pytest
import pytest_django
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connection, connections, transaction
from django.db.models import Model
from hypothesis import HealthCheck
from hypothesis import settings as examples
from pytest_django import Settings
from pytest_django.plugin import blocking_manager_key

from apps.core.roles import grant_roles
from tests.migrated import begin_migrated

examples.register_profile(
    "no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
examples.load_profile("no clock")
"""A busy machine makes examples slow, not wrong: no test fails on a timing."""

FIRST_ROWS: dict[type[Model], list[Model]] = {}
"""What migrations wrote into our tables, by model."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: at the end one worker would wait for them."""
    slow = {
        item.path
        for item in items
        if item.get_closest_marker("slow") or item.get_closest_marker("browser")
    }
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def django_db_keepdb(
    request: pytest.FixtureRequest, django_db_modify_db_settings: None
) -> bool:
    """Begin with a copy of a database that CI has migrated, where it has."""
    default = connections["default"]
    is_there = begin_migrated(default.settings_dict["TEST"], default.vendor)
    return is_there or bool(request.config.option.reuse_db)


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


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> None:
    """Remember what migrations wrote into our tables."""
    with django_db_blocker.unblock():
        for model in apps.get_models():
            is_ours = model.__module__.startswith("apps.") and model._meta.managed
            if is_ours and (rows := list(model._base_manager.all())):
                FIRST_ROWS[model] = rows


def put_first_rows_back() -> None:
    """Write again what migrations wrote, where a flush has taken it away."""
    with transaction.atomic():
        for model, rows in FIRST_ROWS.items():
            model._base_manager.bulk_create(rows, ignore_conflicts=True)
        resets = connection.ops.sequence_reset_sql(no_style(), list(FIRST_ROWS))
        with connection.cursor() as cursor:
            for reset in resets:
                cursor.execute(reset)


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
            put_first_rows_back()
