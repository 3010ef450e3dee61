"""Who was right where a route was driven in another sequence than planned; reads only."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from apps.verdicts.selectors import verdicts_of_deviations


def judged(
    depot_id: uuid.UUID, since: datetime, until: datetime
) -> Mapping[uuid.UUID, str]:
    """Return by route the newest verdict on it that was given in [since, until)."""
    rows = verdicts_of_deviations(depot_id, since, until)
    return {row.route_id: row.verdict for row in rows}
