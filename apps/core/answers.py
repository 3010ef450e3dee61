"""How failures are said on the wire: `application/problem+json` (RFC 9457)."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from apps.core.problems import MEDIA_TYPE, FieldError, Invalid, NotFound, Problem


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer every expected failure as `application/problem+json` (for DRF)."""
    if isinstance(exc, Problem):
        return _respond(exc.document(), exc.status)
    response = drf_exception_handler(exc, dict(context))
    if response is None:
        return None
    if isinstance(exc, exceptions.ValidationError):
        document = Invalid(errors=tuple(_faults(exc.detail))).document()
    else:
        document = _document_of(exc, response.status_code)
    headers = {
        name: value
        for name, value in response.items()
        if name.lower() in {"www-authenticate", "retry-after", "allow"}
    }
    return _respond(document, response.status_code, headers)


def _respond(
    document: dict[str, Any], code: int, headers: dict[str, str] | None = None
) -> Response:
    return Response(document, status=code, headers=headers, content_type=MEDIA_TYPE)


def _document_of(exc: Exception, code: int) -> dict[str, Any]:
    if isinstance(exc, Http404):
        return NotFound().document()
    if isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    name, detail = "error", "The request cannot be carried out."
    if isinstance(exc, exceptions.APIException):
        codes = exc.get_codes()
        name = codes if isinstance(codes, str) else exc.default_code
        detail = str(exc.detail)
    return {
        "type": f"/problems/{name.replace('_', '-')}",
        "title": str(getattr(exc, "default_detail", detail)),
        "status": code,
        "detail": detail,
    }


def _faults(detail: Any, pointer: str = "") -> Iterable[FieldError]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            inner = "" if key == "non_field_errors" else f"/{key}"
            yield from _faults(value, pointer + inner)
    elif isinstance(detail, list):
        nested = any(isinstance(item, dict | list) for item in detail)
        for index, item in enumerate(detail):
            yield from _faults(item, f"{pointer}/{index}" if nested else pointer)
    else:
        code = str(getattr(detail, "code", "invalid"))
        yield FieldError(pointer, code, str(detail))
