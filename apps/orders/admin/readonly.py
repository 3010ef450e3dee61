"""Pages that show rows and leave every change to a verb."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model
from django.http import HttpRequest
from unfold.decorators import action

from apps.depots.scoping import DepotScopedAdmin

Method = TypeVar("Method", bound=Callable[..., Any])


def row_action(
    description: str, *, permission: str, icon: str
) -> Callable[[Method], Method]:
    """Make a method a button of a row's page."""

    def made(method: Method) -> Method:
        button: Method = action(
            description=description, permissions=[permission], icon=icon
        )(method)
        return button

    return made


class ReadOnlyPage(DepotScopedAdmin):
    """A depot's rows, shown; never typed into."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: rows come by verbs."""
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Refuse: rows change by verbs."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Refuse: nothing that happened is deleted."""
        return False

    def may_change(self, request: HttpRequest) -> bool:
        """Tell whether the user may call the verbs that change a row."""
        meta: Any = self.opts
        return request.user.has_perm(f"{meta.app_label}.change_{meta.model_name}")
