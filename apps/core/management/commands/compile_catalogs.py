"""`manage.py compile_catalogs`: the translations, as Django reads them."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.core.catalogs import compile_catalogs


class Command(BaseCommand):
    """Writes `config/locale/*/LC_MESSAGES/*.mo`; needs no gettext on the machine."""

    help = "Compile the translations in config/locale/ after a change of a .po file."

    def handle(self, *args: Any, **options: Any) -> None:
        """Compile, and say what changed."""
        changed = [
            path
            for folder in settings.LOCALE_PATHS
            for path in compile_catalogs(folder)
        ]
        for path in changed:
            self.stdout.write(str(path))
        if not changed:
            self.stdout.write("Nothing has changed.")
