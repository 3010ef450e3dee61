"""Who may do what: the roles of the house, and Django's permissions of each (C29).

This table is the one place. A migration of core writes it into groups; after a change of
the table, a new migration that calls `grant_roles` brings it to every installation.
Which rows a person sees is another question: those of the person's depots.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.apps import apps as installed

DRIVER = "Driver"
SUPERVISOR = "Supervisor"
ROUTE_PLANNER = "Route planner"
DATA_ANALYST = "Data analyst"
DATA_STEWARD = "Data steward"
MODEL_MONITOR = "Model monitor"
COORDINATOR = "Coordinator"

A, V, AV, CV = ("add",), ("view",), ("add", "view"), ("change", "view")
ACV = ("add", "change", "view")

Grants = Mapping[str, tuple[str, ...]]
"""Model (`app.model`) → what may be done with its rows."""

PLACES: Grants = {"depots.depot": V, "depots.zone": V}
ORDERS: Grants = {
    "orders.order": V,
    "orders.timewindow": V,
    "orders.importrun": V,
    "orders.quarantinedrow": V,
}
FLEET: Grants = {
    "drivers.driver": V,
    "drivers.vehicle": V,
    "drivers.vehicletype": V,
    "drivers.shift": V,
    "drivers.shiftbreak": V,
}
PLANS: Grants = {
    "routes.plan": V,
    "routes.unservedorder": V,
    "routes.route": V,
    "routes.stop": V,
    "routes.stopevent": V,
    "routes.planchange": V,
    "routes.condition": V,
    "recommendations.recommendation": V,
    "routes.depotmode": V,
    "routes.decisionpoint": V,
    "learning.estimate": V,
    "tuning.proposal": V,
    "metrics.dailyfigure": V,
}
ANSWER: Grants = {"overrides.override": ACV, "overrides.decisionright": V}
"""Ask for changes of a plan and answer those of others, as far as the table of rights
lets the role. The table itself is the administrator's: nobody widens a right of one's own."""
TUNE: Grants = {"tuning.proposal": CV}
"""Decide whether what the machine learned is planned by, and take it back."""
DEAL: Grants = {
    "incidents.incident": ACV,
    "incidents.actionitem": CV,
    "incidents.playbook": V,
}
"""What needs somebody, for those who deal with it."""
FEEDBACK: Grants = {
    "feedback.feedback": AV,
    "feedback.survey": V,
    "feedback.response": A,
}
"""Say something of the machine's work, and answer the surveys that ask the office."""
WHO_WAS_RIGHT: Grants = {
    "verdicts.verdict": V,
    "verdicts.rightsproposal": V,
}
"""Verdicts, and the rights that they earn; to sign these is the administrator's."""
TRIAGE: Grants = {**FEEDBACK, "feedback.feedback": ACV}
TAKE_ORDERS: Grants = {
    "orders.order": ACV,
    "orders.timewindow": ACV,
    "orders.importrun": AV,
    "orders.quarantinedrow": V,
    "orders.customer": V,
}

DOOR: Grants = {
    "customers.customerpage": ACV,
    "customers.pickuppoint": ACV,
    "customers.addressproposal": CV,
    "customers.link": CV,
    "promises.slotrules": ACV,
    "promises.hold": V,
}
"""What customers see and may do, by links and without a log-in."""

WRITE_TO_PEOPLE: Grants = {
    "notifications.message": CV,
    "notifications.reply": V,
    "notifications.consent": AV,
    "notifications.messagepolicy": V,
    "notifications.messagetemplate": V,
}

