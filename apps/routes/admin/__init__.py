"""The office's pages of plans and routes, and the board that the office opens with."""

from django.contrib import admin

from apps.routes.admin.background import EntryPage, TaskRunPage
from apps.routes.admin.conditions import ConditionPage
from apps.routes.admin.plans import PlanPage
from apps.routes.admin.routes import PlanChangePage, RoutePage
from apps.routes.admin.today import TODAY

__all__ = [
    "ConditionPage",
    "EntryPage",
    "PlanChangePage",
    "PlanPage",
    "RoutePage",
    "TaskRunPage",
]

admin.site.index_template = TODAY
