"""JSON in by msgspec, JSON out by orjson, and what a body may weigh."""

import json
import zlib
from typing import Any, Final, TypeVar

import msgspec
import orjson
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from apps.core.problems import FieldError, Invalid, Problem

Body = TypeVar("Body", bound=msgspec.Struct)
MAX_BODY: Final = 1024 * 1024


class TooLarge(Problem):
    """More than a push may hold."""

    type = "/problems/too-large"
    title = "This is too much at once: send it in smaller parts."
    status = 413


class MsgspecParser(BaseParser):
    """A JSON body, read as the view's `body_type`."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        """Return the body as a struct; gzip is taken as well.

        Raises:
            TooLarge: over 1 MiB, unpacked.
            Invalid: not JSON, or not of the view's shape.
        """
        raw: bytes = stream.read(MAX_BODY + 1)
        if parser_context["request"].headers.get("Content-Encoding") == "gzip":
            raw = _unzipped(raw)
        if len(raw) > MAX_BODY:
            raise TooLarge("A body has 1 MiB at the most.")
        return decoded(raw or b"{}", parser_context["view"].body_type)


def _unzipped(raw: bytes) -> bytes:
    """Return what was compressed, as far as one byte beyond what a body may weigh.

    Raises:
        Invalid: it is no gzip, or breaks off.
    """
    reader = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        body = reader.decompress(raw, MAX_BODY + 1)
    except zlib.error as fault:
        raise Invalid("The body is not gzip, as its Content-Encoding says.") from fault
    if not reader.eof and len(body) <= MAX_BODY:
        raise Invalid("The compressed body breaks off.")
    return body


def decoded(raw: bytes, shape: type[Body]) -> Body:
    """Return JSON as a struct.

    A text with half a character in it is no JSON to msgspec, but comes from real
    devices; it is let in here, so that it fails its own row and not the whole push.

    Raises:
        Invalid: not JSON, or not of this shape.
    """
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as fault:
        if "out of range" not in str(fault):
            raise _invalid(fault) from fault
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass  # the slower reader below says whether it is JSON
    except RecursionError as fault:
        raise Invalid("Nested too deeply.") from fault
    try:
        return msgspec.convert(json.loads(raw), shape)
    except msgspec.ValidationError as fault:
        raise _invalid(fault) from fault
    except (ValueError, RecursionError) as fault:
        raise Invalid("The body is not JSON.") from fault


def _invalid(fault: msgspec.ValidationError) -> Invalid:
    """Turn `… - at `$.changes[0]`` into a fault with a JSON pointer."""
    sentence, _, path = str(fault).partition(" - at `$")
    pointer = path.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
    return Invalid(errors=[FieldError(pointer, "shape", sentence)])


class OrjsonRenderer(BaseRenderer):
    """JSON, written by orjson."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Any = None,
    ) -> bytes:
        """Return the bytes of an answer; an empty answer has none."""
        if data is None:
            return b""
        return orjson.dumps(data, option=orjson.OPT_UTC_Z, default=str)


class JsonAlone(DefaultContentNegotiation):
    """Both ways JSON: who asks for it, or for anything, needs no weighing of types."""

    def select_renderer(
        self, request: Any, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        """Return the only renderer; whoever wants another type hears 406."""
        wanted = request.META.get("HTTP_ACCEPT", "*/*")
        if format_suffix is None and wanted in {"*/*", OrjsonRenderer.media_type}:
            return renderers[0], OrjsonRenderer.media_type
        return super().select_renderer(request, renderers, format_suffix)
