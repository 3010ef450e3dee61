"""How the garbage collector works in a process that answers people."""

import gc

OBJECTS = 20_000
"""New objects after which loops among them are looked for. A page of a large day makes some
100,000 and drops them: at Python's 700 up to half of its time was looking."""


def keep_start_apart() -> None:
    """Let what is there now stay for good, and look for loops less often.

    A full collection would look through all of Django, for a tenth of a second, in the
    middle of somebody's request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS, 20, 50)
