"""To-dos that were given, lists of steps, and how much one person should have."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin, TabularInline

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import FactPage, OfficePage, column
from apps.core.wording import local_time
from apps.depots.models import Depot, DepotMembership
from apps.depots.scoping import DepotScopedAdmin
from apps.incidents.admin.asking import given_words, people_with_loads
from apps.incidents.forms import GiveForm, SettleForm
from apps.incidents.models import ActionItem, Playbook, PlaybookStep, WorkCap
from apps.incidents.selectors import loads_of, works_for
from apps.incidents.services import work
from apps.incidents.states import ItemState
from apps.journal.services import writing

COLOURS = {
    ItemState.OPEN: "warning",
    ItemState.DONE: "success",
    ItemState.DROPPED: "",
}


class WhoseFilter(admin.SimpleListFilter):
    """Mine, with those whom I stand in for; or all that is open."""

    title = "whose"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer mine, what nobody has, and everything."""
        return [("mine", "Mine and of whom I cover"), ("nobody", "Nobody's yet")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ActionItem]
    ) -> QuerySet[ActionItem]:
        """Return the chosen rows."""
        if self.value() == "mine":
            mine = works_for(request.user.pk or 0, clock.now())
            return queryset.filter(owner__in=mine, status=ItemState.OPEN)
        if self.value() == "nobody":
            return queryset.filter(owner=None, status=ItemState.OPEN)
        return queryset


@admin.register(ActionItem)
class ItemPage(FactPage, DepotScopedAdmin):
    """What is to be done, and whose it is."""

    list_display = ["text", "state", "due", "whose", "incident", "depot"]
    list_filter = [WhoseFilter, "status", "role", "depot"]
    search_fields = ["text", "incident__title"]
    list_select_related = ["depot", "owner", "incident"]
    ordering = ["status", "due_at"]
    row_pages = {"give": "give", "settle": "settle"}
    change_form_outer_before_template = "incidents/item_links.html"
    fields = ["text", "incident", "playbook", "state", "due", "whose", "note"]

    @column("State", label=COLOURS, ordering="status")
    def state(self, row: ActionItem) -> tuple[str, str]:
        """Return how it stands."""
        return row.status, row.get_status_display()

    @column("Until", ordering="due_at")
    def due(self, row: ActionItem) -> str:
        """Return until when it should be done."""
        at = local_time(row.due_at, row.depot.time_zone)
        is_late = row.status == ItemState.OPEN and row.due_at <= clock.now()
        return f"{at}, over" if is_late else at

    @column("Whose")
    def whose(self, row: ActionItem) -> str:
        """Return who has it, or the role that it waits with."""
        owner = row.owner.get_username() if row.owner else "nobody yet"
        return f"{owner} · {row.role}"

    def _row_to_act(self, request: HttpRequest, object_id: str) -> ActionItem:
        if not request.user.has_perm("incidents.change_actionitem"):
            raise PermissionDenied
        row: ActionItem = self.row(request, object_id)
        return row

    def give(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give it to somebody else."""
        row = self._row_to_act(request, object_id)

        def verb(owner: int, **context: Any) -> str:
            given = work.delegate(item_id=row.pk, owner_id=owner, **context)
            name = User.objects.get(pk=given.owner_id).get_username()
            return given_words(name, given.warning)

        form = GiveForm(request.POST or None, people=people_with_loads(row.depot_id))
        return self.ask(
            request, row, form, verb, title="Give it to somebody", button="Give"
        )

    def settle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Mark it done, or not needed."""
        row = self._row_to_act(request, object_id)

        def verb(**fields: Any) -> str:
            work.settle_item(item_id=row.pk, **fields)
            return "It is off the list."

        if request.method == "POST" and "done" in request.POST:
            self.carry_out(
                request,
                lambda **context: verb(as_=ItemState.DONE, **context),
                "It is done.",
            )
            response: HttpResponse = self.to_row(row.incident or row)
            return response
        form = SettleForm(request.POST or None)
        return self.ask(request, row, form, verb, title="Is it done?", button="Save")


class StepsInline(TabularInline):  # type: ignore[misc]
    """The steps of a playbook."""

    model = PlaybookStep
    extra = 1
    fields = ["number", "text", "role", "due_min"]


@admin.register(Playbook)
class PlaybookPage(DepotScopedAdmin):
    """Named lists of steps, of the user's depots and of all."""

    list_display = ["name", "code", "depot", "about", "is_active"]
    list_filter = ["is_active", "depot"]
    search_fields = ["name", "code"]
    fields = ["name", "code", "depot", "about", "is_active"]
    inlines = [StepsInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the playbooks that hold in the user's depots."""
        rows: QuerySet[Any] = ModelAdmin.get_queryset(self, request)
        if request.user.is_superuser:
            return rows
        depots = Depot.objects.visible_to(request.user).values("pk")
        return rows.filter(Q(depot__in=depots) | Q(depot=None))

    def has_change_permission(
        self, request: HttpRequest, obj: Playbook | None = None
    ) -> bool:
        """What holds in all depots, administrators change."""
        allowed: bool = super().has_change_permission(request, obj)
        for_all = obj is not None and obj.depot_id is None
        return allowed and (request.user.is_superuser or not for_all)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: it is put out of use."""
        return False

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        """Store the steps, and note who changed the list."""
        kind = "playbook.changed" if change else "playbook.made"
        playbook: Playbook = form.instance
        with writing(by=user_actor(request.user), now=clock.now()) as journal:
            super().save_related(request, form, formsets, change)
            journal.record(
                kind,
                playbook,
                depot_id=playbook.depot_id,
                code=playbook.code,
                steps=[step.text for step in playbook.steps.order_by("number")],
            )


@admin.register(WorkCap)
class WorkCapPage(OfficePage):
    """How much open work each person should have at most."""

    list_display = ["user", "most", "open_now"]
    search_fields = ["user__username"]
    fields = ["user", "most"]
    list_select_related = ["user"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the caps of the user's colleagues."""
        rows: QuerySet[Any] = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        depots = Depot.objects.visible_to(request.user).values("pk")
        here = DepotMembership.objects.filter(depot__in=depots).values("user")
        return rows.filter(user__in=here)

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer the user's colleagues."""
        people = User.objects.filter(is_active=True, is_staff=True)
        if not request.user.is_superuser:
            depots = Depot.objects.visible_to(request.user).values("pk")
            people = people.filter(depots__depot__in=depots).distinct()
        kwargs["queryset"] = people.order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @column("Open now")
    def open_now(self, row: WorkCap) -> str:
        """Return how much the person has."""
        load = loads_of([row.pk])[row.pk]
        return f"{load.open}, over the cap" if load.is_over else str(load.open)

    def save_model(
        self, request: HttpRequest, obj: WorkCap, form: Any, change: bool
    ) -> None:
        """Keep it by its verb."""
        kept = work.set_cap(
            user_id=obj.user_id,
            most=obj.most,
            by=user_actor(request.user),
            now=clock.now(),
        )
        obj.set_at, obj.set_by = kept.set_at, kept.set_by
