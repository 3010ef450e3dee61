"""The board that the office opens with, the way around, and the audit trail."""

from django.contrib import admin

from apps.metrics.admin.board import TODAY

admin.site.index_template = TODAY
