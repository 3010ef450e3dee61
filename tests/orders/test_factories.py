"""The factories themselves: every row they build is one the database accepts."""

from typing import Any

import pytest
from factory.django import DjangoModelFactory

from tests import factories

FACTORIES = [
    value
    for value in vars(factories).values()
    if isinstance(value, type)
    and issubclass(value, DjangoModelFactory)
    and value is not DjangoModelFactory
]


@pytest.mark.django_db
@pytest.mark.parametrize("build", FACTORIES, ids=lambda build: build.__name__)
def test_factory_builds_a_row_that_passes_full_clean(
    build: type[DjangoModelFactory[Any]],
) -> None:
    row: Any = build()
    row.full_clean()
    assert type(row)._default_manager.get(pk=row.pk) == row
