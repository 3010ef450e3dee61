"""The office's pages of plans and routes."""

from apps.routes.admin.background import EntryPage, TaskRunPage
from apps.routes.admin.conditions import ConditionPage
from apps.routes.admin.modes import DecisionPointPage, ModePage
from apps.routes.admin.plans import PlanPage
from apps.routes.admin.routes import PlanChangePage, RoutePage

__all__ = [
    "ConditionPage",
    "DecisionPointPage",
    "EntryPage",
    "ModePage",
    "PlanChangePage",
    "PlanPage",
    "RoutePage",
    "TaskRunPage",
]
