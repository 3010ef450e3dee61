"""What all of the device's doors have in common: who calls, and how it is answered."""

from typing import Annotated, Any, Final, TypeVar

import msgspec
from django.db import OperationalError
from msgspec import Meta
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import clock
from apps.core.problems import Problem
from apps.drivers.authentication import (
    DeviceAuthentication,
    DeviceCredential,
    take_note,
)
from apps.drivers.states import DeviceState
from apps.sync.services import Busy
from apps.sync.wire import JsonAlone, MsgspecParser, OrjsonRenderer, decoded

Body = TypeVar("Body", bound=msgspec.Struct)
RETRY_AFTER_S = 5
SERVER_TIME: Final = "Server-Time"
"""The header with our clock, for answers that have no `server_time` in their body."""


class DeviceRevoked(Problem):
    """The device has lost our trust; `action` says what it has to do."""

    type = "/problems/device-revoked"
    title = "This device was revoked."
    status = 403


class SessionBody(msgspec.Struct, frozen=True):
    """A session is renewed (empty), or another driver signs in."""

    username: Annotated[str, Meta(max_length=150)] = ""
    password: Annotated[str, Meta(max_length=200)] = ""


class DoorView(APIView):
    """What all of the device's doors have in common."""

    authentication_classes: list[Any] = [DeviceAuthentication]
    parser_classes: list[Any] = [MsgspecParser]
    renderer_classes: list[Any] = [OrjsonRenderer]
    content_negotiation_class = JsonAlone
    throttle_scope = "device"
    body_type: type[msgspec.Struct] = SessionBody

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a database that is too busy by 503: the device tries again."""
        if isinstance(exc, OperationalError):
            exc = Busy()
        response = super().handle_exception(exc)
        if response.status_code == Busy.status:
            response["Retry-After"] = str(RETRY_AFTER_S)
        return response

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Give every answer an anchor, errors and files among them, and write it at once.

        What points to each other is parted then, so that a request goes by itself: the
        garbage collector spent a sixth of the time of an idle pull.
        """
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer[SERVER_TIME] = clock.now().isoformat(timespec="milliseconds")
        answer.render()
        vars(answer)["renderer_context"] = vars(request)["parser_context"] = {}
        vars(self).pop("head", None)  # Django's, bound to this view
        return answer

    def body(self, shape: type[Body]) -> Body:
        """Return the request's body; none at all counts as an empty one.

        Raises:
            Invalid: it is not of this shape.
        """
        data: Any = self.request.data
        return data if isinstance(data, shape) else decoded(b"{}", shape)

    def credential(self, *, may_drain: bool = False) -> DeviceCredential:
        """Return what the device showed.

        Raises:
            NotAuthenticated: it showed nothing.
            DeviceRevoked: it is trusted no more; one that drains may push.
        """
        credential = self.request.auth
        if not isinstance(credential, DeviceCredential):
            raise NotAuthenticated
        status = credential.device.status
        if status == DeviceState.REVOKED:
            raise DeviceRevoked(code="device_revoked", action="wipe")
        if status == DeviceState.DRAINING and not may_drain:
            raise DeviceRevoked(code="device_revoked", action="drain_then_wipe")
        return take_note(credential)
