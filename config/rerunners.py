"""The one table of who makes a recommendation again: kind → a function's dotted name.

It takes the stored inputs and returns the answer, both canonical JSON; it reads no table
and no clock. The scheduled audit, `rerun_recommendations` and `replay_recommendation` go
by this table.
"""

SOLVER = "apps.routes.solving.replay"

ENGINES = (
    "apps.routes.solver.versions.engine_versions",
    "apps.routes.etaledger.engine_versions",
    "apps.promises.slotledger.engine_versions",
    "apps.tuning.ledger.engine_versions",
)
"""Who says which versions of its engines can be made again: engine → its versions."""

RERUNNERS: dict[str, str] = {
    "plan": SOLVER,
    "replan": SOLVER,
    "impact": SOLVER,
    "eta": "apps.routes.etaledger.rerun",
    "slot": "apps.promises.slotledger.rerun",
    "parameter": "apps.tuning.ledger.rerun",
}
