"""The anonymous door's verbs."""

from apps.customers.services.addresses import (
    Correction,
    approve_proposal,
    propose_address,
    reject_proposal,
)
from apps.customers.services.answering import answer_survey
from apps.customers.services.asking import count_inquiry
from apps.customers.services.links import make_link, revoke_links
from apps.customers.services.moving import (
    LinkUsed,
    customer_of,
    keep_slot,
    reschedule_delivery,
)
from apps.customers.services.objecting import object_to_change
from apps.customers.services.pages import keep_page, keep_pickup_point
from apps.customers.services.wishes import Wish, make_wish, prefer_part

__all__ = [
    "Correction",
    "LinkUsed",
    "Wish",
    "answer_survey",
    "approve_proposal",
    "count_inquiry",
    "customer_of",
    "keep_page",
    "keep_pickup_point",
    "keep_slot",
    "make_link",
    "make_wish",
    "object_to_change",
    "prefer_part",
    "propose_address",
    "reject_proposal",
    "reschedule_delivery",
    "revoke_links",
]
