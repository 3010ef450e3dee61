"""The office's door to drivers, vehicles, shifts and devices."""

from typing import Any

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.etags import etag_of, expected_version
from apps.core.idempotency import idempotent
from apps.core.pagination import PaginationByCode
from apps.depots.scoping import ModelPermissions, scoped
from apps.drivers import services
from apps.drivers.authentication import ApiTokenAuthentication
from apps.drivers.enrolment import enrolment_picture
from apps.drivers.models import (
    Device,
    Driver,
    EnrolmentCode,
    Shift,
    Token,
    Vehicle,
    VehicleType,
)
from apps.drivers.serializers import (
    ApiTokenShown,
    DeviceRow,
    DriverChange,
    DriverRow,
    EnrolmentCodeShown,
    NewDriver,
    NewShift,
    NewVehicle,
    NewVehicleType,
    Revocation,
    ShiftChange,
    ShiftRow,
    VehicleChange,
    VehicleRow,
    VehicleTypeChange,
    VehicleTypeRow,
    shift_times,
)


class MayEnrol(ModelPermissions):
    """Making an enrolment code is a permission of its own."""

    def _queryset(self, view: APIView) -> QuerySet[Any]:
        return EnrolmentCode.objects.all()


class MayChange(ModelPermissions):
    """A verb on a row that exists is a change, though it is a POST."""

    perms_map = {
        **ModelPermissions.perms_map,
        "POST": ["%(app_label)s.change_%(model_name)s"],
    }


class DepotRows(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Any]):
    """Rows of the caller's depots, read; a versioned row is shown with its ETag."""

    permission_classes: list[type[BasePermission]] = [ModelPermissions]
    rows: QuerySet[Any]
    path = "depot"

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows that the caller may see."""
        return scoped(self.rows.all(), self.request.user, self.path)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one row."""
        return self.shown(self.get_object())

    def checked(
        self, shape: type[BaseSerializer[Any]], *, partial: bool = False
    ) -> dict[str, Any]:
        """Return the request's body, checked for its shape."""
        serializer = shape(
            data=self.request.data,
            partial=partial,
            context=self.get_serializer_context(),
        )
        serializer.is_valid(raise_exception=True)
        fields: dict[str, Any] = serializer.validated_data
        return fields

    def shown(self, row: Model, code: int = status.HTTP_200_OK) -> Response:
        """Return the answer that shows a row."""
        headers = {"ETag": etag_of(row)} if isinstance(row, _VERSIONED) else {}
        return Response(self.get_serializer(row).data, status=code, headers=headers)


_VERSIONED = (Driver, Vehicle, VehicleType, Shift)


