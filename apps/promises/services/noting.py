"""A held slot in the ledger: what it was priced by, and what became of the offer."""

from datetime import datetime
from typing import Any, Final

from apps.core.actors import Actor
from apps.promises.models import Hold
from apps.promises.offering import Slot
from apps.promises.slotledger import (
    ENGINE_VERSION,
    PLACED,
    encode_basis,
    encode_price,
    engine_of,
)
from apps.promises.states import HoldState
from apps.recommendations.models import Recommendation
from apps.recommendations.services import Draft, issue, settle
from apps.recommendations.states import RecommendationState

SUBJECT: Final = "hold"
FATES: Final = {
    HoldState.TAKEN: (RecommendationState.FOLLOWED, "The customer took it."),
    HoldState.RELEASED: (
        RecommendationState.SUPERSEDED,
        "It was let go: for another one, or because its place was gone.",
    ),
    HoldState.EXPIRED: (RecommendationState.EXPIRED, "Nobody took it in time."),
}


def note_offer(hold: Hold, offered: Slot, *, by: Actor, now: datetime) -> None:
    """Write into the ledger what a held slot was priced by; joins the transaction."""
    basis = offered.basis()
    engine, price = engine_of(basis), offered.price
    minutes, km = price.travel_s / 60, price.distance_m / 1000
    where = (
        "in the gap of the live plan that costs least"
        if engine == PLACED
        else "by the way from the nearest place of a day without a plan"
    )
    draft = Draft(
        kind=Recommendation.Kind.SLOT,
        depot_id=hold.depot_id,
        subject_type=SUBJECT,
        subject_id=str(hold.pk),
        inputs=encode_basis(basis),
        answer=encode_price(price),
        engine=engine,
        engine_version=ENGINE_VERSION,
        seed=0,
        mode="rules",
        costs={"cost_minor": hold.cost_minor, "co2_g": hold.co2_g},
        reasons=[
            {
                "code": "slot_price",
                "text": f"It adds {minutes:.0f} min and {km:.1f} km of driving, {where}.",
            }
        ],
        data_used=[_data(offered)],
    )
    issue(draft, by=by, now=now)


def settle_offer(hold: Hold, state: HoldState, *, by: Actor, now: datetime) -> None:
    """Say what became of the offer behind a hold; those of before have none."""
    row = Recommendation.objects.filter(
        subject_type=SUBJECT,
        subject_id=str(hold.pk),
        state=RecommendationState.ISSUED,
    ).first()
    if row is None:
        return
    fate, text = FATES[state]
    settle(row.pk, state=fate, outcome={"text": text}, by=by, now=now)


def _data(offered: Slot) -> dict[str, Any]:
    text = (
        "The day's shifts and orders: it has no plan yet."
        if offered.route_id is None
        else "The route as it stood, with its stops, windows, breaks and closures."
    )
    return {"code": "slot_ground", "text": text}
