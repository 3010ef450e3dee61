"""Creates that may be retried: the same `Idempotency-Key` gets the first answer."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.exceptions import NotAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.models import IdempotentAnswer
from apps.core.problems import Invalid, Problem

KEEP = timedelta(days=2)
MAX_KEY = 255

Create = Callable[..., Response]


class KeyReused(Problem):
    """The key came before with another request."""

    type = "/problems/idempotency-key-reused"
    title = "This Idempotency-Key was used for another request: take a new one."
    status = 422


def idempotent(create: Create) -> Create:
    """Make a view's method answer a repeated key with its first answer.

    The key's row, the work and the stored answer share one transaction: a second
    request with the same key waits for the first, then reads its answer. A refused
    request keeps no answer, so that it can be mended and sent again.
    """

    @wraps(create)
    def wrapper(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "").strip()
        if not key:
            return create(view, request, *args, **kwargs)
        if len(key) > MAX_KEY:
            raise Invalid(f"An Idempotency-Key has {MAX_KEY} characters at the most.")
        digest = _request_hash(request)
        with transaction.atomic():
            row = _claim(request, key, digest)
            if row is None:
                return _first_answer(request, key, digest)
            response = create(view, request, *args, **kwargs)
            body = JSONRenderer().render(response.data)
            row.status, row.body = response.status_code, json.loads(body)
            row.save(update_fields=["status", "body"])
        return response

    return wrapper


def forget_old_answers(now: datetime) -> int:
    """Delete the answers that no client will ask for again; return how many."""
    return IdempotentAnswer.objects.filter(created_at__lt=now - KEEP).delete()[0]


def _request_hash(request: Request) -> str:
    content = json.dumps(request.data, sort_keys=True, default=str)
    text = f"{request.method} {request.path} {content}"
    return hashlib.sha256(text.encode()).hexdigest()


def _caller(request: Request) -> int:
    if request.user.pk is None:
        raise NotAuthenticated
    return request.user.pk


def _claim(request: Request, key: str, digest: str) -> IdempotentAnswer | None:
    try:
        with transaction.atomic():
            return IdempotentAnswer.objects.create(
                user_id=_caller(request),
                key=key,
                request_hash=digest,
                created_at=clock.now(),
            )
    except IntegrityError:
        return None


def _first_answer(request: Request, key: str, digest: str) -> Response:
    row = IdempotentAnswer.objects.get(user_id=_caller(request), key=key)
    if row.request_hash != digest:
        raise KeyReused
    return Response(
        row.body, status=row.status, headers={"Idempotent-Replayed": "true"}
    )
