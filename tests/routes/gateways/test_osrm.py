"""OSRM: the engine in an interpreter that has it, the process beside ours, the tools."""

import csv
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from apps.core.units import Point
from apps.routes.gateways.base import RoadsFailed
from apps.routes.gateways.http import Server
from apps.routes.gateways.networks import read_network
from apps.routes.gateways.osrm_build import build, change_speeds, read_speeds
from apps.routes.gateways.osrm_process import OsrmProcess
from apps.routes.gateways.servers import OsrmServer
from apps.routes.solver.problem import UNREACHABLE
from tests.routes.gateways.conftest import NOW, Built
from tests.routes.gateways.town_map import APART, crossing, node_id, write_map

SHARED = settings.BASE_DIR.parent / "shared" / "data"
LINE = [crossing(0, 2), crossing(2, 2), crossing(4, 2)]
PLACES = [*LINE, crossing(1, 0), crossing(3, 0), crossing(3, 4), APART[0]]
EVERY = range(len(PLACES))
SLOW = [f"{node_id(east, 2)},{node_id(east + 1, 2)},10" for east in range(4)]


def test_the_engine_passes_its_tests_in_an_interpreter_that_has_it(town: Built) -> None:
    done = subprocess.run(
        [town.tools.python, "-m", "unittest", "tests.routes.gateways.osrm_inside"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "ROADS_ROOT": str(town.root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    ran = re.search(r"Ran (\d+) tests", done.stderr)
    assert ran is not None
    assert int(ran[1]) == 14


def test_the_process_answers_all_four_questions(roads: OsrmProcess) -> None:
    durations_s, distances_m = roads.table(PLACES, EVERY, EVERY)
    way, snapped = roads.route(LINE), roads.snap(crossing(2, 2))
    trace = roads.match(way.legs[0] + way.legs[1], times_s=None)

    assert durations_s[0, 1] == pytest.approx(58, abs=1)
    assert distances_m[0, 2] == pytest.approx(802, abs=2)
    assert durations_s[0, 6] == UNREACHABLE
    assert way.distance_m == distances_m[0, 2]
    assert snapped.distance_m < 0.1
    assert trace.distance_m == pytest.approx(way.distance_m, abs=2)
    assert roads.provenance(LINE).source == "OSRM, town by car"


def test_what_makes_no_sense_is_refused_and_the_process_goes_on(
    roads: OsrmProcess,
) -> None:
    with pytest.raises(ValueError, match="two points"):
        roads.route(LINE[:1])
    with pytest.raises(RoadsFailed, match="NoRoute"):
        roads.route([LINE[0], APART[0]])
    with pytest.raises(RoadsFailed, match="outside of the road network"):
        roads.provenance([Point(1, 1)])
    assert roads.route(LINE).duration_s > 0


def test_a_killed_process_is_started_again(roads: OsrmProcess) -> None:
    before = roads.route(LINE)
    child = roads._child
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)

    assert roads.route(LINE) == before


def test_a_process_that_hangs_is_ended_in_time(town: Built, tmp_path: Path) -> None:
    hangs = script(tmp_path / "hangs", "exec sleep 600")
    engine = OsrmProcess(hangs, town.root, timeout_s=0.3)
    since = time.monotonic()

    with pytest.raises(RoadsFailed, match=r"no answer in 0\.3 s"):
        engine.route(LINE)

    assert time.monotonic() - since < 20
    assert engine._child is None


def test_a_process_that_fails_says_its_last_words(town: Built, tmp_path: Path) -> None:
    fails = script(tmp_path / "fails", "echo 'no module named osrm' >&2; exit 1")

    with pytest.raises(RoadsFailed, match="no module named osrm"):
        OsrmProcess(fails, town.root).route(LINE)
    with pytest.raises(RoadsFailed, match="No such file"):
        OsrmProcess(str(tmp_path / "nothing"), town.root).route(LINE)


def test_new_speeds_are_taken_over_by_a_running_engine_and_taken_away(
    town: Built, roads: OsrmProcess
) -> None:
    clear, _ = roads.table(PLACES, EVERY, EVERY)
    version = roads.provenance(LINE).version
    pid = roads._child.pid if roads._child else 0

    slower = change_speeds(
        town.tools, town.root, "town", speeds=SLOW, now=NOW + timedelta(hours=1)
    )
    slow, _ = roads.table(PLACES, EVERY, EVERY)
    faster = [line.replace(",10", ",50") for line in SLOW]
    change_speeds(
        town.tools, town.root, "town", speeds=faster, now=NOW + timedelta(hours=2)
    )
    fast, _ = roads.table(PLACES, EVERY, EVERY)
    change_speeds(
        town.tools, town.root, "town", speeds=[], now=NOW + timedelta(hours=3)
    )
    again, _ = roads.table(PLACES, EVERY, EVERY)

    assert slow[0, 1] > 1.5 * clear[0, 1]
    assert slow[1, 0] == clear[1, 0], "only one direction is slow"
    assert fast[0, 1] < 0.7 * clear[0, 1], "the slow speeds are forgotten"
    assert again.tolist() == clear.tolist()
    assert slower.speeds == 4
    assert roads.provenance(LINE).version not in {version, slower.version}
    assert roads._child is not None
    assert roads._child.pid == pid
    versions = list((town.root / "town" / "versions").iterdir())
    assert len(versions) == 2, "old versions are cleared away"
    assert not list(versions[0].glob("*.ebg"))


def test_read_speeds_takes_what_osrm_reads() -> None:
    lines = ["from_node,to_node,kmh\n", "1, 2, 30\n", "\n", "2,3,0\n"]

    assert read_speeds(lines) == ["1,2,30", "2,3,0"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1.0,2,30", "line 2: 1.0,2 are not whole numbers"),
        ("1e9,2,30", "not whole numbers"),
        ("-1,2,30", "not whole numbers"),
        ("1,2", "2 columns where"),
        ("1,2,fast", "'fast' is no speed"),
        ("1,2,-5", "no speed from 0 to 300"),
        ("1,2,nan", "no speed from 0 to 300"),
        ("1,2,900", "no speed from 0 to 300"),
    ],
)
def test_read_speeds_names_the_line_that_cannot_be_meant(line: str, words: str) -> None:
    with pytest.raises(RoadsFailed, match=re.escape(words)):
        read_speeds(["1,2,30", line])


def test_read_speeds_refuses_a_file_without_any() -> None:
    with pytest.raises(RoadsFailed, match="has no speeds"):
        read_speeds(["from,to,kmh"])


def test_build_refuses_what_cannot_be_built(town: Built, tmp_path: Path) -> None:
    extract = write_map(tmp_path / "town.osm")
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"no extract")
    refused = [
        (extract, "Bad Name", "car", "cannot name a network"),
        (tmp_path / "town.zip", "new", "car", "is no extract"),
        (extract, "new", "hovercraft", "no profile 'hovercraft'"),
        (broken, "new", "car", "osrm-extract failed"),
    ]
    for path, name, profile, words in refused:
        with pytest.raises(RoadsFailed, match=words):
            build(town.tools, tmp_path, path, name=name, profile=profile, now=NOW)
    assert not (tmp_path / "new").exists(), "nothing half-made stays"
    with pytest.raises(RoadsFailed, match="There is no road network 'new'"):
        change_speeds(town.tools, tmp_path, "new", speeds=SLOW, now=NOW)


