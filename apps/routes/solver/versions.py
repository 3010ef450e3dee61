"""Which version of each engine answers now, known without loading its library.

A version changes whenever the same inputs may be answered otherwise: also where a rule
changes that an engine shares with others, as `pyvrp` and `ortools` do the first insertion
of `greedy`.
"""

from importlib.metadata import version

GREEDY = "3"
REPAIR = "1"
FOLLOW = "1"
PYVRP_ADAPTER = "8"
ORTOOLS_ADAPTER = "4"


def pyvrp_version() -> str:
    """Return the library's version and that of our adapter."""
    return f"{version('pyvrp')}/{PYVRP_ADAPTER}"


def ortools_version() -> str:
    """Return the library's version and that of our adapter."""
    return f"{version('ortools')}/{ORTOOLS_ADAPTER}"


def engine_versions() -> dict[str, frozenset[str]]:
    """Say by engine which versions' answers can be made again: its present one."""
    present = {
        "greedy": GREEDY,
        "repair": REPAIR,
        "follow": FOLLOW,
        "pyvrp": pyvrp_version(),
        "ortools": ortools_version(),
    }
    return {engine: frozenset({one}) for engine, one in present.items()}
