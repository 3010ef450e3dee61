"""A network of the small town, built once by OSRM's own tools where they can be had."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from apps.routes.gateways.base import RoadsFailed
from apps.routes.gateways.interpreter import (
    find_interpreter,
    make_environment,
    python_with_osrm,
)
from apps.routes.gateways.osrm_build import Tools, build
from apps.routes.gateways.osrm_process import OsrmProcess
from tests.routes.gateways.town_map import write_map

LOCK = settings.BASE_DIR / "config" / "locks" / "run.lock"
NOW = datetime(2026, 3, 17, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Built:
    """The town's network: the directory of networks, and the tools that made it."""

    root: Path
    tools: Tools


@pytest.fixture(scope="session")
def osrm_python() -> str:
    """Return an interpreter that has OSRM; made once in the data directory."""
    found = python_with_osrm(settings.ROADS_PYTHON, Path("/nowhere"))
    if found is not None:
        return found or sys.executable
    if find_interpreter() is None:
        pytest.skip("OSRM's wheel needs Python 3.12 or later; this machine has none")
    try:
        return make_environment(settings.ROADS_DIR, LOCK)
    except RoadsFailed as error:
        if os.environ.get("REQUIRE_ROADS"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def town(osrm_python: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return the small town's network."""
    root = tmp_path_factory.mktemp("roads")
    tools = Tools(osrm_python, lambda line: None)
    extract = write_map(root / "town.osm")
    build(tools, root, extract, name="town", profile="car", now=NOW)
    return Built(root, tools)


@pytest.fixture
def roads(town: Built) -> Iterator[OsrmProcess]:
    """Return the town's engine, in a process of its own."""
    engine = OsrmProcess(town.tools.python, town.root)
    yield engine
    engine.close()
