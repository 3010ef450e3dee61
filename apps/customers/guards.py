"""What keeps the anonymous door from abuse: throttles, a lock-out, forms of our own.

A link's code is its own secret: who does not know it cannot make anybody's browser post to
it. Forms carry a token all the same, signed for their link; there are no cookies.
"""

import ipaddress
from typing import Any, ClassVar

from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.throttling import BaseThrottle

from apps.core.problems import Problem
from apps.core.throttling import WindowThrottle
from apps.customers.models import Link

FORM_SALT = "customers.form"
FORM_AGE_S = 12 * 3600
MOST_MISSES = 20
"""Unknown codes that one address may ask for before the door is closed to it."""

LOCKED_S = 900
PER_LINK = "40/min"
PER_ADDRESS = "120/min"


class LockedOut(Problem):
    """The address has asked for too many links that do not exist, or for too much."""

    type = "/problems/locked-out"
    title = (
        "Too many requests came from here. Please try again in a quarter of an hour."
    )
    status = 429


class FormSpoiled(Problem):
    """The form is too old, another link's, or was sent by another page."""

    type = "/problems/form-spoiled"
    title = "This page was open for too long. Please look at it again and repeat."
    status = 403


class _Window(WindowThrottle):
    """Counts by a key that the caller gives."""

    rates: ClassVar[dict[str, str]] = {"link": PER_LINK, "address": PER_ADDRESS}

    def __init__(self, kind: str, key: str) -> None:
        """Count one kind of caller."""
        self.rate = self.rates[kind]
        count, _, _ = self.rate.partition("/")
        self.num_requests, self.duration = int(count), 60
        self.key = f"door-{kind}-{key}"

    def get_cache_key(self, request: Any, view: Any) -> str:
        """Return what is counted."""
        return str(self.key)


def address_of(request: HttpRequest) -> str:
    """Return whose request it is: an address, of IPv6 the network of 64 bits."""
    ident = BaseThrottle().get_ident(request)  # type: ignore[arg-type]
    try:
        address = ipaddress.ip_address(ident or "")
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def check_address(request: HttpRequest) -> None:
    """Let an address pass that has not guessed too often, nor asked too much.

    Raises:
        LockedOut: it has.
    """
    address = address_of(request)
    if cache.get(_misses(address), 0) >= MOST_MISSES:
        raise LockedOut
    if not _Window("address", address).allow_request(request, None):
        raise LockedOut


def check_link(link: Link, request: HttpRequest) -> None:
    """Let a link pass that is not asked for by a machine.

    Raises:
        LockedOut: it is.
    """
    if not _Window("link", link.pk.hex).allow_request(request, None):
        raise LockedOut


def note_miss(request: HttpRequest) -> None:
    """Count a code that does not exist against its address."""
    key = _misses(address_of(request))
    if not cache.add(key, 1, LOCKED_S):
        try:
            cache.incr(key)
        except ValueError:  # it expired between the two
            cache.set(key, 1, LOCKED_S)


def _misses(address: str) -> str:
    return f"door-misses-{address}"


def form_token(link: Link) -> str:
    """Return what a form of this link carries."""
    return signing.TimestampSigner(salt=FORM_SALT).sign(link.pk.hex)


def check_form(link: Link, request: HttpRequest) -> None:
    """Let a form pass that we have made for this link, and that our own page sends.

    Raises:
        FormSpoiled: it is too old, another link's, or comes from elsewhere.
    """
    site = request.headers.get("Sec-Fetch-Site", "")
    if site not in ("", "same-origin", "none"):
        raise FormSpoiled
    try:
        signed = request.POST.get("form", "")
        signer = signing.TimestampSigner(salt=FORM_SALT)
        if signer.unsign(signed, max_age=FORM_AGE_S) != link.pk.hex:
            raise FormSpoiled
    except signing.BadSignature:
        raise FormSpoiled from None
