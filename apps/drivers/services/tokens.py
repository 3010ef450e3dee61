"""Credentials: made once, shown once, kept as a digest."""

from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from apps.core.actors import Actor
from apps.core.problems import NotFound
from apps.drivers.models import Device, Token
from apps.journal.services import writing

API_TOKEN_TTL = timedelta(days=90)


def mint(
    *,
    user: User,
    purpose: Token.Purpose,
    device: Device | None,
    expires_at: datetime | None,
    number: int = 0,
) -> tuple[Token, str]:
    """Store a new credential; return its row and the secret, which nobody sees again.

    `number` is which of its device's sessions it is.
    """
    digest, secret = get_digest_token()
    row = Token(
        digest=digest,
        token_key=secret[: CONSTANTS.TOKEN_KEY_LENGTH],
        user=user,
        purpose=purpose,
        device=device,
        expiry=expires_at,
        number=number,
    )
    row.save(force_insert=True)
    return row, secret


def issue_api_token(
    *, user: User | AnonymousUser, by: Actor, now: datetime
) -> tuple[Token, str]:
    """Give an API client a credential that acts for `user`; return row and secret.

    Raises:
        NotFound: nobody is signed in.
    """
    if isinstance(user, AnonymousUser):
        raise NotFound
    with writing(by=by, now=now) as journal:
        row, secret = mint(
            user=user,
            purpose=Token.Purpose.API,
            device=None,
            expires_at=now + API_TOKEN_TTL,
        )
        journal.record("api_token.issued", user)
    return row, secret


def withdraw_api_token(*, token: Token, by: Actor, now: datetime) -> None:
    """End an API client's credential; a second time changes nothing."""
    with writing(by=by, now=now) as journal:
        deleted, _ = Token.objects.filter(
            pk=token.pk, purpose=Token.Purpose.API
        ).delete()
        if deleted:
            journal.record("api_token.withdrawn", token.user)
