"""How a depot writes: its policy and its own words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.core.actors import Actor
from apps.core.problems import Conflict, FieldError, Invalid
from apps.depots.models import Depot
from apps.journal.services import writing
from apps.notifications.models import MessagePolicy, MessageTemplate
from apps.notifications.phrases import faults_of

POLICY_FIELDS = (
    *("sender", "language", "channels", "kinds_off", "kinds_urgent"),
    *("quiet_from", "quiet_until", "eta_moved_min", "on_the_way_min", "late_min"),
    *("countries", "most_a_person", "most_a_prefix", "most_a_depot"),
)
TEMPLATE_FIELDS = ("title", "text")


class ChangedMeanwhile(Conflict):
    """Somebody else has changed the row since it was read."""

    type = "/problems/changed-meanwhile"
    title = "Somebody has changed this meanwhile: open the page again."


class IsThere(Conflict):
    """The depot has one of these already."""

    type = "/problems/message-setting-exists"
    title = "The depot has this already: change the one that is there."


def keep_policy(
    *,
    depot: Depot,
    fields: Mapping[str, Any],
    expected_version: int | None,
    by: Actor,
    now: datetime,
) -> MessagePolicy:
    """Say how a depot writes to people; without a version a first policy is made.

    Raises:
        Invalid: no channel is left.
        IsThere: the depot has a policy already.
        ChangedMeanwhile: it is at another version.
    """
    if not fields["channels"]:
        said = "Choose a channel at least; to say nothing, switch the kinds off."
        raise Invalid(said, errors=[FieldError("/channels", "required", said)])
    with writing(by=by, now=now) as journal:
        row: MessagePolicy = _row(MessagePolicy, {"depot": depot}, expected_version)
        changed = _put(row, fields, POLICY_FIELDS)
        row.changed_at, row.changed_by = now, str(by)
        row.save()
        journal.record("message_policy.changed", row, depot_id=depot.pk, fields=changed)
    return row


def keep_template(
    *,
    depot: Depot,
    kind: str,
    language: str,
    fields: Mapping[str, Any],
    expected_version: int | None,
    by: Actor,
    now: datetime,
) -> MessageTemplate:
    """Give a kind of message the depot's own words in a language.

    Raises:
        Invalid: a placeholder is unknown or missing.
        IsThere: the depot has words for this already.
        ChangedMeanwhile: they are at another version.
    """
    if faults := faults_of(kind, fields["text"]):
        raise Invalid(" ".join(fault.detail for fault in faults), errors=faults)
    with writing(by=by, now=now) as journal:
        identity = {"depot": depot, "kind": kind, "language": language}
        row: MessageTemplate = _row(MessageTemplate, identity, expected_version)
        _put(row, fields, TEMPLATE_FIELDS)
        row.changed_at, row.changed_by = now, str(by)
        row.save()
        journal.record(
            "message_template.changed",
            row,
            depot_id=depot.pk,
            kind=kind,
            language=language,
        )
    return row


def _row(model: Any, identity: Mapping[str, Any], version: int | None) -> Any:
    """Return the row to be changed, one version on; or a new one."""
    row = model.objects.select_for_update().filter(**identity).first()
    if version is None:
        if row is not None:
            raise IsThere
        return model(**identity)
    if row is None or row.version != version:
        raise ChangedMeanwhile
    row.version += 1
    return row


def _put(row: Any, fields: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    changed = [name for name in names if getattr(row, name) != fields[name]]
    for name in changed:
        setattr(row, name, fields[name])
    return changed
