"""`bench change`: feedback becomes change, told as a log with its figures.

A town with a planted error: services in one zone take three times the standard, as two
drivers report. It is found, proposed, tried on the past days, approved by a person, and
the next plans are better. A second change, for which nothing speaks, loses on the same
past days and cannot be approved. Then what was true is no more (the lift is mended), and
the first change is taken back by itself. Everything runs through the house's own verbs
and tasks; all of it is taken back from the database at the end.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date, time, timedelta
from statistics import fmean
from typing import Any

import time_machine
from django.core.management import CommandError
from django.db import transaction

from apps.core.actors import SYSTEM
from apps.feedback.models import Feedback
from apps.feedback.words import answer_in_words
from apps.recommendations.services import stored_answer, stored_inputs
from apps.routes.models import Plan
from apps.routes.selectors import parameters_in_force
from apps.routes.solving import replay
from apps.tuning import ledger
from apps.tuning.models import Proposal
from apps.tuning.services.deciding import LostInShadow, approve
from tests.tuning.town import (
    OFFICE,
    SLOW,
    DrivenDay,
    Town,
    proposed,
    tried,
    watched,
)

NEEDS_DATABASE = True
FIRST = date(2026, 3, 2)
SLOWER = 3.0


def main(argv: list[str]) -> dict[str, Any]:
    """Live `--before` days, change, `--after` days, then until the change is undone."""
    parser = argparse.ArgumentParser(prog="bench change")
    parser.add_argument("--before", type=int, default=8)
    parser.add_argument("--after", type=int, default=5)
    parser.add_argument("--orders", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(argv)
    with transaction.atomic():
        figures = _Story(given).told()
        transaction.set_rollback(True)
    return figures


class _Story:
    """The town's days in their order, and what was said of them."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.factor = given, SLOWER
        self.day = FIRST
        self.log: list[str] = []
        self.town = Town(
            lambda _, zone: self.factor if zone == SLOW else 1.0,
            orders=given.orders,
            rounds=40,
            seed=given.seed,
        )

    def told(self) -> dict[str, Any]:
        """Tell the story from its begin to its end; return its figures."""
        before = self._live(self.given.before, "planned by the standard")
        row = self._found(before)
        self._lost(row)
        row = self._again()
        with time_machine.travel(self._evening(), tick=False):
            row = approve(row.pk, by=OFFICE, now=self._evening())
        self._say(f"approved by {row.decided_by}; in force as version {row.versions}")
        self._answers()
        after = []
        for _ in range(self.given.after):
            after += self._live(1, "planned with what was learned")
            row = watched(self.town, row, self.day)
            if row.status != "in_force":
                raise CommandError("A good change was taken back.")
        self._say(f"watched every night: {row.watch['text']} State: {row.status}.")
        identical = self._plans_again()
        row, undone = self._undone(row)
        return {
            "shadow": {
                "verdict": row.shadow["verdict"],
                "days": row.shadow["days"],
                "late_min": _pair(row, "late_min"),
                "service_error_s": _pair(row, "service_error_s"),
                "loss_minor": _pair(row, "loss_minor"),
            },
            "late_min_a_day": {"before": _late(before), "after": _late(after)},
            "late_stops_a_day": {
                "before": round(fmean(day.late_stops for day in before), 1),
                "after": round(fmean(day.late_stops for day in after), 1),
            },
            "service_error_s": {"before": _error(before), "after": _error(after)},
            "plans_rerun_identical": identical,
            "reverted_by_itself_after_days": len(undone),
            "service_error_s_of_the_outdated_change": _error(undone),
            "log": self.log,
        }

    # ── its chapters ─────────────────────────────────────────────────────────
    def _found(self, before: Sequence[DrivenDay]) -> Proposal:
        said = self.town.complain(self._yesterday(), "Nobody is quick on those stairs.")
        self._say(f"{len(said)} drivers report: “too little time” in {SLOW}")
        night = self.town.learn(self._yesterday())
        self._say(
            f"learned in the night: {night.estimates} estimates, {night.stops} stops"
        )
        row = proposed(self.town, self._yesterday())
        self._say(f"proposed: {row.why[0]}")
        about = row.recommendation
        same = ledger.rerun(stored_inputs(about)) == stored_answer(about)
        self._say(
            f"recommendation made again from its inputs: {'identical' if same else 'ANOTHER'}"
        )
        row = tried(self.town, row, self._yesterday())
        self._say(f"tried on past days ({row.shadow['verdict']}): {row.shadow['text']}")
        if row.shadow["verdict"] != "wins" or not same:
            raise CommandError("The planted error was not proved.")
        return row

    def _lost(self, good: Proposal) -> None:
        """Propose what nothing speaks for, as if an estimate had gone wrong."""
        wrong = good.depot.estimates.filter(kind="service", until_at=None)
        truth = {each.pk: each.mean for each in wrong}
        for each in wrong:
            each.mean = 0.4
            each.save(update_fields=["mean"])
        row = tried(
            self.town, proposed(self.town, self._yesterday()), self._yesterday()
        )
        self._say(f"a wrong one is tried too ({row.shadow['verdict']})")
        try:
            approve(row.pk, reason="I insist on it.", by=OFFICE, now=self._evening())
        except LostInShadow as lost:
            self._say(f"it cannot be approved: {lost.title}")
        else:
            raise CommandError("What lost on past days was approved.")
        for each in wrong:
            each.mean = truth[each.pk]
            each.save(update_fields=["mean"])

    def _again(self) -> Proposal:
        """Propose the true one anew: the wrong one had taken its place."""
        day = self._yesterday()
        row = tried(self.town, proposed(self.town, day), day)
        if row.shadow["verdict"] != "wins":
            raise CommandError("The same days gave another verdict.")
        return row

    def _undone(self, row: Proposal) -> tuple[Proposal, list[DrivenDay]]:
        """Let the cause go away, and live until the change is taken back."""
        self.factor = 1.0
        self._say(f"the lift in {SLOW} is mended: services take the standard again")
        days: list[DrivenDay] = []
        while row.status == "in_force" and len(days) < 14:
            days += self._live(1, "planned with what is no longer true")
            row = watched(self.town, row, self.day)
        if row.status != "reverted" or row.closed_by != str(SYSTEM):
            raise CommandError(f"It was not taken back: {row.status}.")
        self._say(f"taken back by {row.closed_by}: {row.closing_words}")
        self._answers()
        at = self._evening() + timedelta(hours=8)
        factors = parameters_in_force(self.town.depot.pk, at).service_factors
        self._say(f"service factors in force: {dict(factors) or 'none'}")
        self._live(1, "planned by the standard, which is true again")
        return row, days

    # ── its means ────────────────────────────────────────────────────────────
    def _live(self, count: int, what: str) -> list[DrivenDay]:
        found = []
        for _ in range(count):
            driven = self.town.live(self.day)
            self.day += timedelta(days=1)
            self._say(
                f"{what}: {driven.served} served, {driven.late_stops} late by"
                f" {driven.late_min:g} min together, a service is foretold to"
                f" {driven.service_error_s:g} s"
            )
            found.append(driven)
        return found

    def _plans_again(self) -> str:
        plans = Plan.objects.filter(depot=self.town.depot).select_related(
            "recommendation__inputs", "recommendation__answer"
        )
        made = [plan.recommendation for plan in plans if plan.recommendation]
        same = sum(replay(stored_inputs(one)) == stored_answer(one) for one in made)
        self._say(
            f"plans made again from their inputs: {same} of {len(made)} identical"
        )
        if same != len(made):
            raise CommandError("A plan came out otherwise.")
        return f"{same}/{len(made)}"

    def _answers(self) -> None:
        for said in Feedback.objects.filter(depot=self.town.depot).order_by("pk"):
            words = answer_in_words(said.answer_code, said.answer)
            self._say(f"{said.driver} reads on the device: {words}")

    def _yesterday(self) -> date:
        return self.day - timedelta(days=1)

    def _evening(self) -> Any:
        return self.town.at(self._yesterday(), time(22, 30))

    def _say(self, what: str) -> None:
        line = f"{self._yesterday()} {what}"
        self.log.append(line)
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _pair(row: Proposal, name: str) -> list[float]:
    each = row.shadow["figures"][name]
    return [each["before"], each["after"]]


def _late(days: Sequence[DrivenDay]) -> float:
    return round(fmean(day.late_min for day in days), 1)


def _error(days: Sequence[DrivenDay]) -> float:
    return round(fmean(day.service_error_s for day in days), 1)
