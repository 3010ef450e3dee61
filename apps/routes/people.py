"""Who did something, by name: the journal's `user:3` and `driver:01a…` as people say it."""

from django.contrib.auth import get_user_model

from apps.drivers.models import Driver
from apps.routes.selectors import parse_id


def who(actor: str) -> str:
    """Return an actor's name; the actor as it is stored where nobody is known by it."""
    kind, _, number = actor.partition(":")
    if kind == "user" and number.isdigit():
        user = get_user_model().objects.filter(pk=number).first()
        if user is not None:
            return user.get_full_name() or user.get_username()
    if kind == "driver" and (driver_id := parse_id(number)):
        driver = Driver.objects.filter(pk=driver_id).first()
        if driver is not None:
            return driver.name
    return actor
