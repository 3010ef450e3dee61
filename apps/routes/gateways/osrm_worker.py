"""OSRM in an interpreter beside the application's: questions on stdin, answers on stdout.

`python -m apps.routes.gateways.osrm_worker ROOT [NAME]`. It ends with its stdin.
"""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from apps.core.units import Point
from apps.routes.gateways import osrm_halves, osrm_wire
from apps.routes.gateways.base import RoadsFailed
from apps.routes.gateways.osrm_local import OsrmLocal


def main(root: str, name: str = "") -> None:
    """Answer until there are no more questions."""
    answers = _own_stdout()
    engine = OsrmLocal(Path(root), name)
    while True:
        try:
            question, _ = osrm_wire.receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            said, body = answer(engine, question)
        except (RoadsFailed, ValueError) as error:
            said, body = {"failed": str(error)}, b""
        osrm_wire.send(answers, said, body)


def answer(engine: OsrmLocal, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Answer one question.

    Raises:
        RoadsFailed: OSRM does not answer.
        ValueError: the question makes no sense.
    """
    points = [Point(lat=lat, lon=lon) for lat, lon in question["points"]]
    match question["ask"]:
        case "provenance":
            return asdict(engine.provenance(points)), b""
        case "table":
            asked = question["sources"], question["targets"]
            shape, body = osrm_wire.pack_table(
                *osrm_halves.table(engine, points, *asked)
            )
            return {"shape": shape}, body
        case "route":
            return osrm_wire.pack(engine.route(points)), b""
        case "match":
            way = engine.match(points, times_s=question["times_s"])
            return osrm_wire.pack(way), b""
        case "snap":
            return osrm_wire.pack(engine.snap(points[0])), b""
        case other:
            raise ValueError(f"There is no question {other!r}.")


def _own_stdout() -> IO[bytes]:
    """Keep the pipe for answers alone: what OSRM prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    main(*sys.argv[1:])
