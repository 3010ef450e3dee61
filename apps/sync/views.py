"""The door for files of proof: tus 1.0, so that a client library works as it is."""

import uuid
from typing import Any, Final

from django.http import UnreadablePostError
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.actors import Actor
from apps.sync import tus
from apps.sync.doors import DoorView
from apps.sync.services import Sender, uploads

CHUNK: Final = 64 * 1024


def _header(name: str, *, required: bool = True, text: str = "") -> OpenApiParameter:
    return OpenApiParameter(
        name,
        str,
        OpenApiParameter.HEADER,
        required=required,
        description=text,
    )


RESUMABLE = _header("Tus-Resumable", text="1.0.0")


class BytesParser(BaseParser):
    """A part of a file, as far as it came."""

    media_type = tus.CONTENT_TYPE

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> Any:
        """Return the bytes; what came before the connection broke off counts."""
        came = bytearray()
        try:
            while len(came) <= uploads.MAX_BYTES and (piece := stream.read(CHUNK)):
                came += piece
        except UnreadablePostError:
            pass  # the device goes on where this ends
        return bytes(came)


class TusView(DoorView):
    """What all doors for files have in common: who sends, and which protocol."""

    permission_classes = [AllowAny]
    parser_classes = [BytesParser]

    def sender(self) -> tuple[Sender, Actor]:
        """Return whose device sends: its own credential is enough for evidence."""
        credential = self.credential(may_drain=True)
        driver_id = credential.driver.pk
        return Sender(credential.device.pk, driver_id), Actor("driver", str(driver_id))

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Say in every answer which version this is."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Tus-Resumable"] = tus.VERSION
        answer["Cache-Control"] = "no-store"
        if answer.status_code == tus.OtherVersion.status:
            answer["Tus-Version"] = tus.VERSION
        return answer

    @extend_schema(exclude=True)
    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Say what this server can do."""
        return Response(status=204, headers=tus.capabilities(uploads.MAX_BYTES))


class UploadsView(TusView):
    """Where files begin."""

    @extend_schema(
        parameters=[
            RESUMABLE,
            _header("Upload-Length", text="Bytes of the whole file."),
            _header(
                "Upload-Metadata",
                text="attachment_id, event_id, sha256 (lower-case hex), filetype; "
                "values in base64.",
            ),
        ],
        request=None,
        responses={201: None},
    )
    def post(self, request: Request) -> Response:
        """Begin a file; a known `attachment_id` gets the Location that it has."""
        sender, by = self.sender()
        tus.check_version(request.headers)
        upload = uploads.create_upload(
            sender=sender,
            creation=tus.read_creation(request.headers),
            by=by,
            now=clock.now(),
        )
        location = reverse("sync:upload", args=[upload.pk])
        return Response(
            status=201,
            headers={
                "Location": request.build_absolute_uri(location),
                "Upload-Offset": str(upload.offset),
                "Upload-Expires": tus.expires(upload.expires_at),
            },
        )


class UploadView(TusView):
    """One file on its way."""

    @extend_schema(parameters=[RESUMABLE], responses={200: None})
    def head(self, request: Request, upload_id: uuid.UUID) -> Response:
        """Say how much of it is here; what became of a whole one is told once more."""
        sender, by = self.sender()
        tus.check_version(request.headers)
        now = clock.now()
        upload = uploads.open_upload(upload_id, sender=sender, now=now)
        uploads.tell_again(upload=upload, by=by, now=now)
        return Response(
            status=200,
            headers={
                "Upload-Offset": str(upload.offset),
                "Upload-Length": str(upload.length),
                "Upload-Expires": tus.expires(upload.expires_at),
            },
        )

    @extend_schema(
        parameters=[
            RESUMABLE,
            _header("Upload-Offset", text="Where these bytes begin."),
            _header("Upload-Checksum", required=False, text="sha256, sha1 or md5."),
        ],
        request={tus.CONTENT_TYPE: OpenApiTypes.BINARY},
        responses={204: None},
    )
    def patch(self, request: Request, upload_id: uuid.UUID) -> Response:
        """Add bytes."""
        sender, by = self.sender()
        tus.check_version(request.headers)
        now = clock.now()
        upload = uploads.open_upload(upload_id, sender=sender, now=now)
        content: Any = request.data
        offset = uploads.append_part(
            upload=upload,
            offset=tus.whole(request.headers, "Upload-Offset"),
            content=content if isinstance(content, bytes) else b"",
            checksum=tus.read_checksum(request.headers.get("Upload-Checksum")),
            by=by,
            now=now,
        )
        headers = {
            "Upload-Offset": str(offset),
            "Upload-Expires": tus.expires(now + uploads.LASTS),
        }
        return Response(status=204, headers=headers)

    @extend_schema(parameters=[RESUMABLE], responses={204: None})
    def delete(self, request: Request, upload_id: uuid.UUID) -> Response:
        """Give it up."""
        sender, by = self.sender()
        tus.check_version(request.headers)
        now = clock.now()
        upload = uploads.open_upload(upload_id, sender=sender, now=now)
        uploads.end_upload(upload=upload, by=by, now=now)
        return Response(status=204)
