"""Verdicts are given once a shift is over, and again when facts come late."""

import uuid
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from apps.core.actors import Actor
from apps.drivers.models import Shift
from apps.journal.services import Writer, writing
from apps.verdicts.arithmetic import arithmetic_of, barred_hash, case_hash
from apps.verdicts.cases import Case, Found, judge_case
from apps.verdicts.facts import Question
from apps.verdicts.gathering import gathered
from apps.verdicts.models import Verdict
from apps.verdicts.questions import questions_of
from apps.verdicts.states import Subject
from apps.verdicts.ways import Ruling


def judge_shift(shift: Shift, *, by: Actor, now: datetime) -> list[Verdict]:
    """Judge the overrides and deviations of a shift; return the verdicts that are new.

    The same facts give the same verdict, which is not given twice. Facts that came late
    make a new version of it.
    """
    given = []
    for question in questions_of(shift, now):
        case = None if question.barred else gathered(question)
        digest = case_hash(case) if case else barred_hash(str(question.barred))
        old = _known(question)
        if old is not None and old.inputs_hash == digest:
            continue
        values = (
            _values(case, judge_case(case)) if case else _undecided(question.barred)
        )
        values |= {"inputs_hash": digest, "judged_at": now}
        row = (
            _give(question, values, by=by, now=now)
            if old is None
            else _give_again(old, values, by=by, now=now)
        )
        if row is not None:
            given.append(row)
    return given


def _known(question: Question) -> Verdict | None:
    if question.override is not None:
        return Verdict.objects.filter(override=question.override).first()
    return Verdict.objects.filter(
        subject=Subject.DEVIATION,
        route=question.route,
        recommendation=question.recommendation,
    ).first()


def _values(case: Case, found: Found) -> dict[str, Any]:
    judged = found.judged
    return {
        "ruling": str(judged.ruling),
        "gained_minor": round(judged.gained_minor),
        "gained_s": round(judged.gained_s),
        "sd_minor": round(judged.sd_minor),
        "sd_s": round(judged.sd_s),
        "least_minor": round(judged.least_minor),
        "because": judged.because,
        "arithmetic": arithmetic_of(case, found),
    }


def _undecided(why: str | None) -> dict[str, Any]:
    """Return the verdict on what is not replayed: no figures, and the reason."""
    figures = ("gained_minor", "gained_s", "sd_minor", "sd_s", "least_minor")
    return {
        **dict.fromkeys(figures, 0),
        "ruling": str(Ruling.UNDECIDABLE),
        "because": str(why),
        "arithmetic": {},
    }


def _give(
    question: Question, values: dict[str, Any], *, by: Actor, now: datetime
) -> Verdict | None:
    """Store a first verdict; None where another one was given at the same time."""
    route = question.route
    is_override = question.override is not None
    row = Verdict(
        depot_id=route.depot_id,
        shift_id=route.shift_id,
        route=route,
        service_date=route.service_date,
        subject=Subject.OVERRIDE if is_override else Subject.DEVIATION,
        kind=question.kind,
        role=question.role,
        override=question.override,
        recommendation=question.recommendation,
        **values,
    )
    try:
        with writing(by=by, now=now, scopes=_hears(row)) as journal:
            row.save(force_insert=True)
            _record("verdict.given", row, journal)
    except IntegrityError:
        return None
    return row


def _give_again(
    old: Verdict, values: dict[str, Any], *, by: Actor, now: datetime
) -> Verdict | None:
    """Store a new version, unless another one did so at the same time."""
    before = {"old_ruling": old.ruling, "old_gained_minor": old.gained_minor}
    with writing(by=by, now=now, scopes=_hears(old)) as journal:
        rows = Verdict.objects.filter(pk=old.pk, version=old.version)
        if not rows.update(**values, version=old.version + 1):
            return None
        old.refresh_from_db()
        _record("verdict.given_again", old, journal, **before)
    return old


def _record(kind: str, row: Verdict, journal: Writer, **more: Any) -> None:
    journal.record(
        kind,
        row,
        depot_id=row.depot_id,
        subject=row.subject,
        override_id=str(row.override_id or ""),
        route_id=str(row.route_id),
        recommendation_id=str(row.recommendation_id or ""),
        ruling=row.ruling,
        because=row.because,
        gained_minor=row.gained_minor,
        sd_minor=row.sd_minor,
        version=row.version,
        **more,
    )
    for driver_id in _hears(row):
        journal.changed(driver_id, "verdicts", row.pk)


def _hears(row: Verdict) -> list[uuid.UUID]:
    """Return whose device is told: who asked on the road, or drove otherwise."""
    if row.override is None:
        return [row.route.driver_id]
    return [row.override.driver_id] if row.override.driver_id else []
