"""Pictures of proof: what they really are, and without the place where they were taken.

Pure. The name and the declared type of a file are a device's word; its bytes decide.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

MEDIA_TYPES: Final = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
}
"""The formats that are taken, by what they are called inside."""

MAX_PIXELS: Final = 60_000_000
QUALITY: Final = 88
GPS_TAG: Final = 0x8825
"""EXIF 2.3, table 4: the pointer to the directory with the position."""

ORIENTATION_TAG: Final = 0x0112


class NotAPhoto(ValueError):
    """The bytes are no picture that we take; the message says why."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture as it is kept."""

    content: bytes
    media_type: str
    extension: str


def clean_photo(content: bytes, *, keep_position: bool) -> Photo:
    """Read a picture and write it anew, upright, without the position in it.

    With `keep_position`, what the camera wrote down stays.

    Raises:
        NotAPhoto: it is of another kind, broken, or too large to open.
    """
    picture = _opened(content)
    kind = picture.format or ""
    exif = picture.getexif()
    upright = ImageOps.exif_transpose(picture)
    if kind == "JPEG" and upright.mode not in ("RGB", "L"):
        upright = upright.convert("RGB")
    out = io.BytesIO()
    options: dict[str, object] = {}
    if keep_position:
        exif[ORIENTATION_TAG] = 1
        options["exif"] = exif
    if kind in ("JPEG", "WEBP"):
        options["quality"] = QUALITY
    # A new picture of the pixels alone: nothing else that was in the file comes along.
    bare = Image.new(upright.mode, upright.size)
    if upright.mode == "P" and upright.palette is not None:
        bare.putpalette(upright.palette)
    bare.paste(upright)
    bare.save(out, kind, **options)
    return Photo(out.getvalue(), MEDIA_TYPES[kind], kind.lower())


def _opened(content: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = Image.open(io.BytesIO(content), formats=list(MEDIA_TYPES))
            if picture.width * picture.height > MAX_PIXELS:
                raise NotAPhoto("It has too many pixels.")
            picture.load()
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as fault:
            raise NotAPhoto("It has too many pixels.") from fault
        except UnidentifiedImageError as fault:
            raise NotAPhoto("It is no JPEG, PNG or WebP picture.") from fault
        except (OSError, SyntaxError, ValueError) as fault:
            raise NotAPhoto("The picture is damaged.") from fault
    return picture
