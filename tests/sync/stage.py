"""The office's side of a scenario, over HTTP: `python -m tests.sync.stage PORT`.

`POST /<verb>` with the verb's arguments as JSON. It works on the database that the
environment names, beside the server that the client under test talks to.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Stage:
    """The verbs; each opens the transactions that the office would."""

    def __init__(self) -> None:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django  # noqa: PLC0415  settings come from this process's environment

        django.setup()
        from tests.sync import builders  # noqa: PLC0415  after the setup

        self.builders = builders
        self.days: dict[str, Any] = {}
        self.depot: Any = None

    def new_driver(self, stops: int = 3) -> dict[str, Any]:
        """Make a driver with a published day, and a device of theirs."""
        day = self.builders.publish_day(depot=self.depot, stops=stops)
        self.depot = day.route.depot
        device = self.builders.enrol(day.driver)
        driver_id = str(day.driver.pk)
        self.days[driver_id] = day
        return {
            "driver_id": driver_id,
            "device_id": str(device.device_id),
            "device_token": device.device_token,
            "session_token": device.session_token,
            "route_id": str(day.route.pk),
            "stops": [str(stop.pk) for stop in day.stops],
        }

    def add_stop(self, driver_id: str) -> dict[str, Any]:
        """Publish one more stop on a driver's route."""
        from apps.core import clock  # noqa: PLC0415

        stop = self.builders.add_stop(self.days[driver_id], clock.now())
        return {"stop_id": str(stop.pk)}

    def give_stop(self, stop_id: str, old: str, new: str) -> dict[str, Any]:
        """Take a stop from one driver and give it to another."""
        from apps.core import clock  # noqa: PLC0415

        days = self.days
        self.builders.give_stop(stop_id, days[old], days[new], clock.now())  # type: ignore[arg-type]
        return {}

    def restore(self, driver_id: str) -> dict[str, Any]:
        """Begin a new epoch, as after a restored backup: old cursors say nothing."""
        from django.db.models import F  # noqa: PLC0415

        from apps.journal.models import FeedHead  # noqa: PLC0415

        FeedHead.objects.filter(pk=driver_id).update(epoch=F("epoch") + 1)
        return {}

    def compact(self, driver_id: str) -> dict[str, Any]:
        """Forget what was before the head: older cursors get the full set."""
        from django.db.models import F  # noqa: PLC0415

        from apps.journal.models import FeedHead  # noqa: PLC0415

        FeedHead.objects.filter(pk=driver_id).update(horizon=F("head"))
        return {}

    def drain(self) -> dict[str, Any]:
        """Run the tasks that are due, as workers would."""
        from tests.queueing import drain  # noqa: PLC0415

        return {"done": drain()}

    def events(self, driver_id: str) -> dict[str, Any]:
        """Tell what the inbox holds of a driver: id, kind and result."""
        from apps.sync.models import DeviceEvent  # noqa: PLC0415

        rows = DeviceEvent.objects.filter(driver_id=driver_id).order_by("seq")
        return {"events": [list(r) for r in rows.values_list("id", "kind", "result")]}

    def stop(self, stop_id: str) -> dict[str, Any]:
        """Tell a stop's state, its holder, and how many facts it has."""
        from apps.routes.models import Stop  # noqa: PLC0415

        stop = Stop.objects.select_related("route").get(pk=stop_id)
        holder = stop.route.driver_id if stop.route else None
        facts = stop.events.count()
        return {"status": stop.status, "holder": str(holder), "facts": facts}

    def attachment(self, attachment_id: str) -> dict[str, Any]:
        """Tell how far a file of proof is, and how many parts of it wait."""
        from apps.sync.models import Attachment, UploadPart  # noqa: PLC0415

        row = Attachment.objects.get(pk=attachment_id)
        parts = UploadPart.objects.filter(upload__attachment=row).count()
        return {
            "status": row.status,
            "received_bytes": row.received_bytes,
            "parts": parts,
        }


class Door(BaseHTTPRequestHandler):
    """HTTP, one request at a time: a scenario is one thread of events."""

    stage: Stage

    def do_GET(self) -> None:
        self.say({})

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        given = json.loads(self.rfile.read(length) or b"{}")
        self.say(getattr(self.stage, self.path.removeprefix("/"))(**given))

    def say(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing; a failure shows by its trace."""


def main() -> None:
    Door.stage = Stage()
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Door).serve_forever()


if __name__ == "__main__":
    main()
