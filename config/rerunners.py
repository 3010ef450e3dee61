"""The one table of who makes a recommendation again: kind → a function's dotted name.

It takes the stored inputs and returns the answer, both canonical JSON; it reads no table
and no clock. The scheduled audit, `rerun_recommendations` and `replay_recommendation` go
by this table.
"""

SOLVER = "apps.routes.solving.replay"

RERUNNERS: dict[str, str] = {
    "plan": SOLVER,
    "replan": SOLVER,
    "impact": SOLVER,
    "eta": "apps.routes.etaledger.rerun",
    "slot": "apps.promises.slotledger.rerun",
    "parameter": "apps.tuning.ledger.rerun",
}
