"""How inputs and answers lie in the table: small, and the same bytes when taken out. Pure.

Canonical JSON of a plan is nearly all travel times, as base64 of 16-bit numbers. Packed,
these lie as bytes, all low ones before all high ones, which is what zlib presses well.
"""

import re
import zlib
from base64 import b64decode, b64encode
from typing import Final

import msgspec

MAGIC: Final = b"R1"
"""What begins otherwise is zlib over the plain content, as it was stored before."""

LEVEL: Final = 6
_LONG: Final = re.compile(rb'"((?:[A-Za-z0-9+/]{4}){256,}(?:[A-Za-z0-9+/=]{4})?)"')
_HOLE: Final = b'"\x00"'
"""Stands for one long text; JSON never has a NUL that is not escaped."""


def pack(content: bytes) -> bytes:
    """Return content in the form in which it is kept."""
    blobs: list[bytes] = []

    def taken(match: re.Match[bytes]) -> bytes:
        raw = b64decode(match[1], validate=True)
        if b64encode(raw) != match[1]:
            return match[0]
        blobs.append(_split(raw))
        return _HOLE

    if _HOLE in content:
        return zlib.compress(content, LEVEL)
    rest = _LONG.sub(taken, content)
    packed = msgspec.msgpack.encode([rest, blobs])
    return MAGIC + zlib.compress(packed, LEVEL)


def unpack(body: bytes) -> bytes:
    """Return the content of what `pack` made."""
    if not body.startswith(MAGIC):
        return zlib.decompress(body)
    packed = zlib.decompress(body[len(MAGIC) :])
    rest, blobs = msgspec.msgpack.decode(packed, type=tuple[bytes, list[bytes]])
    pieces = rest.split(_HOLE)
    out = [pieces[0]]
    for blob, piece in zip(blobs, pieces[1:], strict=True):
        out += [b'"', b64encode(_joined(blob)), b'"', piece]
    return b"".join(out)


def _split(raw: bytes) -> bytes:
    return raw[0::2] + raw[1::2]


def _joined(split: bytes) -> bytes:
    middle = (len(split) + 1) // 2
    raw = bytearray(len(split))
    raw[0::2], raw[1::2] = split[:middle], split[middle:]
    return bytes(raw)
