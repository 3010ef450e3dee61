"""Which transport is which."""

from django.conf import settings
from django.utils.module_loading import import_string

from apps.notifications.transports.base import Transport


def transport(name: str) -> Transport:
    """Return the transport of this name.

    Raises:
        KeyError: there is none; the settings name only those that there are.
    """
    made: Transport = import_string(settings.MESSAGE_TRANSPORTS[name])()
    return made
