"""The anonymous door's verbs."""

from apps.customers.services.links import make_link, revoke_links

__all__ = ["make_link", "revoke_links"]
