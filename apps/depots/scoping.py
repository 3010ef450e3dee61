"""Depot isolation at the doors: what a user may see, in the API and in the admin."""

from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework.permissions import DjangoModelPermissions
from unfold.admin import ModelAdmin

from apps.core.office import OfficePaginator
from apps.depots.models import Depot

Row = TypeVar("Row", bound=Model)


class ModelPermissions(DjangoModelPermissions):
    """Django's permissions at the API, reading included."""

    perms_map = {
        **DjangoModelPermissions.perms_map,
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
        "OPTIONS": ["%(app_label)s.view_%(model_name)s"],
    }


def scoped(
    rows: QuerySet[Row], user: User | AnonymousUser, path: str = "depot"
) -> QuerySet[Row]:
    """Return the rows of the user's depots; `path` leads from a row to its depot.

    Another depot's row is not forbidden but absent: its address answers 404.
    """
    if user.is_superuser:
        return rows
    depots = Depot.objects.visible_to(user).values("pk")
    return rows.filter(**{f"{path}__in": depots})


class DepotScopedAdmin(ModelAdmin):  # type: ignore[misc]
    """An admin page that shows a user the rows of the user's depots alone."""

    depot_path = "depot"
    list_per_page = 50
    paginator = OfficePaginator
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that the signed-in user may see."""
        return scoped(super().get_queryset(request), request.user, self.depot_path)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Answer 404, as the API does, where Django would lead elsewhere."""
        raise Http404

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer no other depot, nor another depot's rows, in a choice."""
        model = db_field.related_model
        if model is Depot:
            kwargs["queryset"] = Depot.objects.visible_to(request.user)
        elif any(field.name == "depot" for field in model._meta.get_fields()):
            kwargs["queryset"] = scoped(model._default_manager.all(), request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
