"""Reads who sends messages, and refuses a provider that lacks what it needs."""

import re
from typing import Any

from config.environment import env, read_list, read_text, read_url, refusal

WEB = ("http", "https")
MAIL_SCHEMES = ("smtp", "smtps", "smtp+tls", "smtp+ssl")
MAIL_FORM = "smtp+tls://USER:PASSWORD@HOST:587"


def read_providers(name: str, allowed: tuple[str, ...]) -> list[str]:
    """Return the providers of a channel, in the order in which they are tried.

    Raises:
        ImproperlyConfigured: there is no such provider for the channel.
    """
    chosen = read_list(name)
    for provider in chosen:
        if provider not in allowed:
            raise refusal(name, provider, f"of {', '.join(allowed)}, by comma")
    return list(dict.fromkeys(chosen))


def read_twilio(*, needed: bool, whatsapp: bool) -> dict[str, str]:
    """Return Twilio's account; its parts must be there where it is `needed`.

    Raises:
        ImproperlyConfigured: a part is missing, or cannot be meant.
    """
    account = {
        "account_sid": read_text("TWILIO_ACCOUNT_SID"),
        "auth_token": read_text("TWILIO_AUTH_TOKEN"),
        "from": read_text("TWILIO_FROM"),
        "whatsapp_from": read_text("TWILIO_WHATSAPP_FROM"),
        "url": _address("TWILIO_URL", "https://api.twilio.com"),
    }
    if not needed:
        return account
    sid = account["account_sid"]
    if not re.fullmatch(r"AC[0-9a-fA-F]{32}", sid):
        raise refusal("TWILIO_ACCOUNT_SID", sid, "AC and 32 hexadecimal digits")
    if not account["auth_token"]:
        raise refusal("TWILIO_AUTH_TOKEN", "", "the account's secret")
    if not re.fullmatch(r"\+\d{7,15}|MG[0-9a-fA-F]{32}|\d{3,8}", account["from"]):
        raise refusal(
            "TWILIO_FROM", account["from"], "+NUMBER, a short code, or MG and 32 digits"
        )
    if whatsapp and not re.fullmatch(r"\+\d{7,15}", account["whatsapp_from"]):
        raise refusal("TWILIO_WHATSAPP_FROM", account["whatsapp_from"], "+NUMBER")
    return account


def read_gateway(*, needed: bool) -> dict[str, str]:
    """Return the company's own gateway.

    Raises:
        ImproperlyConfigured: it is needed, and a part is missing.
    """
    if not needed:
        return {"url": "", "token": ""}
    url, token = _address("MESSAGE_GATEWAY_URL", ""), read_text("MESSAGE_GATEWAY_TOKEN")
    if len(token) < 24:
        raise refusal("MESSAGE_GATEWAY_TOKEN", "", "a secret of 24 characters or more")
    return {"url": url, "token": token}


def read_mail_server(*, needed: bool) -> dict[str, Any]:
    """Return Django's settings of the mail server; none: emails stay in memory.

    Raises:
        ImproperlyConfigured: it is needed, and not named.
    """
    if not needed:
        return {"EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend"}
    read_url("EMAIL_URL", "", MAIL_SCHEMES, form=MAIL_FORM)
    found: dict[str, Any] = env.email_url_config(read_text("EMAIL_URL"))
    return {name: value for name, value in found.items() if name.startswith("EMAIL_")}


def _address(name: str, default: str) -> str:
    form = "an address such as https://messages.example"
    return read_url(name, default, WEB, form=form).geturl().rstrip("/")
