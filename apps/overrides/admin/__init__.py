"""The office's pages of decision rights and of requests to change a plan."""

from apps.overrides.admin.requests import OverridePage
from apps.overrides.admin.rights import DecisionRightPage

__all__ = ["DecisionRightPage", "OverridePage"]
