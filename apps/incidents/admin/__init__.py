"""The office's pages of the room."""

from apps.incidents.admin.queue import IncidentPage
from apps.incidents.admin.work import ItemPage, PlaybookPage, WorkCapPage

__all__ = ["IncidentPage", "ItemPage", "PlaybookPage", "WorkCapPage"]
