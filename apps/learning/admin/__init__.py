"""The office's pages of the room."""

from apps.learning.admin.pages import EstimatePage

__all__ = ["EstimatePage"]
