"""The orders' verbs."""

from apps.orders.services.addresses import (
    AddressImport,
    import_addresses,
    keep_address,
)
from apps.orders.services.files import (
    ImportClash,
    Preview,
    RunNotFound,
    import_orders,
    preview_import,
    receive_file,
)
from apps.orders.services.orders import (
    DuplicateReference,
    OrderClosed,
    OrderMoved,
    Outcomes,
    cancel_order,
    change_order,
    create_order,
    create_orders,
    reschedule_order,
    set_outcome,
)

__all__ = [
    "AddressImport",
    "DuplicateReference",
    "ImportClash",
    "OrderClosed",
    "OrderMoved",
    "Outcomes",
    "Preview",
    "RunNotFound",
    "cancel_order",
    "change_order",
    "create_order",
    "create_orders",
    "import_addresses",
    "import_orders",
    "keep_address",
    "preview_import",
    "receive_file",
    "reschedule_order",
    "set_outcome",
]
