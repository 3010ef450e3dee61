"""Email by Django's backends."""

import smtplib
from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from apps.notifications import kinds
from apps.notifications.letters import (
    CannotTell,
    Letter,
    Rejected,
    SendFailed,
    Taken,
    Unavailable,
    Unclear,
)
from apps.notifications.transports.base import TIMEOUT_S


class MailTransport:
    """Hands emails to the mail server of the settings."""

    name: ClassVar[str] = "smtp"
    channels: ClassVar[frozenset[str]] = frozenset({kinds.EMAIL})
    is_idempotent: ClassVar[bool] = False

    def send(self, letter: Letter) -> Taken:
        """Send one email; its Message-ID is the same for every repeat."""
        host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
        message_id = f"<{letter.key}@{host}>"
        email = EmailMessage(
            subject=letter.title,
            body=letter.text,
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[letter.address],
            headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
        )
        connection = get_connection(timeout=TIMEOUT_S)
        try:
            connection.open()
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable("no_connection", _said(error)) from error
        try:
            connection.send_messages([email])
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise _failure(error) from error
        finally:
            connection.close()
        return Taken(message_id)

    def find(self, letter: Letter) -> Taken | None:
        """A mail server cannot be asked what it took."""
        raise CannotTell("smtp", "A mail server cannot say whether it took an email.")


def _failure(error: Exception) -> SendFailed:
    """Say what a failure means: the server's codes from 500 on are final (RFC 5321)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _text in error.recipients.values()]
        final = all(code >= 500 for code in codes)
        kind = Rejected if final else Unavailable
        return kind(str(codes[0] if codes else "refused"), _said(error))
    if isinstance(error, smtplib.SMTPResponseException):
        kind = Rejected if error.smtp_code >= 500 else Unavailable
        return kind(str(error.smtp_code), _said(error))
    if isinstance(error, ValueError):
        return Rejected("bad_address", _said(error))
    return Unclear("no_answer", _said(error))


def _said(error: Exception) -> str:
    """Return the kind of the failure: its text may name the address."""
    return type(error).__name__
