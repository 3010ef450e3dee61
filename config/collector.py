"""How the garbage collector works in a process that answers people."""

import gc
from typing import Any, Final

from django.core.signals import request_finished

WITHIN: Final = 500_000
"""New objects after which loops among them are looked for in the midst of a request. A page of
a large day makes some 100,000 and drops them: looking at them meanwhile took up to half of
its time."""

BETWEEN: Final = 20_000
"""New objects after which they are looked for when a request is over: what it was made of has
gone by itself, and there is little left to look at."""

ROUNDS: Final = (10, 20)
"""Looks at the new ones after which those that outlived one are looked at; and so on."""


def keep_start_apart() -> None:
    """Let what is there now stay for good, and look for loops between requests.

    A full collection would look through all of Django, for a tenth of a second, in the
    middle of somebody's request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(WITHIN, *ROUNDS)
    request_finished.connect(_tidy, dispatch_uid="tidy")


def _tidy(**_: Any) -> None:
    new, outlived, old = gc.get_count()
    if new > BETWEEN:
        gc.collect(2 if old > ROUNDS[1] else 1 if outlived > ROUNDS[0] else 0)
