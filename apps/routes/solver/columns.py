"""What jobs are, as arrays along the jobs: laid out before anything happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.routestate import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from apps.routes.solver.view import View

    Integers = NDArray[np.int64]

ALWAYS = ((-NEVER, NEVER),)
"""In place of a job's windows: it has none."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Windows (first and last start) by column and job, demands by dimension and job.

    Who has fewer windows than another has the last one again. `services_s` are by the
    percentage of who serves.
    """

    firsts_s: Integers
    lasts_s: Integers
    demands: Integers
    services_s: Mapping[int, Integers]

    @property
    def count(self) -> int:
        """The number of jobs."""
        return int(self.demands.shape[1])

    def grown(self, view: View) -> Columns:
        """Return these with the jobs that have come to a view since."""
        if self.count == view.job_count:
            return self
        new = columns_of(view, self.count, len(self.firsts_s))
        if len(new.firsts_s) > len(self.firsts_s):
            return columns_of(view)
        return Columns(
            np.concatenate([self.firsts_s, new.firsts_s], axis=1),
            np.concatenate([self.lasts_s, new.lasts_s], axis=1),
            np.concatenate([self.demands, new.demands], axis=1),
            {
                percent: np.concatenate([known, new.services_s[percent]])
                for percent, known in self.services_s.items()
            },
        )


def columns_of(view: View, first: int = 0, least: int = 1) -> Columns:
    """Lay out the jobs of a view from `first` on, with `least` columns of windows."""
    windows = [some or ALWAYS for some in view.windows[first : view.job_count]]
    most = max(least, *map(len, windows)) if windows else least
    spans = [
        [(*some, *[some[-1]] * (most - len(some)))[column] for some in windows]
        for column in range(most)
    ]
    table = np.array(spans, dtype=np.int64).reshape(most, len(windows), 2)
    demands = [job.demands for job in view.jobs[first:]]
    size = len(view.problem.dimensions)
    percents = {car.vehicle.service_percent: car.services_s for car in view.cars}
    return Columns(
        table[:, :, 0],
        table[:, :, 1],
        np.array(demands, dtype=np.int64).reshape(len(demands), size).T,
        {
            percent: np.array(services_s[first : view.job_count], dtype=np.int64)
            for percent, services_s in percents.items()
        },
    )
