"""The office's and the shops' door to orders and their imports."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.answers import exception_handler
from apps.core.etags import etag_of, expected_version
from apps.core.idempotency import idempotent
from apps.core.problems import FieldError, Invalid, Problem
from apps.depots.models import Depot
from apps.depots.scoping import ModelPermissions, scoped
from apps.orders import services
from apps.orders.drafts import ImportOptions, OrderDraft
from apps.orders.filters import ImportFilter, OrderFilter
from apps.orders.imports.mending import RowToMend, mending_file
from apps.orders.models import ImportRun, Order
from apps.orders.selectors import WINDOWS, order_by_id, orders_by_id, quarantine_of
from apps.orders.serializers.drafts import changes_of, draft_of, windows_of
from apps.orders.serializers.imports import ImportRow, ImportUpload
from apps.orders.serializers.orders import (
    MAX_BATCH,
    BatchAnswers,
    Cancellation,
    NewOrder,
    OrderChange,
    OrderRow,
    ProblemShape,
    Rescheduling,
)

CREATE_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Your own id of this request: a repeat gets the first answer.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag that you last read, or *.",
)
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def problems(*codes: int) -> dict[int, OpenApiResponse]:
    """Return the documentation of refusals with these status codes."""
    return {code: OpenApiResponse(ProblemShape, "Refused.") for code in codes}


class MayChangeOrder(ModelPermissions):
    """A verb on an order that exists is a change, though it is a POST."""

    perms_map = {
        **ModelPermissions.perms_map,
        "POST": ["%(app_label)s.change_%(model_name)s"],
    }


@extend_schema_view(list=extend_schema(responses={200: OrderRow(many=True)}))
class OrderViewSet(mixins.ListModelMixin, GenericViewSet[Order]):
    """Orders of the caller's depots."""

    queryset = Order.objects.select_related("depot", "customer", "zone")
    serializer_class = OrderRow
    permission_classes: list[type[BasePermission]] = [ModelPermissions]
    filterset_class = OrderFilter

    def get_queryset(self) -> QuerySet[Order]:
        """Return the orders that the caller may see."""
        rows = super().get_queryset().prefetch_related(*WINDOWS)
        return scoped(rows, self.request.user)

    def get_permissions(self) -> Sequence[Any]:
        """Ask for the right to change where an order is changed."""
        if self.action in ("cancel", "reschedule"):
            return [MayChangeOrder()]
        return super().get_permissions()

    @extend_schema(responses={200: OrderRow, **problems(404)})
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one order, with its ETag."""
        return _shown(self.get_object())

    @extend_schema(
        parameters=[CREATE_KEY],
        request=PolymorphicProxySerializer(
            component_name="OneOrManyOrders",
            serializers=[NewOrder, NewOrder(many=True)],
            resource_type_field_name=None,
            many=False,
        ),
        responses={201: OrderRow, 207: BatchAnswers, **problems(400, 409, 422)},
    )
    @idempotent
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take one order in, or a list of up to 1,000, answered item by item."""
        if isinstance(request.data, list):
            return self._create_many(request)
        depot, draft = self._draft(request.data)
        order = services.create_order(
            depot_id=depot.pk,
            draft=draft,
            by=user_actor(request.user),
            now=clock.now(),
        )
        return _shown(order_by_id(order.pk), status.HTTP_201_CREATED)

    def _create_many(self, request: Request) -> Response:
        if len(request.data) > MAX_BATCH:
            raise Invalid(f"Send up to {MAX_BATCH:,} orders at once.")
        results: dict[int, dict[str, Any]] = {}
        by_depot: dict[Depot, list[tuple[int, OrderDraft]]] = defaultdict(list)
        for index, item in enumerate(request.data):
            try:
                depot, draft = self._draft(item)
            except (Problem, ValidationError) as error:
                results[index] = _refused(error)
            else:
                by_depot[depot].append((index, draft))
        made: dict[int, Order] = {}
        for depot, pairs in by_depot.items():
            answers = services.create_orders(
                depot_id=depot.pk,
                drafts=[draft for _, draft in pairs],
                by=user_actor(request.user),
                now=clock.now(),
            )
            for (index, _), answer in zip(pairs, answers, strict=True):
                if isinstance(answer, Problem):
                    results[index] = _refused(answer)
                else:
                    made[index] = answer
        results |= _created(made)
        body = [{"index": index, **results[index]} for index in sorted(results)]
        return Response({"results": body}, status=status.HTTP_207_MULTI_STATUS)

    def _draft(self, item: Any) -> tuple[Depot, OrderDraft]:
        """Check one order's shape; its depot must be one of the caller's."""
        code = str(item.get("depot", "")) if isinstance(item, dict) else ""
        depot = _depot(self.request, code) if code else None
        shape = NewOrder(data=item, context={"country": depot.country if depot else ""})
        fields = _checked(shape)
        return depot or _depot(self.request, fields["depot"]), draft_of(fields)

    @extend_schema(
        parameters=[IF_MATCH],
        request=OrderChange,
        responses={200: OrderRow, **problems(400, 404, 409, 412, 428)},
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change fields of an open order."""
        order = self.get_object()
        expected = expected_version(request)
        shape = OrderChange(data=request.data, context={"country": order.depot.country})
        changed = services.change_order(
            order_id=order.pk,
            expected_version=expected,
            changes=changes_of(_checked(shape)),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return _shown(changed)

    @extend_schema(
        parameters=[OpenApiParameter("If-Match", str, OpenApiParameter.HEADER)],
        request=Cancellation,
        responses={200: OrderRow, **problems(404, 409, 412)},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Cancel an order; a repeat changes nothing."""
        order = self.get_object()
        cancelled = services.cancel_order(
            order_id=order.pk,
            expected_version=_maybe_expected(request),
            reason=_checked(Cancellation(data=request.data))["reason"],
            by=user_actor(request.user),
            now=clock.now(),
        )
        return _shown(cancelled)

    @extend_schema(
        parameters=[OpenApiParameter("If-Match", str, OpenApiParameter.HEADER)],
        request=Rescheduling,
        responses={200: OrderRow, **problems(400, 404, 409, 412)},
    )
    @action(detail=True, methods=["post"])
    def reschedule(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give an order another day and that day's windows."""
        order = self.get_object()
        fields = _checked(Rescheduling(data=request.data))
        moved = services.reschedule_order(
            order_id=order.pk,
            expected_version=_maybe_expected(request),
            service_date=fields["service_date"],
            windows=windows_of(fields.get("windows", [])),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return _shown(moved)


@extend_schema_view(
    list=extend_schema(responses={200: ImportRow(many=True)}),
    retrieve=extend_schema(responses={200: ImportRow, **problems(404)}),
)
class ImportViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[ImportRun]
):
    """Imports of order files; the work is done in the background."""

    queryset = ImportRun.objects.select_related("depot")
    serializer_class = ImportRow
    permission_classes = [ModelPermissions]
    filterset_class = ImportFilter
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> QuerySet[ImportRun]:
        """Return the imports that the caller may see."""
        return scoped(super().get_queryset(), self.request.user)

    @extend_schema(
        request={"multipart/form-data": ImportUpload},
        responses={202: ImportRow, **problems(400, 413)},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Hand a file in; read the answer's `Location` until its state is done."""
        fields = _checked(ImportUpload(data=request.data))
        run = services.receive_file(
            depot_id=_depot(request, fields["depot"]).pk,
            content=fields["file"].read(),
            file_name=fields["file"].name,
            service_date=fields.get("service_date"),
            options=ImportOptions(
                columns=tuple(fields.get("columns", {}).items()),
                where=tuple(fields.get("where", [])),
                make_references=fields["make_references"],
                encoding=fields["encoding"],
            ),
            by=user_actor(request.user),
            now=clock.now(),
        )
        location = self.reverse_action("detail", args=[run.pk])
        return Response(
            ImportRow(run).data,
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": location},
        )

    @extend_schema(
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, XLSX_TYPE): OpenApiTypes.BINARY,
            **problems(404),
        }
    )
    @action(detail=True, methods=["get"])
    def quarantine(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the rows to mend, as a file of the kind that came."""
        return mending_response(self.get_object())


def mending_response(run: ImportRun) -> HttpResponse:
    """Return a run's quarantine as a download."""
    content = mending_file(
        [RowToMend(row.raw, row.faults) for row in quarantine_of(run)],
        run.headers,
        kind=run.kind,
        delimiter=run.delimiter,
    )
    is_xlsx = run.kind == "xlsx"
    suffix = "xlsx" if is_xlsx else "csv"
    return HttpResponse(
        content,
        content_type=XLSX_TYPE if is_xlsx else "text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="quarantine-{run.pk}.{suffix}"'
        },
    )


def _depot(request: Request, code: str) -> Depot:
    visible = Depot.objects.visible_to(request.user)
    depot = visible.filter(code__iexact=code).first()
    if depot is None:
        detail = "You work for no depot with this code."
        raise Invalid(detail, errors=[FieldError("/depot", "unknown_depot", detail)])
    return depot


def _checked(shape: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    shape.is_valid(raise_exception=True)
    fields: dict[str, Any] = shape.validated_data
    return fields


def _maybe_expected(request: Request) -> int | None:
    return expected_version(request) if "If-Match" in request.headers else None


def _shown(order: Order, code: int = status.HTTP_200_OK) -> Response:
    return Response(OrderRow(order).data, status=code, headers={"ETag": etag_of(order)})


def _created(made: dict[int, Order]) -> dict[int, dict[str, Any]]:
    rows = {order.pk: order for order in orders_by_id(o.pk for o in made.values())}
    return {
        index: {"status": 201, "order": OrderRow(rows[order.pk]).data}
        for index, order in made.items()
    }


def _refused(error: Problem | ValidationError) -> dict[str, Any]:
    answer = cast("Response", exception_handler(error, {}))
    return {"status": answer.status_code, "problem": answer.data}
