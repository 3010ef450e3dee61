"""The engine in-process: runs by `python -m unittest` in an interpreter that has OSRM.

There is neither Django nor pytest there. ROADS_ROOT names the built network of the town.
"""

import contextlib
import os
import signal
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from apps.core.units import Point
from apps.routes.gateways import osrm_halves
from apps.routes.gateways.base import RoadsFailed
from apps.routes.gateways.osrm_local import OsrmLocal
from apps.routes.solver.problem import UNREACHABLE
from tests.routes.gateways.town_map import APART, STEP_M, crossing

ROOT = Path(os.environ["ROADS_ROOT"])
KMH = 25
"""What OSRM's car drives on a residential street."""

LINE = [crossing(0, 2), crossing(2, 2), crossing(4, 2)]


def in_halves() -> Any:
    """Let every table be large, and two cores be there."""
    both = contextlib.ExitStack()
    both.enter_context(mock.patch.object(osrm_halves, "LARGE", 1))
    both.enter_context(mock.patch.object(osrm_halves, "_cores", return_value=2))
    return both


class EngineInProcess(unittest.TestCase):
    """`OsrmLocal` on the small town."""

    def setUp(self) -> None:
        self.engine = OsrmLocal(ROOT)

    def test_table_holds_time_and_metres_along_the_streets(self) -> None:
        durations_s, distances_m = self.engine.table(LINE, range(3), range(3))

        assert durations_s.dtype == distances_m.dtype == np.int32
        metres = np.abs(np.subtract.outer(np.arange(3), np.arange(3))) * 2 * STEP_M
        assert np.abs(distances_m - metres).max() <= 3
        assert np.abs(durations_s - metres / (KMH / 3.6)).max() <= 2

    def test_table_of_a_rectangle_is_the_squares_part(self) -> None:
        places = [*LINE, crossing(1, 4), crossing(3, 1)]
        square, metres = self.engine.table(places, range(5), range(5))

        part, part_m = self.engine.table(places, [3, 1], [0, 2, 4])

        assert part.tolist() == square[np.ix_([3, 1], [0, 2, 4])].tolist()
        assert part_m.tolist() == metres[np.ix_([3, 1], [0, 2, 4])].tolist()

    def test_table_in_halves_is_the_whole(self) -> None:
        places = [*LINE, crossing(1, 4), APART[0]]
        asked = places, [4, 0, 3, 1, 2], [0, 2, 4]
        whole = self.engine.table(*asked)
        here, made_here = os.getpid(), list[int]()

        class Counting(OsrmLocal):
            def table(self, *asked: Any) -> Any:
                made_here.append(len(asked[1]))
                return super().table(*asked)

        with in_halves():
            halves = osrm_halves.table(Counting(ROOT), *asked)

        assert os.getpid() == here
        assert made_here == [2], "the fork has made the rest"
        for one, other in zip(whole, halves, strict=True):
            assert one.dtype == other.dtype
            assert one.tolist() == other.tolist()

    def test_table_whose_second_half_dies_is_made_all_the_same(self) -> None:
        asked = LINE, range(3), range(3)
        here = os.getpid()

        class Mortal(OsrmLocal):
            def table(self, *asked: Any) -> Any:
                if os.getpid() != here:
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().table(*asked)

        with in_halves():
            durations_s, _ = osrm_halves.table(Mortal(ROOT), *asked)

        assert durations_s.tolist() == self.engine.table(*asked)[0].tolist()

    def test_a_small_table_or_a_single_core_is_not_halved(self) -> None:
        asked = LINE, range(3), range(3)
        with mock.patch.object(os, "fork", side_effect=AssertionError):
            osrm_halves.table(self.engine, *asked)
            with in_halves(), mock.patch.object(osrm_halves, "_cores", return_value=1):
                osrm_halves.table(self.engine, *asked)

    def test_a_one_way_street_is_longer_back(self) -> None:
        places = [crossing(1, 0), crossing(3, 0)]

        _, distances_m = self.engine.table(places, range(2), range(2))

        assert distances_m[0, 1] < 2.1 * STEP_M
        assert distances_m[1, 0] > 3.9 * STEP_M

    def test_what_no_street_joins_cannot_be_reached(self) -> None:
        durations_s, distances_m = self.engine.table(
            [LINE[0], APART[0]], range(2), range(2)
        )

        assert durations_s.tolist() == [[0, UNREACHABLE], [UNREACHABLE, 0]]
        assert distances_m.tolist() == [[0, UNREACHABLE], [UNREACHABLE, 0]]

    def test_a_place_far_off_the_roads_cannot_be_reached(self) -> None:
        beyond = crossing(0, -6)

        durations_s, _ = self.engine.table([*LINE, beyond], range(4), range(4))

        assert durations_s[3].tolist() == [UNREACHABLE] * 3 + [0]
        assert durations_s[:, 3].tolist() == [UNREACHABLE] * 3 + [0]
        assert durations_s[:3, :3].max() < 200

    def test_a_region_without_a_network_is_refused(self) -> None:
        with self.assertRaisesRegex(RoadsFailed, "build one of their region"):  # noqa: PT027  no pytest there
            self.engine.provenance([Point(48.1, 11.6), Point(48.2, 11.5)])

    def test_route_follows_the_streets_leg_by_leg(self) -> None:
        way = self.engine.route([crossing(0, 2), crossing(1, 3), crossing(1, 1)])

        assert len(way.legs) == 2
        assert way.legs[0][0] == crossing(0, 2)
        assert way.legs[0][-1] == way.legs[1][0] == crossing(1, 3)
        assert way.legs[1][-1] == crossing(1, 1)
        corners = {crossing(0, 3), crossing(1, 2)}
        assert corners & set(way.legs[0])
        assert abs(way.distance_m - 4 * STEP_M) <= 5
        assert (way.quality, way.source) == ("roads", "OSRM, town by car")
        assert way.version == self.engine.provenance(LINE).version

    def test_route_to_where_no_way_leads_is_refused(self) -> None:
        with self.assertRaisesRegex(RoadsFailed, "NoRoute"):  # noqa: PT027  no pytest there
            self.engine.route([LINE[0], APART[1]])

    def test_snap_finds_the_street_beside(self) -> None:
        street = crossing(2, 2)
        beside = Point(lat=street.lat + 0.0002, lon=street.lon + 0.0011)

        found = self.engine.snap(beside)

        assert abs(found.point.lat - street.lat) < 1e-6
        assert abs(found.distance_m - 22.2) < 0.5
        assert found.street == "Street 1002"

    def test_match_lays_a_shaky_trace_on_its_street(self) -> None:
        west = crossing(0, 2)
        trace = [
            Point(lat=west.lat + 0.00005 * (-1) ** n, lon=west.lon + 0.0004 * n)
            for n in range(20)
        ]

        found = self.engine.match(trace, times_s=[6 * n for n in range(20)])

        assert all(place is not None for place in found.places)
        on_it = [abs(p.lat - west.lat) < 2e-6 for p in found.places if p]
        assert sum(on_it) >= 18, "save beside a crossing, where another street is near"
        assert sum(abs(p.lat - west.lat) > 4e-5 for p in trace) == 20
        assert 0.5 < found.confidence <= 1
        assert 450 < found.distance_m < 600

    def test_a_short_trace_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "two positions"):  # noqa: PT027  no pytest there
            self.engine.match([LINE[0]])


if __name__ == "__main__":
    unittest.main()
