"""The verb of a depot's rules."""

from datetime import datetime

from apps.core.actors import Actor
from apps.journal.services import writing
from apps.promises.models import SlotRules
from apps.promises.selectors import RULE_FIELDS


def keep_rules(*, rules: SlotRules, by: Actor, now: datetime) -> SlotRules:
    """Store a depot's rules as the office has filled them in; the journal keeps them."""
    with writing(by=by, now=now) as writer:
        rules.save()
        values = {name: str(getattr(rules, name)) for name in RULE_FIELDS}
        writer.record("slot_rules.kept", rules, depot_id=rules.depot_id, **values)
    return rules
