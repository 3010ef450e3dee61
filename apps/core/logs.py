"""Logs: fixed messages with fields, the request's and the task's ids on each.

Never a name, a phone number, an address, a position, or a query string.
"""

from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

UNSAID = frozenset({"request", "args", "scope"})
"""Fields that libraries attach and that hold a person's data."""


def drop_personal_fields(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    """Leave out what libraries hang on a record: the request and its like."""
    for name in UNSAID & event.keys():
        del event[name]
    return event


def structlog_processors() -> list[Processor]:
    """Return the steps that each record takes, ours or a library's."""
    return [
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        drop_personal_fields,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def logging_config(*, level: str, form: str) -> dict[str, Any]:
    """Return the `LOGGING` setting: one stream, as JSON lines or for a terminal."""
    renderers: list[Processor] = (
        [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(sort_keys=False),
        ]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=False)]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "fields": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": structlog_processors(),
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *renderers,
                ],
            }
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "fields"}
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Its own lines name the path; ours name the route.
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "level": "ERROR"},
            # A line a task is in core/queue; here the deaths of its workers.
            "django-q": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "uvicorn.access": {"level": "WARNING"},
        },
    }
