"""What a device reads to enrol: where the server is, and the one-time code."""

from urllib.parse import urlencode

import segno
from django.conf import settings


def enrolment_picture(code: str) -> segno.QRCode:
    """Return the QR code of an enrolment."""
    query = urlencode({"server": settings.PUBLIC_URL, "code": code})
    return segno.make(f"roundsman://enrol?{query}", micro=False)
