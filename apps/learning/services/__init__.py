"""The room's verbs."""

from apps.learning.services.nightly import Night, learn

__all__ = ["Night", "learn"]