class DriverViewSet(DepotRows):
    """Drivers: the people who drive."""

    rows = Driver.objects.select_related("user")
    serializer_class = DriverRow
    filterset_fields = ["depot", "is_active"]

    @extend_schema(request=NewDriver, responses={201: DriverRow})
    @idempotent
    def create(self, request: Request) -> Response:
        """Hire a driver."""
        fields = self.checked(NewDriver)
        driver = services.hire_driver(
            depot=fields["depot"],
            username=fields["username"],
            password=fields.get("password"),
            fields=fields,
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self.shown(driver, status.HTTP_201_CREATED)

    @extend_schema(request=DriverChange, responses=DriverRow)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a driver; needs `If-Match`."""
        driver = services.change_driver(
            driver_id=self.get_object().pk,
            expected_version=expected_version(request),
            fields=self.checked(DriverChange, partial=True),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self.shown(driver)

    @extend_schema(request=None, responses={201: EnrolmentCodeShown})
    @action(
        detail=True,
        methods=["post"],
        url_path="enrolment-codes",
        permission_classes=[MayEnrol],
    )
    def enrolment_codes(self, request: Request, pk: str) -> Response:
        """Make a one-time code that enrols a device for this driver."""
        row, code = services.create_enrolment_code(
            driver_id=self.get_object().pk,
            by=user_actor(request.user),
            now=clock.now(),
        )
        qr = enrolment_picture(code).svg_data_uri(scale=4)
        shown = {"code": code, "expires_at": row.expires_at, "qr": qr}
        return Response(
            EnrolmentCodeShown(shown).data,
            status=status.HTTP_201_CREATED,
            headers={"Cache-Control": "no-store"},
        )


class VehicleViewSet(DepotRows):
    """Vehicles: what is driven."""

    rows = Vehicle.objects.select_related("type")
    serializer_class = VehicleRow
    filterset_fields = ["depot", "is_active", "type"]

    @extend_schema(request=NewVehicle, responses={201: VehicleRow})
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a vehicle."""
        fields = self.checked(NewVehicle)
        vehicle = services.add_vehicle(
            depot=fields["depot"],
            fields=fields,
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self.shown(vehicle, status.HTTP_201_CREATED)

    @extend_schema(request=VehicleChange, responses=VehicleRow)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a vehicle; needs `If-Match`."""
        vehicle = services.change_vehicle(
            vehicle_id=self.get_object().pk,
            expected_version=expected_version(request),
            fields=self.checked(VehicleChange, partial=True),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self.shown(vehicle)


BY_CODE = OpenApiParameter("id", str, OpenApiParameter.PATH, description="Its code.")


@extend_schema_view(
    retrieve=extend_schema(parameters=[BY_CODE]),
    partial_update=extend_schema(parameters=[BY_CODE]),
)
class VehicleTypeViewSet(DepotRows):
    """Vehicle types: what a kind of vehicle can; the same for every depot."""

    rows = VehicleType.objects.all()
    serializer_class = VehicleTypeRow
    pagination_class = PaginationByCode
    filterset_fields = ["is_active", "is_crewed"]

    def get_queryset(self) -> QuerySet[Any]:
        """Return all of them: they are the house's, not a depot's."""
        return self.rows.all()

    @extend_schema(request=NewVehicleType, responses={201: VehicleTypeRow})
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a type."""
        fields = self.checked(NewVehicleType)
        row = services.add_vehicle_type(
            code=fields["code"],
            fields=fields,
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self.shown(row, status.HTTP_201_CREATED)

    @extend_schema(request=VehicleTypeChange, responses=VehicleTypeRow)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a type; needs `If-Match`."""
        row = services.change_vehicle_type(
            code=self.get_object().pk,
            expected_version=expected_version(request),
            fields=self.checked(VehicleTypeChange, partial=True),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self.shown(row)


class ShiftViewSet(DepotRows):
    """Shifts: who drives what, and when."""

    rows = Shift.objects.prefetch_related("breaks")
    serializer_class = ShiftRow
    filterset_fields = ["depot", "driver", "vehicle", "service_date", "status"]

    @extend_schema(request=NewShift, responses={201: ShiftRow})
    @idempotent
    def create(self, request: Request) -> Response:
        """Plan a shift."""
        fields = self.checked(NewShift)
        shift = services.plan_shift(
            driver=fields["driver"],
            vehicle=fields["vehicle"],
            service_date=fields["service_date"],
            times=shift_times(fields),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self.shown(shift, status.HTTP_201_CREATED)

    @extend_schema(request=ShiftChange, responses=ShiftRow)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a shift that has not started; needs `If-Match`."""
        present = self.get_object()
        fields = self.checked(ShiftChange, partial=True)
        shift = services.change_shift(
            shift_id=present.pk,
            expected_version=expected_version(request),
            times=shift_times(fields, present),
            vehicle=fields.get("vehicle"),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self.shown(shift)

    @extend_schema(request=None, responses=ShiftRow)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def cancel(self, request: Request, pk: str) -> Response:
        """Take a planned shift back; needs `If-Match`."""
        shift = services.cancel_shift(
            shift_id=self.get_object().pk,
            expected_version=expected_version(request),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self.shown(shift)


class DeviceViewSet(DepotRows):
    """Devices: what drivers carry."""

    rows = Device.objects.all()
    serializer_class = DeviceRow
    filterset_fields = ["depot", "driver", "status"]

    @extend_schema(request=Revocation, responses=DeviceRow)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def revoke(self, request: Request, pk: str) -> Response:
        """Revoke a lost device."""
        device = services.revoke_device(
            device_id=self.get_object().pk,
            action=self.checked(Revocation)["action"],
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self.shown(device)


class ApiTokenView(APIView):
    """An API client's token: made with a password or a session, withdrawn by itself."""

    authentication_classes = [
        ApiTokenAuthentication,
        BasicAuthentication,
        SessionAuthentication,
    ]
    permission_classes = [IsAuthenticated]
    throttle_scope = "auth"

    @extend_schema(request=None, responses={201: ApiTokenShown})
    def post(self, request: Request) -> Response:
        """Make a token that acts for the signed-in user."""
        row, secret = services.issue_api_token(
            user=request.user, by=user_actor(request.user), now=clock.now()
        )
        shown = {"token": secret, "expires_at": row.expiry}
        return Response(
            ApiTokenShown(shown).data,
            status=status.HTTP_201_CREATED,
            headers={"Cache-Control": "no-store"},
        )

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Withdraw the token that this request came with."""
        if isinstance(request.auth, Token):
            services.withdraw_api_token(
                token=request.auth, by=user_actor(request.user), now=clock.now()
            )
        return Response(status=status.HTTP_204_NO_CONTENT)
