"""The verbs of what pages show: a depot's look, its logo, its pickup points."""

from datetime import datetime
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from apps.core.actors import Actor
from apps.core.problems import FieldError, Invalid
from apps.customers.models import CustomerPage, PickupPoint
from apps.journal.services import writing

LOGO_PIXELS = (240, 72)
MOST_LOGO_BYTES = 16_000
"""A page weighs under 60 kB with everything: its logo may have a quarter of that."""

_AUDITED = (
    *("brand", "colour", "phone", "near_stops", "near_minutes", "coarse_m"),
    *("offers_safe_place", "offers_neighbour", "takes_addresses"),
    "wish_cutoff_minutes",
)


def keep_page(
    *, page: CustomerPage, logo: bytes | None = None, by: Actor, now: datetime
) -> CustomerPage:
    """Store a depot's page as the office has filled it in; the journal keeps it.

    `logo` None leaves the logo as it is, empty takes it away.

    Raises:
        Invalid: the logo is no picture, or too rich for a small one.
    """
    if logo is not None:
        page.logo = small_logo(logo) if logo else None
    with writing(by=by, now=now) as writer:
        page.save()
        values = {name: getattr(page, name) for name in _AUDITED}
        writer.record(
            "customer_page.kept",
            page,
            depot_id=page.depot_id,
            has_logo=bool(page.logo),
            **values,
        )
    return page


def small_logo(content: bytes) -> bytes:
    """Return a picture as a small PNG of our own making, free of all else it held.

    Raises:
        Invalid: it is no picture, or too rich to be made small.
    """
    try:
        with Image.open(BytesIO(content)) as given:
            given.thumbnail(LOGO_PIXELS)
            picture = given.convert("RGBA")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise _bad_logo("This is no picture: give a PNG or JPEG.") from error
    for colours in (256, 64, 16):
        held = BytesIO()
        picture.quantize(colours).save(held, "PNG", optimize=True)
        if held.tell() <= MOST_LOGO_BYTES:
            return held.getvalue()
    raise _bad_logo("The logo has too many details: give a simpler one.")


def _bad_logo(text: str) -> Invalid:
    return Invalid(text, errors=[FieldError("/new_logo", "bad_logo", text)])


def keep_pickup_point(*, point: PickupPoint, by: Actor, now: datetime) -> PickupPoint:
    """Store a pickup point as the office has filled it in."""
    with writing(by=by, now=now) as writer:
        point.save()
        writer.record(
            "pickup_point.kept",
            point,
            depot_id=point.depot_id,
            name=point.name,
            is_active=point.is_active,
        )
    return point
