"""`manage.py drive`: a simulated fleet drives a day through the public API."""

import contextlib
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.core import clock, queue
from apps.training.fleet.assembling import Luck, NothingToDrive, assemble, await_plan
from apps.training.fleet.checking import check
from apps.training.fleet.driving import Drive
from apps.training.fleet.journey import Journey
from apps.training.fleet.office import NeverRests, Office
from apps.training.fleet.pacing import Pace
from apps.training.fleet.reporting import Report, report_on
from apps.training.fleet.truths import TownTruths, Truth, TwinTruths
from apps.training.fleet.wire import Unreachable, Wire
from apps.training.marking import DemoMark, read_logins
from apps.training.selectors import demo_mark
from apps.training.town.compose import compose_day
from apps.training.town.drawing import draw_town_svg
from apps.training.town.generate import make_town

PROGRESS_EVERY_S = 5.0
WATCHES = (
    "apps.routes.tasks.watch_days",
    "apps.customers.tasks.tell_near",
    "apps.notifications.tasks.watch",
)
LOCAL = {"localhost", "127.0.0.1", "::1"}


class Command(BaseCommand):
    """Drives a day: real requests and sockets, simulated roads, doors and telephones."""

    help = "Let a simulated fleet drive a day through the public API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--drivers", type=int, default=12)
        parser.add_argument(
            "--speed",
            type=float,
            default=60.0,
            help="virtual seconds a second; 0 is as fast as the server thinks",
        )
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--url", default=settings.PUBLIC_URL)
        parser.add_argument("--depot", default="", help="its code")
        parser.add_argument("--date", type=date.fromisoformat)
        parser.add_argument("--user", default="supervisor")
        parser.add_argument("--password", help="the demo's own if absent")
        parser.add_argument(
            "--calm", action="store_true", help="no lost answers, outages, shuffling"
        )
        parser.add_argument("--svg", type=Path, help="draw the driven day here")
        parser.add_argument("--json", action="store_true", help="last line is JSON")

    def handle(self, *_args: Any, **given: Any) -> None:
        """Drive, compare, and say what was found; exit code 1 when views differ."""
        if given["speed"] < 0 or given["drivers"] < 1:
            raise CommandError("--speed is 0 or more, --drivers 1 or more.")
        wire = Wire(given["url"])
        try:
            report = self._drive(wire, given)
        except (Unreachable, NothingToDrive, NeverRests, LookupError) as error:
            raise CommandError(str(error)) from error
        finally:
            wire.close()
        for line in report.lines:
            self.stdout.write(line)
        if given["json"]:
            self.stdout.write(report.json())
        if not report.is_clean:
            sys.exit(1)

    def _drive(self, wire: Wire, given: dict[str, Any]) -> Report:
        began_s = time.monotonic()
        mark = demo_mark()
        login = given["user"], _password(given)
        office = Office(
            wire, login, given["depot"] or (mark.depot_code if mark else "")
        )
        office.service_date = _day(given["date"], mark, office)
        await_plan(office, self.stderr.write)
        luck = Luck(
            given["seed"], _truth(mark, office, given["seed"]), not given["calm"]
        )
        is_ours = settings.DEMO and urlsplit(given["url"]).hostname in LOCAL
        if not is_ours:
            self.stderr.write("No demo of this installation: its clock is left alone.")
        pace = Pace(given["speed"], _show_standing if is_ours else None)
        with contextlib.ExitStack() as stack:
            if is_ours:
                stack.callback(_let_clock_go, pace)
            drive = assemble(
                office,
                luck,
                pace,
                fleet=given["drivers"],
                say=self.stderr.write,
                watch=_watch if is_ours else None,
            )
            for journey in drive.journeys:
                stack.callback(journey.device.close)
            drive.run(_Progress(self.stderr.write, drive).tell)
            verdict = check([journey.device for journey in drive.journeys], office)
            left_out = len(office.left_out())
        if given["svg"]:
            self._draw(given["svg"], mark, office, drive.journeys)
        seconds = time.monotonic() - began_s
        return report_on(drive, verdict, left_out=left_out, seconds=seconds)

    def _draw(
        self,
        path: Path,
        mark: DemoMark | None,
        office: Office,
        journeys: list[Journey],
    ) -> None:
        day = mark.day(date.fromisoformat(office.service_date)) if mark else None
        if mark is None or day is None or not office.depot["is_demo"]:
            self.stderr.write("Only a composed town can be drawn.")
            return
        town = make_town(mark.town_seed)
        composed = compose_day(
            town,
            date.fromisoformat(day.date),
            orders=day.orders,
            drivers=day.drivers,
            seed=day.seed,
        )
        trails = [journey.trail for journey in journeys]
        path.write_text(draw_town_svg(town, composed, trails), encoding="utf-8")
        self.stderr.write(f"Drawn: {path}")


class _Progress:
    """A line every few seconds: how far the day is."""

    def __init__(self, say: Callable[[str], object], drive: Drive) -> None:
        self._say, self._drive, self._said_s = say, drive, time.monotonic()

    def tell(self, instant: datetime) -> None:
        now_s = time.monotonic()
        if now_s - self._said_s < PROGRESS_EVERY_S:
            return
        self._said_s = now_s
        journeys = self._drive.journeys
        zone = ZoneInfo(self._drive.office.depot["time_zone"])
        done = sum(len(journey.begun) for journey in journeys)
        devices = [journey.device for journey in journeys]
        out = sum(device.is_cut_off for device in devices)
        waiting = sum(len(device.outbox.waiting) for device in devices)
        self._say(
            f"{instant.astimezone(zone):%H:%M}  {done} stops begun, {out} of "
            f"{len(devices)} devices offline, {waiting} events waiting, "
            f"{self._drive.pace.reached():.0f} x"
        )


def _show_standing(instant: datetime) -> None:
    clock.set_demo_time(instant, stands=True)


def _let_clock_go(pace: Pace) -> None:
    """Let the demo go on from where the day has come to."""
    if pace.has_begun:
        clock.set_demo_time(pace.now())


def _watch() -> None:
    """Let the server look for what time alone brings, as its minute does.

    Routes that are late without a word, customers to whom a driver comes soon, messages
    whose time has come.
    """
    queue.enqueue_all([(watch, {"by_the_clock": False}) for watch in WATCHES])


def _password(given: dict[str, Any]) -> str:
    password: str = given["password"] or ""
    known = read_logins(settings.DEMO_LOGINS_FILE) if settings.DEMO else {}
    password = password or known.get(given["user"], "")
    if not password:
        raise CommandError("Give --user and --password of a supervisor.")
    return password


def _day(wanted: date | None, mark: DemoMark | None, office: Office) -> str:
    """Return the day to be driven: as asked, else the demo's last, else today."""
    if wanted is not None:
        return wanted.isoformat()
    if mark is not None and mark.days and office.depot["code"] == mark.depot_code:
        return mark.days[-1].date
    zone = ZoneInfo(office.depot["time_zone"])
    return clock.now().astimezone(zone).date().isoformat()


def _truth(mark: DemoMark | None, office: Office, seed: int) -> Truth:
    """Return the town's truth for its own depot, and a composed twin for any other."""
    depot = office.depot
    if mark is not None and depot["is_demo"] and depot["code"] == mark.depot_code:
        return TownTruths(make_town(mark.town_seed))
    return TwinTruths(seed, depot["time_zone"])
