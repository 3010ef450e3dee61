"""Pages whose rows Django's own forms store: what they do is written down as well."""

import uuid
from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.core import clock
from apps.core.actors import user_actor
from apps.journal.services import writing


class JournalledPage(ModelAdmin):  # type: ignore[misc]
    """Leaves an entry for what is added, changed or deleted here: which fields, no values."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Record that a row was made."""
        return self._record(request, obj, "added", ())

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Record which fields of a row, or of its parts, were changed."""
        return self._record(request, obj, "changed", fields_of(message))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Record the rows that are deleted."""
        for row in queryset:
            self._record(request, row, "deleted", ())

    def _record(
        self,
        request: HttpRequest,
        row: Any,
        done: str,
        fields: tuple[str, ...],
        depot_id: uuid.UUID | None = None,
    ) -> None:
        kind = f"{row._meta.verbose_name.replace(' ', '_')}.{done}"
        with writing(by=user_actor(request.user), now=clock.now()) as journal:
            journal.record(kind, row, depot_id=depot_id, fields=list(fields))


def fields_of(message: Any) -> tuple[str, ...]:
    """Return the names of fields that Django's message of a change tells of."""
    if not isinstance(message, list):
        return (str(message),)
    found = []
    for part in message:
        for what, told in part.items():
            names = ", ".join(str(name) for name in told.get("fields", ()))
            row = " ".join(filter(None, (told.get("name", ""), told.get("object", ""))))
            found.append(" ".join(filter(None, (row, what if row else "", names))))
    return tuple(found)
