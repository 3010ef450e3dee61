"""The history of an incident in words, off the journal."""

from collections.abc import Iterable
from typing import Final

from django.contrib.auth.models import User

from apps.core.actors import user_actor
from apps.core.wording import local_time
from apps.incidents.models import Incident
from apps.journal.models import Entry
from apps.journal.selectors import entries_about

SENTENCES: Final = {
    "incident.raised": "Raised, {severity}.",
    "incident.assigned": "Given to {owner}. {warning}",
    "incident.escalated": "Escalated ({from_role} → {to_role}): {why}",
    "incident.resolved": "Resolved: {resolution}",
    "incident.noted": "{words}",
    "playbook.started": "Playbook “{playbook}”: {steps} to-dos.",
    "item.delegated": "A to-do was given to {owner}. {warning}",
    "item.settled": "To-do {state}: {text}",
}
"""What is said of each kind of entry, with what it tells."""


def timeline_of(row: Incident) -> list[tuple[str, str, str]]:
    """Return what happened, oldest first: when, who, what."""
    about_items = Entry.objects.filter(
        subject_type="actionitem", payload__incident_id=str(row.pk)
    )
    entries = sorted(
        [*entries_about("incident", row.pk), *about_items], key=lambda each: each.pk
    )
    owners = [f"user:{entry.payload.get('owner_id')}" for entry in entries]
    names = names_of([*(entry.actor for entry in entries), *owners])
    zone = row.depot.time_zone
    return [
        (
            local_time(entry.at, zone, "%d %b %H:%M:%S"),
            names.get(entry.actor, entry.actor),
            _sentence(entry, names),
        )
        for entry in entries
    ]


def _sentence(entry: Entry, names: dict[str, str]) -> str:
    sentence = SENTENCES.get(entry.kind)
    if sentence is None:
        return entry.kind.replace(".", " ")
    owner = names.get(f"user:{entry.payload.get('owner_id')}", "somebody")
    return sentence.format(**{**entry.payload, "owner": owner}).strip()


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Return the user names of those actors who are people of the office."""
    ids = {actor.partition(":")[2] for actor in actors if actor.startswith("user:")}
    users = User.objects.filter(pk__in=[one for one in ids if one.isdigit()])
    return {str(user_actor(user)): user.get_username() for user in users}
