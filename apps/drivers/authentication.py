"""Who is calling: an API client by its token, or a device by one of its credentials."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from knox.auth import TokenAuthentication
from knox.settings import knox_settings
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.core import clock
from apps.drivers.models import Device, Driver, Token
from apps.drivers.selectors import shown_by_device, token_by_secret
from apps.drivers.services import note_session_shown
from apps.journal.models import FeedHead

SCHEME = "Token"


@dataclass(frozen=True, slots=True)
class DeviceCredential:
    """What a device showed: its own credential, or a driver's session on it.

    Its own acts for the driver of the newest session that it has shown: a device does
    not know of one who took it over while the answer was lost.
    """

    purpose: str
    device: Device
    driver: Driver
    expires_at: datetime | None
    number: int
    """Which of the device's sessions it is; 0 for its own credential."""
    feed: FeedHead
    """How far the driver's feed went when the credential was read."""

    @property
    def is_shown_first(self) -> bool:
        """Tell whether it is a session, newer than any that the device has shown."""
        return self.number > self.device.shown_session

    def is_session(self, now: datetime) -> bool:
        """Tell whether it opens the pull: a session that lasts, of one who drives."""
        return (
            self.purpose == Token.Purpose.SESSION
            and self.expires_at is not None
            and self.expires_at > now
            and self.driver.is_active
            and self.driver.user.is_active
        )


def device_credential(secret: str) -> DeviceCredential | None:
    """Return what a device's secret stands for, expired sessions included."""
    shown = shown_by_device(secret)
    if shown is None:
        return None
    return DeviceCredential(
        shown.purpose,
        shown.device,
        shown.driver,
        shown.expires_at,
        shown.number,
        shown.feed,
    )


def take_note(credential: DeviceCredential) -> DeviceCredential:
    """Keep which session a device has shown, where it is news; return what it showed."""
    if credential.is_shown_first:
        note_session_shown(
            device_id=credential.device.pk,
            number=credential.number,
            driver_id=credential.driver.pk,
        )
    return credential


class DeviceAuthentication(BaseAuthentication):
    """`Authorization: Token <secret>` of a device or of a session on it.

    `request.auth` is a `DeviceCredential`. An expired session passes, for evidence
    is never blocked by it: doors that need a live one ask `is_session`.
    """

    def authenticate(self, request: Request) -> tuple[User, DeviceCredential] | None:
        """Return the driver's user and the credential; None without a header.

        Raises:
            AuthenticationFailed: the secret is no device's.
        """
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != SCHEME.lower().encode():
            return None
        secret = words[1].decode("latin-1") if len(words) == 2 else ""
        credential = device_credential(secret)
        if credential is None:
            raise AuthenticationFailed
        return credential.driver.user, credential

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme for `WWW-Authenticate`."""
        return SCHEME


class ApiTokenAuthentication(TokenAuthentication):  # type: ignore[misc]
    """`Authorization: Token <secret>` of an API client; a device's opens nothing here."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, Token]:
        """Return user and token.

        Raises:
            AuthenticationFailed: unknown, expired, or not an API client's.
        """
        row = token_by_secret(token.decode("latin-1"))
        expired = (
            row is not None and row.expiry is not None and row.expiry <= clock.now()
        )
        if row is None or row.purpose != Token.Purpose.API or expired:
            raise AuthenticationFailed
        if knox_settings.AUTO_REFRESH and row.expiry is not None:
            self.renew_token(row)
        user: tuple[Any, Any] = self.validate_user(row)
        return user


class _TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a secret is shown, for the API's description."""

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the OpenAPI security scheme."""
        del auto_schema
        return build_bearer_security_scheme_object("Authorization", SCHEME)


class DeviceScheme(_TokenScheme):  # type: ignore[no-untyped-call]
    """A device's secrets."""

    target_class = DeviceAuthentication
    name = "device"


class ApiTokenScheme(_TokenScheme):  # type: ignore[no-untyped-call]
    """An API client's secret."""

    target_class = ApiTokenAuthentication
    name = "token"
