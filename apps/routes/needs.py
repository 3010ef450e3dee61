"""What an order needs of who brings it, and how to say that in words. Pure.

What is required outright counts, and so does what its proof of delivery asks for: who
cannot take a signature cannot bring what must be signed for.
"""

from collections.abc import Iterable, Mapping, Sequence

from apps.core.codes import codes_of

BY_PROOF: Mapping[str, str] = {
    "signature": "proof-signature",
    "photo": "proof-photo",
    "code": "proof-code",
    "barcode": "proof-barcode",
}
"""Proof of delivery → the capability that it takes; vehicle types say who has it."""

SAME: Mapping[str, str] = {
    "signature": "proof-signature",
    "signature-required": "proof-signature",
    "sign": "proof-signature",
    "unterschrift": "proof-signature",
    "handtekening": "proof-signature",
    "cash-on-delivery": "cash",
    "cod": "cash",
    "nachnahme": "cash",
    "contre-remboursement": "cash",
    "contrareembolso": "cash",
    "age": "age-check",
    "age-verification": "age-check",
    "age-18": "age-check",
    "18": "age-check",
    "alterskontrolle": "age-check",
    "alterssichtprufung": "age-check",
    "carry-upstairs": "upstairs",
    "carry-in": "upstairs",
    "to-the-flat": "upstairs",
    "stairs": "upstairs",
    "frei-verwendungsstelle": "upstairs",
}
"""Other words for the capabilities of the first vehicle types, as order files have them."""

WORDS: Mapping[str, str] = {
    "proof-signature": "take a signature",
    "proof-photo": "take a photo",
    "proof-code": "check a code",
    "proof-barcode": "scan a barcode",
    "cash": "take cash",
    "age-check": "check an age",
    "upstairs": "carry upstairs",
}


NAMED = 3
"""How many needs a refusal names: its text has room for so many."""


def needs_of(requires: Iterable[str], proof: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of all that an order needs, sorted."""
    said = (SAME.get(code, code) for code in codes_of(requires))
    shown = (BY_PROOF[name] for name in proof if name in BY_PROOF)
    return tuple(sorted({*said, *shown}))


def words_of(code: str) -> str:
    """Return a need as what somebody must be able to do."""
    return WORDS.get(code, f"provide “{code}”")


def refusal(needs: Sequence[str], on_shift: Iterable[Iterable[str]]) -> str:
    """Say why nobody can bring an order; `on_shift` are the abilities of each shift.

    Where one need is met by nobody, that one is named; otherwise each is met by somebody,
    but all together by nobody.
    """
    crews = [frozenset(abilities) for abilities in on_shift]
    unmet = [need for need in needs if not any(need in crew for crew in crews)]
    named = _listed([words_of(need) for need in unmet or needs])
    if unmet:
        lead = f"Nobody on shift can {named}"
    else:
        lead = f"Nobody on shift can {named} at once"
    return (
        f"{lead}, which the order requires: plan a shift with a driver and vehicle "
        "that can, or change what it requires."
    )


def _listed(words: Sequence[str]) -> str:
    if len(words) > NAMED:
        words = [*words[: NAMED - 1], f"{len(words) - NAMED + 1} things more"]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
