"""Which zone and wave an order is in, and how surely it is gone to, for planning. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from apps.routes.dayinputs import OrderInput
from apps.routes.followed import percent_of
from apps.routes.parameters import Parameters
from apps.routes.zoneorder import WAVE, wave_of


def in_groups(
    orders: Sequence[OrderInput],
    zones: Sequence[str],
    *,
    parameters: Parameters,
    clock: str,
) -> tuple[OrderInput, ...]:
    """Put orders into what the parameters go by: nothing where they go by nothing.

    `zones` are the orders' own, "" for none; `clock` is the depot's time zone.
    """
    by_zone = bool(parameters.zone_order or parameters.zone_leave_minor)
    by_wave = any(key.startswith(WAVE) for key in parameters.zone_order)
    if not by_zone and not parameters.followed:
        return tuple(orders)
    local = ZoneInfo(clock)
    return tuple(
        replace(
            order,
            zone=zone if by_zone else "",
            wave=wave_of(min(one.opens_at for one in order.windows), local)
            if by_wave and order.windows
            else "",
            followed_percent=percent_of(parameters.followed, zone),
        )
        for order, zone in zip(orders, zones, strict=True)
    )
