"""What a client of tus 1.0 says in headers, read; and what we answer. Pure.

The protocol is tus.io's "resumable upload protocol 1.0.x": core, creation, checksum,
expiration, termination.
"""

import hashlib
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from hmac import compare_digest
from typing import Final

from apps.core.problems import Conflict, Invalid, Problem

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,checksum,expiration,termination"
ALGORITHMS: Final = ("sha256", "sha1", "md5")
CONTENT_TYPE: Final = "application/offset+octet-stream"
MAX_ID: Final = 64
BIGGEST: Final = 2**53


class OtherVersion(Problem):
    """The client speaks another version of the protocol."""

    type = "/problems/tus-version"
    title = f"This server speaks tus {VERSION}: send Tus-Resumable: {VERSION}."
    status = 412


class WrongOffset(Conflict):
    """The client would leave a gap, or send what is here already."""

    type = "/problems/upload-offset"
    title = (
        "The file goes on elsewhere: ask for Upload-Offset by HEAD, and go on there."
    )


class WrongChecksum(Problem):
    """What came is not what was sent."""

    type = "/problems/upload-checksum"
    title = "The bytes do not have the checksum that was named: send them again."
    status = 460


class Gone(Problem):
    """The upload expired, or was ended."""

    type = "/problems/upload-gone"
    title = "This upload is gone: create it anew with the same attachment_id."
    status = 410


@dataclass(frozen=True, slots=True)
class Creation:
    """What a device says of a file before it sends it."""

    attachment_id: str
    event_id: str
    sha256: str
    length: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Checksum:
    """What one request's bytes must add up to."""

    algorithm: str
    digest: bytes

    def check(self, content: bytes) -> None:
        """Pass bytes that have this checksum.

        Raises:
            WrongChecksum: they do not.
        """
        found = hashlib.new(self.algorithm, content, usedforsecurity=False).digest()
        if not compare_digest(found, self.digest):
            raise WrongChecksum


def read_creation(headers: Mapping[str, str]) -> Creation:
    """Read the headers of a creation.

    Raises:
        Invalid: one is missing or cannot be read; the sentence says which.
    """
    length = whole(headers, "Upload-Length")
    values = read_metadata(headers.get("Upload-Metadata", ""))
    attachment_id, sha256 = values.get("attachment_id", ""), values.get("sha256", "")
    if not 0 < len(attachment_id) <= MAX_ID:
        raise Invalid("Upload-Metadata must name attachment_id, 64 characters at most.")
    if len(sha256) != 64 or sha256.strip("0123456789abcdef"):
        raise Invalid("Upload-Metadata must name sha256, 64 lower-case hex digits.")
    if len(values.get("event_id", "")) > MAX_ID:
        raise Invalid("event_id has 64 characters at most.")
    return Creation(
        attachment_id=attachment_id,
        event_id=values.get("event_id", ""),
        sha256=sha256,
        length=length,
        media_type=values.get("filetype", "") or values.get("media_type", ""),
    )


def read_metadata(header: str) -> dict[str, str]:
    """Read `key base64, key base64`; a key alone has an empty value.

    Raises:
        Invalid: a value is not base64 of UTF-8.
    """
    values: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, coded = pair.partition(" ")
        try:
            values[key] = b64decode(coded, validate=True).decode()
        except (NotBase64, ValueError) as fault:
            message = f"Upload-Metadata: the value of {key[:40]} is not base64."
            raise Invalid(message) from fault
    return values


def read_checksum(header: str | None) -> Checksum | None:
    """Read `algorithm base64`; None where there is none.

    Raises:
        Invalid: the algorithm is not ours, or the digest is not base64.
    """
    if header is None:
        return None
    algorithm, _, coded = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Invalid(f"Upload-Checksum: use one of {', '.join(ALGORITHMS)}.")
    try:
        return Checksum(algorithm, b64decode(coded, validate=True))
    except NotBase64 as fault:
        raise Invalid("Upload-Checksum: the digest is not base64.") from fault


def whole(headers: Mapping[str, str], name: str) -> int:
    """Read a header that is a whole number.

    Raises:
        Invalid: it is missing, or no such number.
    """
    text = headers.get(name, "")
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > BIGGEST:
        raise Invalid(f"{name} must be a whole number.")
    return int(text)


def check_version(headers: Mapping[str, str]) -> None:
    """Pass a client that speaks our version.

    Raises:
        OtherVersion: it speaks another one.
    """
    if headers.get("Tus-Resumable") != VERSION:
        raise OtherVersion


def capabilities(max_bytes: int) -> dict[str, str]:
    """Return the headers that say what this server can do."""
    return {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(max_bytes),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }


def expires(at: datetime) -> str:
    """Return an instant as HTTP writes it."""
    return format_datetime(at, usegmt=True)
