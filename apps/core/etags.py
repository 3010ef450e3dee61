"""Optimistic concurrency: `ETag` on answers, `If-Match` on updates (RFC 9110)."""

from typing import Protocol

from rest_framework.request import Request

from apps.core.problems import Problem


class Versioned(Protocol):
    """A row that counts its versions."""

    version: int


class PreconditionRequired(Problem):
    """An update came without `If-Match`."""

    type = "/problems/precondition-required"
    title = "Send If-Match with the ETag that you last read."
    status = 428


class PreconditionFailed(Problem):
    """The row has changed since the caller read it."""

    type = "/problems/precondition-failed"
    title = "This was changed meanwhile: read it again, then repeat your change."
    status = 412


def etag_of(row: Versioned) -> str:
    """Return the strong entity tag of a row's present version."""
    return f'"{row.version}"'


def expected_version(request: Request) -> int | None:
    """Return the version that `If-Match` names; None for `*`.

    Raises:
        PreconditionRequired: there is no `If-Match`.
        PreconditionFailed: it is not a tag that we gave.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header:
        raise PreconditionRequired
    if header == "*":
        return None
    tag = header.removeprefix("W/").strip('"')
    if not tag.isdigit():
        raise PreconditionFailed
    return int(tag)
