"""Reads the environment and refuses, by name, what cannot be meant."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})


def read_text(name: str, default: str = "") -> str:
    """Return the variable without the blanks around it."""
    return str(env.str(name, default=default)).strip()


def read_flag(name: str, *, default: bool) -> bool:
    """Return a yes or no.

    Raises:
        ImproperlyConfigured: the word is neither.
    """
    word = read_text(name, "true" if default else "false").lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise refusal(name, word, "true or false")


def read_choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return one of `allowed`.

    Raises:
        ImproperlyConfigured: it is another word.
    """
    word = read_text(name) or default
    if word not in allowed:
        raise refusal(name, word, "one of " + ", ".join(allowed))
    return word


def read_whole_number(name: str, default: int, *, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`.

    Raises:
        ImproperlyConfigured: it is no number, or lies outside.
    """
    word = read_text(name) or str(default)
    allowed = f"a whole number from {least} to {most}"
    try:
        number = int(word)
    except ValueError:
        raise refusal(name, word, allowed) from None
    if not least <= number <= most:
        raise refusal(name, word, allowed)
    return number


def read_list(name: str) -> list[str]:
    """Return the words between the commas."""
    return [word.strip() for word in read_text(name).split(",") if word.strip()]


def read_url(
    name: str, default: str, schemes: tuple[str, ...], *, form: str
) -> SplitResult:
    """Return a URL whose scheme is one of `schemes`; `form` shows a good one.

    The refusal never repeats the value: it may hold a password.

    Raises:
        ImproperlyConfigured: another scheme, or a port that is no number.
    """
    try:
        parts = urlsplit(read_text(name) or default)
        _ = parts.port
    except ValueError:
        raise refusal(name, "", form) from None
    if parts.scheme not in schemes:
        raise refusal(name, f"{parts.scheme or 'nothing'}://…", form)
    return parts


def read_storage(name: str, default: Path) -> dict[str, Any]:
    """Return where files lie: a directory, or a bucket that speaks S3.

    Raises:
        ImproperlyConfigured: another scheme, no bucket, or its package is missing.
    """
    form = "a directory, or s3://BUCKET[/FOLDER][?endpoint=https://…&region=…]"
    text = read_text(name)
    if "://" not in text:
        place = Path(text).resolve() if text else default
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(place)},
        }
    parts = read_url(name, "", ("s3",), form=form)
    if not parts.hostname:
        raise refusal(name, "", form)
    if find_spec("storages") is None or find_spec("boto3") is None:
        raise refusal(name, "s3://…", "a directory until django-storages[s3] is there")
    query = dict(parse_qsl(parts.query))
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": parts.hostname,
            "location": parts.path.strip("/"),
            "endpoint_url": query.get("endpoint"),
            "region_name": query.get("region"),
            "file_overwrite": False,
            "default_acl": None,
        },
    }


def refusal(name: str, value: str, allowed: str) -> ImproperlyConfigured:
    """Return the error that names the variable and what it may be."""
    got = f", not {value!r}" if value else ""
    return ImproperlyConfigured(f"{name} must be {allowed}{got}.")
