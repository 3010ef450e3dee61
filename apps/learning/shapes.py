"""What crosses the room's walls: one learned figure, and the words it is named by."""

from dataclasses import dataclass
from datetime import datetime

SERVICE, TRAVEL, SUCCESS = "service", "travel", "success"
ZONE_ORDER, ADHERENCE = "zone_order", "adherence"
KINDS = (SERVICE, TRAVEL, SUCCESS, ZONE_ORDER, ADHERENCE)

DEPOT = "depot"
"""The key of what holds for all; it has no parent."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """One learned figure, shrunk towards its parent's.

    `kind` and `key` say of what; `mean` is the whole figure, not the difference from the
    parent; `n` counts the events behind it, `spread` is the standard error of the mean.

    - `service`: factor on the planned seconds of a service; `depot`, `zone:<name>`,
      `building:<key>`, `address:<key>`, `class:<driver class>`, `parcels:<1|2|3|4+>`.
      A place's figure holds for an ordinary mix of classes and parcels, a class's or a
      number of parcels' for an ordinary mix of places: to join them, multiply the most
      local place by class over depot, and by parcels over depot.
    - `travel`: factor on `c · d^p` with the first values of both (`DEFAULTS`) and no
      factor of the hour; `depot`, `hour:<0-23>`, `pair:<zone>><zone>`,
      `pair:<zone>><zone>@<hour>`.
    - `success`: probability that a delivery succeeds; `depot`, `zone:<name>`,
      `zone:<name>@<hour>`.
    - `zone_order`: probability that zone A is driven before zone B; `<A>><B>`.
      And how often the next stop is of the same zone where one is left there:
      `stays:driven`, `stays:planned`.
    - `adherence`: probability that a recommendation is followed; `depot`,
      `kind:<kind>`, `kind:<kind>@<zone>`.
    """

    kind: str
    key: str
    n: int
    mean: float
    spread: float
    parent: str
    as_of: datetime