ROLES: Mapping[str, Grants] = {
    # Drivers work on their devices: they have no page of the office.
    DRIVER: {},
    # Runs the day and its people: drivers, shifts, devices, plans.
    SUPERVISOR: {
        **DEAL,
        **WHO_WAS_RIGHT,
        **PLACES,
        **TRIAGE,
        "feedback.survey": ACV,
        "feedback.surveyimport": AV,
        "feedback.surveyhook": ACV,
        "feedback.response": AV,
        **PLANS,
        **TAKE_ORDERS,
        **DOOR,
        "drivers.driver": ACV,
        "drivers.vehicle": ACV,
        "drivers.vehicletype": V,
        "drivers.shift": ACV,
        "drivers.shiftbreak": ACV,
        "drivers.device": CV,
        "drivers.enrolmentcode": AV,
        **WRITE_TO_PEOPLE,
        "notifications.messagepolicy": ACV,
        "notifications.messagetemplate": ACV,
        "routes.plan": AV,
        "routes.condition": ACV,
        "routes.planningparameter": V,
        "journal.entry": V,
        "sync.deviceevent": V,
        "sync.quarantinedevent": CV,
        "sync.attachment": V,
        "core.taskrun": CV,
        "depots.absence": ACV,
        "routes.depotmode": CV,
        "routes.decisionpoint": ACV,
        **ANSWER,
        **TUNE,
        "incidents.playbook": ACV,
        "incidents.workcap": ACV,
    },
    # Makes the day: orders in, shifts and vehicles set, plans made and published.
    ROUTE_PLANNER: {
        **DEAL,
        **WHO_WAS_RIGHT,
        **PLACES,
        **FEEDBACK,
        **PLANS,
        **TAKE_ORDERS,
        "depots.zone": ACV,
        "drivers.driver": V,
        "drivers.vehicle": ACV,
        "drivers.vehicletype": V,
        "drivers.shift": ACV,
        "drivers.shiftbreak": ACV,
        "routes.plan": AV,
        "routes.condition": ACV,
        "routes.planningparameter": V,
        "promises.slotrules": V,
        "promises.hold": V,
        "core.taskrun": CV,
        **ANSWER,
        **TUNE,
    },
    # Reads what happened, without those to whom it happened.
    DATA_ANALYST: {
        **PLACES,
        "feedback.survey": V,
        "feedback.surveyimport": V,
        "feedback.response": AV,
        **ORDERS,
        **PLANS,
        "drivers.vehicle": V,
        "drivers.vehicletype": V,
        "drivers.shift": V,
        "drivers.shiftbreak": V,
        "incidents.incident": V,
        "incidents.playbook": V,
    },
    # Keeps the data sound: files, quarantine, addresses, rejected reports.
    DATA_STEWARD: {
        **DEAL,
        **PLACES,
        "feedback.survey": ACV,
        "feedback.surveyimport": AV,
        "feedback.surveyhook": ACV,
        "feedback.response": AV,
        **TAKE_ORDERS,
        "notifications.message": V,
        "notifications.reply": V,
        "notifications.consent": AV,
        "depots.zone": ACV,
        "orders.address": ACV,
        "customers.addressproposal": CV,
        "orders.customer": CV,
        "journal.entry": V,
        "sync.deviceevent": V,
        "sync.quarantinedevent": V,
        "sync.attachment": V,
        "core.taskrun": CV,
    },
    # Watches what the machine recommends, and what came of it.
    MODEL_MONITOR: {
        **DEAL,
        **WHO_WAS_RIGHT,
        **PLACES,
        **FEEDBACK,
        **PLANS,
        "routes.planningparameter": V,
        "journal.entry": V,
        "overrides.override": V,
        "overrides.decisionright": V,
    },
    # Answers customers and drivers during the day: sees the day, changes orders.
    COORDINATOR: {
        **DEAL,
        **PLACES,
        **TRIAGE,
        **PLANS,
        **FLEET,
        **TAKE_ORDERS,
        "customers.addressproposal": CV,
        "customers.link": CV,
        "promises.hold": V,
        **WRITE_TO_PEOPLE,
        **ANSWER,
        "routes.condition": ACV,
        "drivers.device": V,
    },
}


def role_among(names: Iterable[str]) -> str:
    """Return the role that somebody with these groups is told as; empty: none of ours.

    Of several it is the one that stands first in the table.
    """
    mine = set(names)
    return next((role for role in ROLES if role in mine), "")


def permissions_of(role: str) -> frozenset[str]:
    """Return a role's permissions as Django names them, such as `orders.view_order`."""
    return frozenset(
        f"{label.partition('.')[0]}.{act}_{label.partition('.')[2]}"
        for label, acts in ROLES[role].items()
        for act in acts
    )


def grant_roles(*, group: Any, permission: Any, content_type: Any) -> None:
    """Bring the groups and their permissions to what the table says; repeatable.

    The arguments are the models `Group`, `Permission` and `ContentType`, as a migration
    has them. Permissions that do not exist yet are made: Django makes its own only
    when all migrations have run. A group that is not in the table is left alone.
    """
    known = _permissions(permission, _content_types(content_type))
    for role, grants in ROLES.items():
        row, _ = group.objects.get_or_create(name=role)
        row.permissions.set([known[pair] for pair in _pairs(grants)])


def _pairs(grants: Grants) -> Iterator[tuple[str, str]]:
    for label, acts in grants.items():
        for act in acts:
            yield label, act


def _content_types(content_type: Any) -> dict[str, Any]:
    """Return the content type of each model in the table; make those that are missing."""
    labels = {label for grants in ROLES.values() for label in grants}
    rows = content_type.objects
    known = {f"{row.app_label}.{row.model}": row for row in rows.all()}
    made = rows.bulk_create(
        content_type(app_label=app, model=model)
        for app, _, model in (
            label.partition(".") for label in sorted(labels - known.keys())
        )
    )
    return known | {f"{row.app_label}.{row.model}": row for row in made}


def _permissions(
    permission: Any, kinds: Mapping[str, Any]
) -> dict[tuple[str, str], Any]:
    """Return the permission of each pair in the table; make those that are missing."""
    pairs = {pair for grants in ROLES.values() for pair in _pairs(grants)}
    names = {
        (kinds[label].pk, f"{act}_{label.partition('.')[2]}"): (label, act)
        for label, act in pairs
    }
    known = {
        pair: row
        for row in permission.objects.all()
        if (pair := names.get((row.content_type_id, row.codename)))
    }
    made = permission.objects.bulk_create(
        permission(
            content_type=kinds[label],
            codename=f"{act}_{label.partition('.')[2]}",
            name=f"Can {act} {installed.get_model(label)._meta.verbose_name_raw}",
        )
        for label, act in sorted(pairs - known.keys())
    )
    return known | dict(zip(sorted(pairs - known.keys()), made, strict=True))
