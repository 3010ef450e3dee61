"""The surveys that a new installation has: a company changes them by new versions."""

from typing import Any, Final

from django.db.models.functions import Now

DELIVERY: Final = "delivery"
"""Asked of customers after a delivery, by link."""

PULSE: Final = "pulse"
"""Asked of drivers and office: how confident they are."""

CHANGE: Final = "plan-change"
"""Asked of a driver who has taken note of a change of the route."""


def _words(en: str, de: str, es: str, fr: str) -> dict[str, str]:
    return {"en": en, "de": de, "es": es, "fr": fr}


_ANYTHING: Final = {
    "id": "words",
    "kind": "text",
    "text": _words(
        "Is there anything else that you would like to tell us?",
        "Möchten Sie uns noch etwas sagen?",
        "¿Quiere decirnos algo más?",
        "Souhaitez-vous ajouter quelque chose ?",
    ),
    "required": False,
}

FIRST_SURVEYS: Final[tuple[dict[str, Any], ...]] = (
    {
        "key": DELIVERY,
        "audience": "customers",
        "title": _words(
            "Your delivery", "Ihre Lieferung", "Su entrega", "Votre livraison"
        ),
        "cap_days": 30,
        "open_days": 14,
        "questions": [
            {
                "id": "csat",
                "kind": "csat",
                "text": _words(
                    "How satisfied are you with this delivery?",
                    "Wie zufrieden sind Sie mit dieser Lieferung?",
                    "¿Qué tan satisfecho está con esta entrega?",
                    "Êtes-vous satisfait de cette livraison ?",
                ),
                "required": True,
                "low": 1,
                "high": 5,
            },
            {
                "id": "nps",
                "kind": "nps",
                "text": _words(
                    "How likely are you to recommend us to a friend?",
                    "Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen?",
                    "¿Qué tan probable es que nos recomiende a un amigo?",
                    "Quelle est la probabilité que vous nous recommandiez à un ami ?",
                ),
                "required": False,
                "low": 0,
                "high": 10,
            },
            _ANYTHING,
        ],
    },
    {
        "key": PULSE,
        "audience": "frontline",
        "title": _words(
            "How is work going?",
            "Wie läuft die Arbeit?",
            "¿Cómo va el trabajo?",
            "Comment va le travail ?",
        ),
        "is_pulse": True,
        "trigger": "shift.ended",
        "cap_days": 14,
        "open_days": 5,
        "questions": [
            {
                "id": "confidence",
                "kind": "scale",
                "text": _words(
                    "I trust the plans that I am given.",
                    "Ich vertraue den Plänen, die ich bekomme.",
                    "Confío en los planes que recibo.",
                    "J’ai confiance dans les plans que je reçois.",
                ),
                "required": True,
                "low": 1,
                "high": 7,
            },
            {
                "id": "heard",
                "kind": "scale",
                "text": _words(
                    "When I report something, it changes something.",
                    "Wenn ich etwas melde, ändert sich etwas.",
                    "Cuando informo de algo, algo cambia.",
                    "Quand je signale quelque chose, cela change quelque chose.",
                ),
                "required": True,
                "low": 1,
                "high": 7,
            },
            _ANYTHING,
        ],
    },
    {
        "key": CHANGE,
        "audience": "drivers",
        "title": _words(
            "The change of your route",
            "Die Änderung Ihrer Tour",
            "El cambio de su ruta",
            "La modification de votre tournée",
        ),
        "trigger": "plan_change.acknowledged",
        "cap_days": 3,
        "open_days": 1,
        "questions": [
            {
                "id": "good",
                "kind": "csat",
                "text": _words(
                    "How good was this change?",
                    "Wie gut war diese Änderung?",
                    "¿Qué tan bueno fue este cambio?",
                    "Cette modification était-elle bonne ?",
                ),
                "required": True,
                "low": 1,
                "high": 5,
            },
            {
                "id": "why",
                "kind": "choice",
                "text": _words(
                    "What was wrong with it?",
                    "Was war daran falsch?",
                    "¿Qué estaba mal?",
                    "Qu’est-ce qui n’allait pas ?",
                ),
                "required": False,
                "many": True,
                "options": [
                    {
                        "value": "late",
                        "text": _words(
                            "It came too late",
                            "Sie kam zu spät",
                            "Llegó tarde",
                            "Elle est venue trop tard",
                        ),
                    },
                    {
                        "value": "detour",
                        "text": _words(
                            "A detour", "Ein Umweg", "Un rodeo", "Un détour"
                        ),
                    },
                    {
                        "value": "unclear",
                        "text": _words(
                            "I did not see why",
                            "Ich sah nicht, warum",
                            "No vi por qué",
                            "Je n’ai pas vu pourquoi",
                        ),
                    },
                ],
            },
        ],
    },
)


def make_first_surveys(survey: Any) -> None:
    """Make the first version of each, where there is none of its key; repeatable.

    `survey` is the model, as a migration has it.
    """
    for first in FIRST_SURVEYS:
        if not survey.objects.filter(key=first["key"]).exists():
            survey.objects.create(
                **first,
                version=1,
                status="live",
                created_at=Now(),
                created_by="system",
                live_at=Now(),
            )
