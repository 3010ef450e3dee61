"""The board that the office opens with, the way around, and the audit trail."""

from django.contrib import admin

from apps.metrics.admin import monitor  # noqa: F401  the page registers itself
from apps.metrics.admin.board import TODAY

admin.site.index_template = TODAY

MOST_ROWS = 50
"""Rows of a list, also of those pages that libraries bring along."""

for page in admin.site._registry.values():
    page.list_per_page = min(page.list_per_page, MOST_ROWS)  # type: ignore[misc]
