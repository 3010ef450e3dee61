"""A verdict's arithmetic as JSON: both ways leg by leg, and what is unsure. Pure."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from apps.verdicts.cases import Case, Found
from apps.verdicts.estimating import DayFactor
from apps.verdicts.replay import LEAST_S, Z
from apps.verdicts.ways import Replayed, Step


def arithmetic_of(case: Case, found: Found) -> dict[str, Any]:
    """Return all that a page needs to show how a verdict came about.

    Seconds and metres are whole, factors have three digits, money is in minor units.
    """
    judged = found.judged
    return {
        "z": Z,
        "least_s": LEAST_S,
        "left_out": list(case.left_out),
        "recommended": _way(judged.recommended),
        "chosen": _way(judged.chosen),
        "parts": [
            {"name": part.name, "sd_minor": round(part.sd_minor, 1)}
            for part in judged.parts
        ],
        "factors": {
            shift: _factor(factor) for shift, factor in sorted(found.factors.items())
        },
    }


def case_hash(case: Case) -> str:
    """Return the hash of all that a case is made of: the same facts give the same one."""
    told = {
        "recommended": [asdict(way) for way in case.recommended],
        "chosen": [asdict(way) for way in case.chosen],
        "drives": [asdict(drive) for drive in case.drives],
        "laws": [[*key, asdict(law)] for key, law in sorted(case.laws.items())],
        "left_out": case.left_out,
        "aside": case.aside,
        "known": [[stop, asdict(fact)] for stop, fact in sorted(case.known.items())],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def barred_hash(why: str) -> str:
    """Return the hash of a question that is not replayed: it stands until that changes."""
    return hashlib.sha256(f"barred {why}".encode()).hexdigest()


def _factor(factor: DayFactor) -> dict[str, Any]:
    return {
        "factor": round(factor.factor, 3),
        "se": round(factor.se, 3),
        "spread": round(factor.spread, 3),
        "legs": factor.n,
        "neighbours": factor.neighbours,
    }


def _way(way: Replayed) -> dict[str, Any]:
    return {
        "duration_s": round(way.duration_s),
        "distance_m": way.distance_m,
        "overtime_s": round(way.overtime_s),
        "window_late_s": round(way.window_late_s),
        "promise_late_s": round(way.promise_late_s),
        "time_minor": round(way.time_minor),
        "distance_minor": round(way.distance_minor),
        "overtime_minor": round(way.overtime_minor),
        "late_minor": round(way.late_minor),
        "total_minor": round(way.total_minor),
        "steps": [_step(step) for step in way.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    plain = {"shift_id", "here", "there", "is_observed", "is_service_observed"}
    return {
        name: value if name in plain else round(value)
        for name, value in asdict(step).items()
    }
