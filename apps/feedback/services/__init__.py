"""The verbs of feedback and surveys."""

from apps.feedback.services.answering import (
    AnsweredLately,
    NotAskedHere,
    answer_in_office,
)
from apps.feedback.services.imports import (
    FileRefused,
    SignatureRefused,
    close_hook,
    import_responses,
    open_hook,
    take_webhook,
)
from apps.feedback.services.opinions import (
    Opinion,
    Speaker,
    act_on,
    decline,
    mark_seen,
    record_feedback,
    say_more,
)
from apps.feedback.services.prompting import ask_office, dismiss_ask
from apps.feedback.services.responses import (
    AlreadyAnswered,
    Answerer,
    Origin,
    SurveyNotOpen,
    answer_on_device,
    record_response,
)
from apps.feedback.services.surveys import (
    SurveyDraft,
    ask_driver,
    expire_asks,
    make_live,
    retire_survey,
    write_survey,
)

__all__ = [
    "AlreadyAnswered",
    "AnsweredLately",
    "Answerer",
    "FileRefused",
    "NotAskedHere",
    "Opinion",
    "Origin",
    "SignatureRefused",
    "Speaker",
    "SurveyDraft",
    "SurveyNotOpen",
    "act_on",
    "answer_in_office",
    "answer_on_device",
    "ask_driver",
    "ask_office",
    "close_hook",
    "decline",
    "dismiss_ask",
    "expire_asks",
    "import_responses",
    "make_live",
    "mark_seen",
    "open_hook",
    "record_feedback",
    "record_response",
    "retire_survey",
    "say_more",
    "take_webhook",
    "write_survey",
]
