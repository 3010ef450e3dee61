"""Core's background tasks."""

import structlog
from django.core.management import call_command

from apps.core import clock, idempotency, queue

log = structlog.get_logger(__name__)


def tidy() -> None:
    """Drop what has served: old task runs, old answers, sessions that ended."""
    now = clock.now()
    runs = queue.forget_old_runs(now)
    answers = idempotency.forget_old_answers(now)
    call_command("clearsessions")
    log.info("tidied", task_runs=runs, answers=answers)
