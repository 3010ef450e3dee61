"""What a person's reply means, in four languages. Pure."""

import re
import unicodedata
from typing import Final

STOP: Final = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
    | {"stopp", "ende", "abmelden", "abbestellen", "aufhoren"}
    | {"arret", "arreter", "desabonner", "desinscrire"}
    | {"alto", "parar", "cancelar", "baja", "basta"}
)
START: Final = frozenset(
    {"start", "unstop", "subscribe", "anmelden", "weiter"}
    | {"reprendre", "abonner", "empezar", "alta", "comenzar"}
)
HELP: Final = frozenset({"help", "info", "hilfe", "aide", "ayuda"})
WHERE_WORDS: Final = frozenset(
    {"where", "wo", "ou", "donde", "when", "wann", "quand", "cuando"}
    | {"status", "track", "tracking", "eta", "estado", "suivi", "stand"}
)
WHERE_PHRASES: Final = (
    "where is",
    "wheres",
    "when will",
    "when does",
    "how long",
    "wo ist",
    "wo bleibt",
    "wann kommt",
    "ou est",
    "ou en est",
    "quand arrive",
    "donde esta",
    "cuando llega",
)

AT_TWILIO: Final = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
    | {"start", "unstop", "help", "info"}
)
"""Twilio answers these itself on its SMS numbers, so that we do not answer twice."""


def plain_words(text: str) -> str:
    """Return the words in small letters without accents and signs."""
    flat = unicodedata.normalize("NFKD", text.casefold())
    flat = "".join(sign for sign in flat if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", " ", flat.replace("'", "").replace("’", "")).strip()


def intent_of(text: str) -> str:
    """Return what a reply means: stop, start, help, where, or other.

    A word that ends or begins consent must be the whole reply, a `please` aside: "stop
    at the neighbour's" is none. "Where" may stand in a sentence.
    """
    plain = plain_words(text)
    alone = re.sub(r"\b(please|pls|bitte|svp|merci|por favor)\b", "", plain).strip()
    if alone.replace(" ", "") in STOP:
        return "stop"
    if alone in START:
        return "start"
    if alone in HELP:
        return "help"
    if alone in WHERE_WORDS or any(
        re.search(rf"\b{phrase}\b", plain) for phrase in WHERE_PHRASES
    ):
        return "where"
    return "other"
