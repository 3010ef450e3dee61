"""The day on which histories play, made once a file."""

from collections.abc import Iterator

import pytest
import pytest_django

from tests.simulation.running import laid_base
from tests.simulation.stage import Base


@pytest.fixture(scope="module")
def base(
    django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[Base]:
    """Return the day; every history puts it back as it was, as in the command."""
    with django_db_blocker.unblock(), laid_base() as laid:
        yield laid
