"""Log-ins of the demo: made by chance at each installation, kept in one file."""

import secrets
import uuid
from datetime import datetime
from pathlib import Path

from django.contrib.auth.models import Group, User

from apps.core.actors import Actor
from apps.depots.services import add_member
from apps.journal.services import writing
from apps.training.marking import ADMINISTRATOR, STAFF, read_logins, write_logins

PASSWORD_BYTES = 12


def give_logins(
    *, depot_id: uuid.UUID, path: Path, by: Actor, now: datetime
) -> dict[str, str]:
    """Make the demo's office users, one a role, and one administrator.

    Returns user name and password of each, also written to `path`. Who has a log-in
    keeps it.
    """
    held = read_logins(path)
    fresh = {
        name: secrets.token_urlsafe(PASSWORD_BYTES) for name in (ADMINISTRATOR, *STAFF)
    }
    passwords = fresh | held
    with writing(by=by, now=now) as journal:
        for name, password in passwords.items():
            user, is_new = User.objects.get_or_create(username=name)
            if is_new or name not in held:
                user.is_staff, user.is_superuser = True, name == ADMINISTRATOR
                user.set_password(password)
                user.save()
                journal.record("demo_login.given", user, depot_id=depot_id)
            if name in STAFF:
                user.groups.set(Group.objects.filter(name=STAFF[name]))
                add_member(depot_id=depot_id, user_id=user.pk, by=by, now=now)
    write_logins(path, passwords)
    return passwords
