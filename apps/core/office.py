"""What the pages of the office share: facts that stay, verbs behind forms."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin.filters import AllValuesFieldListFilter
from django.contrib.admin.utils import unquote
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.decorators import display

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.problems import Problem

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
    Rows = Paginator[Any]
else:  # Django's cannot be subscripted when they run.
    ModelForm, Rows = forms.ModelForm, Paginator

Column = TypeVar("Column", bound=Callable[..., Any])


def column(
    description: str, *, ordering: str | None = None, label: Any = None
) -> Callable[[Column], Column]:
    """Name a list's column; `label` gives a colour to each value of a (value, text)."""

    def named(method: Column) -> Column:
        shown: Column = display(
            description=description, ordering=ordering, label=label
        )(method)
        return shown

    return named


class OfficePaginator(Rows):
    """Counts no further than people turn pages: beyond, one filters or searches.

    To count all of a million rows for each look at fifty takes longer than the look.
    """

    MOST = 5000
    template_name = "core/pagination.html"

    @cached_property
    def counted(self) -> int:
        """How many rows there are; one more than the most, where they are more."""
        rows: Any = self.object_list
        found: int = rows.order_by().values("pk")[: self.MOST + 1].count()
        return found

    @cached_property
    def count(self) -> int:
        """How many rows can be turned to."""
        return min(self.counted, self.MOST)

    @property
    def is_cut(self) -> bool:
        """Tell whether there are more rows than can be turned to."""
        return self.counted > self.MOST


class KnownValues(AllValuesFieldListFilter):
    """A filter by the values of a column, which are looked up now and then.

    To find the distinct values of a large table anew for each page is what makes it slow.
    """

    KEPT_S = 600

    def __init__(
        self, field: Any, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> None:
        """Take the values from the cache, as far as this user has them there."""
        super().__init__(field, request, *args, **kwargs)
        found: Any = self.lookup_choices
        values: Any
        key = f"known:{field.model._meta.label_lower}.{field.name}:{request.user.pk}"
        values = cache.get_or_set(key, lambda: list(found), self.KEPT_S)
        self.lookup_choices = values


class VerbForm(ModelForm):
    """A form whose saving is a verb: what the verb refuses is said beside the fields.

    The page sets `verb`; it gets the clean fields and returns the row.
    """

    verb: ClassVar[Callable[[dict[str, Any]], Any] | None] = None

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        verb = type(self).verb
        if self.errors or verb is None:
            return
        try:
            self.instance = verb(self.cleaned_data)
        except Problem as problem:
            self.refuse(problem)

    def refuse(self, problem: Problem) -> None:
        """Say what the verb refused: by its faults, or in one sentence."""
        if not problem.errors:
            self.add_error(None, problem.detail)
        for fault in problem.errors:
            name = fault.pointer.strip("/").partition("/")[0]
            self.add_error(name if name in self.fields else None, fault.detail)


class OfficePage(ModelAdmin):  # type: ignore[misc]
    """A page of the office: a row of elsewhere is absent, and nothing is deleted."""

    actions = None
    list_per_page = 50
    paginator = OfficePaginator
    show_full_result_count = False
    list_fullwidth = True
    row_pages: ClassVar[Mapping[str, str]] = {}
    """Further pages of a row: the last part of the address → the method's name."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted in the office; what is over is marked so."""
        return False

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        raise Http404

    def get_urls(self) -> list[URLPattern]:
        """Add the further pages of a row."""
        opts = self.model._meta
        pages = [
            path(
                f"<path:object_id>/{last}/",
                self.admin_site.admin_view(getattr(self, method)),
                name=f"{opts.app_label}_{opts.model_name}_{method}",
            )
            for last, method in self.row_pages.items()
        ]
        return [*pages, *super().get_urls()]

    def row(self, request: HttpRequest, object_id: str, act: str = "view") -> Any:
        """Return the row of a page, if the user may see it and do this with it.

        Raises:
            PermissionDenied: the user may not do this.
            Http404: there is no such row, or it is another depot's.
        """
        if not getattr(self, f"has_{act}_permission")(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return row

    def page(
        self, request: HttpRequest, template: str, *, title: str, **context: Any
    ) -> TemplateResponse:
        """Return a page in the office's frame."""
        return TemplateResponse(
            request,
            template,
            {
                **self.admin_site.each_context(request),
                "opts": self.model._meta,
                "title": title,
                **context,
            },
        )

    def carry_out(
        self, request: HttpRequest, verb: Callable[..., Any], done: str
    ) -> bool:
        """Call a verb for the signed-in user, and say what became of it."""
        try:
            verb(by=user_actor(request.user), now=clock.now())
        except Problem as problem:
            messages.error(request, problem.detail)
            return False
        messages.success(request, done)
        return True

    def ask(
        self,
        request: HttpRequest,
        row: Any,
        form: forms.Form,
        verb: Callable[..., str],
        *,
        title: str,
        button: str = "Save",
    ) -> HttpResponse:
        """Show a form, or call the verb with its fields and say what it returns.

        What the verb refuses stands above the form.
        """
        if request.method == "POST" and form.is_valid():
            context = {"by": user_actor(request.user), "now": clock.now()}
            try:
                said = verb(**form.cleaned_data, **context)
            except Problem as problem:
                form.add_error(None, problem.detail)
            else:
                messages.success(request, said)
                return self.to_row(row)
        shown = {"form": form, "about": str(row), "button": button}
        return self.page(
            request, "core/ask.html", title=title, back=row_url(row), **shown
        )

    def to_row(self, row: Any) -> HttpResponse:
        """Lead the browser to the row's page."""
        return redirect(row_url(row))


class FactPage(OfficePage):
    """A page of facts: read, searched, never edited."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A fact is recorded where it happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A fact is never edited; a correction is a new fact."""
        return False


class VerbPage(OfficePage):
    """A page whose rows are made and changed by verbs.

    `add_row` and `change_row` call them; the version that the form was read at goes
    along, so that nobody overwrites unseen what another one has changed.
    """

    form = VerbForm

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        """Return the form, with its verb where it is to be sent."""
        form: type[ModelForm] = super().get_form(request, obj, change, **kwargs)
        if request.method != "POST":
            return form
        context = {"by": user_actor(request.user), "now": clock.now()}
        version = request.POST.get("read_version", "")

        def verb(fields: dict[str, Any]) -> Any:
            if obj is None:
                return self.add_row(fields, **context)
            if not version.isdigit():
                raise Problem("The form has lost its version: open the page again.")
            return self.change_row(obj, fields, int(version), **context)

        return type(form.__name__, (form,), {"verb": staticmethod(verb)})

    def add_row(self, fields: dict[str, Any], **context: Any) -> Any:
        """Make a row by its verb."""
        raise NotImplementedError

    def change_row(
        self, row: Any, fields: dict[str, Any], version: int, **context: Any
    ) -> Any:
        """Change a row by its verb."""
        raise NotImplementedError

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Put the version that is shown into the form."""
        row = kwargs.get("obj")
        shown = request.POST.get("read_version") or getattr(row, "version", "")
        context["read_version"] = shown
        response: HttpResponse = super().render_change_form(
            request, context, *args, **kwargs
        )
        return response

    change_form_before_template = "core/read_version.html"

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Do nothing more: the form's verb has stored the row."""


def row_url(row: Any) -> str:
    """Return the address of a row's page in the admin."""
    opts = row._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])