def test_a_network_knows_its_bounds_and_the_smallest_that_fits_answers(
    town: Built,
) -> None:
    network = read_network(town.root, "town")

    assert network.bounds.south == pytest.approx(crossing(0, 0).lat, abs=1e-6)
    assert network.bounds.east == pytest.approx(APART[0].lon, abs=1e-6)
    assert network.extract == "town.osm"
    about = json.loads((town.root / "town" / "network.json").read_text())
    assert about["profile"] == "car"


def test_a_server_of_osrm_answers_as_the_engine_does(
    town: Built, roads: OsrmProcess, tmp_path: Path
) -> None:
    network = read_network(town.root, "town")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    files = network.opened_from(town.root)
    command = [town.tools.python, "-m", "osrm", "routed", "--algorithm", "mld"]
    command += ["-i", "127.0.0.1", "-p", str(port), str(files)]
    with (tmp_path / "said").open("wb") as said:
        server = subprocess.Popen(
            command, stdout=said, stderr=said, start_new_session=True
        )
    engine = OsrmServer(
        Server(url=f"http://127.0.0.1:{port}", timeout_s=20, max_pairs=4)
    )
    try:
        wait_for(port)
        served, here = (
            engine.table(PLACES, EVERY, EVERY),
            roads.table(PLACES, EVERY, EVERY),
        )
        way, own_way = engine.route(LINE), roads.route(LINE)
        line = own_way.legs[0]
        match, own_match = engine.match(line), roads.match(line)
        snapped = engine.snap(LINE[1])
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        engine.close()
    assert np.array_equal(served[0], here[0])
    assert np.array_equal(served[1], here[1])
    assert way.legs == own_way.legs
    assert (way.duration_s, way.distance_m) == (own_way.duration_s, own_way.distance_m)
    assert match.places == own_match.places
    assert snapped.point == roads.snap(LINE[1]).point


def test_a_real_town_of_addresses(town: Built, tmp_path: Path) -> None:
    extract = SHARED / "road" / "lauf.osm.pbf"
    if not extract.exists():
        pytest.skip("../shared/data/road is not there")
    with (SHARED / "addresses" / "lauf.csv").open() as rows:
        addresses = [
            Point(float(row["lat"]), float(row["lon"])) for row in csv.DictReader(rows)
        ]
    chosen = random.Random(3).sample(addresses, 60)  # noqa: S311 (repeatable)
    network = build(town.tools, tmp_path, extract, name="lauf", profile="car", now=NOW)
    engine = OsrmProcess(town.tools.python, tmp_path, "lauf")
    try:
        durations_s, distances_m = engine.table(chosen, range(60), range(60))
    finally:
        engine.close()

    assert network.bounds.holds(Point(49.5126, 11.2823))
    off = ~np.eye(60, dtype=bool)
    assert (durations_s < UNREACHABLE).mean() > 0.97
    reached = off & (durations_s < UNREACHABLE) & (distances_m > 200)
    kmh = 3.6 * distances_m[reached] / durations_s[reached]
    assert 10 < np.median(kmh) < 60


def script(path: Path, line: str) -> str:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return str(path)


def wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("osrm-routed did not come up")
